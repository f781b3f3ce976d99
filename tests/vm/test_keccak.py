"""Hashes from machine code."""

from __future__ import annotations

from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st
from smartvm.vm.keccak import keccak256


@given(st.binary(max_size=600))
def test_hashes_are_those_of_the_library(data: bytes) -> None:
    expected = keccak.new(digest_bits=256, data=data).digest()
    assert keccak256(data) == expected
    assert keccak256(bytearray(data)) == expected
    assert keccak256(memoryview(data)) == expected


def test_digests_are_objects_of_their_own() -> None:
    first, second = keccak256(b"a"), keccak256(b"b")
    assert first != second
    assert hash(first) == hash(keccak256(b"a"))
