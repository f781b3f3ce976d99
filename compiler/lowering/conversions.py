"""Cleaning and conversion of values on the stack (docs/internals/variable_cleanup.rst, docs/types.rst).

Between operations every value on the stack is clean: unsigned numbers have zeros, signed numbers their
sign in the
bits that their type lacks, fixed bytes zeros on the right. Whatever can make a value dirty (arithmetic
that wraps, inline assembly, data from outside) cleans it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.notation import TEXT, ExpressionForm, Notation, Shifts
from smartvm.compiler.lowering.type_facts import bare, is_external_function, key, value_bytes
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.errors import InternalError

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities

ADDRESS_MASK = (1 << 160) - 1


def low_mask(size: int) -> int:
    """Ones in the lowest ``size`` bytes."""
    return (1 << (8 * size)) - 1


def high_mask(size: int) -> int:
    """Ones in the highest ``size`` bytes of a word."""
    return low_mask(size) << (256 - 8 * size)


def literal_word(from_type: types.Type, to_type: types.Type) -> int | None:
    """The word of a literal (number or string) as a value type; None if the literal is no word of that
    type."""
    target = bare(to_type)
    if isinstance(from_type, types.StringLiteralType):
        if isinstance(target, types.FixedBytesType):
            return int.from_bytes(from_type.value.ljust(32, b"\0")[:32], "big")
        return None
    if isinstance(from_type, types.RationalNumberType):
        value = from_type.value
        if isinstance(target, types.FixedBytesType):
            return (int(value) << (256 - 8 * target.size)) % (1 << 256)
        return int(value) % (1 << 256)
    return None


class ValueForms(Generic[ExpressionForm]):
    """Cleaning, conversion and packing of value types, in text or nodes."""

    def __init__(self, utilities: Utilities, notation: Notation[ExpressionForm]) -> None:
        self.utilities = utilities
        self.notation = notation
        self.shifts = Shifts(notation, utilities.settings)

    def clean(self, type_: types.Type, value: ExpressionForm) -> ExpressionForm:
        """The value with the bits cleared that do not belong to its type. An enum out of range panics
        (0x21)."""
        n = self.notation
        match bare(type_):
            case types.IntegerType(bits=256) | types.FixedBytesType(size=32) | types.RationalNumberType():
                return value
            case types.IntegerType(bits=bits, signed=True):
                return n.call("signextend", n.number(bits // 8 - 1), value)
            case types.IntegerType(bits=bits):
                return n.call("and", value, n.number(low_mask(bits // 8)))
            case types.AddressType():
                return n.call("and", value, n.number(ADDRESS_MASK))
            case types.BoolType():
                return n.call("iszero", n.call("iszero", value))
            case types.FixedBytesType(size=size):
                return n.call("and", value, n.number(high_mask(size)))
            case types.EnumType() as enum:
                return n.call(self.utilities.conversions.checked_enum(enum), value)
        return value

    def is_valid(self, type_: types.Type, value: ExpressionForm) -> ExpressionForm | None:
        """A condition that a word from outside is a clean value of the type; None: every word is."""
        n = self.notation
        type_ = bare(type_)
        match type_:
            case types.EnumType():
                return n.call("lt", value, n.number(type_.number_of_members))
            case types.IntegerType(bits=256) | types.FixedBytesType(size=32):
                return None
            case types.IntegerType() | types.AddressType() | types.BoolType() | types.FixedBytesType():
                return n.call("eq", value, self.clean(type_, value))
        return None

    def convert(self, from_type: types.Type, to_type: types.Type, value: ExpressionForm) -> ExpressionForm:
        """A clean value of a value type (in one variable) as another, after an allowed implicit or
        explicit conversion."""
        source, target = bare(from_type), bare(to_type)
        n, shifts = self.notation, self.shifts
        if source == target:
            return value
        word = literal_word(source, target)
        if word is not None:
            return n.number(word)
        match source, target:
            case types.IntegerType(), types.IntegerType():
                fits = (source.signed == target.signed and source.bits <= target.bits) or (
                    not source.signed and target.signed and source.bits < target.bits
                )
                return value if fits else self.clean(target, value)
            case types.IntegerType(), types.AddressType():
                return value if not source.signed and source.bits <= 160 else self.clean(target, value)
            case types.IntegerType(), types.FixedBytesType():
                return shifts.left(256 - 8 * target.size, value)
            case types.IntegerType(), types.EnumType():
                return self.clean(target, value)
            case types.FixedBytesType(), types.FixedBytesType():
                return value if source.size <= target.size else self.clean(target, value)
            case types.FixedBytesType(), types.IntegerType():
                shifted = shifts.right(256 - 8 * source.size, value)
                fits = not target.signed and 8 * source.size <= target.bits
                return shifted if fits else self.clean(target, shifted)
            case types.FixedBytesType(), types.AddressType():
                return shifts.right(
                    96, self.clean(types.FixedBytesType(20), value) if source.size > 20 else value
                )
            case types.AddressType(), types.FixedBytesType():
                return shifts.left(96, value)
            case types.AddressType(), types.IntegerType():
                return value if target.bits >= 160 else self.clean(target, value)
            case types.EnumType(), types.IntegerType():
                return value
            case types.EnumType(), types.EnumType():
                return value
            case types.FunctionType(), types.FunctionType():
                return value
            case types.BoolType(), types.BoolType():
                return value
        if isinstance(source, types.FixedPointType) or isinstance(target, types.FixedPointType):
            raise unimplemented("Fixed point types are not supported.")
        raise InternalError(f"no conversion from {from_type!r} to {to_type!r}")

    def align_right(self, type_: types.Type, value: ExpressionForm) -> ExpressionForm:
        """The value's bytes as the lowest bytes of the word, without sign: the form it has in packed
        storage."""
        type_ = bare(type_)
        if isinstance(type_, types.FixedBytesType):
            return self.shifts.right(256 - 8 * type_.size, value)
        if isinstance(type_, types.IntegerType) and type_.signed and type_.bits < 256:
            return self.notation.call("and", value, self.notation.number(low_mask(type_.bits // 8)))
        return value

    def from_packed(self, type_: types.Type, word: ExpressionForm) -> ExpressionForm:
        """A clean value from the lowest bytes of a word whose other bytes are anything."""
        n = self.notation
        type_ = bare(type_)
        if isinstance(type_, types.FixedBytesType):
            return self.shifts.left(256 - 8 * type_.size, word)
        if isinstance(type_, types.IntegerType):
            return self.clean(type_, word)
        if value_bytes(type_) == 32:
            return word
        return n.call("and", word, n.number(low_mask(value_bytes(type_))))


class Conversions:
    """Utility functions for conversions that need more than an expression."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    def checked_enum(self, type_: types.EnumType) -> str:
        """``(value) -> same``: Panic(0x21) unless the value is a member."""
        name = f"checked_{key(type_)}"
        panic = self.utilities.reverts.panic

        def text() -> str:
            return (
                f"function {name}(value) -> same {{"
                f" if iszero(lt(value, {type_.number_of_members})) {{ {panic(0x21)}() }} same := value }}"
            )

        return self.utilities.define(name, text)

    def combine_external_function(self) -> str:
        """``(address, selector) -> word``: the 24 bytes of an external function, left-aligned, as ABI has
        them."""
        shifts = self.utilities.text.shifts
        return self.utilities.define(
            "combine_external_function",
            lambda: (
                "function combine_external_function(account, selector) -> combined { combined := "
                + shifts.left(64, f"or({shifts.left(32, 'account')}, and(selector, 0xffffffff))")
                + " }"
            ),
        )

    def split_external_function(self) -> str:
        """``(word) -> address, selector`` from the left-aligned form."""
        shifts = self.utilities.text.shifts
        return self.utilities.define(
            "split_external_function",
            lambda: (
                "function split_external_function(combined) -> account, selector {"
                f" account := {shifts.right(96, 'combined')}"
                f" selector := and({shifts.right(64, 'combined')}, 0xffffffff) }}"
            ),
        )

    def words_of(self, type_: types.Type, prefix: str = "value") -> tuple[str, ...]:
        """Names of the variables of a value of the type."""
        from smartvm.compiler.lowering.type_facts import variable_names

        return variable_names(prefix, type_)

    def as_one_word(self, type_: types.Type, values: tuple[str, ...]) -> str:
        """Text of a value as the one word it has in memory."""
        if is_external_function(bare(type_)):
            return TEXT.call(self.combine_external_function(), *values)
        return values[0]
