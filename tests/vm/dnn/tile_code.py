"""Register tiles as functions of their own, compiled for any processor and run here or in an emulator.

``TileCode`` wraps a tile in ``run(slots)``, whose 8-byte slots hold the tile's operands in order: addresses, integers,
the bits of a float64. A *machine* puts the code and the arrays into a memory and calls it.
"""

from __future__ import annotations

import ctypes
import platform
import struct
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, Protocol

import llvmlite.binding as llvm
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from smartvm.vm.native.elf import read_object
from smartvm.vm.native.object_code import Layout, LoadedObject

X86_64, AARCH64 = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
_I64 = ir.IntType(64)
_ARRAYS = frozenset({"values", "starts", "weights", "offsets", "bias", "out", "extremes"})

Arrays = Mapping[str, npt.NDArray[Any]]


class TileCode:
    """A tile that ``emit(builder, operands)`` emits, for arrays of the given item types."""

    def __init__(self, operands: tuple[str, ...], emit: Callable[..., None], bits: Mapping[str, int]) -> None:
        self.operands = operands
        module = ir.Module()
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64.as_pointer()]), "run")
        builder = ir.IRBuilder(function.append_basic_block())
        given: dict[str, Any] = {}
        for place, name in enumerate(operands):
            slot = builder.gep(function.args[0], [ir.Constant(_I64, place)])
            value = builder.load(slot)
            if name in _ARRAYS:
                value = builder.inttoptr(value, ir.IntType(bits[name]).as_pointer())
            elif name == "reciprocal":
                value = builder.bitcast(value, ir.DoubleType())
            given[name] = value
        emit(builder, SimpleNamespace(**given))
        builder.ret_void()
        self._text = str(module)

    def _compiled(self, triple: str, features: str) -> tuple[Any, Any]:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        processor = "x86-64" if triple == X86_64 else "generic"
        target = llvm.Target.from_triple(triple)
        machine = target.create_target_machine(processor, features, opt=3, reloc="pic", codemodel="small")
        module = llvm.parse_assembly(self._text)
        module.triple, module.data_layout = triple, str(machine.target_data)
        tuning = llvm.create_pipeline_tuning_options(speed_level=3)
        passes = llvm.create_pass_builder(machine, tuning)
        passes.getModulePassManager().run(module, passes)
        return machine, module

    def assembly(self, triple: str, features: str) -> str:
        """For people and tests to read."""
        machine, module = self._compiled(triple, features)
        return str(machine.emit_assembly(module))

    def object_code(self, triple: str, features: str) -> bytes:
        """A relocatable object with the function ``run``."""
        machine, module = self._compiled(triple, features)
        return bytes(machine.emit_object(module))


class Machine(Protocol):
    """What runs a tile: ``numbers`` are the operands that are no arrays; arrays are changed in place."""

    def run(self, tile: TileCode, arrays: Arrays, numbers: Mapping[str, float]) -> None: ...


def _slots(tile: TileCode, addresses: Mapping[str, int], numbers: Mapping[str, float]) -> bytes:
    parts = []
    for name in tile.operands:
        if name in addresses:
            parts.append(struct.pack("<Q", addresses[name]))
        else:
            parts.append(struct.pack("<d" if name == "reciprocal" else "<q", numbers[name]))
    return b"".join(parts)


class Host:
    """This processor."""

    triple = AARCH64 if platform.machine().lower() in ("aarch64", "arm64") else X86_64

    def __init__(self, features: str) -> None:
        self._features = features

    def run(self, tile: TileCode, arrays: Arrays, numbers: Mapping[str, float]) -> None:
        loaded = LoadedObject(tile.object_code(self.triple, self._features))
        slots = _slots(tile, {name: array.ctypes.data for name, array in arrays.items()}, numbers)
        ctypes.CFUNCTYPE(None, ctypes.c_char_p)(loaded.address("run"))(slots)


class _Emulated:
    """A processor in an emulator: code, arrays and a stack in a memory of its own."""

    triple = ""
    code, back, stack, data, end = 0x10000, 0x1F000, 0x2F000, 0x30000, 0x60000

    def __init__(self, features: str) -> None:
        self._features = features

    def run(self, tile: TileCode, arrays: Arrays, numbers: Mapping[str, float]) -> None:
        layout = Layout(read_object(tile.object_code(self.triple, self._features)))
        memory = bytearray(self.end)
        code = memoryview(memory)[self.code : self.code + layout.size]
        entry = layout.write(code, self.code, lambda name: 0)["run"]
        addresses = {}
        at = self.data + 4096
        for name, array in arrays.items():
            addresses[name] = at
            memory[at : at + array.nbytes] = array.tobytes()
            at += array.nbytes + 1  # of any alignment
        slots = _slots(tile, addresses, numbers)
        memory[self.data : self.data + len(slots)] = slots
        changed = self.executed(bytes(memory), entry)
        for name, array in arrays.items():
            start = addresses[name] - self.data
            array[:] = np.frombuffer(changed[start : start + array.nbytes], array.dtype).reshape(array.shape)

    def executed(self, memory: bytes, entry: int) -> bytes:
        """The memory from ``data`` on after ``run`` was called with ``data`` as argument."""
        raise NotImplementedError


