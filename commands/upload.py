"""``smartvm upload``: stores a network's weights in a contract."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from smartvm.commands.options import CommandWithLists, UsageError, table_option

if TYPE_CHECKING:
    from smartvm.api.contract import TransactionResult
    from smartvm.api.weights import PlannedBlock, Uploader
    from smartvm.commands.artifact import Artifact
    from smartvm.commands.session import Session

#: Gas of a deployment.
_DEPLOYMENT_GAS = 1_000_000_000


class _UploadCommand(CommandWithLists):
    list_options = ("--constructor-args", "--libraries")


@click.command(cls=_UploadCommand, short_help="Store a network's weights in a contract.")
@click.argument("what", metavar="ARTIFACT|FILE.sol")
@click.argument("weights", metavar="WEIGHTS.npz")
@click.option("--state", "state_path", metavar="DIR", required=True, help="The state that has the contract.")
@click.option("--at", "address", metavar="ADDRESS", help="Where in the state the contract is.")
@click.option("--map", "places", metavar="FILE.json", help="Block ids of the arrays, by their names.")
@click.option(
    "--first-id",
    type=click.IntRange(0),
    default=2,
    show_default=True,
    metavar="ID",
    help="Without --map, the first array's block; the others follow in the file's order.",
)
@click.option(
    "--function", default="upload", show_default=True, metavar="NAME", help="The contract's upload function."
)
@click.option(
    "--block-gas-limit",
    type=click.IntRange(1, 2**63 - 1),
    default=1 << 32,
    show_default=True,
    metavar="N",
    help="Gas that a block of the chain, and so a transaction, may use.",
)
@click.option("--sender", metavar="ADDRESS", help="Who sends.")
@click.option("--contract", "name", help="Which contract of the file, when there are several.")
@click.option("--constructor-args", multiple=True, metavar="VALUE...", help="As given at the deployment.")
@click.option("--libraries", multiple=True, metavar="NAME=ADDRESS", help="As given at the deployment.")
@table_option(None)
@click.option("--evm-version", metavar="VERSION", help="The fork.  [default: the artifact's]")
@click.option("--optimize", is_flag=True, help="Compile source files with the optimizer.")
@click.option(
    "--no-blocks", is_flag=True, help="Store the items as ordinary slots, for comparison; see smartvm run."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(what: str, weights: str, **options: Any) -> None:
    """Store the arrays of a .npz file as weight blocks of a contract, through its own function
    upload(uint256 id, uint256 width, bytes items), one transaction a block.

    The contract is the one at --at, else the one that the state has of this code, else it is deployed. What
    was stored stays when the command is interrupted: run it again, and it goes on with what is missing.
    docs/weights.md has the convention.

    Exit status: 0 success, 1 the contract did not store a block or was not deployed, 2 wrong usage.
    """
    from smartvm.api.weights import open_weights, plan_blocks, read_places, upload_entry
    from smartvm.commands.deployment import (
        address_argument,
        artifact_of,
        creation_code,
        find_or_deploy,
        table_of,
    )
    from smartvm.commands.options import checked_fork
    from smartvm.commands.report import CallReport
    from smartvm.commands.session import DEFAULT_SENDER, Session

    artifact = artifact_of(what, options)
    table = table_of(artifact, options)
    fork = checked_fork(table, options["evm_version"] or artifact.evm_version)
    entry = upload_entry(artifact.abi, options["function"])
    sender = address_argument(options["sender"]) if options["sender"] else DEFAULT_SENDER
    target = address_argument(options["address"]) if options["address"] else None
    creation = creation_code(artifact, options) if target is None else b""
    report = CallReport(artifact, options["as_json"])
    with open_weights(weights) as arrays:
        places = read_places(options["places"]) if options["places"] else None
        blocks = plan_blocks(arrays, places, options["first_id"])
        in_slots = options["no_blocks"]
        with Session(table, fork, sender, state_path=options["state_path"], weights_as_slots=in_slots) as session:
            if "block_write_byte" not in session.machine.plan.constants:
                raise UsageError(f"the table `{table.name}` has no weight blocks", hint="--table default")
            target, deployment = find_or_deploy(
                session, report, target, creation, _DEPLOYMENT_GAS, 0, state_path=options["state_path"]
            )
            if target is None:
                report.end(deployment)
                sys.exit(1)
            uploader = _uploader(session, artifact, entry, target, options["block_gas_limit"])
            uploader.check(blocks)
            total = sum(block.stored_bytes for block in blocks)
            with _progress(total, options["as_json"]) as progress:
                result = uploader.upload(blocks, progress)
    report.line("blocks_sent", result.sent, "weight blocks stored:")
    report.line("blocks_skipped", result.skipped, "there already:")
    report.line("stored_bytes", result.stored_bytes, "bytes in all:")
    report.line("upload_gas_used", result.gas_used, "gas")
    report.end(None)


def _uploader(
    session: Session, artifact: Artifact, entry: Any, target: bytes, gas_limit: int
) -> Uploader:
    from smartvm.abi import encode, signature_of
    from smartvm.api.contract import TransactionResult
    from smartvm.api.weights import Uploader
    from smartvm.commands.report import describe_failure
    from smartvm.vm.slot_blocks import block_in_slots

    signature = signature_of(entry)

    def send(block_id: int, width: int, items: bytes) -> TransactionResult:
        data = signature.selector + encode(signature.types, (block_id, width, items))
        result = session.call(target, data, gas_limit)
        if result.success:
            session.commit()
        reason = None if result.success else describe_failure(result, artifact.abi)
        return TransactionResult(result.success, None, result.output, result.gas_used, reason=reason)

    def stored(block_id: int) -> bytes | None:
        if session.machine.weights_as_slots:
            return block_in_slots(session.state, target, block_id)
        return session.state.block(target, block_id)

    return Uploader(
        send,
        stored,
        session.machine.plan.constants["block_write_byte"],
        gas_limit,
    )


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[PlannedBlock], None]]:
    """A bar on a terminal's stderr that counts bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("uploading", total=total)

        def advance(block: PlannedBlock) -> None:
            bar.update(task, advance=block.stored_bytes, description=block.name)

        yield advance
