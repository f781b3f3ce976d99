"""How a frame ended."""

from __future__ import annotations

from typing import NamedTuple

from smartvm.vm.messages import HaltInformation


class Outcome(NamedTuple):
    """``output`` is what RETURN or REVERT gave; ``gas_left`` goes back to the caller."""

    success: bool
    output: bytes
    gas_left: int
    halt: HaltInformation | None = None

    @property
    def reverted(self) -> bool:
        """Ended by REVERT."""
        return not self.success and self.halt is None
