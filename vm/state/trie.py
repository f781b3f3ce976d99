"""The Merkle-Patricia trie, with roots that cost what changed (Yellow Paper, appendix D).

Nodes are objects that remember their reference (hash, or encoding where that is shorter) until something
below them changes. A trie may be backed by stored nodes: it then loads what it needs by path and says what to
write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from smartvm.errors import InternalError
from smartvm.vm import rlp
from smartvm.vm.keccak import keccak256
from smartvm.vm.state.model import EMPTY_TRIE_ROOT

#: A path is a string of nibbles, one a byte.
Path = bytes
#: Gives the encoding of the stored node at a path, or None.
NodeLoader = Callable[[Path], "bytes | None"]

_NOTHING = b"\x80"

#: Starts what is stored of a leaf whose value stands elsewhere: no node's encoding starts so.
_ELSEWHERE = b"\0"


class DeferredValue(Protocol):
    """A large value that is read when it is needed."""

    @property
    def key(self) -> bytes | None:
        """Where it stands, if stored nodes need not hold it."""
        ...

    def load(self) -> bytes:
        """The value."""
        ...

    def leaf_hash(self, encoded_path: bytes) -> bytes | None:
        """The hash of a leaf with the value, where that is quicker than to load it."""
        ...


#: Gives the value that stands at a key.
ValueLoader = Callable[[bytes], DeferredValue]


class _Leaf:
    __slots__ = ("path", "reference", "value")

    def __init__(self, path: Path, value: bytes | DeferredValue) -> None:
        self.path = path
        self.value = value
        self.reference: bytes | None = None


class _Extension:
    __slots__ = ("child", "path", "reference")

    def __init__(self, path: Path, child: _Node) -> None:
        self.path = path
        self.child = child
        self.reference: bytes | None = None


class _Branch:
    __slots__ = ("children", "reference", "value")

    def __init__(self, children: list[_Node | None], value: bytes) -> None:
        self.children = children
        self.value = value
        self.reference: bytes | None = None


class _Stored:
    """A node that is not loaded yet."""

    __slots__ = ("reference",)

    def __init__(self, reference: bytes) -> None:
        self.reference: bytes | None = reference


_Node: TypeAlias = "_Leaf | _Extension | _Branch | _Stored"


_NIBBLES = [bytes((value >> 4, value & 15)) for value in range(256)]


def nibbles(key: bytes) -> Path:
    """A key's path."""
    return b"".join([_NIBBLES[byte] for byte in key])


def _compact(path: Path, is_leaf: bool) -> bytes:
    """Hex-prefix encoding (Yellow Paper, appendix C)."""
    flag = 0x20 if is_leaf else 0
    if len(path) % 2:
        head, path = flag | 0x10 | path[0], path[1:]
    else:
        head = flag
    return bytes((head,)) + bytes([high << 4 | low for high, low in zip(path[::2], path[1::2], strict=True)])


def _expand(compact: bytes) -> tuple[Path, bool]:
    path = nibbles(compact)
    return path[1:] if path[0] & 1 else path[2:], bool(path[0] & 2)


def _common(a: Path, b: Path) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count


def _decoded(item: rlp.Item) -> _Node:
    """The node that a decoded list is."""
    if len(item) == 17:
        *children, value = item
        return _Branch([_child(child) for child in children], bytes(value))  # type: ignore[arg-type]
    compact, content = item
    path, is_leaf = _expand(bytes(compact))  # type: ignore[arg-type]
    if is_leaf:
        return _Leaf(path, bytes(content))  # type: ignore[arg-type]
    child = _child(content)  # type: ignore[arg-type]
    assert child is not None
    return _Extension(path, child)


def _child(item: rlp.Item) -> _Node | None:
    if isinstance(item, bytes):
        return _Stored(rlp.encode_bytes(item)) if item else None
    return _decoded(item)


