"""A thin layer over llvmlite's IR builder: values with operators, structured control flow, variables.

``Value`` is unsigned where it matters (``<`` ``//`` ``>>``); signed forms are methods. Integers that meet a
value become constants of its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import llvmlite.ir as ir

I1 = ir.IntType(1)
I8 = ir.IntType(8)
I16 = ir.IntType(16)
I32 = ir.IntType(32)
I64 = ir.IntType(64)
I128 = ir.IntType(128)
I256 = ir.IntType(256)
I512 = ir.IntType(512)
POINTER = ir.PointerType()


def _opaque(value: ir.Value) -> ir.Value:
    """llvmlite still gives some values a typed pointer, against which it then checks loads and stores."""
    value.type = POINTER
    return value


class Value:
    """An SSA value together with the emitter that made it."""

    __slots__ = ("emitter", "ir")

    def __init__(self, emitter: Emitter, value: ir.Value) -> None:
        self.emitter = emitter
        self.ir = value

    def _make(self, name: str, other: Value | int) -> Value:
        return Value(self.emitter, getattr(self.emitter.builder, name)(self.ir, self._same(other)))

    def _same(self, other: Value | int) -> ir.Value:
        return other.ir if isinstance(other, Value) else ir.Constant(self.ir.type, other)

    def _compare(self, operator: str, other: Value | int, signed: bool = False) -> Value:
        builder = self.emitter.builder
        compare = builder.icmp_signed if signed else builder.icmp_unsigned
        return Value(self.emitter, compare(operator, self.ir, self._same(other)))

    def __add__(self, other: Value | int) -> Value:
        return self._make("add", other)

    def __sub__(self, other: Value | int) -> Value:
        return self._make("sub", other)

    def __mul__(self, other: Value | int) -> Value:
        return self._make("mul", other)

    def __and__(self, other: Value | int) -> Value:
        return self._make("and_", other)

    def __or__(self, other: Value | int) -> Value:
        return self._make("or_", other)

    def __xor__(self, other: Value | int) -> Value:
        return self._make("xor", other)

    def __lshift__(self, other: Value | int) -> Value:
        return self._make("shl", other)

    def __rshift__(self, other: Value | int) -> Value:
        return self._make("lshr", other)

    def __floordiv__(self, other: Value | int) -> Value:
        return self._make("udiv", other)

    def __mod__(self, other: Value | int) -> Value:
        return self._make("urem", other)

    def __invert__(self) -> Value:
        return Value(self.emitter, self.emitter.builder.not_(self.ir))

    def __neg__(self) -> Value:
        return Value(self.emitter, self.emitter.builder.neg(self.ir))

    def __lt__(self, other: Value | int) -> Value:
        return self._compare("<", other)

    def __le__(self, other: Value | int) -> Value:
        return self._compare("<=", other)

    def __gt__(self, other: Value | int) -> Value:
        return self._compare(">", other)

    def __ge__(self, other: Value | int) -> Value:
        return self._compare(">=", other)

    def equals(self, other: Value | int) -> Value:
        """``==`` as an ``i1``."""
        return self._compare("==", other)

    def differs(self, other: Value | int) -> Value:
        """``!=`` as an ``i1``."""
        return self._compare("!=", other)

    def signed_less(self, other: Value | int) -> Value:
        """Signed ``<``."""
        return self._compare("<", other, signed=True)

    def signed_greater(self, other: Value | int) -> Value:
        """Signed ``>``."""
        return self._compare(">", other, signed=True)

    def arithmetic_shift(self, other: Value | int) -> Value:
        """``>>`` that keeps the sign."""
        return self._make("ashr", other)

    def extend(self, kind: ir.IntType) -> Value:
        """Zero-extend (or return itself)."""
        if kind.width == self.ir.type.width:
            return self
        return Value(self.emitter, self.emitter.builder.zext(self.ir, kind))

    def sign_extend(self, kind: ir.IntType) -> Value:
        """Sign-extend."""
        return Value(self.emitter, self.emitter.builder.sext(self.ir, kind))

    def truncate(self, kind: ir.IntType) -> Value:
        """Keep the low bits."""
        if kind.width == self.ir.type.width:
            return self
        return Value(self.emitter, self.emitter.builder.trunc(self.ir, kind))

    def choose(self, then: Value | int, otherwise: Value | int) -> Value:
        """``then`` where this ``i1`` is 1. At least one of them is a Value."""
        if isinstance(then, Value):
            return Value(self.emitter, self.emitter.builder.select(self.ir, then.ir, then._same(otherwise)))
        assert isinstance(otherwise, Value)
        return Value(self.emitter, self.emitter.builder.select(self.ir, otherwise._same(then), otherwise.ir))

    def minimum(self, other: Value | int) -> Value:
        """The smaller, unsigned."""
        return (self < other).choose(self, other)

    def offset(self, count: Value | int) -> Value:
        """This pointer ``count`` bytes on."""
        emitter = self.emitter
        index = count.ir if isinstance(count, Value) else ir.Constant(I64, count)
        return Value(emitter, emitter.builder.gep(self.ir, [index], source_etype=I8))

    def to_integer(self) -> Value:
        """A pointer's address."""
        return Value(self.emitter, self.emitter.builder.ptrtoint(self.ir, I64))

    def to_pointer(self) -> Value:
        """An address as a pointer."""
        return Value(self.emitter, self.emitter.builder.inttoptr(self.ir, POINTER))


