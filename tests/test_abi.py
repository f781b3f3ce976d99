"""The ABI coder against its own inverse, against Solidity's documented examples, and against eth_abi."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.abi import (
    AbiError,
    AbiType,
    checksum_address,
    decode,
    encode,
    parse_signature,
    parse_type,
    type_from_json,
)

INTEGERS = st.builds(AbiType, st.sampled_from(["uint", "int"]), st.integers(1, 32).map(lambda n: 8 * n))
ELEMENTARY = st.one_of(
    INTEGERS,
    st.just(AbiType("bool")),
    st.just(AbiType("address", 160)),
    st.builds(AbiType, st.just("fixed_bytes"), st.integers(1, 32)),
    st.just(AbiType("bytes")),
    st.just(AbiType("string")),
)


def arrays(inner: st.SearchStrategy[AbiType]) -> st.SearchStrategy[AbiType]:
    return st.builds(lambda e, n: AbiType("array", element=e, length=n), inner, st.none() | st.integers(1, 3))


def tuples(inner: st.SearchStrategy[AbiType]) -> st.SearchStrategy[AbiType]:
    return st.lists(inner, min_size=1, max_size=3).map(
        lambda types: AbiType("tuple", components=tuple(types), names=("",) * len(types))
    )


TYPES = st.recursive(ELEMENTARY, lambda inner: arrays(inner) | tuples(inner), max_leaves=5)


def value_of(abi_type: AbiType) -> st.SearchStrategy[object]:
    match abi_type.kind:
        case "uint":
            return st.integers(0, 2**abi_type.size - 1)
        case "int":
            return st.integers(-(2 ** (abi_type.size - 1)), 2 ** (abi_type.size - 1) - 1)
        case "bool":
            return st.booleans()
        case "address":
            return st.binary(min_size=20, max_size=20).map(checksum_address)
        case "fixed_bytes":
            return st.binary(min_size=abi_type.size, max_size=abi_type.size)
        case "bytes":
            return st.binary(max_size=70)
        case "string":
            return st.text(st.characters(codec="utf-8"), max_size=40)
        case "array":
            n = abi_type.length
            size = (0, 3) if n is None else (n, n)
            return st.lists(value_of(abi_type.element), min_size=size[0], max_size=size[1])
        case _:
            return st.tuples(*[value_of(component) for component in abi_type.components])


TYPED_VALUES = st.lists(TYPES, max_size=3).flatmap(
    lambda types: st.tuples(st.just(types), st.tuples(*[value_of(t) for t in types]))
)


@settings(max_examples=150, deadline=None)
@given(TYPED_VALUES)
def test_decoding_inverts_encoding(typed):
    types, values = typed
    assert decode(types, encode(types, values)) == values


@settings(max_examples=100, deadline=None)
@given(TYPED_VALUES)
def test_encoding_equals_eth_abis(typed):
    eth_abi = pytest.importorskip("eth_abi")
    types, values = typed
    assert encode(types, values) == eth_abi.encode([str(t) for t in types], values)


@settings(max_examples=100, deadline=None)
@given(TYPES)
def test_type_text_parses_back(abi_type):
    assert parse_type(str(abi_type)) == abi_type


@settings(max_examples=200, deadline=None)
@given(st.lists(TYPES, max_size=3), st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(types, data):
    try:
        values = decode(types, data)
    except AbiError:
        return
    assert len(values) == len(types)


def test_documented_example_of_dynamic_arguments():
    # docs/abi-spec.rst, "Use of Dynamic Types": f(0x123, [0x456, 0x789], "1234567890", "Hello, world!").
    signature = parse_signature("f(uint256,uint32[],bytes10,bytes)")
    assert signature.selector.hex() == "8be65246"
    data = encode(signature.types, [0x123, [0x456, 0x789], b"1234567890", b"Hello, world!"])
    words = [data[i : i + 32].hex().strip("0") for i in range(0, len(data), 32)]
    assert words[:4] == ["123", "8", "31323334353637383930".strip("0"), "e"]
    assert len(data) == 9 * 32


@pytest.mark.parametrize("dtype", ["int8", "int16", "int64", "uint8", "uint64"])
def test_numpy_arrays_encode_as_lists_do(dtype):
    info = np.iinfo(dtype)
    array = np.array([info.min, info.max, 0, 1, 100], dtype=dtype)
    types = [parse_type("int256[]")]
    assert encode(types, [array]) == encode(types, [[int(x) for x in array]])
    grid = np.arange(6, dtype=dtype).reshape(2, 3)
    assert encode([parse_type("int256[3][2]")], [grid]) == encode(
        [parse_type("int256[3][2]")], [grid.tolist()]
    )


def test_tuple_by_component_names():
    point = type_from_json(
        {"type": "tuple[]", "components": [{"name": "x", "type": "int8"}, {"name": "y", "type": "int8"}]}
    )
    assert str(point) == "(int8,int8)[]"
    assert encode([point], [[{"x": 1, "y": -1}]]) == encode([point], [[(1, -1)]])


@pytest.mark.parametrize(
    ("type_text", "value", "message"),
    [
        ("uint8", 256, "argument 1: 256 is no uint8, expected 0 to 255"),
        ("uint8", -1, "expected 0 to 255"),
        ("int8", 128, "expected -128 to 127"),
        ("uint256", "12", "expected an integer"),
        ("uint256", True, "expected an integer"),
        ("uint256", 1.5, "expected an integer"),
        ("bool", 2, "expected true or false"),
        ("address", "0x12", "expected 20 bytes"),
        ("address", "banana", "starts with 0x"),
        ("bytes4", b"123", "expected 4 bytes"),
        ("bytes", "0x1", "even number"),
        ("string", b"x", "expected text"),
        ("uint8[2]", [1], "1 elements given"),
        ("uint8[]", 5, "expected a list"),
        ("uint8[][]", [[1], [300]], "argument 1[1][0]: 300"),
        ("(uint8,bool)", [1], "1 components given"),
        ("(uint8,bool)", {"x": 1}, "have no names"),
    ],
)
def test_wrong_value_is_named_with_its_place(type_text, value, message):
    with pytest.raises(AbiError) as caught:
        encode([parse_type(type_text)], [value])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "uint7",
        "uint264",
        "uint08",
        "bytes33",
        "bytes0",
        "foo",
        "uint8[",
        "(uint8",
        "uint8]",
        "uint8,",
        "fixed128x18",
        "uint8" + "[]" * 100,
    ],
)
def test_wrong_type_text_is_refused(text):
    with pytest.raises(AbiError):
        parse_type(text)


def test_number_of_values_must_match():
    with pytest.raises(AbiError, match="1 values given, 2 expected"):
        encode([parse_type("uint8"), parse_type("bool")], [1])
