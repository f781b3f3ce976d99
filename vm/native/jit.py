"""Compiles LLVM modules to machine code, and loads machine code where ``object_code`` cannot. The only module of
this folder that needs LLVM's library when it runs; it is imported when there is something to compile."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import llvmlite.binding as llvm
from smartvm.errors import SmartVMError
from smartvm.vm.native.elf import ObjectCodeError, read_object
from smartvm.vm.native.object_code import process_symbol


def _new_target_machine() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        reloc="pic",
        codemodel="small",
    )


@cache
def target_machine() -> llvm.TargetMachine:
    """The machine that runs this process."""
    return _new_target_machine()


def compile_to_object(text: str, speed_level: int = 2) -> bytes:
    """Optimise LLVM assembly and compile it."""
    machine = target_machine()
    module = llvm.parse_assembly(text)
    module.verify()
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=speed_level)
    options.loop_vectorization = False
    options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code


def _check_needs(code: bytes) -> None:
    """The engine takes a function that nobody has to be at address 0, and jumps anywhere."""
    try:
        parsed = read_object(code)
    except ObjectCodeError:
        return  # another format
    needed = {symbol.name for symbol in parsed.symbols if symbol.section == -1 and not symbol.optional} - {""}
    for name in sorted(needed):
        if not (llvm.address_of_symbol(name) or process_symbol(name)):
            raise SmartVMError(f"compiled code needs `{name}`, which is nowhere in this process")


class EngineCode:
    """An object loaded by LLVM's own engine. Raises ``SmartVMError`` where it needs what this process lacks."""

    def __init__(self, code: bytes, symbols: Mapping[str, int]) -> None:
        for name, address in symbols.items():
            llvm.add_symbol(name, address)
        _check_needs(code)
        empty = llvm.parse_assembly("")
        empty.triple = target_machine().triple
        # an engine owns its machine, so the shared one cannot be given to it
        self._engine = llvm.create_mcjit_compiler(empty, _new_target_machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function or variable stands; KeyError when there is none."""
        address = self._engine.get_function_address(name) or self._engine.get_global_value_address(name)
        if not address:
            raise KeyError(name)
        return int(address)
