"""Ethereum mainnet's forks that change execution, in the order of their activation.

Forks that only moved the difficulty bomb (Muir Glacier, Arrow Glacier, Gray Glacier) or the DAO's balances
are left out: their instructions, gas and transactions are those of the fork before.
"""

from __future__ import annotations

from enum import IntEnum

from smartvm.errors import SmartVMError
from smartvm.instructions.forks import canonical_fork


class UnknownForkError(SmartVMError):
    """A fork's name that nobody gave to a fork."""


class Fork(IntEnum):
    """A fork; a later one compares greater."""

    FRONTIER = 0
    HOMESTEAD = 1
    TANGERINE_WHISTLE = 2
    SPURIOUS_DRAGON = 3
    BYZANTIUM = 4
    CONSTANTINOPLE = 5
    PETERSBURG = 6
    ISTANBUL = 7
    BERLIN = 8
    LONDON = 9
    PARIS = 10
    SHANGHAI = 11
    CANCUN = 12
    PRAGUE = 13
    OSAKA = 14

    @property
    def label(self) -> str:
        """The name in lower case with underscores, ``tangerine_whistle``."""
        return self.name.lower()


LATEST_FORK = Fork.OSAKA

_BY_LABEL = {fork.label: fork for fork in Fork}


def fork_named(name: str) -> Fork:
    """The fork called ``name``, in any of the spellings that ``instructions.forks`` knows: any case, with or
    without underscores, or as the state tests' fixtures call it (``EIP150``, ``ConstantinopleFix``, ``Merge``).
    Raises ``UnknownForkError``."""
    fork = _BY_LABEL.get(canonical_fork(name))
    if fork is None:
        known = ", ".join(fork.label for fork in Fork)
        raise UnknownForkError(f"unknown fork `{name}`", hint=f"known forks: {known}")
    return fork
