"""The hashes by which metadata names a text: IPFS (UnixFS files, CIDv0) and Swarm (bzzr1).

References: the UnixFS and DAG-PB specifications of IPFS, "Binary Merkle Tree" of Swarm's chunk hashing.
"""

from __future__ import annotations

import hashlib
from functools import cache

from smartvm.keccak import keccak256

_IPFS_CHUNK = 256 * 1024
_IPFS_LINKS = 174
_SWARM_CHUNK = 4096
_SWARM_BRANCHES = _SWARM_CHUNK // 32
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def ipfs_hash(data: bytes) -> bytes:
    """The 34 bytes of the CIDv0 of ``data`` added as a file: multihash prefix and SHA-256."""
    # Each node: hash, bytes of file below it, bytes of the whole subtree as stored.
    level: list[tuple[bytes, int, int]] = []
    for start in range(0, len(data) or 1, _IPFS_CHUNK):
        chunk = data[start : start + _IPFS_CHUNK]
        content = b"\x12" + _varint(len(chunk)) + chunk if chunk else b""
        file = b"\x08\x02" + content + b"\x18" + _varint(len(chunk))
        block = b"\x0a" + _varint(len(file)) + file
        level.append((_multihash(block), len(chunk), len(block)))
    while len(level) > 1:
        level = [
            _ipfs_parent(level[start : start + _IPFS_LINKS]) for start in range(0, len(level), _IPFS_LINKS)
        ]
    return level[0][0]


def _ipfs_parent(children: list[tuple[bytes, int, int]]) -> tuple[bytes, int, int]:
    size = sum(child[1] for child in children)
    links = b""
    file = b"\x08\x02\x18" + _varint(size)
    for child_hash, child_size, stored in children:
        link = b"\x0a" + _varint(len(child_hash)) + child_hash + b"\x12\x00\x18" + _varint(stored)
        links += b"\x12" + _varint(len(link)) + link
        file += b"\x20" + _varint(child_size)
    block = links + b"\x0a" + _varint(len(file)) + file
    return _multihash(block), size, len(block) + sum(child[2] for child in children)


def _multihash(block: bytes) -> bytes:
    return b"\x12\x20" + hashlib.sha256(block).digest()


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def ipfs_url(data: bytes) -> str:
    """``dweb:/ipfs/Qm...``"""
    return "dweb:/ipfs/" + base58(ipfs_hash(data))


def base58(data: bytes) -> str:
    """Bitcoin's base 58."""
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def swarm_hash(data: bytes) -> bytes:
    """The bzzr1 hash of ``data``: 32 bytes."""
    return _swarm_chunk(data, False) if data else bytes(32)


def _swarm_chunk(data: bytes, force_level: bool) -> bytes:
    if len(data) < _SWARM_CHUNK or (len(data) == _SWARM_CHUNK and not force_level):
        content = data
    else:
        represented = _SWARM_CHUNK
        while represented * _SWARM_BRANCHES < len(data):
            represented *= _SWARM_BRANCHES
        content = b"".join(
            _swarm_chunk(data[start : start + represented], represented > _SWARM_CHUNK)
            for start in range(0, len(data), represented)
        )
    # A chunk is filled up with zeros; the hashes above nothing but zeros are the same in every chunk.
    level = _hash_pairs(content + bytes(-len(content) % 64))
    for zeros in _zero_hashes():
        level = _hash_pairs(level + zeros if len(level) % 64 else level)
    return keccak256(len(data).to_bytes(8, "little") + level)


def _hash_pairs(level: bytes) -> bytes:
    return b"".join(keccak256(level[start : start + 64]) for start in range(0, len(level), 64))


@cache
def _zero_hashes() -> tuple[bytes, ...]:
    """The hash of zeros alone at each level of a chunk below its root."""
    hashes = [keccak256(bytes(64))]
    while 64 << len(hashes) < _SWARM_CHUNK:
        hashes.append(keccak256(hashes[-1] * 2))
    return tuple(hashes)
