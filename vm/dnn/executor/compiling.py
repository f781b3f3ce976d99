"""Where the machine code of handlers is: compiled once for the machine, kept on disk (``machine_code``)."""

from __future__ import annotations

from smartvm.vm.dnn.compiling import machine_code
from smartvm.vm.dnn.executor.handlers import FUNCTIONS, HANDLERS


def _place(name: str) -> tuple[str, str]:
    module, _, function = (HANDLERS.get(name) or FUNCTIONS[name]).rpartition(".")
    return f"smartvm.vm.dnn.executor.{module}", function


def is_kept(name: str) -> bool:
    """Whether a handler's machine code is on disk, so that ``handler_address`` takes milliseconds, not seconds. Told
    once for the process."""
    return machine_code.is_handler_kept(*_place(name))


def handler_address(name: str) -> int:
    """Where the machine code of an instruction's handler is: a C function from the frame's address to 1, or to 0 where
    nothing was done. KeyError when the instruction has none."""
    return machine_code.handler_address(*_place(name))
