"""Makes relocatable objects of functions that Numba compiles: of kernels, which Python calls on arrays, and of
handlers, which the interpreter calls. The only module besides those with the functions that needs Numba.

An object stands alone: what it needs of Numba's runtime (memory for arrays that a kernel makes) is linked into it, and
errors are a number that the function returns, so that no Python is called.
"""

# mypy: ignore-errors
from __future__ import annotations

import sys
from importlib import import_module

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.core.compiler_lock import global_compiler_lock
from numba.np import arrayobj
from numba.np.numpy_support import from_dtype
from smartvm.errors import SmartVMError
from smartvm.vm.dnn.compiling.object_format import (
    DONE,
    ENTRY,
    NO_MEMORY,
    NOT_CONTIGUOUS,
    OTHER_TYPES,
    RESULTS,
    is_array,
    is_tuple,
    order_of,
    words_of,
)
from smartvm.vm.dnn.compiling.parts import OptimisedLibrary, helper
from smartvm.vm.dnn.platforms.kernel_sets import KERNELS
from smartvm.vm.native.object_code import can_load, process_symbol

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_BYTES = _I8.as_pointer()

#: Numba's runtime as far as arrays without an owner in Python need it. A block of memory is its header of 48 bytes
#: (references, two fields of what to call in the end, the data's address, its size, an allocator) and the data behind.
_RUNTIME = """
declare ptr @malloc(i64)
declare void @free(ptr)

define ptr @NRT_Allocate(i64 %size) { %memory = call ptr @malloc(i64 %size)
 ret ptr %memory }

define void @NRT_Free(ptr %memory) { call void @free(ptr %memory)
 ret void }

define ptr @NRT_MemInfo_alloc_aligned(i64 %size, i32 %alignment) {
 %wide = zext i32 %alignment to i64
 %more = add i64 %wide, 48
 %whole = add i64 %size, %more
 %overflows = icmp ult i64 %whole, %size
 br i1 %overflows, label %none, label %try
try:
 %block = call ptr @malloc(i64 %whole)
 %failed = icmp eq ptr %block, null
 br i1 %failed, label %none, label %made
made:
 %start = ptrtoint ptr %block to i64
 %end = add i64 %start, %more
 %rest = urem i64 %end, %wide
 %data = sub i64 %end, %rest
 store i64 1, ptr %block
 %first = getelementptr i8, ptr %block, i64 8
 store ptr null, ptr %first
 %second = getelementptr i8, ptr %block, i64 16
 store ptr null, ptr %second
 %data_field = getelementptr i8, ptr %block, i64 24
 store i64 %data, ptr %data_field
 %size_field = getelementptr i8, ptr %block, i64 32
 store i64 %size, ptr %size_field
 %allocator = getelementptr i8, ptr %block, i64 40
 store ptr null, ptr %allocator
 ret ptr %block
none:
 ret ptr null
}

define ptr @NRT_MemInfo_alloc_safe_aligned(i64 %size, i32 %alignment) {
 %block = call ptr @NRT_MemInfo_alloc_aligned(i64 %size, i32 %alignment)
 ret ptr %block
}

define void @NRT_incref(ptr %block) {
 %none = icmp eq ptr %block, null
 br i1 %none, label %done, label %count
count:
 %old = atomicrmw add ptr %block, i64 1 monotonic
 br label %done
done:
 ret void
}

define void @NRT_decref(ptr %block) {
 %none = icmp eq ptr %block, null
 br i1 %none, label %done, label %count
count:
 %old = atomicrmw sub ptr %block, i64 1 acq_rel
 %last = icmp eq i64 %old, 1
 br i1 %last, label %drop, label %done
drop:
 call void @free(ptr %block)
 br label %done
done:
 ret void
}
"""


def _import(module):
    if not KERNELS.needs <= _features():
        raise SmartVMError(f"Numba compiles for a processor without what the kernels `{KERNELS.name}` need")
    return import_module(module)


def _codegen():
    return numba.core.registry.cpu_target.target_context.codegen()


def _features():
    """What Numba compiles for: LLVM aborts on an instruction that is not in it."""
    found = {name[1:] for name in _codegen().magic_tuple()[2].split(",") if name.startswith("+")}
    return found | ({"neon"} if "neon" in KERNELS.needs else set())


def _target_machine():
    triple, processor, features = _codegen().magic_tuple()
    return llvm.Target.from_triple(triple).create_target_machine(
        cpu=processor, features=features, opt=int(config.OPT), reloc="pic", codemodel="small"
    )


def _object_of(library, exported):
    """The object of a finished library."""
    machine = _target_machine()
    module = llvm.parse_assembly(library.get_llvm_str())
    runtime = llvm.parse_assembly(_RUNTIME)
    runtime.triple, runtime.data_layout = module.triple, module.data_layout
    module.link_in(runtime)
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name not in exported:
            value.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_strip_dead_prototype_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    module.verify()
    _check_needs(module)
    return machine.emit_object(module)


def _check_needs(module):
    """An object may need C's functions only: they are in every process, Numba's are not."""
    for function in module.functions if can_load() else ():
        if function.is_declaration and not function.name.startswith("llvm.") and not process_symbol(function.name):
            raise SmartVMError(f"a compiled function needs `{function.name}`, which only Numba has")


