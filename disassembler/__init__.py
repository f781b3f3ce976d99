"""Bytecode for people to read: instructions, basic blocks, the control-flow graph. Knows instruction tables
alone."""

from smartvm.disassembler.blocks import BasicBlock, ControlFlowGraph, control_flow_graph
from smartvm.disassembler.linear import DisassembledInstruction, Disassembly, disassemble
from smartvm.disassembler.report import SourceNotes, disassembly_json, disassembly_text

__all__ = [
    "BasicBlock",
    "ControlFlowGraph",
    "DisassembledInstruction",
    "Disassembly",
    "SourceNotes",
    "control_flow_graph",
    "disassemble",
    "disassembly_json",
    "disassembly_text",
]
