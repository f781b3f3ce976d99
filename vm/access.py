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

    def __init__(self, state: WorldState, *members: Iterable[bytes]) -> None:
        """``members`` are there from the start: no revert takes them away."""
        self._state = state
        self._members = set().union(*members)

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
        self.warm = JournalledSet(state, *warm)
        self.touched = JournalledSet(state)
        self.created = JournalledSet(state)
        self.destroyed = JournalledSet(state)
        self._always_touched: set[bytes] = set()

    def touch(self, address: bytes) -> None:
        """Mark for EIP-161."""
        self.touched.add(address)
        if address == _RIPEMD160:
            self._always_touched.add(address)

    def touched_addresses(self) -> set[bytes]:
        """All that are to be checked for emptiness."""
        return set(self.touched) | self._always_touched