class Trie:
    """A map from byte strings to non-empty byte strings, none of which is another's prefix, with a root
    hash."""

    def __init__(
        self,
        load: NodeLoader | None = None,
        root: bytes = EMPTY_TRIE_ROOT,
        load_value: ValueLoader | None = None,
    ) -> None:
        """``load`` and ``root`` open a stored trie; without them it is empty and lives in memory. ``load_value`` gives
        values that stand elsewhere than in their nodes."""
        self._load = load
        self._load_value = load_value
        self._root: _Node | None = None if root == EMPTY_TRIE_ROOT else _Stored(b"\xa0" + root)
        self._loaded: set[Path] = set()

    # ------------------------------------------------------------ reading

    def get(self, key: bytes) -> bytes | None:
        """The value at ``key``, or None."""
        path, at = nibbles(key), 0
        node = self._root
        while node is not None:
            if isinstance(node, _Stored):
                node = self._resolve(node, path[:at])
            if isinstance(node, _Leaf):
                return _loaded(node.value) if node.path == path[at:] else None
            if isinstance(node, _Extension):
                end = at + len(node.path)
                if path[at:end] != node.path:
                    return None
                node, at = node.child, end
            elif at == len(path):
                return node.value or None
            else:
                node, at = node.children[path[at]], at + 1
        return None

    def _resolve(self, stored: _Stored, path: Path) -> _Leaf | _Extension | _Branch:
        encoding = self._load(path) if self._load else None
        if encoding is not None and encoding[:1] == _ELSEWHERE and self._load_value is not None:
            encoded_path, key = rlp.decode(encoding[1:])
            leaf = _Leaf(_expand(bytes(encoded_path))[0], self._load_value(bytes(key)))  # type: ignore[arg-type]
            leaf.reference = stored.reference
            self._loaded.add(path)
            return leaf
        if encoding is None or b"\xa0" + keccak256(encoding) != stored.reference:
            raise InternalError(f"the store's trie node at path {path.hex()!r} is missing or damaged")
        node = _decoded(rlp.decode(encoding))
        assert not isinstance(node, _Stored)
        node.reference = stored.reference
        self._loaded.add(path)
        return node

    # ------------------------------------------------------------ changing

    def put(self, key: bytes, value: bytes | DeferredValue) -> None:
        """Set ``key`` to a non-empty ``value``."""
        self._root = self._insert(self._root, nibbles(key), 0, value)

    def _insert(self, node: _Node | None, path: Path, at: int, value: bytes | DeferredValue) -> _Node:
        if node is None:
            return _Leaf(path[at:], value)
        if isinstance(node, _Stored):
            node = self._resolve(node, path[:at])
        if isinstance(node, _Branch):
            node.reference = None
            if at == len(path):
                node.value = _loaded(value)
            else:
                node.children[path[at]] = self._insert(node.children[path[at]], path, at + 1, value)
            return node
        rest = path[at:]
        shared = _common(node.path, rest)
        if isinstance(node, _Leaf):
            if node.path == rest:
                node.value = value
                node.reference = None
                return node
        elif shared == len(node.path):
            node.child = self._insert(node.child, path, at + shared, value)
            node.reference = None
            return node
        branch = _Branch([None] * 16, b"")
        self._hang(branch, node, shared)
        if shared == len(rest):
            branch.value = _loaded(value)
        else:
            branch.children[rest[shared]] = _Leaf(rest[shared + 1 :], value)
        return _Extension(rest[:shared], branch) if shared else branch

    @staticmethod
    def _hang(branch: _Branch, node: _Leaf | _Extension, shared: int) -> None:
        """Put what remains of ``node`` behind the shared part of its path into a new branch there."""
        if shared == len(node.path):
            assert isinstance(node, _Leaf)
            branch.value = _loaded(node.value)
            return
        nibble, rest = node.path[shared], node.path[shared + 1 :]
        if isinstance(node, _Leaf):
            branch.children[nibble] = _Leaf(rest, node.value)
        else:
            branch.children[nibble] = _Extension(rest, node.child) if rest else node.child

    def delete(self, key: bytes) -> None:
        """Remove ``key``, if it is there."""
        self._root = self._remove(self._root, nibbles(key), 0)

    def _remove(self, node: _Node | None, path: Path, at: int) -> _Node | None:
        if node is None:
            return None
        if isinstance(node, _Stored):
            node = self._resolve(node, path[:at])
        if isinstance(node, _Leaf):
            return None if node.path == path[at:] else node
        if isinstance(node, _Extension):
            end = at + len(node.path)
            if path[at:end] != node.path:
                return node
            child = self._remove(node.child, path, end)
            if child is node.child and child.reference is not None:
                return node  # nothing was there to remove
            if child is None:
                return None
            return self._joined(node.path, child, path[:end])
        if at == len(path):
            node.value = b""
        else:
            nibble = path[at]
            old = node.children[nibble]
            child = self._remove(old, path, at + 1)
            node.children[nibble] = child
            if child is not None and child.reference is not None:
                return node  # loaded at most: the branch is what it was
        node.reference = None
        return self._collapsed(node, path[:at])

    def _collapsed(self, branch: _Branch, path: Path) -> _Node | None:
        """``branch``, or what takes its place when fewer than two entries are left."""
        present = [nibble for nibble, child in enumerate(branch.children) if child is not None]
        if len(present) + bool(branch.value) > 1:
            return branch
        if not present:
            return _Leaf(b"", branch.value) if branch.value else None
        nibble = bytes(present)
        child = branch.children[present[0]]
        assert child is not None
        return self._joined(nibble, child, path + nibble)

    def _joined(self, prefix: Path, child: _Node, child_path: Path) -> _Node:
        """``child`` with ``prefix`` before it."""
        if isinstance(child, _Stored):
            child = self._resolve(child, child_path)
        if isinstance(child, _Leaf):
            return _Leaf(prefix + child.path, child.value)
        if isinstance(child, _Extension):
            return _Extension(prefix + child.path, child.child)
        return _Extension(prefix, child)

    # ------------------------------------------------------------ results

    def root(self) -> bytes:
        """The root hash."""
        if self._root is None:
            return EMPTY_TRIE_ROOT
        if self._root.reference is not None and len(self._root.reference) == 33:
            return self._root.reference[1:]
        return self._hashed(self._root, b"", None) or keccak256(self._encoding(self._root, b"", None))

    def flush(self) -> tuple[bytes, dict[Path, bytes | None]]:
        """The root and what has to be written so that the stored nodes are those of this trie; None
        deletes."""
        writes: dict[Path, bytes | None] = {}
        if self._root is None:
            root = EMPTY_TRIE_ROOT
        elif isinstance(self._root, _Stored) or (self._root.reference and len(self._root.reference) == 33):
            assert self._root.reference is not None
            root = self._root.reference[1:]
        else:
            root = self._hashed(self._root, b"", writes) or self._written(self._root, b"", writes)
            self._root.reference = b"\xa0" + root
        for path in self._loaded:
            if path not in writes and not self._is_stored_at(path):
                writes[path] = None
        self._loaded.clear()
        return root, writes

    def _is_stored_at(self, path: Path) -> bool:
        """Whether a node with an encoding of its own stands exactly at ``path``."""
        node, at = self._root, 0
        while node is not None and at < len(path):
            if isinstance(node, _Branch):
                node, at = node.children[path[at]], at + 1
            elif isinstance(node, _Extension):
                end = at + len(node.path)
                if path[at:end] != node.path:
                    return False
                node, at = node.child, end
            else:
                return False
        return node is not None and (at == 0 or (at == len(path) and len(node.reference or b"") == 33))

    def _reference(self, node: _Node, path: Path, writes: dict[Path, bytes | None] | None) -> bytes:
        if node.reference is None:
            digest = self._hashed(node, path, writes)
            if digest is not None:
                node.reference = b"\xa0" + digest
                return node.reference
            encoding = self._encoding(node, path, writes)
            if len(encoding) < 32:
                node.reference = encoding
            else:
                node.reference = b"\xa0" + keccak256(encoding)
                if writes is not None:
                    writes[path] = encoding
        return node.reference

    def _written(self, node: _Node, path: Path, writes: dict[Path, bytes | None]) -> bytes:
        """Write the node's encoding, however short; its hash."""
        encoding = writes[path] = self._encoding(node, path, writes)
        return keccak256(encoding)

    @staticmethod
    def _hashed(node: _Node, path: Path, writes: dict[Path, bytes | None] | None) -> bytes | None:
        """The hash of a leaf whose value need not be loaded for it, written as one with a value elsewhere; None of
        other nodes."""
        if not isinstance(node, _Leaf) or isinstance(node.value, bytes):
            return None
        key = node.value.key
        if writes is not None and key is None:
            return None
        encoded_path = rlp.encode_bytes(_compact(node.path, True))
        digest = node.value.leaf_hash(encoded_path)
        if digest is not None and writes is not None and key is not None:
            writes[path] = _ELSEWHERE + rlp.encode_encoded([encoded_path, rlp.encode_bytes(key)])
        return digest

    def _encoding(self, node: _Node, path: Path, writes: dict[Path, bytes | None] | None) -> bytes:
        if isinstance(node, _Leaf):
            parts = [rlp.encode_bytes(_compact(node.path, True)), rlp.encode_bytes(_loaded(node.value))]
        elif isinstance(node, _Extension):
            child = self._reference(node.child, path + node.path, writes)
            parts = [rlp.encode_bytes(_compact(node.path, False)), child]
        elif isinstance(node, _Branch):
            parts = [
                _NOTHING
                if child is None
                else child.reference or self._reference(child, path + bytes((nibble,)), writes)
                for nibble, child in enumerate(node.children)
            ]
            parts.append(rlp.encode_bytes(node.value))
        else:
            raise InternalError("a stored trie node was asked for its encoding")
        return rlp.encode_encoded(parts)


def _loaded(value: bytes | DeferredValue) -> bytes:
    return value if isinstance(value, bytes) else value.load()


def ordered_root(values: list[bytes]) -> bytes:
    """The root of a list by index: a block's transactions, receipts or withdrawals."""
    trie = Trie()
    for index, value in enumerate(values):
        trie.put(rlp.encode_integer(index), value)
    return trie.root()
