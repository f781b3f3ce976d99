"""Looking ahead in code: what is found, and what is left open."""

from __future__ import annotations

import pytest
from smartvm.instructions.loader import load_table
from smartvm.vm.dnn.weights.lookahead import Lookahead, walk

TABLE = load_table()
INSTRUCTIONS = dict(TABLE.for_fork("osaka"))


def assemble(text: str) -> bytes:
    """Mnemonics; a number becomes a PUSH of one byte, ``:name`` is a JUMPDEST and ``@name`` pushes it."""
    code = bytearray()
    labels: dict[str, int] = {}
    uses: list[tuple[int, str]] = []
    for token in text.split():
        if token.startswith(":"):
            labels[token[1:]] = len(code)
            code.append(TABLE.by_name["JUMPDEST"].opcode)
        elif token.startswith("@"):
            code.append(TABLE.by_name["PUSH1"].opcode)
            uses.append((len(code), token[1:]))
            code.append(0)
        elif token.isdigit():
            code += bytes([TABLE.by_name["PUSH1"].opcode, int(token)])
        else:
            code.append(TABLE.by_name[token].opcode)
    for place, name in uses:
        code[place] = labels[name]
    return bytes(code)


def found(text: str, stack: tuple[int, ...] = (), **limits: int) -> list[tuple[str, tuple[int | None, ...]]]:
    upcoming = walk(INSTRUCTIONS, assemble(text), 0, stack, **limits)
    return [(each.instruction.name, each.operands) for each in upcoming]


#: Three times: layer n has block 2n.
LOOP = "0 :again DUP1 2 MUL BUF_BIAS 1 ADD DUP1 3 GT @again JUMPI STOP"


def test_operands_are_found_through_arithmetic_and_loops() -> None:
    assert found(LOOP) == [("BUF_BIAS", (0,)), ("BUF_BIAS", (2,)), ("BUF_BIAS", (4,))]


def test_the_ids_of_weight_blocks_are_told_from_other_operands() -> None:
    upcoming = walk(INSTRUCTIONS, assemble("10 1 1 120 8 FULL_CON 9 BUF_BIAS 100 BUF_SCL1 3 7 BTOS1"), 0, ())
    assert [each.block_id for each in upcoming] == [8, 9, None, None]


def test_what_memory_and_calldata_hold_is_not_known_but_does_not_end_the_walk() -> None:
    text = "10 64 MLOAD MTOB 4 CALLDATALOAD BUF_BIAS 7 BUF_BIAS"
    assert found(text) == [("MTOB", (None, 10)), ("BUF_BIAS", (None,)), ("BUF_BIAS", (7,))]


@pytest.mark.parametrize("jump", ["4 CALLDATALOAD JUMP", "4 CALLDATALOAD @end JUMPI"])
def test_a_jump_that_depends_on_the_unknown_ends_the_walk(jump: str) -> None:
    assert found(f"1 BUF_BIAS {jump} 2 BUF_BIAS :end 3 BUF_BIAS") == [("BUF_BIAS", (1,))]


@pytest.mark.parametrize("end", ["STOP", "POP POP", "99 JUMP", "0 0 REVERT", "INVALID"])
def test_the_walk_ends_where_execution_would(end: str) -> None:
    assert found(f"1 BUF_BIAS {end} 2 BUF_BIAS", stack=(5,)) == [("BUF_BIAS", (1,))]


def test_code_may_end_inside_of_an_immediate() -> None:
    assert walk(INSTRUCTIONS, assemble("1 BUF_BIAS") + b"\x61\x01", 0, ())


def test_the_way_and_the_number_found_are_limited() -> None:
    endless = ":again 1 BUF_BIAS @again JUMP"
    assert len(found(endless, count=3)) == 3
    assert len(found(endless, steps=50, count=1000)) == 10
    nothing = found(":again @again JUMP", steps=200)
    assert nothing == []


def test_pushed_items_are_unknown_words() -> None:
    assert found("2 0 BTOS0 POP BUF_BIAS 1 BUF_SCL1") == [
        ("BTOS0", (0, 2)),
        ("BUF_BIAS", (None,)),
        ("BUF_SCL1", (1,)),
    ]


def test_a_walk_is_kept_for_the_words_that_it_depends_on() -> None:
    lookahead = Lookahead(INSTRUCTIONS)
    code = assemble("DUP2 BUF_BIAS POP STOP")
    first = lookahead.upcoming(code, 0, (1, 7, 5))
    assert lookahead.upcoming(code, 0, (2, 7, 9)) is first
    assert lookahead.upcoming(code, 0, (2, 8, 9))[0].operands == (8,)
    assert lookahead.upcoming(code, 0, (1, 7, 5)) is first
