"""Precompiled contracts, by fork.

``precompiles_at(fork)`` maps addresses to contracts. Each one prices its input first (``gas``) and only then
computes (``run``), so that what an attacker sends is paid for before time or memory is spent on it.
"""

from __future__ import annotations

from smartvm.vm.precompiles.model import Precompile, PrecompileFailure
from smartvm.vm.precompiles.registry import precompiles_at

__all__ = ["Precompile", "PrecompileFailure", "precompiles_at"]
