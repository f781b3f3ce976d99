"""Disassembly, basic blocks, jump targets, static gas, and the pictures of them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.disassembler import control_flow_graph, disassemble, disassembly_json, disassembly_text
from smartvm.disassembler.graph import graph_dot, graph_svg
from smartvm.disassembler.linear import BytecodeError, bytes_from_hex
from smartvm.disassembler.source_notes import line_notes, source_lines
from smartvm.instructions.loader import load_table

TABLE = load_table()

#: A loop from 3 to 0, a call of a function that returns to two places, and a revert that nothing reaches.
CODE = bytes.fromhex(
    "6003"  # 00 PUSH1 3
    "5b"  # 02 JUMPDEST loop
    "600190036002"  # 03 PUSH1 1, SWAP1, SUB, PUSH1 2 (kept below)
    "50"  # 09 POP
    "80600257"  # 0a DUP1, PUSH1 2, JUMPI
    "6014601e56"  # 0e PUSH1 0x14, PUSH1 0x1e, JUMP: call
    "fe"  # 13 INVALID
    "5b"  # 14 JUMPDEST first return
    "601b601e56"  # 15 PUSH1 0x1b, PUSH1 0x1e, JUMP: call
    "fe"  # 1a INVALID
    "5b00"  # 1b JUMPDEST second return, STOP
    "fe"  # 1d
    "5b56"  # 1e JUMPDEST function, JUMP back
)


def graph_of(code: bytes, fork: str = "osaka"):
    return control_flow_graph(disassemble(code, TABLE, fork))


def test_blocks_edges_and_reachability():
    graph = graph_of(CODE)
    edges = {b.start: {(target, kind) for target, kind in b.successors} for b in graph.blocks}
    assert edges[0x00] == {(0x02, "next")}
    assert edges[0x02] == {(0x02, "taken"), (0x0E, "next")}
    assert edges[0x0E] == {(0x1E, "jump")}
    assert edges[0x1E] == {(0x14, "jump"), (0x1B, "jump")}
    assert {b.start for b in graph.blocks if not b.is_reachable} == {0x13, 0x1A, 0x1D}
    assert not any(b.has_unknown_jump for b in graph.blocks)
    assert graph.predecessors()[0x02] == [0x00, 0x02]


def test_static_gas_is_the_sum_of_the_tables_constants():
    blocks = graph_of(bytes.fromhex("60016002015f5500")).blocks
    assert [(b.static_gas, b.dynamic_rules) for b in blocks] == [(3 + 3 + 3 + 2 + 0, ("storage_write_net",))]
    assert graph_of(bytes.fromhex("6001600055"), "istanbul").blocks[0].static_gas == 6


def test_jump_to_a_computed_target_is_marked_unknown():
    block = graph_of(bytes.fromhex("5f35565b00")).blocks[0]
    assert block.has_unknown_jump
    assert block.successors == ()


def test_dnn_operands_are_named_with_their_constants():
    code = bytes.fromhex("5f600160056018601860066001600222")
    lines = list(disassembly_text(disassemble(code, TABLE, "osaka"), graph_of(code)))
    assert any(
        "CONV_MUL" in line
        and "weights=2, in_channels=1, out_channels=6, height=24, width=24, kernel=5, stride=1, padding=0"
        in line
        for line in lines
    )


def test_words_that_btos0_pushes_are_counted():
    # BTOS0 of two items, the destination stays below them: POP, POP, JUMP.
    graph = graph_of(bytes.fromhex("600a60025fd7505056005b00"))
    assert graph.blocks[0].successors == ((0x0A, "jump"),) or graph.blocks[0].has_unknown_jump is False


def test_bytes_are_read_by_table_and_fork():
    names = [i.mnemonic for i in disassemble(bytes.fromhex("5f21301e"), TABLE, "osaka").instructions]
    assert names == ["PUSH0", "CONV_SING", "ADDRESS", "CLZ"]
    old = [i.mnemonic for i in disassemble(bytes.fromhex("5f1b44"), TABLE, "homestead").instructions]
    assert old == ["UNDEFINED_5F", "UNDEFINED_1B", "DIFFICULTY"]
    paper = [
        i.mnemonic for i in disassemble(bytes.fromhex("30d4"), load_table("paper"), "osaka").instructions
    ]
    assert paper == ["BUF_BIAS", "ADDRESS"]


def test_push_that_the_code_ends_within_reads_zeros():
    (item,) = disassemble(bytes.fromhex("6201"), TABLE, "osaka").instructions
    assert item.is_truncated
    assert item.value == 0x010000


def test_metadata_is_kept_apart():
    trailer = bytes.fromhex("a164736f6c6343000825000a")
    disassembly = disassemble(b"\x00" + trailer, TABLE, "osaka")
    assert disassembly.metadata == trailer
    assert [i.mnemonic for i in disassembly.instructions] == ["STOP"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0x123", "cut in half"),
        ("0x12zz", "`z` (digit 2)"),
        ("60__$0123456789012345678901234567890123$__", "not linked"),
    ],
)
def test_what_is_no_bytecode_is_refused(text, message):
    with pytest.raises(BytecodeError) as caught:
        bytes_from_hex(text)
    assert message in str(caught.value)
    assert bytes_from_hex("0x 60\n01") == b"\x60\x01"


def test_source_maps_give_lines():
    sources = {0: ("a.sol", "first\nsecond é\nthird\n")}
    disassembly = disassemble(bytes.fromhex("6001600201"), TABLE, "osaka")
    lines = source_lines(disassembly, "6:6:0:-;;16:5", sources)
    assert lines == {0: ("a.sol", 2), 2: ("a.sol", 2), 4: ("a.sol", 3)}
    assert line_notes(lines, sources)[0] == "a.sol:2: second é"


def test_pictures_show_every_reached_block():
    graph = graph_of(CODE)
    reached = [b for b in graph.blocks if b.is_reachable]
    svg = graph_svg(graph, {0: 'a.sol:1: x < y && "z"'})
    root = ElementTree.fromstring(svg)
    assert len(root.findall("{http://www.w3.org/2000/svg}text")) == len(reached)
    dot = graph_dot(graph)
    assert dot.count("[label=") == len(reached)
    assert dot.count("->") == sum(len(b.successors) for b in reached)
    assert ElementTree.fromstring(graph_svg(graph_of(b""))).tag.endswith("svg")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(bytes.fromhex("5b565757600060025f80819050d7223e00fefd01")), max_size=60).map(
        bytes
    )
)
def test_any_bytes_are_disassembled_whole(code):
    disassembly = disassemble(code, TABLE, "osaka")
    rebuilt = (
        b"".join(bytes([i.opcode]) + i.immediate for i in disassembly.instructions) + disassembly.metadata
    )
    assert rebuilt == code
    graph = control_flow_graph(disassembly)
    assert sum(len(b.instructions) for b in graph.blocks) == len(disassembly.instructions)
    for block in graph.blocks:
        for target, kind in block.successors:
            if kind != "next":
                assert graph.by_start[target].instructions[0].mnemonic == "JUMPDEST"
    json.dumps(disassembly_json(disassembly, graph))
    ElementTree.fromstring(graph_svg(graph))


def test_many_ways_into_a_block_still_end():
    # 200 places call one function: far more stacks than are followed one by one.
    calls = b"".join(
        b"\x61" + (6 + i * 9 + 3).to_bytes(2, "big") + b"\x61\x08\x00\x56\x5b\x50" for i in range(200)
    )
    code = (b"\x60\x00\x60\x00\x50\x5b" + calls).ljust(0x800, b"\x00") + b"\x5b\x5f\x90\x56"
    graph = graph_of(code)
    assert graph.by_start[0x800].is_reachable
