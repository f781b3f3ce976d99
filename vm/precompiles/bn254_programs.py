"""What bn254's compiled machine runs: scalar multiplication in G1, membership of G2, the optimal ate pairing.

A computation is a schedule: numbers of short programs (one step of a loop each), run one after another. No
library with wheels for the common platforms computes this pairing at a useful speed, hence this and its
neighbours. The final exponentiation is Fuentes-Castaneda, Knapp and Rodriguez-Henriquez's (SAC 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, auto
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from smartvm.vm.precompiles import bn254_tower as tower
from smartvm.vm.precompiles.bn254_field import (
    ORDER,
    PARAMETER,
    PRIME,
    TWIST_B,
    elements,
    frobenius_constants,
    from_montgomery,
)
from smartvm.vm.precompiles.bn254_tower import (
    FINAL,
    INPUT_G1,
    INPUT_G2,
    MILLER,
    ONE,
    OTHER,
    OUTPUT,
    POINT,
    POWER,
    POWER_BASE,
    PRODUCT,
    SCALED,
    WORKSPACE_LIMBS,
    ZERO,
    Program,
)
from smartvm.vm.precompiles.native import kernel

# (6 x^2)^2 - t 6 x^2 + p = r, where t = 6 x^2 + 1 is the trace: see ``Machine.is_in_g2``.
assert ORDER == PRIME - 6 * PARAMETER**2


class Step(IntEnum):
    """The programs."""

    START_PRODUCT = 0
    START_PAIR = auto()
    DOUBLE = auto()
    ADD = auto()
    SUBTRACT = auto()
    END_PAIR = auto()
    EASY_PART = auto()
    POWER_SQUARE = auto()
    POWER_MULTIPLY = auto()
    AFTER_FIRST_POWER = auto()
    AFTER_SECOND_POWER = auto()
    AFTER_THIRD_POWER = auto()
    START_MEMBERSHIP = auto()
    MEMBERSHIP_DOUBLE = auto()
    MEMBERSHIP_ADD = auto()
    END_MEMBERSHIP = auto()
    START_G1 = auto()
    DOUBLE_G1 = auto()
    ADD_G1 = auto()


def _miller_programs() -> dict[Step, Program]:
    """Miller's loop: ``MILLER`` accumulates the lines through multiples of ``INPUT_G2``, evaluated at
    ``INPUT_G1``."""
    programs = {
        step: Program()
        for step in (Step.START_PRODUCT, Step.START_PAIR, Step.DOUBLE, Step.ADD, Step.SUBTRACT, Step.END_PAIR)
    }
    programs[Step.START_PRODUCT].copy(PRODUCT, ONE, 12)

    p = programs[Step.START_PAIR]
    p.copy(OTHER, INPUT_G2, 2)
    p.subtract(OTHER + 8, ZERO, INPUT_G2 + 8, 2)
    p.copy(POINT, INPUT_G2, 4)
    p.copy(POINT + 16, ONE, 2)
    p.copy(MILLER, ONE, 12)

    p = programs[Step.DOUBLE]
    tower.square12(p, MILLER, MILLER)
    tower.double_step(p)
    tower.evaluate_line(p)

    for step, point in ((Step.ADD, INPUT_G2), (Step.SUBTRACT, OTHER)):
        p = programs[step]
        tower.add_step(p, point)
        tower.evaluate_line(p)

    p = programs[Step.END_PAIR]
    tower.map_by_frobenius(p, OTHER, INPUT_G2)
    tower.map_by_frobenius(p, SCALED, OTHER)
    p.subtract(SCALED + 8, ZERO, SCALED + 8, 2)
    for point in (OTHER, SCALED):
        tower.add_step(p, point)
        tower.evaluate_line(p)
    tower.multiply12(p, PRODUCT, PRODUCT, MILLER)
    return programs


def _final_programs() -> dict[Step, Program]:
    """``PRODUCT`` to the power of a multiple of (p^12 - 1) / r that is prime to r, in four pieces between
    which ``POWER_BASE`` is raised to the curve's parameter."""
    r, y1, y3, y4, y6, y8, t = (FINAL + 48 * i for i in range(7))

    def request_power(p: Program, base: int) -> None:
        p.copy(POWER_BASE, base, 12)
        p.copy(POWER, base, 12)

    easy = Program()  # (p^6 - 1)(p^2 + 1)
    tower.invert12(easy, r, PRODUCT)
    tower.conjugate12(easy, t, PRODUCT)
    tower.multiply12(easy, r, r, t)
    tower.frobenius12(easy, t, r, 2)
    tower.multiply12(easy, r, r, t)
    request_power(easy, r)

    # In what follows conjugation inverts, and turns the parameter's power into that of its negative.
    first = Program()
    tower.conjugate12(first, y1, POWER)
    tower.square_cyclotomic(first, y1)
    first.copy(y3, y1, 12)
    tower.square_cyclotomic(first, y3)
    tower.multiply12(first, y3, y3, y1)
    request_power(first, y3)

    second = Program()
    tower.conjugate12(second, y4, POWER)
    second.copy(t, y4, 12)
    tower.square_cyclotomic(second, t)
    request_power(second, t)

    third = Program()  # POWER is already the inverse of what the parameter's negative gives
    third.copy(y6, POWER, 12)
    tower.conjugate12(third, y3, y3)
    tower.multiply12(third, y8, y6, y4)
    tower.multiply12(third, y8, y8, y3)
    tower.multiply12(third, y1, y8, y1)
    tower.multiply12(third, y4, y8, y4)
    tower.multiply12(third, y4, y4, r)
    tower.frobenius12(third, t, y1, 1)
    tower.multiply12(third, y4, y4, t)
    tower.frobenius12(third, t, y8, 2)
    tower.multiply12(third, y4, y4, t)
    tower.conjugate12(third, r, r)
    tower.multiply12(third, r, r, y1)
    tower.frobenius12(third, t, r, 3)
    tower.multiply12(third, PRODUCT, y4, t)

    square, multiply = Program(), Program()
    tower.square_cyclotomic(square, POWER)
    tower.multiply12(multiply, POWER, POWER, POWER_BASE)
    return {
        Step.EASY_PART: easy,
        Step.POWER_SQUARE: square,
        Step.POWER_MULTIPLY: multiply,
        Step.AFTER_FIRST_POWER: first,
        Step.AFTER_SECOND_POWER: second,
        Step.AFTER_THIRD_POWER: third,
    }


