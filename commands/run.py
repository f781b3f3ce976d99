"""``smartvm run``: deploys a contract and calls it, or runs raw code."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from smartvm.commands.options import CommandWithLists, UsageError, table_option
from smartvm.commands.profile import LineProfiler, Tracers
from smartvm.commands.report import CallReport, describe_failure

if TYPE_CHECKING:
    from smartvm.commands.artifact import Artifact
    from smartvm.commands.session import Session
    from smartvm.instructions.model import InstructionTable

_GAS = 1_000_000_000
#: What raw code gets, as in the measurements of other EVMs.
_RAW_GAS = 10**12


class _RunCommand(CommandWithLists):
    list_options = ("--args", "--constructor-args", "--libraries")


@click.command(cls=_RunCommand, short_help="Deploy a contract and call it, or run raw code.")
@click.argument("what", required=False, metavar="[FILE.sol|FILE.yul|ARTIFACT]")
@click.option("--contract", "name", help="Which contract of the file, when there are several.")
@click.option("--constructor-args", multiple=True, metavar="VALUE...", help="The constructor's arguments.")
@click.option(
    "--libraries",
    multiple=True,
    metavar="NAME=ADDRESS",
    help="Where a library is that the contract is linked to.",
)
@click.option("--call", "function", metavar="FUNCTION", help="What to call: a name, or name(type,type).")
@click.option("--args", "arguments", multiple=True, metavar="VALUE...", help="The call's arguments.")
@click.option(
    "--value",
    default="0",
    metavar="WEI",
    help="Wei to send, also as 1e18 or 2ether: with the call, or without one with the deployment.",
)
@click.option("--sender", metavar="ADDRESS", help="Who sends.")
@click.option(
    "--gas",
    type=click.IntRange(0, 2**63 - 1),
    metavar="N",
    help=f"Gas of the call and of the deployment.  [default: {_GAS:,}; raw code {_RAW_GAS:,}]",
)
@table_option(None)
@click.option(
    "--evm-version", metavar="VERSION", help="The fork.  [default: the artifact's; osaka; raw code cancun]"
)
@click.option("--optimize", is_flag=True, help="Compile source files with the optimizer.")
@click.option(
    "--expand-extensions",
    is_flag=True,
    help="Run on a VM without the instructions that the table gives in Yul; their Yul is compiled in.",
)
@click.option("--state", "state_path", metavar="DIR", help="Keep the state in DIR from run to run.")
@click.option(
    "--at", "address", metavar="ADDRESS", help="Call the contract at ADDRESS of the state; deploy nothing."
)
@click.option("--deploy", "force_deploy", is_flag=True, help="Deploy even if DIR has this contract already.")
@click.option("--trace", is_flag=True, help="Write EIP-3155 lines, one for each instruction, to stderr.")
@click.option("--trace-file", metavar="FILE", help="Write the EIP-3155 lines to FILE.")
@click.option("--profile", is_flag=True, help="Print where the call's gas went, by source line.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--engine",
    type=click.Choice(["interpreter", "compiled", "auto"]),
    default="auto",
    show_default=True,
    help="Which tier of the VM executes.",
)
@click.option("--code", metavar="HEX|@FILE", help="Run this code instead of a contract.")
@click.option("--input", "input_", metavar="HEX|@FILE", help="Calldata: of raw code, or instead of --call.")
@click.option(
    "--block-cache",
    type=click.IntRange(0),
    metavar="BYTES",
    help="Memory for decoded weight blocks.  [default: 512 MiB]",
)
@click.option("--no-prefetch", is_flag=True, help="Read no weight blocks ahead in a second thread.")
@click.option(
    "--no-blocks", is_flag=True, help="Keep weight blocks as ordinary slots, one item each, for comparison."
)
@click.option("--bench", default=0, type=click.IntRange(0), metavar="K", help="Time K runs of raw code.")
def command(what: str | None, code: str | None, **options: Any) -> None:
    """Deploy the contract of a Solidity or Yul file, or of an artifact, and call one of its functions.

    Arguments are numbers (12, 0xff, 1e18), true and false, 0x bytes and addresses, text, arrays [1, 2] and
    tuples (1, 2); big arrays come from files: .npy, .npz (.npz:NAME), .json, and .png images as gray
    values. Results, events and revert reasons are decoded by the ABI. `smartvm run --code 0x... --input
    0x...` runs raw code as the code of an account.

    Exit status: 0 success, 1 the call reverted or halted, 2 wrong usage.
    """
    if code is not None:
        if what is not None:
            raise UsageError("give a contract or --code, not both")
        _run_raw(code, options)
    elif what is None:
        raise UsageError("what is to be run?", hint="smartvm run FILE.sol --call NAME, or --code 0x...")
    else:
        _run_contract(what, options)


# --- raw code
# -----------------------------------------------------------------------------------------------------


def _run_raw(code: str, options: dict[str, Any]) -> None:
    import json

    from smartvm.commands.options import checked_fork, hex_argument, load_checked_table
    from smartvm.vm.raw import run_raw

    bytecode, data = hex_argument(code), hex_argument(options["input_"] or "")
    table = load_checked_table(options["table_name"] or "default")
    fork = checked_fork(table, options["evm_version"] or "cancun")
    codes: Mapping[str, bytes] = {}
    if any(i.implementation is not None and i.implementation.kind != "native" for i in table.instructions):
        from smartvm.extensions import kernels, microcode

        kernels(table)
        codes = microcode(table, fork)
    if options["bench"] and (options["trace"] or options["trace_file"]):
        raise UsageError("--bench and --trace do not go together")
    with ExitStack() as stack:
        tracer = _tracer(options, stack)
        result, report = run_raw(
            bytecode,
            data,
            _RAW_GAS if options["gas"] is None else options["gas"],
            repetitions=options["bench"],
            table=table,
            fork=fork,
            engine=options["engine"],
            tracer=tracer,
            microcode=codes,
        )
        if tracer is not None:
            tracer.finish(result)
    if options["as_json"]:
        click.echo(json.dumps(report))
    else:
        click.echo(f"output 0x{result.output.hex()}")
        click.echo(f"gas {result.gas_used:,}")
        if report["bench_ns"]:
            times = sorted(report["bench_ns"])
            click.echo(f"median of {len(times)} runs {times[len(times) // 2] / 1e6:.3f} ms")
        if not result.success:
            click.echo(describe_failure(result, []), err=True)
    sys.exit(0 if result.success else 1)


def _tracer(options: dict[str, Any], stack: ExitStack) -> Any:
    path = options["trace_file"]
    if path is None and not options["trace"]:
        return None
    from smartvm.vm.trace import StandardTracer

    if path is None:
        return StandardTracer(sys.stderr)
    try:
        return StandardTracer(stack.enter_context(open(path, "w", encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from None


# --- contracts
# ----------------------------------------------------------------------------------------------------


def _find_function(artifact: Artifact, wanted: str) -> dict[str, Any]:
    from difflib import get_close_matches

    from smartvm.abi import parse_signature, signature_of

    functions = {str(signature_of(e)): e for e in artifact.abi if e.get("type") == "function"}
    if "(" in wanted:
        found = functions.get(str(parse_signature(wanted)))
        if found is not None:
            return found
        same = [s for s in functions if s.split("(")[0] == wanted.split("(")[0].strip()]
    else:
        same = [s for s in functions if s.split("(")[0] == wanted]
        if len(same) == 1:
            return functions[same[0]]
        if same:
            raise UsageError(
                f"several functions are called `{wanted}`", hint=f"write one of: {', '.join(same)}"
            )
    by_name = {s.split("(")[0]: s for s in functions}
    close = same or [by_name[n] for n in get_close_matches(wanted.split("(")[0], by_name, 3, 0.6)]
    known = ", ".join(close or list(functions)[:20]) or "it has no functions in its ABI"
    raise UsageError(f"{artifact.contract_name} has no function `{wanted}`", hint=f"known: {known}")


@dataclass(frozen=True)
class _Plan:
    """What the command line asks for, checked.

    ``target`` is None where the contract is to be deployed or found in the state; ``entry`` is the ABI entry
    of the function to call, None for raw calldata; ``calls``: something is called.
    """

    artifact: Artifact
    table: InstructionTable
    fork: str
    sender: bytes
    gas: int
    value: int
    target: bytes | None
    creation: bytes
    entry: dict[str, Any] | None
    data: bytes
    calls: bool


def _plan(what: str, options: dict[str, Any]) -> _Plan:
    """Find everything that can be wrong about the command line before anything runs."""
    from smartvm.commands.deployment import address_argument, artifact_of, creation_code, table_of
    from smartvm.commands.options import checked_fork
    from smartvm.commands.session import DEFAULT_SENDER
    from smartvm.commands.values import wei

    for option in ("address", "force_deploy"):
        if options[option] and options["state_path"] is None:
            raise UsageError("--at and --deploy go with --state DIR")
    artifact = artifact_of(what, options)
    table = table_of(artifact, options)
    if not artifact.bytecode:
        raise UsageError(f"{artifact.contract_name} has no code: it is an interface or abstract")
    entry, data = _calldata(artifact, options)
    target = address_argument(options["address"]) if options["address"] else None
    creation = creation_code(artifact, options) if target is None else b""
    return _Plan(
        artifact=artifact,
        table=table,
        fork=checked_fork(table, options["evm_version"] or artifact.evm_version),
        sender=address_argument(options["sender"]) if options["sender"] else DEFAULT_SENDER,
        gas=_GAS if options["gas"] is None else options["gas"],
        value=wei(options["value"]),
        target=target,
        creation=creation,
        entry=entry,
        data=data,
        calls=entry is not None or options["input_"] is not None,
    )


def _calldata(artifact: Artifact, options: dict[str, Any]) -> tuple[dict[str, Any] | None, bytes]:
    """The function to call and the call's data, by ``--call`` and ``--args`` or by ``--input``."""
    from smartvm.abi import signature_of
    from smartvm.commands.deployment import encode_arguments
    from smartvm.commands.options import hex_argument

    if options["function"] and options["input_"] is not None:
        raise UsageError("give --call or --input, not both")
    if options["function"]:
        entry = _find_function(artifact, options["function"])
        signature = signature_of(entry)
        arguments = encode_arguments(list(signature.types), options["arguments"], f"`{signature}`")
        return entry, signature.selector + arguments
    if options["arguments"]:
        raise UsageError("--args without --call", hint="name the function: --call NAME")
    return None, hex_argument(options["input_"]) if options["input_"] is not None else b""


