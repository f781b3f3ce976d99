"""What ``run`` and ``upload`` share: which contract is meant, and where it is or comes to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smartvm.commands.options import UsageError

if TYPE_CHECKING:
    from smartvm.abi import AbiType
    from smartvm.commands.artifact import Artifact
    from smartvm.commands.report import CallReport
    from smartvm.commands.session import Session
    from smartvm.instructions.model import InstructionTable
    from smartvm.vm.messages import ExecutionResult


def artifact_of(what: str, options: dict[str, Any]) -> Artifact:
    """The contract of a source file, or an artifact. Reads the options table_name, evm_version, optimize,
    expand_extensions and name. Raises ``SmartVMError``."""
    from smartvm.commands.artifact import choose, is_artifact_path, read_artifact

    if is_artifact_path(what):
        return read_artifact(what)
    if not what.endswith((".sol", ".yul")):
        raise UsageError(f"`{what}` is neither a .sol or .yul file nor an artifact (.json)")
    from smartvm.commands.compilation import CompileRequest, artifacts_of

    request = CompileRequest(
        [what],
        table_name=options["table_name"] or "default",
        evm_version=options["evm_version"] or "osaka",
        optimize=options["optimize"],
        expand_extensions=options.get("expand_extensions", False),
    )
    return choose(artifacts_of(what, request), options["name"], f"`{what}`")


def table_of(artifact: Artifact, options: dict[str, Any]) -> InstructionTable:
    """The table to run an artifact by. Raises ``ArtifactError`` when it was compiled with another."""
    from smartvm.commands.artifact import table_for
    from smartvm.commands.options import load_checked_table

    if options.get("expand_extensions"):
        from smartvm.extensions import without_extensions

        return without_extensions(load_checked_table(options["table_name"] or "default"))
    return table_for(artifact, options["table_name"])


def address_argument(text: str) -> bytes:
    """The 20 bytes of an address on the command line."""
    digits = text.removeprefix("0x").removeprefix("0X")
    if len(digits) != 40 or any(c not in "0123456789abcdefABCDEF" for c in digits):
        raise UsageError(f"`{text}` is no address", hint="an address is 0x and 40 hexadecimal digits")
    return bytes.fromhex(digits)


def encode_arguments(types: list[AbiType], words: tuple[str, ...], whose: str) -> bytes:
    """Words of the command line as the encoding of a call's or a constructor's arguments."""
    from smartvm.abi import AbiError, encode
    from smartvm.commands.values import argument

    if len(types) != len(words):
        shown = ", ".join(str(t) for t in types) or "none"
        raise UsageError(f"{whose} takes {len(types)} arguments ({shown}), {len(words)} are given")
    values = [argument(t, word) for t, word in zip(types, words, strict=True)]
    try:
        return encode(types, values)
    except AbiError as error:
        raise UsageError(f"{whose}: {error.message}") from None


def creation_code(artifact: Artifact, options: dict[str, Any]) -> bytes:
    """The contract's bytecode, linked, with its constructor's arguments. Reads the options libraries and
    constructor_args."""
    from smartvm.abi import type_from_json
    from smartvm.disassembler.linear import bytes_from_hex

    if not artifact.bytecode:
        raise UsageError(f"{artifact.contract_name} has no code: it is an interface or abstract")
    constructor: dict[str, Any] = next((e for e in artifact.abi if e.get("type") == "constructor"), {})
    types = [type_from_json(item) for item in constructor.get("inputs", ())]
    code = bytes_from_hex(_linked(artifact.bytecode, options["libraries"]))
    return code + encode_arguments(types, options["constructor_args"], "the constructor")


def _linked(bytecode: str, libraries: tuple[str, ...]) -> str:
    """The bytecode with the addresses of ``source:Library=0x...`` put in."""
    if not libraries:
        return bytecode
    from smartvm.compiler.linker import link_text

    addresses: dict[str, str] = {}
    for item in libraries:
        name, separator, address = item.partition("=")
        if not separator or not name:
            raise UsageError(f"`{item}` names no library", hint="write source.sol:Library=0x...")
        addresses[name] = "0x" + address_argument(address).hex()
    return link_text(bytecode, addresses)


def find_or_deploy(
    session: Session,
    report: CallReport,
    target: bytes | None,
    creation: bytes,
    gas: int,
    value: int,
    *,
    state_path: str | None,
    force: bool = False,
) -> tuple[bytes | None, ExecutionResult | None]:
    """The contract's address (None when its constructor failed), and the deployment if there was one.

    The contract is at ``target`` if that is given; else where the state has it since an earlier deployment
    of the same code and arguments; else, and with ``force``, it is deployed.
    """
    from smartvm.abi import checksum_address
    from smartvm.commands.session import Deployments

    deployments = Deployments(state_path)
    if target is not None and not session.state.code(target):
        raise UsageError(f"there is no code at {checksum_address(target)} in `{state_path}`")
    if target is None and not force:
        target = deployments.find(creation)
        if target is not None and not session.state.code(target):
            target = None
    if target is not None:
        report.line("address", checksum_address(target), f"{report.artifact.contract_name} at")
        return target, None
    result = session.deploy(creation, gas, value)
    if result.success and result.created_address is not None:
        target = result.created_address
        session.commit()
        deployments.record(creation, target)
    report.deployment(result)
    return target, result
