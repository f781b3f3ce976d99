"""Words against Python's integers: in the interpreter, and in the compiled tier's functions."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smartvm.vm.keccak import keccak256
from smartvm.vm.native.library import interpreter

WRAP = 1 << 256
LIMB = (1 << 64) - 1

#: Limbs at which carries and estimates go wrong.
LIMBS = st.one_of(st.sampled_from([0, 1, 2, LIMB, LIMB - 1, 1 << 63, (1 << 63) - 1]), st.integers(0, LIMB))


def from_limbs(limbs: list[int]) -> int:
    return sum(limb << (64 * i) for i, limb in enumerate(limbs))


WORDS = st.one_of(
    st.builds(from_limbs, st.lists(LIMBS, min_size=0, max_size=4)),
    st.builds(lambda bit, off: ((1 << bit) + off) % WRAP, st.integers(0, 256), st.integers(-2, 2)),
    st.integers(0, WRAP - 1),
)


def signed(word: int) -> int:
    return word - WRAP if word >> 255 else word


def truncated(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return -quotient if (a < 0) != (b < 0) else quotient


def sdiv(a: int, b: int) -> int:
    return truncated(signed(a), signed(b)) % WRAP if b else 0


def smod(a: int, b: int) -> int:
    x, y = signed(a), signed(b)
    return (x - y * truncated(x, y)) % WRAP if b else 0


FUNCTIONS: dict[str, Callable[..., int]] = {
    "divide": lambda a, b: a // b if b else 0,
    "remainder": lambda a, b: a % b if b else 0,
    "signed_divide": sdiv,
    "signed_remainder": smod,
    "add_modulo": lambda a, b, n: (a + b) % n if n else 0,
    "multiply_modulo": lambda a, b, n: a * b % n if n else 0,
    "power": lambda a, b: pow(a, b, WRAP),
}


def native(name: str, *words: int) -> int:
    address = interpreter().code.address(f"host_{name}")
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(words) + 1))(address)
    buffers = [ctypes.create_string_buffer(w.to_bytes(32, "little"), 32) for w in words]
    out = ctypes.create_string_buffer(32)
    function(*[ctypes.addressof(b) for b in buffers], ctypes.addressof(out))
    return int.from_bytes(out.raw, "little")


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=400, deadline=None)
@given(a=WORDS, b=WORDS, n=WORDS)
@example(a=WRAP // 2, b=WRAP - 1, n=1)
@example(a=WRAP - 1, b=WRAP - 1, n=WRAP - 1)
# the dividend's two top limbs equal the divisor's: the greatest digit
@example(a=from_limbs([0, 0, 5, 1 << 63]), b=from_limbs([1, 0, 5, 1 << 63]), n=from_limbs([1, 0, 5, 1 << 63]))
def test_arithmetic_equals_python(name: str, a: int, b: int, n: int) -> None:
    function = FUNCTIONS[name]
    words = (a, b, n)[: function.__code__.co_argcount]
    assert native(name, *words) == function(*words)


@settings(max_examples=300, deadline=None)
@given(low=st.integers(0, WRAP - 1), divisor=st.integers(1, WRAP - 1), digit=LIMBS)
def test_products_reduce_at_the_greatest_digits(low: int, divisor: int, digit: int) -> None:
    a = min(WRAP - 1, divisor * digit + low % divisor) % WRAP
    assert native("multiply_modulo", a, divisor - 1, divisor) == a * (divisor - 1) % divisor


INSTRUCTIONS: dict[str, Callable[..., int]] = {
    "ADD": lambda a, b: (a + b) % WRAP,
    "SUB": lambda a, b: (a - b) % WRAP,
    "MUL": lambda a, b: a * b % WRAP,
    "DIV": FUNCTIONS["divide"],
    "SDIV": sdiv,
    "MOD": FUNCTIONS["remainder"],
    "SMOD": smod,
    "EXP": FUNCTIONS["power"],
    "SIGNEXTEND": lambda k, x: (
        x
        if k > 30
        else ((x & ((1 << 8 * (k + 1)) - 1)) ^ (1 << (8 * k + 7))) - (1 << (8 * k + 7)) & (WRAP - 1)
    ),
    "LT": lambda a, b: int(a < b),
    "GT": lambda a, b: int(a > b),
    "SLT": lambda a, b: int(signed(a) < signed(b)),
    "SGT": lambda a, b: int(signed(a) > signed(b)),
    "EQ": lambda a, b: int(a == b),
    "AND": lambda a, b: a & b,
    "OR": lambda a, b: a | b,
    "XOR": lambda a, b: a ^ b,
    "BYTE": lambda i, x: x >> (248 - 8 * i) & 255 if i < 32 else 0,
    "SHL": lambda s, x: (x << s) % WRAP if s < 256 else 0,
    "SHR": lambda s, x: x >> s if s < 256 else 0,
    "SAR": lambda s, x: (signed(x) >> min(s, 255)) % WRAP,
    "ADDMOD": FUNCTIONS["add_modulo"],
    "MULMOD": FUNCTIONS["multiply_modulo"],
    "ISZERO": lambda a: int(a == 0),
    "NOT": lambda a: WRAP - 1 - a,
    "CLZ": lambda a: 256 - a.bit_length(),
}


@pytest.mark.parametrize("name", INSTRUCTIONS)
@pytest.mark.parametrize("engine", ["interpreter", "compiled"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_instruction_equals_python(make_world, asm, name: str, engine: str, data) -> None:
    function = INSTRUCTIONS[name]
    small_first = name in ("BYTE", "SHL", "SHR", "SAR", "SIGNEXTEND")
    words = [data.draw(WORDS) for _ in range(function.__code__.co_argcount)]
    if small_first and data.draw(st.booleans()):
        words[0] %= 300
    # operands from the input, so that no compiler folds them away
    loads = " ".join(f"{32 * i} CALLDATALOAD" for i in reversed(range(len(words))))
    code = asm(f"{loads} {name} 0 MSTORE 32 0 RETURN")
    result = make_world(engine=engine).run(code, data=b"".join(w.to_bytes(32, "big") for w in words))
    assert int.from_bytes(result.output, "big") == function(*words)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=600))
def test_keccak_equals_the_library(data: bytes) -> None:
    out = ctypes.create_string_buffer(32)
    function = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_void_p)(
        interpreter().code.address("host_keccak256")
    )
    function(data, len(data), ctypes.addressof(out))
    assert out.raw == keccak256(data)
    assert out.raw != hashlib.sha3_256(data).digest()


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 63, 64, 65, 135, 136, 137, 272])
def test_keccak_instruction_at_each_block_edge_twice(make_world, asm, size: int) -> None:
    world = make_world()
    data = bytes(range(256)) * 2
    code = asm(f"{size} 0 0 CALLDATACOPY {size} 0 KECCAK256 POP {size} 0 KECCAK256 0 MSTORE 32 0 RETURN")
    assert world.run(code, data=data).output == keccak256(data[:size])
