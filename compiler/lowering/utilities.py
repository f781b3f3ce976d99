"""The families of utility functions of one compilation, and the registry that they share."""

from __future__ import annotations

from collections.abc import Callable

from smartvm.compiler.lowering.arithmetic import Arithmetic
from smartvm.compiler.lowering.calldata import Calldata
from smartvm.compiler.lowering.conversions import Conversions, ValueForms
from smartvm.compiler.lowering.copies import Copies
from smartvm.compiler.lowering.decoding import Decoding
from smartvm.compiler.lowering.encoding import Encoding
from smartvm.compiler.lowering.library import UtilityLibrary
from smartvm.compiler.lowering.memory import Memory
from smartvm.compiler.lowering.notation import TEXT
from smartvm.compiler.lowering.reverts import Reverts
from smartvm.compiler.lowering.settings import LoweringSettings
from smartvm.compiler.lowering.storage import Storage
from smartvm.compiler.lowering.storage_arrays import StorageArrays


class Utilities:
    """``memory_is_clean``: no inline assembly can have written memory, so values read from it need no
    cleaning."""

    def __init__(self, settings: LoweringSettings, memory_is_clean: bool) -> None:
        self.settings = settings
        self.memory_is_clean = memory_is_clean
        self.library = UtilityLibrary()
        self.text: ValueForms[str] = ValueForms(self, TEXT)
        self.conversions = Conversions(self)
        self.reverts = Reverts(self)
        self.arithmetic = Arithmetic(self)
        self.memory = Memory(self)
        self.storage = Storage(self)
        self.storage_arrays = StorageArrays(self)
        self.copies = Copies(self)
        self.calldata = Calldata(self)
        self.decoding = Decoding(self)
        self.encoding = Encoding(self)

    def define(self, name: str, text: Callable[[], str]) -> str:
        """A utility function, made from ``text()`` at its first use. Returns the name."""
        return self.library.define(name, text)
