"""Checked arithmetic (docs/control-structures.rst, "Checked or Unchecked Arithmetic"). All operands are
clean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.reverts import ARITHMETIC_OVERFLOW, DIVISION_BY_ZERO
from smartvm.compiler.lowering.type_facts import key

if TYPE_CHECKING:
    from smartvm.compiler.lowering.utilities import Utilities


def minimum(type_: types.IntegerType) -> int:
    """The least value."""
    return -(1 << (type_.bits - 1)) if type_.signed else 0


def maximum(type_: types.IntegerType) -> int:
    """The greatest value."""
    return (1 << (type_.bits - (1 if type_.signed else 0))) - 1


class Arithmetic:
    """Utility functions of integer arithmetic."""

    def __init__(self, utilities: Utilities) -> None:
        self.utilities = utilities

    def _overflow(self) -> str:
        return f"{{ {self.utilities.reverts.panic(ARITHMETIC_OVERFLOW)}() }}"

    def _unless_fits(self, type_: types.IntegerType, value: str) -> str:
        """``if`` with a condition that a mathematically exact word is out of the type's range, without its
        body."""
        if type_.signed:
            return f"if xor({value}, signextend({type_.bits // 8 - 1}, {value}))"
        return f"if gt({value}, {TEXT.number(maximum(type_))})"

    def checked(self, operator: str, type_: types.IntegerType) -> str:
        """``(x, y) -> result`` of ``+ - * / %`` that panics on overflow (0x11) and division by zero
        (0x12)."""
        return {
            "+": self.checked_add,
            "-": self.checked_sub,
            "*": self.checked_mul,
            "/": self.checked_div,
            "%": self.checked_mod,
        }[operator](type_)

    def checked_add(self, type_: types.IntegerType) -> str:
        """``(x, y) -> sum``."""
        name = f"checked_add_{key(type_)}"

        def text() -> str:
            if type_.bits < 256:
                condition = self._unless_fits(type_, "sum")
            elif type_.signed:
                condition = "if xor(slt(sum, x), slt(y, 0))"
            else:
                condition = "if gt(x, sum)"
            return f"function {name}(x, y) -> sum {{ sum := add(x, y) {condition} {self._overflow()} }}"

        return self.utilities.define(name, text)

    def checked_sub(self, type_: types.IntegerType) -> str:
        """``(x, y) -> difference``."""
        name = f"checked_sub_{key(type_)}"

        def text() -> str:
            if not type_.signed:
                condition = "if gt(y, x)"
            elif type_.bits < 256:
                condition = self._unless_fits(type_, "difference")
            else:
                condition = "if xor(sgt(difference, x), slt(y, 0))"
            return (
                f"function {name}(x, y) -> difference {{"
                f" difference := sub(x, y) {condition} {self._overflow()} }}"
            )

        return self.utilities.define(name, text)

    def checked_mul(self, type_: types.IntegerType) -> str:
        """``(x, y) -> product``."""
        name = f"checked_mul_{key(type_)}"

        def text() -> str:
            if type_.bits <= 128:
                # The product of two such numbers always fits a word.
                body = f"product := mul(x, y) {self._unless_fits(type_, 'product')} {self._overflow()}"
            else:
                clean = self.utilities.text.clean(type_, "mul(x, y)")
                divide = "sdiv" if type_.signed else "div"
                body = (
                    f"product := {clean}"
                    f" if iszero(or(iszero(x), eq(y, {divide}(product, x)))) {self._overflow()}"
                )
                if type_.signed and type_.bits == 256:
                    # -1 * min wraps to min, and so does min / -1.
                    least = TEXT.number(minimum(type_))
                    body = f"if and(slt(x, 0), eq(y, {least})) {self._overflow()} {body}"
            return f"function {name}(x, y) -> product {{ {body} }}"

        return self.utilities.define(name, text)

    def _check_divisor(self) -> str:
        return f"if iszero(y) {{ {self.utilities.reverts.panic(DIVISION_BY_ZERO)}() }}"

    def checked_div(self, type_: types.IntegerType) -> str:
        """``(x, y) -> quotient``."""
        name = f"checked_div_{key(type_)}"

        def text() -> str:
            if not type_.signed:
                return (
                    f"function {name}(x, y) -> quotient {{ {self._check_divisor()} quotient := div(x, y) }}"
                )
            least = TEXT.number(minimum(type_))
            return (
                f"function {name}(x, y) -> quotient {{ {self._check_divisor()}"
                f" if and(eq(x, {least}), iszero(not(y))) {self._overflow()} quotient := sdiv(x, y) }}"
            )

        return self.utilities.define(name, text)

    def wrapping_div(self, type_: types.IntegerType) -> str:
        """``(x, y) -> quotient``: panics on division by zero only."""
        if not type_.signed:
            return self.checked_div(type_)
        name = f"wrapping_div_{key(type_)}"
        quotient = self.utilities.text.clean(type_, "sdiv(x, y)")
        return self.utilities.define(
            name,
            lambda: f"function {name}(x, y) -> quotient {{ {self._check_divisor()} quotient := {quotient} }}",
        )

    def checked_mod(self, type_: types.IntegerType) -> str:
        """``(x, y) -> remainder`` with the sign of x; panics on division by zero, checked or not."""
        name = f"mod_{key(type_)}"
        instruction = "smod" if type_.signed else "mod"
        return self.utilities.define(
            name,
            lambda: (
                f"function {name}(x, y) -> remainder {{ {self._check_divisor()}"
                f" remainder := {instruction}(x, y) }}"
            ),
        )

    def checked_negate(self, type_: types.IntegerType) -> str:
        """``(value) -> negated``."""
        name = f"negate_{key(type_)}"
        least = TEXT.number(minimum(type_))
        return self.utilities.define(
            name,
            lambda: (
                f"function {name}(value) -> negated {{ if eq(value, {least}) {self._overflow()}"
                " negated := sub(0, value) }"
            ),
        )

    def checked_step(self, operator: str, type_: types.IntegerType) -> str:
        """``(value) -> next`` of ``++`` and ``--``."""
        word, limit, instruction = (
            ("increment", maximum(type_), "add") if operator == "++" else ("decrement", minimum(type_), "sub")
        )
        name = f"{word}_{key(type_)}"
        return self.utilities.define(
            name,
            lambda: (
                f"function {name}(value) -> next {{ if eq(value, {TEXT.number(limit)}) {self._overflow()}"
                f" next := {instruction}(value, 1) }}"
            ),
        )

    # --- powers ------------------------------------------------------------------------------------

    def checked_exp_limited(self) -> str:
        """``(base, exponent, limit) -> power``: unsigned, panics when the power exceeds the limit."""
        half = self.utilities.text.shifts.right(1, "exponent")

        def text() -> str:
            return f"""function checked_exp(base, exponent, limit) -> power {{
                // 10**77 is less than 2**256: the instruction cannot wrap, and one comparison is enough.
                if and(lt(base, 11), lt(exponent, 78)) {{
                    power := exp(base, exponent)
                    if gt(power, limit) {self._overflow()}
                    leave
                }}
                // A base of 0 or 1 divides nothing away, but it never exceeds a limit either.
                power := 1
                if lt(base, 2) {{
                    if exponent {{ power := base }}
                    leave
                }}
                for {{ }} exponent {{ }} {{
                    if and(exponent, 1) {{
                        if gt(power, div(limit, base)) {self._overflow()}
                        power := mul(power, base)
                    }}
                    exponent := {half}
                    if exponent {{
                        if gt(base, div(limit, base)) {self._overflow()}
                        base := mul(base, base)
                    }}
                }}
            }}"""

        return self.utilities.define("checked_exp", text)

    def checked_exp(self, type_: types.IntegerType) -> str:
        """``(base, exponent) -> power``; the exponent is unsigned."""
        name = f"checked_exp_{key(type_)}"
        limit = TEXT.number(maximum(type_))

        def text() -> str:
            power = self.checked_exp_limited()
            if not type_.signed:
                return f"""function {name}(base, exponent) -> power {{
                    power := {power}(base, exponent, {limit})
                }}"""
            # The magnitude of a negative result may be one greater than that of a positive one.
            return f"""function {name}(base, exponent) -> power {{
                switch slt(base, 0)
                case 0 {{ power := {power}(base, exponent, {limit}) }}
                default {{
                    let odd := and(exponent, 1)
                    power := {power}(sub(0, base), exponent, add({limit}, odd))
                    if odd {{ power := sub(0, power) }}
                }}
            }}"""

        return self.utilities.define(name, text)

    def checked_exp_of_literal(self, base: int, type_: types.IntegerType) -> str:
        """``(exponent) -> power`` of a known base: the greatest exponent that fits is known, too."""
        name = f"checked_exp_of_{'minus_' if base < 0 else ''}{abs(base)}_{key(type_)}"

        def text() -> str:
            power = f"power := exp({TEXT.number(base)}, exponent)"
            if abs(base) < 2:
                return f"function {name}(exponent) -> power {{ {power} }}"
            # Magnitudes at least double with each step: what fits for one exponent fits for all smaller ones.
            greatest = 0
            while minimum(type_) <= base ** (greatest + 1) <= maximum(type_):
                greatest += 1
            return f"""function {name}(exponent) -> power {{
                if gt(exponent, {greatest}) {self._overflow()}
                {power}
            }}"""

        return self.utilities.define(name, text)

    # --- shifts without shift instructions -----------------------------------------------------------

    def shift_right_arithmetic(self) -> str:
        """``(bits, value) -> shifted``: rounds towards minus infinity, before EIP-145."""
        return self.utilities.define(
            "shift_right_arithmetic",
            lambda: (
                """function shift_right_arithmetic(bits, value) -> shifted {
                switch slt(value, 0)
                case 0 { shifted := div(value, exp(2, bits)) }
                default { shifted := sub(sdiv(add(value, 1), exp(2, bits)), 1) }
            }"""
            ),
        )
