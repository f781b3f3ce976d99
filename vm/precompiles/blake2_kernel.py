"""BLAKE2b's compression function with any number of rounds, compiled (RFC 7693, section 3.2)."""

# mypy: ignore-errors
from __future__ import annotations

import numpy as np
from numba import njit

#: The initial values: the fractional parts of the first eight primes' square roots.
_INITIAL = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)

#: Which message words a round mixes in, by round modulo ten.
_SCHEDULE = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    dtype=np.uint8,
)


@njit(inline="always")
def _rotate_right(value, count):
    return (value >> np.uint64(count)) | (value << np.uint64(64 - count))


@njit(inline="always")
def _mix(a, b, c, d, x, y):
    a = a + b + x
    d = _rotate_right(d ^ a, 32)
    c = c + d
    b = _rotate_right(b ^ c, 24)
    a = a + b + y
    d = _rotate_right(d ^ a, 16)
    c = c + d
    b = _rotate_right(b ^ c, 63)
    return a, b, c, d


@njit(cache=True)
def compress(rounds, state, message, counter_low, counter_high, final):
    """The new state: eight words, from eight words of state and sixteen of message."""
    v0, v1, v2, v3, v4, v5, v6, v7 = (
        state[0],
        state[1],
        state[2],
        state[3],
        state[4],
        state[5],
        state[6],
        state[7],
    )
    v8, v9, v10, v11 = _INITIAL[0], _INITIAL[1], _INITIAL[2], _INITIAL[3]
    v12, v13 = _INITIAL[4] ^ counter_low, _INITIAL[5] ^ counter_high
    v14, v15 = _INITIAL[6], _INITIAL[7]
    if final:
        v14 = ~v14
    for round_index in range(rounds):
        s = _SCHEDULE[round_index % 10]
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, message[s[0]], message[s[1]])
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, message[s[2]], message[s[3]])
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, message[s[4]], message[s[5]])
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, message[s[6]], message[s[7]])
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, message[s[8]], message[s[9]])
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, message[s[10]], message[s[11]])
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, message[s[12]], message[s[13]])
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, message[s[14]], message[s[15]])
    result = np.empty(8, dtype=np.uint64)
    result[0] = state[0] ^ v0 ^ v8
    result[1] = state[1] ^ v1 ^ v9
    result[2] = state[2] ^ v2 ^ v10
    result[3] = state[3] ^ v3 ^ v11
    result[4] = state[4] ^ v4 ^ v12
    result[5] = state[5] ^ v5 ^ v13
    result[6] = state[6] ^ v6 ^ v14
    result[7] = state[7] ^ v7 ^ v15
    return result
