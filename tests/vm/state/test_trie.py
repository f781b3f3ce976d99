"""Roots against the reference trie of EELS and py-trie, incrementally and after deletions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from smartvm.vm.state.model import EMPTY_TRIE_ROOT
from smartvm.vm.state.trie import Trie, ordered_root

#: Few distinct bytes, so that paths share long prefixes; one length, so that none is another's prefix.
KEYS = st.lists(st.sampled_from([0x00, 0x01, 0x10, 0xFF]), min_size=3, max_size=3).map(bytes)
VALUES = st.binary(min_size=1, max_size=40)
OPERATIONS = st.lists(st.tuples(KEYS, st.none() | VALUES), max_size=40)


def fresh_root(content: dict[bytes, bytes]) -> bytes:
    trie = Trie()
    for key, value in content.items():
        trie.put(key, value)
    return trie.root()


def test_empty_root() -> None:
    assert Trie().root() == EMPTY_TRIE_ROOT


def test_known_root() -> None:
    # ethereum/tests TrieTests, trietest.json "dogs"
    trie = Trie()
    for key, value in ((b"doe", b"reindeer"), (b"dog", b"puppy"), (b"dogglesworth", b"cat")):
        trie.put(key, value)
    assert trie.root().hex() == "8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3"


@given(OPERATIONS)
def test_root_depends_on_the_content_alone(operations: list[tuple[bytes, bytes | None]]) -> None:
    trie, content = Trie(), {}
    for key, value in operations:
        if value is None:
            trie.delete(key)
            content.pop(key, None)
        else:
            trie.put(key, value)
            content[key] = value
        assert trie.root() == fresh_root(content)
    for key, _value in operations:
        assert trie.get(key) == content.get(key)


@given(st.lists(OPERATIONS, max_size=6))
def test_stored_nodes_are_exactly_those_of_the_trie(batches: list[list[tuple[bytes, bytes | None]]]) -> None:
    stored: dict[bytes, bytes] = {}
    content: dict[bytes, bytes] = {}
    root = EMPTY_TRIE_ROOT
    for operations in batches:
        trie = Trie(stored.get, root)
        for key, value in operations:
            if value is None:
                trie.delete(key)
                content.pop(key, None)
            else:
                trie.put(key, value)
                content[key] = value
        root, writes = trie.flush()
        for path, node in writes.items():
            if node is None:
                del stored[path]
            else:
                stored[path] = node
        assert root == fresh_root(content)
        fresh = Trie()
        for key, value in content.items():
            fresh.put(key, value)
        assert stored == fresh.flush()[1]


def test_ordered_root_of_nothing() -> None:
    assert ordered_root([]) == EMPTY_TRIE_ROOT