class _Entry:
    """A library with an entry that calls a function that Numba compiled for ``arguments`` (types)."""

    def __init__(self, function, arguments, kind):
        function.compile(arguments)
        self.compiled = function.overloads[arguments]
        self.context = self.compiled.target_context
        self.library = OptimisedLibrary(self.context.codegen(), ENTRY)
        self.library.add_linking_library(self.compiled.library)
        self.module = self.context.create_module(ENTRY)
        self.function = ir.Function(self.module, kind, ENTRY)
        self.builder = ir.IRBuilder(self.function.append_basic_block())

    def call(self, values):
        """Call the function; how it ended, and its result."""
        description = self.compiled.fndesc
        callee = self.context.declare_function(self.module, description)
        return self.context.call_conv.call_function(
            self.builder, callee, description.restype, description.argtypes, values
        )

    def finish(self, exported):
        """The object."""
        self.library.add_ir_module(self.module)
        self.library.finalize()
        return _object_of(self.library, exported)


@global_compiler_lock
def compile_handler(module, name):
    """The object of a handler: ``entry`` is a C function from a 64-bit number to one, 0 where there is no memory."""
    entry = _Entry(helper(getattr(_import(module), name)), (types.int64,), ir.FunctionType(_I64, [_I64]))
    status, result = entry.call(entry.function.args)
    entry.builder.ret(entry.builder.select(status.is_ok, result, ir.Constant(_I64, 0)))
    return entry.finish({ENTRY})


def _type_of(kind):
    """The type that a kind of argument is for Numba."""
    if kind == "i":
        return types.int64
    if kind == "f":
        return types.float64
    if is_tuple(kind):
        return types.UniTuple(types.int64, words_of(kind))
    return types.Array(from_dtype(np.dtype(kind[0])), int(kind[1:]), "C")


@global_compiler_lock
def compile_kernel(module, name, kinds):
    """The object of a kernel for kinds of arguments."""
    entry = _Entry(getattr(_import(module), name), tuple(map(_type_of, kinds)), ir.FunctionType(_I64, [_BYTES]))
    builder = entry.builder
    words = builder.bitcast(entry.function.args[0], _I64.as_pointer())
    results = _results(entry.compiled.signature.return_type)
    place = len(results.strip("()"))
    values = {}
    for argument in order_of(kinds):
        kind = kinds[argument]
        taken = [builder.load(cgutils.gep(builder, words, place + i)) for i in range(words_of(kind))]
        place += len(taken)
        if is_array(kind):
            values[argument] = _array(entry, entry.compiled.signature.args[argument], kind[0], taken[0])
        elif is_tuple(kind):
            values[argument] = cgutils.pack_array(builder, taken)
        else:
            values[argument] = builder.bitcast(taken[0], ir.DoubleType()) if kind == "f" else taken[0]
    status, result = entry.call([values[argument] for argument in range(len(kinds))])
    with builder.if_then(status.is_error, likely=False):
        builder.ret(ir.Constant(_I64, NO_MEMORY))
    _store_results(entry, results, result, words)
    builder.ret(ir.Constant(_I64, DONE))
    text = results.encode() + b"\0"
    content = ir.Constant(ir.ArrayType(ir.IntType(8), len(text)), bytearray(text))
    variable = ir.GlobalVariable(entry.module, content.type, RESULTS)
    variable.initializer, variable.global_constant = content, True
    return entry.finish({ENTRY, RESULTS})


def _array(entry, kind, letter, address):
    """An argument that is an array, of the address of its Python object: ``PyArrayObject``, whose first fields NumPy
    promises, as those of its item type. Ends the entry where the array is another one, or has gaps."""
    context, builder = entry.context, entry.builder

    def field(start, offset, kind):
        place = builder.add(start, ir.Constant(_I64, object.__basicsize__ + offset))  # what every object begins with
        return builder.load(builder.inttoptr(place, kind.as_pointer()))

    def end_unless(condition, status):
        with builder.if_then(builder.not_(condition), likely=False):
            builder.ret(ir.Constant(_I64, status))

    item_type = field(address, 40, _I64)
    swapped = ">" if sys.byteorder == "little" else "<"
    is_type = builder.icmp_unsigned("==", field(item_type, 9, _I8), ir.Constant(_I8, ord(letter)))
    is_native = builder.icmp_unsigned("!=", field(item_type, 10, _I8), ir.Constant(_I8, ord(swapped)))
    has_dimensions = builder.icmp_unsigned("==", field(address, 8, _I32), ir.Constant(_I32, kind.ndim))
    end_unless(builder.and_(builder.and_(is_type, is_native), has_dimensions), OTHER_TYPES)
    end_unless(builder.trunc(field(address, 48, _I32), ir.IntType(1)), NOT_CONTIGUOUS)  # the lowest flag
    data = builder.inttoptr(field(address, 0, _I64), context.get_value_type(kind.dtype).as_pointer())
    lengths = builder.inttoptr(field(address, 16, _I64), _I64.as_pointer())
    shape = [builder.load(cgutils.gep(builder, lengths, axis)) for axis in range(kind.ndim)]
    item_bytes = ir.Constant(_I64, kind.dtype.bitwidth // 8)
    strides = [item_bytes]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    array = context.make_array(kind)(context, builder)
    arrayobj.populate_array(
        array,
        data=data,
        shape=cgutils.pack_array(builder, shape),
        strides=cgutils.pack_array(builder, strides),
        itemsize=item_bytes,
        meminfo=None,
    )
    return array._getvalue()


def _results(kind):
    if isinstance(kind, types.BaseTuple):
        return "(" + "".join(map(_results, kind)) + ")"
    if kind == types.none:
        return ""
    return "f" if isinstance(kind, types.Float) else "i"


def _store_results(entry, results, result, words):
    builder = entry.builder
    kind = entry.compiled.signature.return_type
    kinds = tuple(kind) if results.startswith("(") else (kind,)
    for place, letter in enumerate(results.strip("()")):
        value = builder.extract_value(result, place) if results.startswith("(") else result
        target = types.float64 if letter == "f" else types.int64
        value = entry.context.cast(builder, value, kinds[place], target)
        builder.store(builder.bitcast(value, _I64), cgutils.gep(builder, words, place))
