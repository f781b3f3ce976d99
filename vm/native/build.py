"""Makes the interpreter's LLVM module: supporting functions, a handler per sequence, analysis, the way in."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import llvmlite.ir as ir
from smartvm.vm.native import bodies_storage
from smartvm.vm.native.analysis import define_analyse
from smartvm.vm.native.bodies import BODIES
from smartvm.vm.native.division import define_arithmetic
from smartvm.vm.native.emit import I64, POINTER, define
from smartvm.vm.native.fusion import fused_sequences
from smartvm.vm.native.instruction import HANDLER_CONVENTION, HANDLER_TYPE, InstructionEmitter, Support
from smartvm.vm.native.keccak import define_keccak, define_remembered_keccak
from smartvm.vm.native.layout import FRAME
from smartvm.vm.native.memory import define_copy_padded, define_expand_memory, define_load_padded
from smartvm.vm.native.storage import define_slot_table

assert bodies_storage  # registers its bodies


def sequences() -> list[tuple[str, ...]]:
    """Every cell's sequence of bodies; the number of a sequence is its position. Number 0 is no sequence."""
    return [(), *((name,) for name in sorted(BODIES)), *fused_sequences()]


def define_support(module: ir.Module) -> Support:
    """The functions that bodies call."""
    keccak = define_keccak(module)
    return Support(
        arithmetic=define_arithmetic(module),
        keccak=keccak,
        remembered_keccak=define_remembered_keccak(module, keccak),
        slots=define_slot_table(module),
        expand_memory=define_expand_memory(module),
        load_padded=define_load_padded(module),
        copy_padded=define_copy_padded(module),
    )


@cache
def support_prototypes() -> Support:
    """The functions that bodies call, to declare others like them. Their module is thrown away."""
    return define_support(ir.Module("prototypes"))


def support_names(functions: object) -> list[str]:
    """The symbols of ``Support``'s functions."""
    if isinstance(functions, ir.Function):
        return [functions.name]
    names: list[str] = []
    for f in fields(functions):  # type: ignore[arg-type]
        names += support_names(getattr(functions, f.name))
    return names


def define_handler(module: ir.Module, name: str, sequence: tuple[str, ...], support: Support) -> ir.Function:
    """The handler that executes the bodies of ``sequence`` and goes on with the next cell."""
    function = ir.Function(module, HANDLER_TYPE, name)
    function.linkage = "internal"
    function.calling_convention = HANDLER_CONVENTION
    f = InstructionEmitter(function, support)
    for component, instruction in enumerate(sequence):
        f.component = component
        BODIES[instruction](f)
    if not f.finished:
        f.go_on()
    return function


def _define_run(module: ir.Module) -> None:
    """reason (frame*): execute from the frame's position until it leaves."""
    e = define(module, "run", I64, [POINTER], exported=True)
    (frame,) = e.arguments
    position = e.load(frame, POINTER, FRAME["position"])
    handler = e.builder.load(position.ir, typ=HANDLER_TYPE.as_pointer())
    arguments = [
        frame,
        position,
        e.load(frame, POINTER, FRAME["stack_top"]),
        e.load(frame, I64, FRAME["gas"]),
        e.load(frame, POINTER, FRAME["memory"]),
        e.load(frame, I64, FRAME["memory_size"]),
    ]
    result = e.builder.call(handler, [a.ir for a in arguments], cconv=HANDLER_CONVENTION)
    e.builder.ret(result)


def _define_exports(module: ir.Module, support: Support) -> None:
    """Functions on words behind pointers, for tests and for the host."""
    arithmetic = support.arithmetic
    for name in arithmetic.__slots__:
        function = getattr(arithmetic, name)
        count = len(function.args)
        e = define(module, f"host_{name}", ir.VoidType(), [POINTER] * (count + 1), exported=True)
        operands = [e.load(p, ir.IntType(256)) for p in e.arguments[:count]]
        e.store(e.call(function, *operands), e.arguments[count])
        e.give()
    e = define(module, "host_keccak256", ir.VoidType(), [POINTER, I64, POINTER], exported=True)
    e.call(support.keccak, *e.arguments)
    e.give()


def _define_sequences(module: ir.Module) -> None:
    """What the handlers' numbers mean, for Python: it then needs none of these modules."""
    text = "\n".join(" ".join(sequence) for sequence in sequences()).encode() + b"\0"
    content = ir.Constant(ir.ArrayType(ir.IntType(8), len(text)), bytearray(text))
    variable = ir.GlobalVariable(module, content.type, "sequences")
    variable.initializer = content
    variable.global_constant = True


def make_module() -> str:
    """The module as LLVM assembly."""
    module = ir.Module("smartvm_interpreter")
    support = define_support(module)
    handlers: list[ir.Constant] = [ir.Constant(POINTER, None)]
    for number, sequence in enumerate(sequences()):
        if sequence:
            handlers.append(
                define_handler(module, f"handler_{number}_{'_'.join(sequence)}", sequence, support)
            )
    table = ir.GlobalVariable(module, ir.ArrayType(POINTER, len(handlers)), "handlers")
    for handler in handlers[1:]:
        handler.type = POINTER
    table.initializer = ir.Constant(table.value_type, handlers)
    table.global_constant = True
    _define_sequences(module)
    define_analyse(module)
    _define_run(module)
    _define_exports(module, support)
    return str(module)
