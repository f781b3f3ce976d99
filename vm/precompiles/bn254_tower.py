"""Arithmetic of bn254's field tower and curves, as operations appended to a program of ``bn254_kernel``.

Each function owns fixed scratch registers, for the call tree has no recursion, and takes an output that is
also an input. Formulas: Karatsuba in each extension; the projective steps of Miller's loop of Aranha et al.
(Eurocrypt 2011); Granger and Scott's squaring (PKC 2010).
"""

from __future__ import annotations

from smartvm.vm.precompiles import bn254_kernel as kernel
from smartvm.vm.precompiles.bn254_field import LIMBS, PRIME


class Program:
    """A program under construction."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int, int]] = []

    def add(self, out: int, a: int, b: int, count: int = 1) -> None:
        """out = a + b, for ``count`` elements of Fp."""
        self.rows.append((kernel.ADD, out, a, b, count))

    def subtract(self, out: int, a: int, b: int, count: int = 1) -> None:
        """out = a - b, likewise."""
        self.rows.append((kernel.SUBTRACT, out, a, b, count))

    def copy(self, out: int, a: int, count: int = 1) -> None:
        """out = a, likewise."""
        self.rows.append((kernel.COPY, out, a, a, count))

    def multiply(self, out: int, a: int, b: int) -> None:
        """out = a b in Fp."""
        self.rows.append((kernel.MULTIPLY, out, a, b, 1))

    def multiply2(self, out: int, a: int, b: int) -> None:
        """out = a b in Fp2."""
        self.rows.append((kernel.MULTIPLY2, out, a, b, 1))

    def square2(self, out: int, a: int) -> None:
        """out = a^2 in Fp2."""
        self.rows.append((kernel.SQUARE2, out, a, a, 1))

    def scale2(self, out: int, a: int, factor: int) -> None:
        """out = a factor, an element of Fp2 times one of Fp that is another register."""
        self.multiply(out, a, factor)
        self.multiply(out + 4, a + 4, factor)


# ---------------------------------------------------------------- registers

_FP2, _FP6, _FP12 = 2 * LIMBS, 6 * LIMBS, 12 * LIMBS


class _Allocator:
    def __init__(self) -> None:
        self.used = kernel.SCRATCH_LIMBS

    def __call__(self, size: int) -> int:
        first = self.used
        self.used += size
        return first


_registers = _Allocator()

ZERO = _registers(_FP12)
ONE = _registers(_FP12)
HALF = _registers(LIMBS)
TWIST = _registers(_FP2)
FROBENIUS = _registers(18 * _FP2)

_T_XI = _registers(_FP2)
_T_INV = _registers(2 * LIMBS)
_T_INV2 = _registers(2 * LIMBS)
_T_MUL6 = _registers(6 * _FP2)
_T_SPARSE6 = _registers(4 * _FP2)
_T_INV6 = _registers(5 * _FP2)
_T_MUL12 = _registers(4 * _FP6)
_T_SPARSE12 = _registers(3 * _FP6 + _FP2)
_T_INV12 = _registers(2 * _FP6)
_T_CYCLOTOMIC = _registers(6 * _FP2)
_T_STEP = _registers(10 * _FP2)
_T_G1 = _registers(8 * LIMBS)
LINE = _registers(3 * _FP2)
POINT = _registers(3 * _FP2)
MILLER = _registers(_FP12)
PRODUCT = _registers(_FP12)
POWER_BASE = _registers(_FP12)
POWER = _registers(_FP12)
#: Seven elements of Fp12 for the final exponentiation.
FINAL = _registers(7 * _FP12)
OTHER = _registers(2 * _FP2)
SCALED = _registers(2 * _FP2)
#: Where callers put affine points: x, y of G1, then x, y of G2.
INPUT_G1 = _registers(2 * LIMBS)
INPUT_G2 = _registers(2 * _FP2)
#: A G1 product in Jacobian coordinates X, Y, Z.
OUTPUT = _registers(3 * LIMBS)

WORKSPACE_LIMBS = _registers.used


# ---------------------------------------------------------------- Fp and Fp2


def _invert(p: Program, out: int, a: int) -> None:
    base, result = _T_INV, _T_INV + 4
    p.copy(base, a, 1)
    p.copy(result, ONE, 1)
    for bit in bin(PRIME - 2)[2:]:
        p.multiply(result, result, result)
        if bit == "1":
            p.multiply(result, result, base)
    p.copy(out, result, 1)


def conjugate2(p: Program, out: int, a: int) -> None:
    p.copy(out, a)
    p.subtract(out + 4, ZERO, a + 4)


def _times_xi(p: Program, out: int, a: int) -> None:
    nine = _T_XI
    p.add(nine, a, a, 2)
    p.add(nine, nine, nine, 2)
    p.add(nine, nine, nine, 2)
    p.add(nine, nine, a, 2)
    p.subtract(nine, nine, a + 4)
    p.add(nine + 4, nine + 4, a)
    p.copy(out, nine, 2)


def _invert2(p: Program, out: int, a: int) -> None:
    norm, square = _T_INV2, _T_INV2 + 4
    p.multiply(norm, a, a)
    p.multiply(square, a + 4, a + 4)
    p.add(norm, norm, square)
    _invert(p, norm, norm)
    p.multiply(out, a, norm)
    p.multiply(square, a + 4, norm)
    p.subtract(out + 4, ZERO, square)


# ---------------------------------------------------------------- Fp6


def _multiply6(p: Program, out: int, a: int, b: int) -> None:
    t0, t1, t2, t3, t4, t5 = (_T_MUL6 + 8 * i for i in range(6))
    p.multiply2(t0, a, b)
    p.multiply2(t1, a + 8, b + 8)
    p.multiply2(t2, a + 16, b + 16)
    # a0 b0 + xi (a1 b2 + a2 b1)
    p.add(t3, a + 8, a + 16, 2)
    p.add(t4, b + 8, b + 16, 2)
    p.multiply2(t3, t3, t4)
    p.subtract(t3, t3, t1, 2)
    p.subtract(t3, t3, t2, 2)
    _times_xi(p, t3, t3)
    p.add(t3, t3, t0, 2)
    # a0 b1 + a1 b0 + xi a2 b2
    p.add(t4, a, a + 8, 2)
    p.add(t5, b, b + 8, 2)
    p.multiply2(t4, t4, t5)
    p.subtract(t4, t4, t0, 2)
    p.subtract(t4, t4, t1, 2)
    _times_xi(p, t5, t2)
    p.add(t4, t4, t5, 2)
    # a0 b2 + a2 b0 + a1 b1
    p.add(t5, a, a + 16, 2)
    p.subtract(t1, t1, t0, 2)
    p.subtract(t1, t1, t2, 2)
    p.add(t2, b, b + 16, 2)
    p.multiply2(t5, t5, t2)
    p.add(out + 16, t5, t1, 2)
    p.copy(out, t3, 2)
    p.copy(out + 8, t4, 2)


def _multiply6_by_01(p: Program, out: int, a: int, b0: int, b1: int) -> None:
    """Times b0 + b1 v."""
    t0, t1, t2, t3 = (_T_SPARSE6 + 8 * i for i in range(4))
    p.multiply2(t0, a, b0)
    p.multiply2(t1, a + 8, b1)
    p.add(t2, a, a + 8, 2)
    p.add(t3, b0, b1, 2)
    p.multiply2(t2, t2, t3)
    p.subtract(t2, t2, t0, 2)
    p.subtract(t2, t2, t1, 2)
    p.multiply2(t3, a + 16, b1)
    _times_xi(p, t3, t3)
    p.add(t3, t3, t0, 2)
    p.multiply2(t0, a + 16, b0)
    p.add(out + 16, t0, t1, 2)
    p.copy(out, t3, 2)
    p.copy(out + 8, t2, 2)


def _times_v(p: Program, out: int, a: int) -> None:
    last = _T_INV6 + 32
    _times_xi(p, last, a + 16)
    p.copy(out + 16, a + 8, 2)
    p.copy(out + 8, a, 2)
    p.copy(out, last, 2)


def _invert6(p: Program, out: int, a: int) -> None:
    c0, c1, c2, t0, t1 = (_T_INV6 + 8 * i for i in range(5))
    p.square2(c0, a)
    p.multiply2(t0, a + 8, a + 16)
    _times_xi(p, t0, t0)
    p.subtract(c0, c0, t0, 2)
    p.square2(c1, a + 16)
    _times_xi(p, c1, c1)
    p.multiply2(t0, a, a + 8)
    p.subtract(c1, c1, t0, 2)
    p.square2(c2, a + 8)
    p.multiply2(t0, a, a + 16)
    p.subtract(c2, c2, t0, 2)
    p.multiply2(t0, a + 16, c1)
    p.multiply2(t1, a + 8, c2)
    p.add(t0, t0, t1, 2)
    _times_xi(p, t0, t0)
    p.multiply2(t1, a, c0)
    p.add(t0, t0, t1, 2)
    _invert2(p, t0, t0)
    p.multiply2(out, c0, t0)
    p.multiply2(out + 8, c1, t0)
    p.multiply2(out + 16, c2, t0)


# ---------------------------------------------------------------- Fp12


def multiply12(p: Program, out: int, a: int, b: int) -> None:
    t0, t1, t2, t3 = (_T_MUL12 + 24 * i for i in range(4))
    _multiply6(p, t0, a, b)
    _multiply6(p, t1, a + 24, b + 24)
    p.add(t2, a, a + 24, 6)
    p.add(t3, b, b + 24, 6)
    _multiply6(p, t2, t2, t3)
    p.subtract(t2, t2, t0, 6)
    p.subtract(out + 24, t2, t1, 6)
    _times_v(p, t1, t1)
    p.add(out, t0, t1, 6)


def square12(p: Program, out: int, a: int) -> None:
    t0, t1, t2 = (_T_MUL12 + 24 * i for i in range(3))
    _multiply6(p, t0, a, a + 24)
    _times_v(p, t1, a + 24)
    p.add(t1, t1, a, 6)
    p.add(t2, a, a + 24, 6)
    _multiply6(p, t1, t1, t2)
    p.subtract(t1, t1, t0, 6)
    _times_v(p, t2, t0)
    p.subtract(out, t1, t2, 6)
    p.add(out + 24, t0, t0, 6)


def _multiply12_by_line(p: Program, out: int, a: int, c0: int, c3: int) -> None:
    """Times c0 + (c3 + c4 v) w, where c4 stands behind c3."""
    t0, t1, t2, t3 = (_T_SPARSE12 + 24 * i for i in range(4))
    for i in range(3):
        p.multiply2(t0 + 8 * i, a + 8 * i, c0)
    _multiply6_by_01(p, t1, a + 24, c3, c3 + 8)
    p.add(t2, a, a + 24, 6)
    p.add(t3, c0, c3, 2)
    _multiply6_by_01(p, t2, t2, t3, c3 + 8)
    p.subtract(t2, t2, t0, 6)
    p.subtract(out + 24, t2, t1, 6)
    _times_v(p, t1, t1)
    p.add(out, t0, t1, 6)


def conjugate12(p: Program, out: int, a: int) -> None:
    p.copy(out, a, 6)
    p.subtract(out + 24, ZERO, a + 24, 6)


def invert12(p: Program, out: int, a: int) -> None:
    t0, t1 = _T_INV12, _T_INV12 + 24
    _multiply6(p, t0, a, a)
    _multiply6(p, t1, a + 24, a + 24)
    _times_v(p, t1, t1)
    p.subtract(t0, t0, t1, 6)
    _invert6(p, t0, t0)
    _multiply6(p, out, a, t0)
    _multiply6(p, t1, a + 24, t0)
    p.subtract(out + 24, ZERO, t1, 6)


def frobenius12(p: Program, out: int, a: int, power: int) -> None:
    # The coefficient of w^j stands at Fp6 number j % 2, place j // 2.
    for j in range(6):
        place = 24 * (j % 2) + 8 * (j // 2)
        if power % 2:
            conjugate2(p, out + place, a + place)
        else:
            p.copy(out + place, a + place, 2)
        p.multiply2(out + place, out + place, FROBENIUS + 8 * (6 * (power - 1) + j))


def _square4(p: Program, out: int, a: int, b: int) -> None:
    """(a + b s)^2 with s^2 = xi: a^2 + xi b^2 and 2 a b."""
    other = _T_CYCLOTOMIC + 32
    p.square2(out, a)
    p.square2(other, b)
    p.add(out + 8, a, b, 2)
    p.square2(out + 8, out + 8)
    p.subtract(out + 8, out + 8, out, 2)
    p.subtract(out + 8, out + 8, other, 2)
    _times_xi(p, other, other)
    p.add(out, out, other, 2)


def _three_minus_two(p: Program, out: int, t: int, z: int) -> None:
    """3 t - 2 z."""
    difference = _T_CYCLOTOMIC + 40
    p.subtract(difference, t, z, 2)
    p.add(difference, difference, difference, 2)
    p.add(out, difference, t, 2)


def _three_plus_two(p: Program, out: int, t: int, z: int) -> None:
    """3 t + 2 z."""
    total = _T_CYCLOTOMIC + 40
    p.add(total, t, z, 2)
    p.add(total, total, total, 2)
    p.add(out, total, t, 2)


def square_cyclotomic(p: Program, a: int) -> None:
    """In place, for elements whose (p^4 - p^2 + 1)-th power is one."""
    t0, t2 = _T_CYCLOTOMIC, _T_CYCLOTOMIC + 16
    _square4(p, t0, a, a + 32)
    _three_minus_two(p, a, t0, a)
    _three_plus_two(p, a + 32, t0 + 8, a + 32)
    _square4(p, t0, a + 24, a + 16)
    _square4(p, t2, a + 8, a + 40)
    _three_minus_two(p, a + 8, t0, a + 8)
    _three_plus_two(p, a + 40, t0 + 8, a + 40)
    _times_xi(p, t0, t2 + 8)
    _three_plus_two(p, a + 24, t0, a + 24)
    _three_minus_two(p, a + 16, t2, a + 16)


# ---------------------------------------------------------------- Miller's loop


def double_step(p: Program) -> None:
    """Double ``POINT`` (homogeneous coordinates on the twist); ``LINE`` becomes the tangent's
    coefficients."""
    x, y, z = POINT, POINT + 8, POINT + 16
    a, b, c, e, f, g, h, j = (_T_STEP + 8 * i for i in range(8))
    p.multiply2(a, x, y)
    p.scale2(a, a, HALF)
    p.square2(b, y)
    p.square2(c, z)
    p.add(e, c, c, 2)
    p.add(e, e, c, 2)
    p.multiply2(e, e, TWIST)
    p.add(f, e, e, 2)
    p.add(f, f, e, 2)
    p.add(g, b, f, 2)
    p.scale2(g, g, HALF)
    p.add(h, y, z, 2)
    p.square2(h, h)
    p.subtract(h, h, b, 2)
    p.subtract(h, h, c, 2)
    p.square2(j, x)
    p.subtract(LINE, ZERO, h, 2)
    p.add(LINE + 8, j, j, 2)
    p.add(LINE + 8, LINE + 8, j, 2)
    p.subtract(LINE + 16, e, b, 2)
    p.square2(e, e)
    p.subtract(f, b, f, 2)
    p.multiply2(x, a, f)
    p.square2(y, g)
    p.subtract(y, y, e, 2)
    p.subtract(y, y, e, 2)
    p.subtract(y, y, e, 2)
    p.multiply2(z, b, h)


def add_step(p: Program, q: int) -> None:
    """Add the affine point at ``q`` to ``POINT``; ``LINE`` becomes the chord's coefficients."""
    x, y, z = POINT, POINT + 8, POINT + 16
    theta, slope, c, d, e, f, g, h = (_T_STEP + 8 * i for i in range(8))
    p.multiply2(theta, q + 8, z)
    p.subtract(theta, y, theta, 2)
    p.multiply2(slope, q, z)
    p.subtract(slope, x, slope, 2)
    p.square2(c, theta)
    p.square2(d, slope)
    p.multiply2(e, slope, d)
    p.multiply2(f, z, c)
    p.multiply2(g, x, d)
    p.add(h, e, f, 2)
    p.subtract(h, h, g, 2)
    p.subtract(h, h, g, 2)
    p.multiply2(x, slope, h)
    p.multiply2(f, e, y)
    p.subtract(g, g, h, 2)
    p.multiply2(y, theta, g)
    p.subtract(y, y, f, 2)
    p.multiply2(z, z, e)
    p.copy(LINE, slope, 2)
    p.subtract(LINE + 8, ZERO, theta, 2)
    p.multiply2(c, theta, q)
    p.multiply2(d, slope, q + 8)
    p.subtract(LINE + 16, c, d, 2)