def _group_programs() -> dict[Step, Program]:
    """Multiples of a point of the twist, compared with its Frobenius image; multiples of a point of G1."""
    start, double, add, end = (Program() for _ in range(4))
    start.copy(POINT, INPUT_G2, 4)
    start.copy(POINT + 16, ONE, 2)
    tower.double_step(double)
    tower.add_step(add, INPUT_G2)
    tower.map_by_frobenius(end, OTHER, INPUT_G2)
    end.multiply2(OTHER, OTHER, POINT + 16)
    end.multiply2(OTHER + 8, OTHER + 8, POINT + 16)

    start_g1, double_g1, add_g1 = (Program() for _ in range(3))
    start_g1.copy(OUTPUT, INPUT_G1, 2)
    start_g1.copy(OUTPUT + 8, ONE)
    tower.double_g1(double_g1)
    tower.add_g1(add_g1)
    return {
        Step.START_MEMBERSHIP: start,
        Step.MEMBERSHIP_DOUBLE: double,
        Step.MEMBERSHIP_ADD: add,
        Step.END_MEMBERSHIP: end,
        Step.START_G1: start_g1,
        Step.DOUBLE_G1: double_g1,
        Step.ADD_G1: add_g1,
    }


def _double_and_add(number: int, double: Step, add: Step) -> list[Step]:
    schedule: list[Step] = []
    for bit in bin(number)[3:]:
        schedule.append(double)
        if bit == "1":
            schedule.append(add)
    return schedule


def _signed_digits(value: int) -> list[int]:
    """The non-adjacent form, most significant digit first."""
    digits = []
    while value:
        digit = 2 - value % 4 if value & 1 else 0
        digits.append(digit)
        value = (value - digit) >> 1
    return digits[::-1]


def _pair_schedule() -> list[Step]:
    schedule = [Step.START_PAIR]
    for digit in _signed_digits(6 * PARAMETER + 2)[1:]:
        schedule.append(Step.DOUBLE)
        if digit:
            schedule.append(Step.ADD if digit == 1 else Step.SUBTRACT)
    return [*schedule, Step.END_PAIR]


