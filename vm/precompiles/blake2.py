"""BLAKE2F: the compression function of BLAKE2b (EIP-152, RFC 7693), its rounds compiled on first use."""

from __future__ import annotations

import numpy as np
from smartvm.vm.precompiles.model import PrecompileFailure

_LENGTH = 213


def gas(data: bytes) -> int:
    """1 a round."""
    return int.from_bytes(data[:4], "big") if len(data) == _LENGTH else 0


def compress(data: bytes) -> bytes:
    """Rounds (4 bytes, big-endian), state (64), message (128), offset counters (16), final flag (1); the new
    state."""
    if len(data) != _LENGTH or data[212] > 1:
        raise PrecompileFailure
    from smartvm.vm.precompiles import blake2_kernel  # imported late: it loads Numba

    words = np.frombuffer(data, dtype="<u8", count=26, offset=4).astype(np.uint64)
    rounds = int.from_bytes(data[:4], "big")
    state = blake2_kernel.compress(rounds, words[:8], words[8:24], words[24], words[25], data[212] == 1)
    return bytes(state.astype("<u8").tobytes())