class UnicornArm(_Emulated):
    """AArch64 in Unicorn (PyPI: unicorn)."""

    triple = AARCH64

    def executed(self, memory: bytes, entry: int) -> bytes:
        import unicorn
        from unicorn import arm64_const

        machine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        machine.ctl_set_cpu_model(arm64_const.UC_CPU_ARM64_MAX)
        machine.mem_map(0, self.end)
        machine.mem_write(0, memory)
        registers = {"X0": self.data, "X30": self.back, "SP": self.stack, "CPACR_EL1": 3 << 20}
        for register, value in registers.items():
            machine.reg_write(getattr(arm64_const, f"UC_ARM64_REG_{register}"), value)
        machine.emu_start(entry, self.back)
        return bytes(machine.mem_read(self.data, self.end - self.data))


class BochsX86(_Emulated):
    """x86-64 with AVX-512 in Bochs (PyPI: bochscpu-python), in 64-bit mode with pages where they are.

    Its processor is a Cannon Lake, which has no VNNI: the function that makes it is patched to make a Sapphire
    Rapids."""

    triple = X86_64
    _tables = 0x1000000
    _pages: ClassVar[Any] = None

    @classmethod
    def _prepare(cls, bochs: Any) -> None:
        library = ctypes.CDLL(bochs._bochscpu.__file__)
        old, new = (
            ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
            for name in ("_Z23create_corei3_cnl_cpuidP8BX_CPU_C", "_Z28create_sapphire_rapids_cpuidP8BX_CPU_C")
        )
        protect = ctypes.CDLL(None).mprotect
        protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        assert protect(old & -4096, 8192, 7) == 0
        ctypes.memmove(old, b"\xe9" + (new - old - 5).to_bytes(4, "little", signed=True), 5)  # jmp
        table = bochs.memory.PageMapLevel4Table()
        for page in range(0, cls.end, 4096):
            bochs.memory.page_insert(page, bochs.memory.allocate_host_page())
            table.insert(page, page, 1)  # to be written
        for host, page in table.commit(cls._tables):
            bochs.memory.page_insert(page, host)
        cls._pages = table  # its memory is its own

    def executed(self, memory: bytes, entry: int) -> bytes:
        import bochscpu as bochs
        import bochscpu.cpu
        import bochscpu.memory

        if self._pages is None:
            self._prepare(bochs)
        image = bytearray(memory)
        image[self.back] = 0xF4  # hlt
        image[self.stack - 8 : self.stack] = self.back.to_bytes(8, "little")
        for page in range(0, self.end, 4096):
            bochs.memory.phy_write(page, list(image[page : page + 4096]))
        session = bochs.Session()

        def missing(address: int) -> None:
            raise RuntimeError(f"memory at {address:#x} was accessed")

        session.missing_page_handler = missing
        state = bochs.State()
        state.cr0, state.cr3, state.cr4, state.efer = 0x80010033, self._tables, 0x40620, 0x501
        state.xcr0, state.rflags = 0xE7, 2
        for name in ("cs", "ds", "es", "ss", "fs", "gs"):
            segment = bochs.Segment()
            segment.present, segment.base, segment.limit = True, 0, 0xFFFFFFFF
            segment.selector, segment.attr = (8, 0xA09B) if name == "cs" else (16, 0xC093)
            setattr(state, name, segment)
        state.rip, state.rsp, state.rdi, state.mxcsr = entry, self.stack - 8, self.data, 0x1F80
        session.cpu.state = state
        session.cpu.set_mode()
        failures: list[int] = []

        def failed(session: Any, cpu: int, vector: int, code: int) -> None:
            failures.append(vector)
            session.stop()

        hook = bochs.Hook()
        hook.exception, hook.hlt = failed, lambda session, cpu: session.stop()
        session.run([hook])
        if failures:
            raise RuntimeError(f"exception {failures[0]} at {session.cpu.rip:#x}")
        found = [bytes(bochs.memory.phy_read(page, 4096)) for page in range(self.data, self.end, 4096)]
        return b"".join(found)
