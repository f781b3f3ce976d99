"""BLAKE2F: the compression function of BLAKE2b (EIP-152, RFC 7693), its rounds in machine code."""

from __future__ import annotations

import ctypes

from smartvm.vm.precompiles.model import PrecompileFailure

_LENGTH = 213
_STATE, _MESSAGE = 64, 128


def gas(data: bytes) -> int:
    """1 a round."""
    return int.from_bytes(data[:4], "big") if len(data) == _LENGTH else 0


def compress(data: bytes) -> bytes:
    """Rounds (4 bytes, big-endian), state (64), message (128), offset counters (16), final flag (1); the new
    state."""
    if len(data) != _LENGTH or data[212] > 1:
        raise PrecompileFailure
    from smartvm.vm.precompiles.native import kernel  # imported late: it loads machine code

    # Words are little-endian, as they are in the memory of every machine that LLVM's JIT serves here.
    state = ctypes.create_string_buffer(data[4 : 4 + _STATE], _STATE)
    message = ctypes.create_string_buffer(data[4 + _STATE : 4 + _STATE + _MESSAGE], _MESSAGE)
    kernel("blake2_compress", 6)(
        int.from_bytes(data[:4], "big"),
        ctypes.addressof(state),
        ctypes.addressof(message),
        int.from_bytes(data[196:204], "little"),
        int.from_bytes(data[204:212], "little"),
        data[212],
    )
    return state.raw
