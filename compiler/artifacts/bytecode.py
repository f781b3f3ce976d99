"""``evm.bytecode`` and ``evm.deployedBytecode`` of Standard JSON, from assembled objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from smartvm.compiler.backend import AssembledObject
from smartvm.compiler.linker import link_hex, link_references_json, unlinked
from smartvm.instructions.model import InstructionTable

_AST_ID = re.compile(r"_(\d+)$")


def bytecode_json(
    assembled: AssembledObject,
    *,
    table: InstructionTable,
    fork: str,
    libraries: Mapping[str, bytes],
    is_deployed: bool,
    wanted: Callable[[str], bool],
) -> dict[str, Any]:
    """The parts that ``wanted`` accepts by name."""
    parts: dict[str, Any] = {}
    if wanted("functionDebugData"):
        parts["functionDebugData"] = function_debug_data(assembled)
    if wanted("generatedSources"):
        parts["generatedSources"] = []
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
        parts["sourceMap"] = assembled.source_map()
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
    """The AST id at the end of a Yul function's name, if there is one."""
    found = _AST_ID.search(name)
    return None if found is None else int(found[1])


def function_debug_data(assembled: AssembledObject) -> dict[str, Any]:
    """Where functions start and how many stack slots they take."""
    listed: dict[str, Any] = {}
    for entry in assembled.functions:
        ast_id = _AST_ID.search(entry.name)
        listed[entry.name] = {
            "entryPoint": entry.offset,
            "id": int(ast_id[1]) if ast_id else None,
            "parameterSlots": entry.parameters,
            "returnSlots": entry.returns,
        }
    return listed


def opcodes(code: bytes, table: InstructionTable, fork: str) -> str:
    """The code as solc's ``opcodes``: mnemonics and immediate values, data read as if it were code."""
    by_opcode = table.for_fork(fork)
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