class Variable:
    """A mutable local; becomes SSA values when LLVM promotes it."""

    __slots__ = ("_emitter", "_slot", "_type")

    def __init__(self, emitter: Emitter, kind: ir.Type) -> None:
        self._emitter = emitter
        self._type = kind
        self._slot = emitter.stack_slot(kind)

    @property
    def value(self) -> Value:
        """What it holds now."""
        return Value(self._emitter, self._emitter.builder.load(self._slot.ir, typ=self._type))

    @value.setter
    def value(self, value: Value | int) -> None:
        held = value.ir if isinstance(value, Value) else ir.Constant(self._type, value)
        self._emitter.builder.store(held, self._slot.ir)


class Loop:
    """A loop being emitted."""

    def __init__(self, emitter: Emitter, after: ir.Block, header: ir.Block) -> None:
        self._emitter, self._after, self.header = emitter, after, header

    def break_if(self, condition: Value) -> None:
        """Leave where ``condition`` holds."""
        self._emitter.branch_if(condition, self._after)

    def continue_if(self, condition: Value) -> None:
        """Start over where ``condition`` holds."""
        self._emitter.branch_if(condition, self.header)


class Emitter:
    """Emits one function's body."""

    def __init__(self, function: ir.Function) -> None:
        self.function = function
        self.entry = function.append_basic_block("entry")
        body = function.append_basic_block("body")
        self._entry_branch = ir.IRBuilder(self.entry).branch(body)
        self.builder = ir.IRBuilder(body)
        self.arguments = [Value(self, a) for a in function.args]

    # -- values

    def constant(self, kind: ir.Type, value: int) -> Value:
        """A constant."""
        return Value(self, ir.Constant(kind, value))

    def i64(self, value: int) -> Value:
        """A 64-bit constant."""
        return self.constant(I64, value)

    def word(self, value: int) -> Value:
        """A 256-bit constant."""
        return self.constant(I256, value)

    def null(self) -> Value:
        """The null pointer."""
        return Value(self, ir.Constant(POINTER, None))

    def stack_slot(self, kind: ir.Type, count: int = 1) -> Value:
        """A pointer to native stack memory for ``count`` values, taken once per call of the function."""
        builder = ir.IRBuilder(self.entry)
        builder.position_before(self._entry_branch)
        size = ir.Constant(I32, count) if count != 1 else None
        return Value(self, _opaque(builder.alloca(kind, size=size)))

    def address_of(self, constant: ir.GlobalVariable) -> Value:
        """A pointer to a global."""
        return Value(self, _opaque(constant))

    def variable(self, kind: ir.Type, initial: Value | int) -> Variable:
        """A new local variable."""
        variable = Variable(self, kind)
        variable.value = initial
        return variable

    # -- memory

    def load(self, pointer: Value, kind: ir.Type = I64, index: Value | int = 0, align: int = 8) -> Value:
        """``pointer[index]``, counted in values of ``kind``."""
        return Value(self, self.builder.load(self._at(pointer, kind, index), typ=kind, align=align))

    def store(
        self, value: Value | int, pointer: Value, kind: ir.Type = I64, index: Value | int = 0, align: int = 8
    ) -> None:
        """``pointer[index] = value``."""
        held = value.ir if isinstance(value, Value) else ir.Constant(kind, value)
        self.builder.store(held, self._at(pointer, held.type, index), align=align)

    def _at(self, pointer: Value, kind: ir.Type, index: Value | int) -> ir.Value:
        if isinstance(index, int):
            if index == 0:
                return pointer.ir
            return self.builder.gep(pointer.ir, [ir.Constant(I64, index)], source_etype=kind)
        return self.builder.gep(pointer.ir, [index.ir], source_etype=kind)

    # -- calls

    def call(self, function: ir.Function, *arguments: Value | int) -> Value:
        """Call ``function``; integers become constants of the parameter's type."""
        types = function.function_type.args
        values = [
            a.ir if isinstance(a, Value) else ir.Constant(t, a) for a, t in zip(arguments, types, strict=True)
        ]
        return Value(self, self.builder.call(function, values, cconv=function.calling_convention))

    def intrinsic(self, name: str, kind: ir.Type, *arguments: Value | int) -> Value:
        """An LLVM intrinsic overloaded on ``kind``, whose result is of that type; ``bool`` arguments become
        i1."""
        values = [
            a.ir if isinstance(a, Value) else ir.Constant(I1 if isinstance(a, bool) else kind, int(a))
            for a in arguments
        ]
        full = f"{name}.i{kind.width}"
        module = self.function.module
        declared = module.globals.get(full)
        if declared is None:
            declared = ir.Function(module, ir.FunctionType(kind, [v.type for v in values]), full)
        return Value(self, self.builder.call(declared, values))

    def _memory_intrinsic(self, name: str, types: Sequence[ir.Type], *values: ir.Value) -> None:
        module = self.function.module
        declared = module.globals.get(name)
        if declared is None:
            declared = ir.Function(module, ir.FunctionType(ir.VoidType(), types), name)
        self.builder.call(declared, [*values, ir.Constant(I1, 0)])

    def copy_memory(self, target: Value, source: Value, size: Value) -> None:
        """memcpy."""
        types = [POINTER, POINTER, I64, I1]
        self._memory_intrinsic("llvm.memcpy.p0.p0.i64", types, target.ir, source.ir, size.ir)

    def move_memory(self, target: Value, source: Value, size: Value) -> None:
        """memmove."""
        types = [POINTER, POINTER, I64, I1]
        self._memory_intrinsic("llvm.memmove.p0.p0.i64", types, target.ir, source.ir, size.ir)

    def zero_memory(self, target: Value, size: Value) -> None:
        """memset to 0."""
        types = [POINTER, I8, I64, I1]
        self._memory_intrinsic("llvm.memset.p0.i64", types, target.ir, ir.Constant(I8, 0), size.ir)

    def byte_swap(self, value: Value) -> Value:
        """Reverse the bytes."""
        return self.intrinsic("llvm.bswap", value.ir.type, value)

    def leading_zeros(self, value: Value) -> Value:
        """Leading zero bits; the width for 0."""
        return self.intrinsic("llvm.ctlz", value.ir.type, value, False)

    # -- control flow

    def block(self, name: str) -> ir.Block:
        """A new basic block."""
        return self.function.append_basic_block(name)

    def branch_if(self, condition: Value, target: ir.Block) -> None:
        """Go to ``target`` where ``condition`` holds."""
        after = self.block("on")
        self.builder.cbranch(condition.ir, target, after)
        self.builder.position_at_end(after)

    @contextmanager
    def when(self, condition: Value, likely: bool | None = None) -> Iterator[None]:
        """Emit the body for where ``condition`` holds."""
        with self.builder.if_then(condition.ir, likely=likely):
            yield

    @contextmanager
    def loop(self) -> Iterator[Loop]:
        """A loop that only ``break_if`` leaves."""
        header = self.block("loop")
        after = self.block("after")
        self.builder.branch(header)
        self.builder.position_at_end(header)
        yield Loop(self, after, header)
        if not self.builder.block.is_terminated:
            self.builder.branch(header)
        self.builder.position_at_end(after)

    def give(self, value: Value | int | None = None) -> None:
        """Return."""
        if value is None:
            self.builder.ret_void()
        elif isinstance(value, Value):
            self.builder.ret(value.ir)
        else:
            self.builder.ret(ir.Constant(self.function.function_type.return_type, value))


def define(
    module: ir.Module, name: str, result: ir.Type, parameters: Sequence[ir.Type], *, exported: bool = False
) -> Emitter:
    """Start a new function: with C's calling convention when ``exported``, else LLVM's own."""
    function = ir.Function(module, ir.FunctionType(result, parameters), name)
    if not exported:
        function.calling_convention = "fastcc"
    return Emitter(function)