def _final_schedule() -> list[Step]:
    power = _double_and_add(PARAMETER, Step.POWER_SQUARE, Step.POWER_MULTIPLY)
    return [
        Step.EASY_PART,
        *power,
        Step.AFTER_FIRST_POWER,
        *power,
        Step.AFTER_SECOND_POWER,
        *power,
        Step.AFTER_THIRD_POWER,
    ]


def _numbers(schedule: Sequence[Step]) -> NDArray[np.uint8]:
    return np.frombuffer(bytes(schedule), dtype=np.uint8)


class _Code:
    """The programs as the kernel reads them, the fixed schedules, and the constants; made once."""

    def __init__(self) -> None:
        programs = _miller_programs() | _final_programs() | _group_programs()
        rows = [programs[step].rows for step in Step]
        self.code = np.array([row for part in rows for row in part], dtype=np.int64)
        self.starts = np.cumsum([0, *map(len, rows)]).astype(np.int64)
        self.start_product = _numbers([Step.START_PRODUCT])
        self.pair = _numbers(_pair_schedule())
        self.final = _numbers(_final_schedule())
        membership = _double_and_add(6 * PARAMETER**2, Step.MEMBERSHIP_DOUBLE, Step.MEMBERSHIP_ADD)
        self.membership = _numbers([Step.START_MEMBERSHIP, *membership, Step.END_MEMBERSHIP])
        self.workspace = np.zeros(WORKSPACE_LIMBS, dtype=np.uint64)
        for register, constant in (
            (ONE, elements(1)),
            (tower.HALF, elements(pow(2, -1, PRIME))),
            (tower.TWIST, elements(TWIST_B)),
            (tower.FROBENIUS, elements(*frobenius_constants())),
        ):
            self.workspace[register : register + len(constant)] = constant


_code = lru_cache(maxsize=1)(_Code)


class Machine:
    """A workspace and what can be computed in it. Not for two threads at once."""

    def __init__(self) -> None:
        self._code = _code()
        self._workspace = self._code.workspace.copy()
        self._kernel = kernel("bn254_run", 5)

    def _run(self, schedule: NDArray[np.uint8]) -> None:
        arrays = (self._workspace, self._code.code, self._code.starts, schedule)
        self._kernel(*(array.ctypes.data for array in arrays), len(schedule))

    def _load(self, register: int, values: NDArray[np.uint64]) -> None:
        self._workspace[register : register + len(values)] = values

    def _limbs(self, register: int, count: int) -> bytes:
        return self._workspace[register : register + 4 * count].tobytes()

    def multiply_g1(self, point: tuple[int, int], scalar: int) -> tuple[int, int, int]:
        """A point of G1 times 0 < ``scalar`` < r, in Jacobian coordinates X, Y, Z.

        The addition's special cases cannot come up: before each, the multiple is even and below r - 1 (or the
        sum, which the scalar's leading bits give, would be r).
        """
        self._load(INPUT_G1, elements(*point))
        self._run(_numbers([Step.START_G1, *_double_and_add(scalar, Step.DOUBLE_G1, Step.ADD_G1)]))
        limbs = self._limbs(OUTPUT, 3)
        x, y, z = (from_montgomery(limbs[i : i + 32]) for i in (0, 32, 64))
        return x, y, z

    def is_in_g2(self, point: NDArray[np.uint64]) -> bool:
        """Whether an affine point of the twist (x, y as limbs) lies in the subgroup of order r.

        It does exactly when the Frobenius map multiplies it by 6 x^2, for the kernel of the difference of the
        two has (6 x^2)^2 - t 6 x^2 + p = r elements. A multiple that is infinity has z = 0, and so have all
        later ones; a point of the subgroup has none such.
        """
        self._load(INPUT_G2, point)
        self._run(self._code.membership)
        if self._limbs(POINT + 16, 2) == bytes(64):
            return False
        return self._limbs(OTHER, 4) == self._limbs(POINT, 4)

    def product_is_one(self, pairs: Sequence[NDArray[np.uint64]]) -> bool:
        """Whether the product of the pairings is one. A pair is x, y of G1 and x, y of G2 as limbs, all in
        their groups and none infinity."""
        self._run(self._code.start_product)
        for pair in pairs:
            self._load(INPUT_G1, pair)
            self._run(self._code.pair)
        self._run(self._code.final)
        return self._limbs(PRODUCT, 12) == self._limbs(ONE, 12)
