"""What a precompiled contract is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class PrecompileFailure(Exception):
    """The input is not what the contract takes: the call fails and all its gas is gone. Never seen by
    users."""


@dataclass(frozen=True, slots=True)
class Precompile:
    """A contract that the protocol itself computes.

    ``gas`` gives the price of an input, an integer of any size, in time and memory linear in the input; a
    caller charges it before it calls ``run``, which may then take the time that was paid. ``run`` gives the
    output or raises ``PrecompileFailure``.
    """

    name: str
    gas: Callable[[bytes], int]
    run: Callable[[bytes], bytes]
