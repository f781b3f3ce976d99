"""smartvm: a Solidity and Yul compiler and an EVM that share one configurable instruction table.

The names below are the public interface; ``smartvm.api`` documents them. They load on
first use, so that ``import smartvm`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smartvm.api.chain import Chain, reverts
    from smartvm.api.compile_functions import (
        compile_files,
        compile_source,
        compile_standard,
        link_code,
    )
    from smartvm.api.contract import Contract, Reverted
    from smartvm.errors import SmartVMError

__version__ = "0.1.0"

__all__ = [
    "Chain",
    "Contract",
    "Reverted",
    "SmartVMError",
    "__version__",
    "compile_files",
    "compile_source",
    "compile_standard",
    "link_code",
    "reverts",
]

#: Where the public names are defined.
_HOMES = {
    "Chain": "smartvm.api.chain",
    "Contract": "smartvm.api.contract",
    "Reverted": "smartvm.api.contract",
    "SmartVMError": "smartvm.errors",
    "compile_files": "smartvm.api.compile_functions",
    "compile_source": "smartvm.api.compile_functions",
    "compile_standard": "smartvm.api.compile_functions",
    "link_code": "smartvm.api.compile_functions",
    "reverts": "smartvm.api.chain",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is not None:
        return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
