"""Types: names, layout, conversions, exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.address_checksum import checksummed_address, passes_checksum
from smartvm.compiler.analysis.constant_evaluation import erc7201
from smartvm.compiler.analysis.types import rationals

WORDS_IN_STORAGE = t.ArrayType(t.UINT256, "storage", None, is_pointer=False)

integer_types = st.builds(t.IntegerType, st.integers(1, 32).map(lambda n: n * 8), st.booleans())
fixed_bytes = st.builds(t.FixedBytesType, st.integers(1, 32))
addresses = st.builds(t.AddressType, st.booleans())
literals = st.builds(t.RationalNumberType, st.integers(-(2**256), 2**257).map(Fraction))
simple_types = st.one_of(integer_types, fixed_bytes, addresses, literals, st.just(t.BOOL))


@pytest.mark.parametrize(
    ("type_", "text", "identifier"),
    [
        (t.UINT8, "uint8", "t_uint8"),
        (t.ADDRESS_PAYABLE, "address payable", "t_address_payable"),
        (WORDS_IN_STORAGE, "uint256[] storage ref", "t_array$_t_uint256_$dyn_storage"),
        (
            t.with_location(WORDS_IN_STORAGE, "storage", True),
            "uint256[] storage pointer",
            "t_array$_t_uint256_$dyn_storage_ptr",
        ),
        (
            t.ArrayType(t.STRING_MEMORY, "memory", 3),
            "string memory[3] memory",
            "t_array$_t_string_memory_ptr_$3_memory_ptr",
        ),
        (t.BYTES_CALLDATA, "bytes calldata", "t_bytes_calldata_ptr"),
        (t.RationalNumberType(Fraction(-3, 2)), "rational_const -3 / 2", "t_rational_minus_3_by_2"),
        (
            t.RationalNumberType(Fraction(10**40)),
            "int_const 1000...(33 digits omitted)...0000",
            f"t_rational_{10**40}_by_1",
        ),
        (t.StringLiteralType(b"a"), 'literal_string "a"', None),
        (t.StringLiteralType(b"\xff"), 'literal_string hex"ff"', None),
        (t.TupleType((t.BOOL, None)), "tuple(bool,)", "t_tuple$_t_bool_$__$"),
        (
            t.FunctionType((t.UINT256,), (t.BOOL,), "external", "view"),
            "function (uint256) view external returns (bool)",
            "t_function_external_view$_t_uint256_$returns$_t_bool_$",
        ),
        (
            t.MappingType(t.ADDRESS, WORDS_IN_STORAGE),
            "mapping(address => uint256[] storage ref)",
            "t_mapping$_t_address_$_t_array$_t_uint256_$dyn_storage_$",
        ),
    ],
)
def test_types_have_the_names_of_solc(type_: t.Type, text: str, identifier: str | None) -> None:
    assert type_.text() == text
    if identifier is not None:
        assert type_.identifier() == identifier


def test_elements_of_an_array_are_where_the_array_is() -> None:
    nested = t.ArrayType(t.ArrayType(t.UINT8, "memory"), "calldata", 2)
    assert nested.base_type == t.ArrayType(t.UINT8, "calldata")
    assert t.with_location(nested, "storage", True).text() == "uint8[] storage ref[2] storage pointer"


def test_stack_items_name_the_parts_of_a_value() -> None:
    assert [name for name, _ in t.BYTES_CALLDATA.stack_items()] == ["offset", "length"]
    assert t.ArrayType(t.UINT8, "calldata", 4).size_on_stack() == 1
    assert t.StringLiteralType(b"x").size_on_stack() == 0
    external = t.FunctionType((), (), "external")
    assert [name for name, _ in external.with_call_options(gas=True).stack_items()] == [
        "address",
        "functionSelector",
        "gas",
    ]


def test_small_values_share_a_storage_slot() -> None:
    offsets, slots = t.storage_offsets([t.UINT8, t.ADDRESS, t.FixedBytesType(12), t.BOOL, WORDS_IN_STORAGE])
    assert offsets == [(0, 0), (0, 1), (1, 0), (1, 12), (2, 0)]
    assert slots == 3


@pytest.mark.parametrize(
    ("element", "length", "slots"),
    [(t.UINT8, 33, 2), (t.FixedBytesType(20), 3, 3), (t.UINT256, 5, 5), (t.BOOL, 1, 1)],
)
def test_array_elements_are_packed_without_crossing_slots(element: t.Type, length: int, slots: int) -> None:
    assert t.ArrayType(element, "storage", length).storage_size() == slots


@pytest.mark.parametrize(
    ("source", "target", "implicitly", "explicitly"),
    [
        (t.UINT8, t.UINT256, True, True),
        (t.UINT256, t.UINT8, False, True),
        (t.UINT8, t.IntegerType(16, True), False, False),
        (t.ADDRESS_PAYABLE, t.ADDRESS, True, True),
        (t.ADDRESS, t.ADDRESS_PAYABLE, False, True),
        (t.IntegerType(160, False), t.ADDRESS, False, True),
        (t.IntegerType(160, False), t.ADDRESS_PAYABLE, False, False),
        (t.BYTES4, t.BYTES32, True, True),
        (t.BYTES4, t.UINT32, False, True),
        (t.RationalNumberType(Fraction(255)), t.UINT8, True, True),
        (t.RationalNumberType(Fraction(256)), t.UINT8, False, False),
        (t.RationalNumberType(Fraction(0)), t.BYTES32, True, True),
        (t.RationalNumberType(Fraction(1)), t.BYTES32, False, False),
        (t.RationalNumberType(Fraction(1), 4), t.BYTES4, True, True),
        (t.StringLiteralType(b"abc"), t.FixedBytesType(3), True, True),
        (t.StringLiteralType(b"abcd"), t.FixedBytesType(3), False, False),
        (t.StringLiteralType(b"\xff"), t.STRING_MEMORY, False, False),
        (t.BYTES_MEMORY, t.STRING_MEMORY, False, True),
        (t.BYTES_CALLDATA, t.BYTES_MEMORY, True, True),
        (t.BYTES_MEMORY, t.BYTES_CALLDATA, False, False),
        (t.BYTES_MEMORY, t.BYTES32, False, True),
        (t.ArrayType(t.UINT8, "memory", 2), t.ArrayType(t.UINT8, "memory"), False, False),
        (t.ArrayType(t.UINT8, "memory", 2), WORDS_IN_STORAGE, True, True),
        (t.ArrayType(t.UINT256, "memory"), t.with_location(WORDS_IN_STORAGE, "storage", True), False, False),
    ],
)
def test_conversions_are_those_of_the_language(
    source: t.Type, target: t.Type, implicitly: bool, explicitly: bool
) -> None:
    assert t.is_implicitly_convertible_to(source, target) is implicitly
    assert t.is_explicitly_convertible_to(source, target) is explicitly


@given(simple_types, simple_types)
def test_a_common_type_takes_both_and_does_not_depend_on_the_order(a: t.Type, b: t.Type) -> None:
    common = t.common_type(a, b)
    assert (common is None) == (t.common_type(b, a) is None)
    if common is not None:
        assert t.is_implicitly_convertible_to(a, common)
        assert t.is_implicitly_convertible_to(b, common)


@given(simple_types, simple_types)
def test_what_converts_implicitly_converts_explicitly(a: t.Type, b: t.Type) -> None:
    assert not t.is_implicitly_convertible_to(a, b) or t.is_explicitly_convertible_to(a, b)


@given(st.integers(-(2**256), 2**256))
def test_a_literal_takes_the_smallest_integer_type(value: int) -> None:
    type_ = t.RationalNumberType(Fraction(value)).integer_type()
    if type_ is None:
        assert not -(2**255) <= value < 2**256
        return
    assert type_.minimum <= value <= type_.maximum
    assert type_.signed == (value < 0)
    if type_.bits > 8:
        smaller = t.IntegerType(type_.bits - 8, type_.signed)
        assert not smaller.minimum <= value <= smaller.maximum


@given(st.fractions(), st.fractions())
def test_remainders_have_the_sign_of_the_dividend(left: Fraction, right: Fraction) -> None:
    remainder = rationals.evaluate_binary("%", left, right)
    if right == 0:
        assert remainder is None
        return
    assert remainder is not None
    assert abs(remainder) < abs(right)
    assert remainder * left >= 0
    assert ((left - remainder) / right).denominator == 1


@pytest.mark.parametrize(
    ("operator", "left", "right", "result"),
    [
        ("**", 2, 2048, 2**2048),
        ("**", 2, 2049, None),
        ("**", -1, 10**30, 1),
        ("**", 2, -2, Fraction(1, 4)),
        (">>", -5, 1, -3),
        ("<<", 1, 4097, None),
        ("/", 1, 0, None),
        ("|", Fraction(1, 2), 1, None),
    ],
)
def test_literals_are_computed_exactly_within_4096_bits(
    operator: str, left: object, right: object, result: object
) -> None:
    assert rationals.evaluate_binary(operator, Fraction(left), Fraction(right)) == result  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("function", "selector"),
    [("transfer(address,uint256)", 0xA9059CBB), ("balanceOf(address)", 0x70A08231)],
)
def test_selectors_are_the_first_four_bytes_of_the_hash(function: str, selector: int) -> None:
    assert t.selector_of_signature(function) == selector


def test_addresses_are_checked_by_the_case_of_their_letters() -> None:
    address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    assert checksummed_address(address.lower()) == address
    assert passes_checksum(address)
    assert not passes_checksum(address.lower())


def test_erc7201_gives_the_location_of_the_standards_example() -> None:
    assert erc7201(b"example.main") == 0x183A6125C38840424C4A85FA12BAB2AB606C4B6D0E7CC73C0C06BA5300EAB500