def evaluate_line(p: Program) -> None:
    """Multiply the accumulator by the line, evaluated at the point of G1."""
    p.scale2(LINE, LINE, INPUT_G1 + 4)
    p.scale2(LINE + 8, LINE + 8, INPUT_G1)
    _multiply12_by_line(p, MILLER, MILLER, LINE, LINE + 8)


def map_by_frobenius(p: Program, out: int, q: int) -> None:
    """The p-th power map of the curve, carried over to the affine point ``q`` of the twist."""
    conjugate2(p, out, q)
    p.multiply2(out, out, FROBENIUS + 16)
    conjugate2(p, out + 8, q + 8)
    p.multiply2(out + 8, out + 8, FROBENIUS + 24)


# ---------------------------------------------------------------- G1


def double_g1(p: Program) -> None:
    """Double ``OUTPUT`` (Jacobian)."""
    x, y, z = OUTPUT, OUTPUT + 4, OUTPUT + 8
    a, b, c, d, e, f = (_T_G1 + 4 * i for i in range(6))
    p.multiply(a, x, x)
    p.multiply(b, y, y)
    p.multiply(c, b, b)
    p.add(d, x, b)
    p.multiply(d, d, d)
    p.subtract(d, d, a)
    p.subtract(d, d, c)
    p.add(d, d, d)
    p.add(e, a, a)
    p.add(e, e, a)
    p.multiply(f, e, e)
    p.multiply(z, y, z)
    p.add(z, z, z)
    p.subtract(x, f, d)
    p.subtract(x, x, d)
    p.subtract(d, d, x)
    p.add(c, c, c)
    p.add(c, c, c)
    p.add(c, c, c)
    p.multiply(y, e, d)
    p.subtract(y, y, c)


def add_g1(p: Program) -> None:
    """Add the affine ``INPUT_G1`` to ``OUTPUT``, which is neither infinity nor that point or its negative."""
    x, y, z = OUTPUT, OUTPUT + 4, OUTPUT + 8
    zz, u, s, h, hh, t = (_T_G1 + 4 * i for i in range(6))
    p.multiply(zz, z, z)
    p.multiply(u, INPUT_G1, zz)
    p.multiply(s, INPUT_G1 + 4, z)
    p.multiply(s, s, zz)
    p.subtract(h, u, x)
    p.subtract(s, s, y)
    p.multiply(hh, h, h)
    p.multiply(z, z, h)
    p.multiply(h, h, hh)
    p.multiply(u, x, hh)
    p.multiply(x, s, s)
    p.subtract(x, x, h)
    p.subtract(x, x, u)
    p.subtract(x, x, u)
    p.multiply(h, h, y)
    p.subtract(t, u, x)
    p.multiply(y, s, t)
    p.subtract(y, y, h)