def _run_contract(what: str, options: dict[str, Any]) -> None:
    from smartvm.commands.deployment import find_or_deploy
    from smartvm.commands.session import Session

    plan = _plan(what, options)
    report = CallReport(plan.artifact, options["as_json"])
    with ExitStack() as stack:
        tracer = _tracer(options, stack)
        profiler = LineProfiler() if options["profile"] else None
        session = Session(
            plan.table,
            plan.fork,
            plan.sender,
            state_path=options["state_path"],
            engine=options["engine"],
            block_cache_bytes=options["block_cache"],
            prefetch=not options["no_prefetch"],
            weights_as_slots=options["no_blocks"],
            tracer=Tracers(tracer, profiler) if tracer and profiler else tracer or profiler,
        )
        stack.enter_context(session)
        target, result = find_or_deploy(
            session,
            report,
            plan.target,
            plan.creation,
            plan.gas,
            0 if plan.calls else plan.value,
            state_path=options["state_path"],
            force=options["force_deploy"],
        )
        if target is not None and plan.calls:
            if profiler is not None:
                profiler.watch(target, _lines(plan.artifact, session, target))
            result = session.call(target, plan.data, plan.gas, plan.value)
            # Kept before anything is printed: whoever reads the output may go away.
            if result.success:
                session.commit()
            report.call(plan.entry, result)
            if profiler is not None:
                report.profile(profiler)
        if tracer is not None and result is not None:
            tracer.finish(result)
    report.end(result)
    sys.exit(0 if result is None or result.success else 1)


def _lines(artifact: Artifact, session: Session, target: bytes) -> Mapping[int, tuple[str, int]]:
    """The source line of each instruction of the deployed code."""
    from smartvm.disassembler import disassemble
    from smartvm.disassembler.source_notes import source_lines

    machine = session.machine
    disassembly = disassemble(session.state.code(target), machine.table, machine.fork.label)
    return source_lines(disassembly, artifact.deployed_source_map, artifact.sources)
