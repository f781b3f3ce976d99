"""smartvm: a Solidity and Yul compiler and an EVM that share one configurable instruction table.

The names below are the public interface; ``smartvm.api`` documents them. They load on first use, so that
``import smartvm`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smartvm.api import (
        compile_files,
        compile_source,
        compile_standard,
        link_code,
    )
    from smartvm.errors import SmartVMError

__version__ = "0.1.0"

__all__ = [
    "SmartVMError",
    "__version__",
    "compile_files",
    "compile_source",
    "compile_standard",
    "link_code",
]


def __getattr__(name: str) -> Any:
    if name == "SmartVMError":
        from smartvm.errors import SmartVMError

        return SmartVMError
    if name in __all__:
        from smartvm import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
