"""``evm.bytecode`` and ``evm.deployedBytecode`` of Standard JSON, from assembled objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from smartvm.compiler.artifacts.generated_sources import GeneratedSource
from smartvm.compiler.backend import AssembledObject
from smartvm.compiler.linker import link_hex, link_references_json, unlinked
from smartvm.compiler.yul import ast as yul
from smartvm.instructions.model import InstructionTable

#: The Yul names of Solidity's functions, getters and constructors: kind, declared name, AST id.
_SOLIDITY_FUNCTION = re.compile(r"(?P<kind>fun|getter|constructor)_(?:(?P<name>.+)_)?(?P<id>\d+)")


def bytecode_json(
    assembled: AssembledObject,
    *,
    table: InstructionTable,
    fork: str,
    libraries: Mapping[str, bytes],
    is_deployed: bool,
    wanted: Callable[[str], bool],
    code: yul.Block | None = None,
    utilities: Callable[[], GeneratedSource | None] = lambda: None,
    via_ir: bool = False,
) -> dict[str, Any]:
    """The parts that ``wanted`` accepts by name. ``code`` is the Yul that was assembled, ``utilities`` its utility
    functions' text."""
    parts: dict[str, Any] = {}
    if wanted("functionDebugData"):
        parts["functionDebugData"] = function_debug_data(assembled, code, via_ir=via_ir)
    if wanted("generatedSources"):
        generated = utilities()
        parts["generatedSources"] = [] if generated is None else [generated.json()]
    if is_deployed and wanted("immutableReferences"):
        parts["immutableReferences"] = {
            name: [{"length": length, "start": start} for start, length in places]
            for name, places in sorted(assembled.immutable_references.items())
        }
    if wanted("linkReferences"):
        parts["linkReferences"] = link_references_json(unlinked(assembled.link_references, libraries))
    if wanted("object"):
        parts["object"] = link_hex(assembled.bytecode, assembled.link_references, libraries)
    if wanted("opcodes"):
        parts["opcodes"] = opcodes(bytes.fromhex(link_hex(assembled.bytecode, {}, libraries)), table, fork)
    if wanted("sourceMap"):
        generated = utilities()
        parts["sourceMap"] = (assembled if generated is None else generated.placed(assembled)).source_map()
    return parts


def empty_bytecode_json(*, is_deployed: bool, wanted: Callable[[str], bool]) -> dict[str, Any]:
    """The same for what has no code: an interface, an abstract contract."""
    parts: dict[str, Any] = {
        "functionDebugData": {},
        "generatedSources": [],
        "linkReferences": {},
        "object": "",
        "opcodes": "",
        "sourceMap": "",
    }
    if is_deployed:
        parts["immutableReferences"] = {}
    return {name: value for name, value in parts.items() if wanted(name)}


def ast_id_of(name: str) -> int | None:
    """The AST id in the name of a Yul function that stands for a Solidity function, getter or constructor."""
    found = _SOLIDITY_FUNCTION.fullmatch(name)
    return None if found is None else int(found["id"])


def function_debug_data(
    assembled: AssembledObject, code: yul.Block | None = None, *, via_ir: bool = True
) -> dict[str, Any]:
    """Where functions start and how many stack slots they take. Functions of ``code`` that have no code of their own
    (they are inlined, or nothing calls them) start nowhere (None). Without ``via_ir`` Solidity's functions have the
    names that solc's other pipeline gives them."""

    def entry(name: str, offset: int | None, parameters: int, returns: int) -> None:
        found = _SOLIDITY_FUNCTION.fullmatch(name)
        if found is not None and not via_ir:
            declared = "" if found["kind"] == "constructor" else found["name"] or ""
            name = f"@{declared}_{found['id']}"
        listed[name] = {
            "entryPoint": offset,
            "id": None if found is None else int(found["id"]),
            "parameterSlots": parameters,
            "returnSlots": returns,
        }

    listed: dict[str, Any] = {}
    for statement in () if code is None else code.statements:
        if isinstance(statement, yul.FunctionDefinition):
            entry(statement.name, None, len(statement.parameters), len(statement.returns))
    for function in assembled.functions:
        entry(function.name, function.offset, function.parameters, function.returns)
    return dict(sorted(listed.items()))


def opcodes(code: bytes, table: InstructionTable, fork: str) -> str:
    """The code as solc's ``opcodes``: mnemonics and immediate values, data read as if it were code. Instructions of
    later forks have their names too (REVERT before Byzantium, what data happens to look like)."""
    by_opcode = {**{i.opcode: i for i in table.instructions}, **table.for_fork(fork)}
    words: list[str] = []
    position = 0
    while position < len(code):
        instruction = by_opcode.get(code[position])
        position += 1
        if instruction is None:
            words.append("INVALID")
            continue
        words.append(instruction.name)
        size = instruction.immediate_bytes
        if size:
            immediate = int.from_bytes(code[position : position + size].ljust(size, b"\0"), "big")
            words.append(f"0x{immediate:X}")
            position += size
    return "".join(f"{word} " for word in words)
