"""What a transaction has touched: access sets, created and self-destructed accounts. All journalled by the
state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smartvm.vm.world import WorldState

#: EIP-161's deletion of this account in block 2,675,119 outlived the revert of what touched it.
_RIPEMD160 = (3).to_bytes(20, "big")


class JournalledSet:
    """A set of addresses whose additions are undone with the state's changes."""

    __slots__ = ("_members", "_state")

    def __init__(self, state: WorldState, members: set[bytes]) -> None:
        """``members`` is taken over: what it holds is there from the start, and no revert takes that away."""
        self._state = state
        self._members = members

    def __contains__(self, address: bytes) -> bool:
        return address in self._members

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._members)

    def add(self, address: bytes) -> bool:
        """Add; True when it was new."""
        members = self._members
        if address in members:
            return False
        members.add(address)
        self._state.on_revert(lambda: members.discard(address))
        return True


class TransactionRecord:
    """What a transaction did, besides the state's changes."""

    def __init__(self, state: WorldState, *warm: Iterable[bytes]) -> None:
        """``warm``: addresses that are accessed already."""
        self.warm = JournalledSet(state, set().union(*warm))
        self.touched = JournalledSet(state, set())
        self.created = JournalledSet(state, set())
        self.destroyed = JournalledSet(state, set())
        self._always_touched: set[bytes] = set()

    def touch(self, address: bytes) -> None:
        """Mark for EIP-161."""
        self.touched.add(address)
        if address == _RIPEMD160:
            self._always_touched.add(address)

    def touched_addresses(self) -> set[bytes]:
        """All that are to be checked for emptiness."""
        return self._always_touched.union(self.touched)
