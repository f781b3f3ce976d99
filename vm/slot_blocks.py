"""Weight blocks as ordinary storage slots, one item each: what networks pay on a chain without blocks. For comparison.

A block's slots start at KECCAK-256 of its path in the trie: the first holds the number of items, which follow. Each is
loaded and stored at SLOAD's and SSTORE's price, in time as in gas; results of programs are the same as with blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.frame import Frame
from smartvm.vm.halts import ExceptionalHalt
from smartvm.vm.keccak import keccak256
from smartvm.vm.messages import HaltKind
from smartvm.vm.state.leaves import block_key
from smartvm.vm.world import WorldState

if TYPE_CHECKING:
    from smartvm.vm.machine import Machine

_WORDS = 1 << 256
_HALF = 1 << 255


def first_slot(block_id: int) -> int:
    """Where a block's slots start."""
    return int.from_bytes(keccak256(block_key(block_id)), "big")


def block_in_slots(state: WorldState, address: bytes, block_id: int) -> bytes | None:
    """A block that an account holds in slots, as its entry would be; None where there is none."""
    first = first_slot(block_id)
    count = state.storage(address, first)
    words = [state.storage(address, (first + 1 + place) % _WORDS) for place in range(count)]
    return WeightBlock.of_integers(map(_signed, words)).encoded if words else None


def _signed(word: int) -> int:
    return word - _WORDS if word >= _HALF else word


class SlotBlocks:
    """``BlocksView`` over a frame's slots."""

    __slots__ = ("_frame", "_machine")

    def __init__(self, machine: Machine, frame: Frame) -> None:
        self._machine = machine
        self._frame = frame

    def touch(self, block_id: int) -> bool:
        """See ``BlocksView``: whether the first slot is cold. Loading or storing the block warms it."""
        machine = self._machine
        entry = machine.slot_entry(self._frame.address, first_slot(block_id))
        return not machine.arenas.slot_is_warm(entry)

    def load(self, block_id: int) -> WeightBlock | None:
        """See ``BlocksView``; charges SLOAD for every item."""
        first = first_slot(block_id)
        count = self._load(first)
        if count == 0:
            return None
        words = [self._load((first + 1 + place) % _WORDS) for place in range(count)]
        return WeightBlock.of_integers(map(_signed, words))

    def store(self, block_id: int, block: WeightBlock | None) -> None:
        """See ``BlocksView``; charges SSTORE, without its refunds, for every item."""
        if self._frame.is_static:
            raise ExceptionalHalt(HaltKind.STATIC_VIOLATION)
        first = first_slot(block_id)
        before = self._load(first)
        items = [] if block is None else block.to_integers()
        self._store(first, len(items))
        for place in range(max(before, len(items))):
            value = items[place] % _WORDS if place < len(items) else 0
            self._store((first + 1 + place) % _WORDS, value)

    def _load(self, slot: int) -> int:
        machine, frame = self._machine, self._frame
        entry = machine.slot_entry(frame.address, slot)
        base = machine.plan.rule("SLOAD").base
        frame.charge(base + self._cold_surcharge("SLOAD", entry))
        return machine.arenas.slot_word(entry, "current")

    def _store(self, slot: int, value: int) -> None:
        machine, frame = self._machine, self._frame
        arenas, prices = machine.arenas, machine.constants("SSTORE")
        entry = machine.slot_entry(frame.address, slot)
        current, original = arenas.slot_word(entry, "current"), arenas.slot_word(entry, "original")
        price = prices["noop"]
        if current == original and current != value:
            price = prices["set" if original == 0 else "reset"]
        frame.charge(price + self._cold_surcharge("SSTORE", entry))
        if current != value:
            arenas.set_slot(entry, value)

    def _cold_surcharge(self, instruction: str, entry: int) -> int:
        cold = self._machine.arenas.warm_slot(entry)
        return self._machine.constant(instruction, "cold_surcharge") if cold else 0
