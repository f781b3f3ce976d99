"""Types without parts: address, integers, fixed point, literals, bool and fixed bytes."""

from __future__ import annotations

from fractions import Fraction

from smartvm.compiler.analysis.types.base import StackItem, Type
from smartvm.keccak import keccak256 as keccak256
from smartvm.records import dataclass, field


@dataclass(frozen=True, slots=True)
class ElementaryType(Type):
    """A value type that encodes as itself."""

    def encoding_type(self) -> Type | None:
        return self

    def interface_type(self, in_library: bool) -> Type | None:
        return self

    @property
    def is_value_type(self) -> bool:
        return True

    @property
    def nameable(self) -> bool:
        return True

    @property
    def left_aligned(self) -> bool:
        return False

    def calldata_encoded_size(self, padded: bool = True) -> int:
        return 32 if padded else self.storage_bytes()


@dataclass(frozen=True, slots=True)
class AddressType(ElementaryType):
    """``address`` or ``address payable``."""

    payable: bool

    def text(self, without_location: bool = False) -> str:
        return "address payable" if self.payable else "address"

    def rich_identifier(self) -> str:
        return "t_address_payable" if self.payable else "t_address"

    def canonical_name(self) -> str:
        return "address"

    def storage_bytes(self) -> int:
        return 20


@dataclass(frozen=True, slots=True)
class IntegerType(ElementaryType):
    """``uintN``, ``intN``."""

    bits: int
    signed: bool

    def text(self, without_location: bool = False) -> str:
        return f"{'' if self.signed else 'u'}int{self.bits}"

    def rich_identifier(self) -> str:
        return "t_" + self.text()

    def storage_bytes(self) -> int:
        return self.bits // 8

    @property
    def minimum(self) -> int:
        """The least value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        """The greatest value."""
        return (1 << (self.bits - 1 if self.signed else self.bits)) - 1


@dataclass(frozen=True, slots=True)
class FixedPointType(ElementaryType):
    """``fixedMxN``, ``ufixedMxN``: declarable, not assignable (as in solc)."""

    bits: int
    fractional_digits: int
    signed: bool

    def text(self, without_location: bool = False) -> str:
        return f"{'' if self.signed else 'u'}fixed{self.bits}x{self.fractional_digits}"

    def rich_identifier(self) -> str:
        return "t_" + self.text()

    def storage_bytes(self) -> int:
        return self.bits // 8

    @property
    def minimum_integer(self) -> int:
        """The least whole number, rounded toward zero."""
        return -((1 << (self.bits - 1)) // 10**self.fractional_digits) if self.signed else 0

    @property
    def maximum_integer(self) -> int:
        """The greatest whole number."""
        return ((1 << (self.bits - (1 if self.signed else 0))) - 1) // int(10**self.fractional_digits)


def _shortened(number: int) -> str:
    """Long decimal numbers with their middle left out."""
    digits = str(number)
    if len(digits) <= 32:
        return digits
    return f"{digits[:4]}...({len(digits) - 8} digits omitted)...{digits[-4:]}"


@dataclass(frozen=True, slots=True)
class RationalNumberType(Type):
    """A number literal or a constant expression of them, exact. ``compatible_bytes`` is the N of the bytesN
    that a hex literal of that length converts to, else None."""

    value: Fraction
    compatible_bytes: int | None = field(default=None, compare=False)

    @property
    def is_fractional(self) -> bool:
        """Whether it is not a whole number."""
        return self.value.denominator != 1

    def text(self, without_location: bool = False) -> str:
        if not self.is_fractional:
            return f"int_const {_shortened(self.value.numerator)}"
        return f"rational_const {_shortened(self.value.numerator)} / {_shortened(self.value.denominator)}"

    def rich_identifier(self) -> str:
        sign = "minus_" if self.value < 0 else ""
        return f"t_rational_{sign}{abs(self.value.numerator)}_by_{self.value.denominator}"

    @property
    def can_be_stored(self) -> bool:
        return False

    def integer_type(self) -> IntegerType | None:
        """The smallest integer type of a whole number; None beyond 256 bits."""
        value = self.value.numerator
        signed = value < 0
        if signed:
            value = (-value - 1) << 1
        size = max((value.bit_length() + 7) // 8, 1)
        return IntegerType(size * 8, signed) if size <= 32 else None

    def fixed_point_type(self) -> FixedPointType | None:
        """The fixed point type with as many digits as fit."""
        signed = self.value < 0
        digits = 0
        value = abs(self.value)
        greatest = Fraction((1 << 255) if signed else (1 << 256) - 1)
        while value * 10 <= greatest and value.denominator != 1 and digits < 80:
            value *= 10
            digits += 1
        if value > greatest:
            return None
        whole = value.numerator // value.denominator
        if signed and whole != 0:
            whole = (whole - 1) << 1
        size = max((whole.bit_length() + 7) // 8, 1)
        return FixedPointType(size * 8, digits, signed) if size <= 32 else None

    def mobile_type(self) -> Type | None:
        return self.fixed_point_type() if self.is_fractional else self.integer_type()

    def literal_value(self) -> int:
        """The 256-bit word of the number in its mobile type."""
        value = self.value
        if self.is_fractional:
            fixed = self.fixed_point_type()
            value *= 10 ** (fixed.fractional_digits if fixed else 0)
        return int(value) % (1 << 256)


@dataclass(frozen=True, slots=True)
class StringLiteralType(Type):
    """A string, hex or unicode literal."""

    value: bytes

    def text(self, without_location: bool = False) -> str:
        if all(0x20 <= byte < 0x7F for byte in self.value):
            return f'literal_string "{self.value.decode("ascii")}"'
        return f'literal_string hex"{self.value.hex()}"'

    def rich_identifier(self) -> str:
        return "t_stringliteral_" + keccak256(self.value).hex()

    @property
    def can_be_stored(self) -> bool:
        return False

    def stack_items(self) -> tuple[StackItem, ...]:
        return ()

    def mobile_type(self) -> Type | None:
        from smartvm.compiler.analysis.types.reference import STRING_MEMORY

        return STRING_MEMORY

    def is_valid_utf8(self) -> bool:
        """Whether the bytes are UTF-8 text."""
        try:
            self.value.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class BoolType(ElementaryType):
    """``bool``."""

    def text(self, without_location: bool = False) -> str:
        return "bool"

    def rich_identifier(self) -> str:
        return "t_bool"

    def storage_bytes(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class FixedBytesType(ElementaryType):
    """``bytes1`` to ``bytes32``."""

    size: int

    def text(self, without_location: bool = False) -> str:
        return f"bytes{self.size}"

    def rich_identifier(self) -> str:
        return f"t_bytes{self.size}"

    def storage_bytes(self) -> int:
        return self.size

    @property
    def left_aligned(self) -> bool:
        return True


UINT256 = IntegerType(256, False)
INT256 = IntegerType(256, True)
UINT8 = IntegerType(8, False)
UINT32 = IntegerType(32, False)
BOOL = BoolType()
ADDRESS = AddressType(False)
ADDRESS_PAYABLE = AddressType(True)
BYTES1 = FixedBytesType(1)
BYTES4 = FixedBytesType(4)
BYTES20 = FixedBytesType(20)
BYTES32 = FixedBytesType(32)
