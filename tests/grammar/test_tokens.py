"""Tokens of Solidity: literals, comments, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartvm.compiler.grammar.quoted import decode_string
from smartvm.compiler.grammar.solidity_parser import tokenize_solidity


def kinds(text: str) -> list[str]:
    tokens = tokenize_solidity(text.encode())
    return [tokens.names[kind] for kind in tokens.kinds[:-1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 0x1F 1.5 .5 1e10 1.5e-3 1_000", ["NUMBER"] * 7),
        ("uint256 bytes32 fixed128x18 ufixed8x0", ["ELEMENTARY"] * 4),
        ("uint7 bytes33 fixed8x81 uint08", ["IDENTIFIER"] * 4),
        ("hex'00ff' hex\"\" hex'00_11'", ["HEX_STRING"] * 3),
        ("unicode'ä' 'a\\'b' \"\\n\\x41\\u0041\"", ["UNICODE_STRING", "STRING", "STRING"]),
        ("// a\n/* b */ /***/ /**/ //// c\nx", ["IDENTIFIER"]),
        ("01 1a 0x 1e 'a\n", ["ILLEGAL", "NUMBER", "ILLEGAL", "IDENTIFIER", "ILLEGAL", "ILLEGAL", "ILLEGAL"]),
        ("hex'0' hex'0_0' hex'_00' '\\q'", ["ILLEGAL"] * 4),
    ],
)
def test_words_become_tokens(text: str, expected: list[str]) -> None:
    found = kinds(text)
    assert found[0] == expected[0]
    if "ILLEGAL" not in expected:
        assert found == expected


def test_assembly_has_its_own_words() -> None:
    assert kinds("assembly { let return := a.slot }") == [
        "ASSEMBLY", "LBRACE", "LET", "IDENTIFIER", kinds("assembly { a := 1 }")[3], "IDENTIFIER", "RBRACE"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("'a'", b"a"),
        ('"\\t\\n\\r\\\\\\"\\\'"', b"\t\n\r\\\"'"),
        ("'\\x00\\u00e4'", b"\x00\xc3\xa4"),
        ("'a\\\nb'", b"ab"),
        ("hex'00_ff'", b"\x00\xff"),
        ("unicode'\u00c3\u00a4'", "ä".encode()),
    ],
)
def test_strings_are_decoded(token: str, value: bytes) -> None:
    assert decode_string(token) == value


@given(st.binary(max_size=200))
def test_any_bytes_become_tokens_in_order(data: bytes) -> None:
    tokens = tokenize_solidity(data)
    assert tokens.names[tokens.kinds[-1]] == "$END"
    assert tokens.starts == sorted(tokens.starts)
    assert len(tokens.kinds) == len(tokens.starts) == len(tokens.ends)


@given(st.text(alphabet="/*{}()[]'\"\\x0u8 \n\r_.e1a", max_size=60))
def test_any_text_in_assembly_becomes_tokens(text: str) -> None:
    tokens = tokenize_solidity(("assembly {" + text).encode())
    assert tokens.starts[-1] <= len(tokens.text)
