"""Sections, references, immutables, source maps and listings of assembled objects."""

from __future__ import annotations

from machine import execute

NESTED = """object "A" {
  code {
    datacopy(0, dataoffset("A_deployed"), datasize("A_deployed"))
    setimmutable(0, "x", 0x1234)
    return(0, datasize("A_deployed"))
  }
  object "A_deployed" {
    code { mstore(0, loadimmutable("x")) mstore(32, add(loadimmutable("x"), datasize("B"))) return(0, 64) }
    object "B" { code { stop() } data "inner" hex"010203" }
    data ".metadata" hex"a2646970"
  }
  data "text" "hello"
}"""


def test_constructor_returns_the_code_with_immutables_set(assemble, optimize):
    creation = assemble(NESTED, optimize=optimize)
    deployed = execute(creation.bytecode).output
    assert len(deployed) == len(creation.sub_objects["A_deployed"].bytecode)
    output = execute(deployed).output
    size = creation.sub_objects["A_deployed"].sections["B"][1]
    assert output == (0x1234).to_bytes(32, "big") + (0x1234 + size).to_bytes(32, "big")


def test_metadata_ends_the_deployed_code(assemble, optimize):
    deployed = assemble(NESTED, optimize=optimize).sub_objects["A_deployed"]
    assert deployed.bytecode.endswith(bytes.fromhex("a2646970"))


def test_immutable_references_point_at_zeros_in_pushes(assemble):
    deployed = assemble(NESTED).sub_objects["A_deployed"]
    places = deployed.immutable_references["x"]
    assert places
    for start, length in places:
        assert length == 32
        assert deployed.bytecode[start - 1] == 0x7F
        assert deployed.bytecode[start : start + 32] == bytes(32)


def test_link_references_of_inner_objects_are_counted_from_the_outer_start(assemble, optimize):
    text = """object "A" { code { datacopy(0, dataoffset("B"), datasize("B"))
        sstore(0, linkersymbol("lib.sol:L")) }
      object "B" { code { sstore(1, linkersymbol("lib.sol:L")) } } }"""
    result = assemble(text, optimize=optimize)
    places = result.link_references["lib.sol:L"]
    assert len(places) == 2
    for start, length in places:
        assert length == 20
        assert result.bytecode[start - 1] == 0x73
        assert result.bytecode[start : start + 20] == bytes(20)


def test_a_dotted_path_leads_into_sub_objects(assemble, optimize):
    text = """object "A" { code { datacopy(0, dataoffset("B.inner"), datasize("B.inner"))
      return(0, datasize("B.inner"))
      datacopy(0, dataoffset("B"), 1) }
      object "B" { code { stop() } data "inner" "abc" } }"""
    result = assemble(
        text.replace("return(0, datasize", "if callvalue() { stop() } log0(0, datasize"), optimize=optimize
    )
    assert execute(result.bytecode).logs == [((), b"abc")]


def test_the_object_knows_its_own_size(assemble, optimize):
    result = assemble(
        'object "A" { code { sstore(0, datasize("A")) sstore(1, dataoffset("A")) } data "d" "xyz" }',
        optimize=optimize,
    )
    assert execute(result.bytecode).storage == {0: len(result.bytecode), 1: 0}


def test_equal_data_is_kept_once(assemble):
    result = assemble(
        'object "A" { code { sstore(0, dataoffset("d")) sstore(1, dataoffset("e")) } '
        'data "d" "xyzxyz" data "e" "xyzxyz" }'
    )
    assert result.sections["d"] == result.sections["e"]


def test_verbatim_bytes_stand_in_the_code_with_their_operands(assemble, optimize):
    text = 'object "A" { code { sstore(0, verbatim_2i_1o(hex"0390", 9, 2)) } }'
    code = assemble(text, optimize=optimize).bytecode
    assert bytes.fromhex("0390") in code


def test_source_map_has_one_entry_for_each_instruction(assemble, optimize):
    result = assemble(
        "{ function f(x) -> y { y := sload(x) sstore(y, x) if y { y := f(y) } } sstore(f(1), 2) }",
        optimize=optimize,
    )
    entries = result.source_map().split(";")
    assert len(entries) == sum(item.opcode is not None for item in result.items)
    jumps = [item.jump for item in result.items if item.name == "JUMP"]
    assert "i" in jumps
    assert "o" in jumps


def test_every_instruction_has_the_range_of_what_it_comes_from(assemble):
    text = "{ sstore(calldataload(0), 7) }"
    result = assemble(text)
    shown = {item.name: text[item.source.start : item.source.end] for item in result.items}
    assert shown["SSTORE"] == "sstore(calldataload(0), 7)"
    assert shown["CALLDATALOAD"] == "calldataload(0)"


def test_function_entries_point_at_jump_targets(assemble, optimize):
    result = assemble(
        "{ function f(a, b) -> c { c := a if b { c := f(c, sub(b, 1)) } } sstore(0, f(1, calldatasize())) }",
        optimize=optimize,
    )
    (entry,) = [entry for entry in result.functions if entry.name == "f"]
    assert result.bytecode[entry.offset] == 0x5B
    assert (entry.parameters, entry.returns) == (2, 1)


def test_listing_names_instructions_and_functions(assemble):
    text = assemble(
        "{ function f(x) { if x { f(sload(x)) } } f(calldatasize()) }", optimize=False
    ).assembly_text()
    assert "function f:" in text
    assert "SLOAD" in text


def test_labels_beyond_a_byte_take_two(assemble):
    stores = " ".join(f"sstore(calldataload({i}), calldataload({i + 1}))" for i in range(300))
    result = assemble(f"{{ for {{ let i := 0 }} lt(i, 2) {{ i := add(i, 1) }} {{ {stores} }} }}")
    assert len(result.bytecode) > 600
    state = execute(result.bytecode, bytes(range(200)))
    assert state.status == "stop"


def test_a_builtin_with_a_literal_result_count_leaves_that_many_values(assemble, optimize):
    result = assemble(
        "{ let a, b, c := btos0(calldataload(0), 3) sstore(a, b) sstore(1, c) }",
        optimize=optimize,
        table="default",
    )
    names = [item.name for item in result.items if item.opcode is not None]
    # The first result lies on top: it and the second are ready for the first store, the third for the next.
    assert names == ["PUSH1", "PUSH0", "CALLDATALOAD", "BTOS0", "SSTORE", "PUSH1", "SSTORE", "STOP"]
