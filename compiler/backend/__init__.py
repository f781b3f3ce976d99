"""Yul to bytecode: SSA control-flow graph, stack scheduling, assembly, and the assembler."""
