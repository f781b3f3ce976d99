"""A disassembly as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smartvm.disassembler.blocks import BasicBlock, ControlFlowGraph
from smartvm.disassembler.linear import DisassembledInstruction, Disassembly

#: For offsets of instructions, the source line that they came from, as ``file:line: text``.
SourceNotes = Mapping[int, str]

#: Families whose operands are always named; of other instructions only those that are known.
_NAMED_FAMILIES = ("dnn", "extension")
#: Families that only move words: naming their operands would say nothing.
_SILENT_FAMILIES = ("push", "dup", "swap", "stack")


def _number(value: int) -> str:
    return str(value) if value < 256 else hex(value)


def _operand_note(item: DisassembledInstruction, operands: tuple[int | None, ...]) -> str:
    instruction = item.instruction
    if instruction is None or not instruction.operands or instruction.family in _SILENT_FAMILIES:
        return ""
    pairs = list(zip(instruction.operands, operands, strict=False))
    if instruction.family in _NAMED_FAMILIES or instruction.implementation is not None:
        return ", ".join(f"{name}={'?' if value is None else _signed(value)}" for name, value in pairs)
    return ", ".join(f"{name}={_number(value)}" for name, value in pairs if value is not None)


def _signed(value: int) -> str:
    return _number(value) if value < 2**255 else str(value - 2**256)


def _block_line(block: BasicBlock, sources: SourceNotes) -> str:
    edges = [f"{kind} -> {target:#06x}" for target, kind in block.successors]
    if block.has_unknown_jump:
        edges.append("jump -> ?")
    gas = f"gas {block.static_gas}" + "".join(f" + {rule}" for rule in block.dynamic_rules)
    parts = [f"block {block.start:#06x}", gas, *edges]
    if not block.is_reachable:
        parts.append("not reached")
    line = "; ".join(parts)
    source = next((sources[i.offset] for i in block.instructions if i.offset in sources), None)
    return f"{line}  // {source}" if source else line


def disassembly_text(
    disassembly: Disassembly, graph: ControlFlowGraph, sources: SourceNotes | None = None
) -> Iterator[str]:
    """Lines: each block with its gas, edges and source line, then its instructions with named operands."""
    sources = sources or {}
    for block in graph.blocks:
        yield _block_line(block, sources)
        for item, operands in zip(block.instructions, block.operands, strict=True):
            line = f"  {item.offset:06x}  {item.opcode:02x}  {item.mnemonic}"
            if item.immediate or item.is_truncated:
                line += f" 0x{item.immediate.hex()}"
            note = "the code ends within it" if item.is_truncated else _operand_note(item, operands)
            yield f"{line:<44}; {note}" if note else line
        yield ""
    if disassembly.metadata:
        start = len(disassembly.code) - len(disassembly.metadata)
        yield f"metadata {start:#06x}: {disassembly.metadata.hex()}"


def disassembly_json(
    disassembly: Disassembly, graph: ControlFlowGraph, sources: SourceNotes | None = None
) -> dict[str, Any]:
    """The same facts for programs: numbers as integers, words as ``0x`` text."""
    sources = sources or {}

    def instruction(item: DisassembledInstruction, operands: tuple[int | None, ...]) -> dict[str, Any]:
        entry: dict[str, Any] = {"offset": item.offset, "opcode": item.opcode, "mnemonic": item.mnemonic}
        if item.immediate:
            entry["immediate"] = "0x" + item.immediate.hex()
        if item.is_truncated:
            entry["truncated"] = True
        if item.instruction and item.instruction.operands and item.instruction.family not in _SILENT_FAMILIES:
            pairs = zip(item.instruction.operands, operands, strict=False)
            entry["operands"] = {name: None if value is None else hex(value) for name, value in pairs}
        if item.offset in sources:
            entry["source"] = sources[item.offset]
        return entry

    blocks = [
        {
            "start": block.start,
            "end": block.end,
            "reachable": block.is_reachable,
            "static_gas": block.static_gas,
            "dynamic_gas": list(block.dynamic_rules),
            "successors": [{"target": target, "kind": kind} for target, kind in block.successors],
            "unknown_jump": block.has_unknown_jump,
            "instructions": [
                instruction(item, operands)
                for item, operands in zip(block.instructions, block.operands, strict=True)
            ],
        }
        for block in graph.blocks
    ]
    return {
        "table": disassembly.table.name,
        "tableDigest": disassembly.table.digest,
        "fork": disassembly.fork,
        "size": len(disassembly.code),
        "metadata": "0x" + disassembly.metadata.hex(),
        "blocks": blocks,
    }
