"""Encoding, and refusal of what is not an encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartvm.vm import rlp

ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=12)


@given(ITEMS)
def test_round_trip(item: rlp.Item) -> None:
    assert rlp.decode(rlp.encode(item)) == item


@given(ITEMS)
def test_the_reference_library_agrees(item: rlp.Item) -> None:
    reference = pytest.importorskip("rlp")
    assert rlp.encode(item) == reference.encode(item)


@given(st.binary(max_size=12))
def test_whatever_decodes_is_the_one_encoding(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except rlp.RLPError:
        return
    assert rlp.encode(item) == data


@pytest.mark.parametrize(
    "text",
    ["", "81", "8101", "b800", "b90001", "f800", "c1", "c3820102", "0000", "bfffffffffffffffff", "8180ff"],
)
def test_malformed_bytes_are_refused(text: str) -> None:
    if text == "c3820102":  # a good one among them keeps the list honest
        assert rlp.decode(bytes.fromhex(text)) == [b"\x01\x02"]
        return
    with pytest.raises(rlp.RLPError):
        rlp.decode(bytes.fromhex(text))


def test_deep_nesting_is_refused_without_recursion_trouble() -> None:
    data = b""
    for _ in range(3000):
        data = rlp.encode_encoded([data])
    with pytest.raises(rlp.RLPError, match="nested"):
        rlp.decode(data)


def test_integers_with_leading_zeros_are_refused() -> None:
    with pytest.raises(rlp.RLPError, match="nonce has leading zeros"):
        rlp.decode_integer(b"\0\1", "nonce")
