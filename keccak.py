"""KECCAK-256 (as Ethereum uses it: with the padding of the original submission, not that of SHA-3).

PyCryptodome's compiled function is called through ``ctypes``: the way through its Python classes takes ten
times as long for a short text, and loading them as long as a small contract takes to compile.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

#: In bytes; rounds; the first byte of the padding.
_CAPACITY, _ROUNDS, _PADDING = 64, 24, 1

#: KECCAK-256 of nothing.
_OF_NOTHING = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")


def _compiled() -> Callable[[bytes], bytes] | None:
    """The hash by PyCryptodome's compiled functions; None where they are not as expected."""
    import Crypto.Hash

    if Crypto.version_info[0] not in (3, 4):
        return None
    folder = Path(Crypto.Hash.__path__[0])
    path = next((p for s in EXTENSION_SUFFIXES if (p := folder / f"_keccak{s}").is_file()), None)
    if path is None:
        return None
    try:
        library = ctypes.PyDLL(str(path))
        initialize, reset, absorb, digest = (
            library.keccak_init,
            library.keccak_reset,
            library.keccak_absorb,
            library.keccak_digest,
        )
    except (OSError, AttributeError):
        return None
    pointer, size, byte = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_ubyte
    initialize.argtypes = (ctypes.POINTER(pointer), size, byte)
    reset.argtypes = (pointer,)
    absorb.argtypes = (pointer, ctypes.c_char_p, size)
    digest.argtypes = (pointer, ctypes.c_char_p, size, byte)
    #: States that no thread is using, each with room for its result.
    free: list[tuple[ctypes.c_void_p, ctypes.Array[ctypes.c_char]]] = []

    def hash_of(data: bytes) -> bytes:
        try:
            working = free.pop()
        except IndexError:
            working = (pointer(), ctypes.create_string_buffer(32))
            if initialize(ctypes.byref(working[0]), _CAPACITY, _ROUNDS):
                raise MemoryError("no memory for a hash") from None
        state, result = working
        reset(state)
        absorb(state, data, len(data))
        digest(state, result, 32, _PADDING)
        made = result.raw
        free.append(working)
        return made

    return hash_of if hash_of(b"") == hash_of(b"") == _OF_NOTHING else None


def _public(data: bytes) -> bytes:
    from Crypto.Hash import keccak

    return bytes(keccak.new(digest_bits=256, data=data).digest())


_hash_of = _compiled() or _public


def keccak256(data: bytes) -> bytes:
    """The 32 bytes of the hash."""
    return _hash_of(data)
