"""A machine's executor: which handlers are in use, who holds a frame's Buffers, and what kernels learn for handlers.

Kernels (Python) and handlers take turns on a frame. Before a kernel runs, ``take`` makes ``Buffer`` objects of the
frame's state; after it, ``give`` makes the state of the objects again, where their items are below 2^62 and nothing
is put off. An instruction's handler is loaded when kernels executed the instruction a few times, and compiled, where no
earlier run did, when they executed it often: a short program waits for no compiler.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from smartvm.vm.dnn import items as item_arrays
from smartvm.vm.dnn.buffer import Buffer
from smartvm.vm.dnn.executor.compiling import handler_address, is_kept
from smartvm.vm.dnn.executor.convolutions import CONVOLUTIONS, Convolution
from smartvm.vm.dnn.executor.handlers import HANDLERS, SHARED
from smartvm.vm.dnn.executor.layout import (
    BOUND_LIMIT,
    CONSTANTS,
    CONVOLUTION,
    DEFERRED,
    EXECUTOR,
    HYPERBOLIC_TANGENT,
    ITEMS,
    LENT,
    MODE_NATIVE,
    MODE_PYTHON,
    OWN,
    READ_ONLY,
    RULE,
    SAVED_LIMIT,
    SIGMOID,
    SPARE_CLASSES,
    SPARES_OF_CLASS,
    STATE,
    TABLE,
    TABLE_COUNT,
)
from smartvm.vm.dnn.platforms import activated, dispatcher
from smartvm.vm.native.layout import BUFFERS_WITHHELD, CALL_DEPTH_LIMIT
from smartvm.vm.native.object_code import process_symbol

if TYPE_CHECKING:
    from smartvm.vm.frame import Frame
    from smartvm.vm.machine import Machine
    from smartvm.vm.plan import ExecutionPlan

#: How often kernels execute an instruction before its handler is loaded from disk (milliseconds).
PATIENCE = 4
#: How often before it is compiled (a second or two for most): more often than one call of a small network does it.
COMPILING_PATIENCE = 200

#: Constants and sizes beyond this would let a handler's arithmetic overflow.
_CONSTANT_LIMIT = 1 << 20
_BITS_LIMIT = 62

#: Operands of convolutions that handlers take are below.
_OPERAND_LIMIT = 1 << 31
#: Items are copied to Python up to so many bytes; beyond, Python's array frees them.
_COPIED_BYTES = 1 << 16

_CONVOLUTION = STATE["deferred"] + DEFERRED["convolution"]

# what ``release`` reads of each call's frame
_MODE = STATE["mode"]
_DATA = ITEMS["data"]
_OWNED = ITEMS["owned"]
_BUFFER_DATA = STATE["buffer"] + _DATA
_BUFFER_OWNED = STATE["buffer"] + _OWNED
_INPUT_DATA = STATE["deferred"] + DEFERRED["input"] + _DATA
_INPUT_OWNED = STATE["deferred"] + DEFERRED["input"] + _OWNED
_SAVED = STATE["saved"]
_SAVED_COUNT = STATE["saved_count"]
_ITEMS_SIZE = ITEMS.size

_ACTIVATIONS = {
    "ACT_SM1": (SIGMOID, activated.sigmoid),
    "ACT_TANH": (HYPERBOLIC_TANGENT, activated.hyperbolic_tangent),
}
#: Bytes of the largest weight block whose single items handlers use.
_LARGEST_BLOCK = 1 << 20

#: The greatest scale that gets a table: it takes half a megabyte then.
_TABLE_SCALE = 1 << 13

_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
_free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(process_symbol("free"))


_TYPES = {2: np.int16, 4: np.int32, 8: np.int64}


def _buffer_of(store: item_arrays.ItemArray, length: int, layout: int, limit: int) -> Buffer:
    buffer = Buffer()
    buffer.hold_first(store, length, layout, limit)
    return buffer


def _array_at(data: int, size: int, width: int) -> tuple[object, item_arrays.ItemArray]:
    """The items in ``size`` bytes from an address on, and the object of whose memory they are."""
    memory = (ctypes.c_char * size).from_address(data)
    return memory, np.frombuffer(memoryview(memory), _TYPES[width])


def _free_spares(fields: memoryview) -> None:
    for number in range(SPARE_CLASSES):
        first = EXECUTOR["spares"] + number * SPARES_OF_CLASS
        for place in range(first, first + fields[EXECUTOR["spare_counts"] + number]):
            _free(fields[place])
        fields[EXECUTOR["spare_counts"] + number] = 0


class DnnExecutor:
    """The handlers of one machine, whose executor structure ``fields`` is."""

    def __init__(self, plan: ExecutionPlan, frames_address: int, fields: memoryview, eager: bool) -> None:
        self._fields = fields
        self._patience = 0 if eager else PATIENCE
        self._states = np.zeros((CALL_DEPTH_LIMIT + 2) * STATE.size, np.uint64)
        self._view = self._states.data
        self._handlers = np.zeros(256, np.uint64)
        self._rules = np.zeros((256, RULE.size), np.uint64)
        self._executed: dict[str, int] = {}
        self._activated: dict[tuple[str, int], int] = {}
        self._tables: list[Any] = [None] * TABLE_COUNT
        self._next_table = 0
        self._names = {
            name: plan.opcodes[name]
            for name in HANDLERS
            if name in plan.opcodes and self._write_rule(plan, plan.opcodes[name])
        }
        if not self._write_constants(plan):
            self._names = {}
        self._address = np.frombuffer(fields, np.uint64).ctypes.data
        weakref.finalize(self, _free_spares, fields)
        fields[EXECUTOR["handlers"]] = self._handlers.ctypes.data
        fields[EXECUTOR["frames"]] = frames_address
        fields[EXECUTOR["states"]] = self._states.ctypes.data
        fields[EXECUTOR["rules"]] = self._rules.ctypes.data

    def _write_rule(self, plan: ExecutionPlan, opcode: int) -> bool:
        """Write an instruction's gas; whether handlers can work with it."""
        constants = dict(plan.gas_rules[opcode].constants)
        for name, place in RULE.index.items():
            value = constants.get(name, 0)
            if not 0 <= value < _CONSTANT_LIMIT:
                return False
            self._rules[opcode, place] = value
        return True

    def _write_constants(self, plan: ExecutionPlan) -> bool:
        for place, name in enumerate(CONSTANTS):
            value = plan.constants[name]
            if name.endswith("_bits"):
                value = min(value, _BITS_LIMIT)
            elif name == "buffer_linear_items":
                value = min(value, 1 << 40)
            elif not 0 <= value < _CONSTANT_LIMIT:
                return False
            self._fields[EXECUTOR["constants"] + place] = value
        return True

    # -- handlers

    @property
    def handlers(self) -> int:
        """Address of the handlers' addresses."""
        return self._handlers.ctypes.data

    def executed(self, machine: Machine, frame: Frame, name: str, operands: tuple[int, ...]) -> None:
        """A kernel executed an instruction: once that was often enough, compile its handler, and prepare what the
        handler will need."""
        opcode = self._names.get(name)
        if opcode is None or not dispatcher.handlers_may_take(name):
            return
        if not self._handlers[opcode]:
            times = self._executed[name] = self._executed.get(name, 0) + 1
            if times <= self._patience or (self._patience > 0 and times <= COMPILING_PATIENCE and not is_kept(name)):
                return
            self._install(name, opcode)
        if machine.weights_as_slots:
            return
        if name in CONVOLUTIONS:
            self._prepare_convolution(machine, frame.address, opcode, name, operands)
        elif name in ("BUF_BIAS", "CONV_TPD"):
            entry = machine.state.block_entry(frame.address, operands[0])
            if entry is not None and entry.size <= _LARGEST_BLOCK:
                block = machine.blocks.block(entry)
                machine.block_directory.learn(frame.address, operands[0], block, machine.state.blocks_version)
        elif name in _ACTIVATIONS and frame.buffer is not None:
            self._count_activations(name, operands[0], len(frame.buffer))

    def _install(self, name: str, opcode: int) -> None:
        if not self._fields[EXECUTOR["in_order"]]:
            for shared in SHARED:
                self._fields[EXECUTOR[shared]] = handler_address(shared)
        self._handlers[opcode] = handler_address(name)

    def _prepare_convolution(
        self, machine: Machine, address: bytes, opcode: int, name: str, operands: tuple[int, ...]
    ) -> None:
        directory, block_id = machine.block_directory, operands[0]
        entry = machine.state.block_entry(address, block_id)
        if entry is None or max(operands[1:]) >= _OPERAND_LIMIT:
            return
        block = machine.blocks.block(entry)
        known = directory.convolution(address, block_id)
        if known is None or known.operands != operands or known.block is not block or not known.is_current:
            try:
                known = Convolution(opcode, name, operands, block)
            except ValueError:
                return
        directory.learn(address, block_id, block, machine.state.blocks_version, known)

    # -- who holds a frame's Buffers

    def take(self, frame: Frame) -> None:
        """Give the frame's Buffers to Python."""
        address = frame.field("buffers")
        if address in (0, BUFFERS_WITHHELD):
            return
        start = (address - self._fields[EXECUTOR["states"]]) // 8
        view = self._view
        if view[start + STATE["mode"]] != MODE_NATIVE:
            return
        self._settle_at(start)
        frame.buffer = self._buffer_at(frame, start + STATE["buffer"])
        saved = start + STATE["saved"]
        frame.saved_buffers[:] = [
            self._buffer_at(frame, saved + place * ITEMS.size) for place in range(view[start + STATE["saved_count"]])
        ]
        view[start + STATE["mode"]] = MODE_PYTHON
        frame.kept_items = None

    def lend(self, frame: Frame) -> bool:
        """Let a kernel that changes no Buffer, and reads no saved one, read the frame's Buffer where it is, whatever
        its length: in ``frame.buffer``, which is to be None again afterwards. False where it has to be taken."""
        address = frame.field("buffers")
        if address in (0, BUFFERS_WITHHELD):
            return False
        start = (address - self._fields[EXECUTOR["states"]]) // 8
        view = self._view
        if view[start + STATE["mode"]] != MODE_NATIVE:
            return False
        self._settle_at(start)
        place = start + STATE["buffer"]
        length, width, layout, bound = (view[place + ITEMS[name]] for name in ("length", "width", "layout", "bound"))
        if layout > 1:  # whoever reads it wants another order, which is to be made once
            return False
        store = item_arrays.empty()
        if length:
            _, store = _array_at(view[place + ITEMS["data"]], length * width, width)
            store.flags.writeable = False
        frame.buffer = _buffer_of(store, length, layout, bound)
        return True

    def settle(self, frame: Frame) -> None:
        """Carry out what the frame's Buffer stands for."""
        address = frame.field("buffers")
        if address not in (0, BUFFERS_WITHHELD):
            self._settle_at((address - self._fields[EXECUTOR["states"]]) // 8)

    def _settle_at(self, start: int) -> None:
        convolution = self._view[start + _CONVOLUTION]
        if convolution and self._view[start + STATE["mode"]] == MODE_NATIVE:
            settle = ctypes.c_int64.from_address(convolution + 8 * CONVOLUTION["settle"]).value
            if not _FUNCTION(settle)(self._fields[EXECUTOR["states"]] + 8 * start):
                raise MemoryError

    def _buffer_at(self, frame: Frame, place: int) -> Buffer:
        view = self._view
        length, width, layout, bound = (view[place + ITEMS[name]] for name in ("length", "width", "layout", "bound"))
        data = view[place + ITEMS["data"]]
        if view[place + ITEMS["owned"]] != OWN:
            if not length:
                return Buffer()
            assert frame.kept_items is not None
            return _buffer_of(frame.kept_items[data], length, layout, bound)
        if length * width <= _COPIED_BYTES:
            _, array = _array_at(data, length * width, width)
            array = array.copy()
            _free(data)
        else:
            # with the room behind the items, so that appending to and fro does not copy them each time
            memory, array = _array_at(data, view[place + ITEMS["capacity"]] // width * width, width)
            weakref.finalize(memory, _free, data)
        return _buffer_of(array, length, layout, bound)

    def give(self, frame: Frame) -> None:
        """Give the frame's Buffers to handlers, where they can work with them."""
        start = frame.depth * STATE.size
        view = self._view
        frame.set_field("buffers", self._fields[EXECUTOR["states"]] + 8 * start)
        view[start + STATE["mode"]] = MODE_PYTHON
        kept: dict[int, item_arrays.ItemArray] = {}
        buffer = frame.buffer if frame.buffer is not None else Buffer()
        if len(frame.saved_buffers) > SAVED_LIMIT or not self._describe(buffer, start + STATE["buffer"], kept):
            return
        place = start + STATE["saved"]
        total = 0
        for saved in frame.saved_buffers:
            if not self._describe(saved, place, kept):
                return
            place += ITEMS.size
            total += len(saved)
        view[start + STATE["executor"]] = self._address
        view[start + STATE["saved_count"]] = len(frame.saved_buffers)
        view[start + STATE["saved_items"]] = total
        view[start + _CONVOLUTION] = 0
        view[start + STATE["mode"]] = MODE_NATIVE
        frame.kept_items = kept
        frame.buffer = None
        frame.saved_buffers.clear()

    def _describe(self, buffer: Buffer, place: int, kept: dict[int, item_arrays.ItemArray]) -> bool:
        """Write a Buffer's descriptor; False where its items are too large, or where kernels put work off."""
        if buffer.deferred is not None:
            return False
        array = buffer.backing
        if item_arrays.is_wide(array):
            return False
        width = array.dtype.itemsize
        bound = 1 << (8 * width - 1)
        if width == 8:
            bound = buffer.limit
            if bound >= BOUND_LIMIT:
                return False
        if width < 2:
            array = buffer.stored
        array = np.ascontiguousarray(array, _TYPES[max(2, width)])
        data = array.ctypes.data
        if len(array):
            kept[data] = array
        view = self._view
        view[place + ITEMS["data"]] = data
        view[place + ITEMS["length"]] = len(buffer)
        view[place + ITEMS["width"]] = array.dtype.itemsize
        view[place + ITEMS["bound"]] = bound
        view[place + ITEMS["owned"]] = LENT if array.flags.writeable else READ_ONLY
        view[place + ITEMS["capacity"]] = array.nbytes
        view[place + ITEMS["layout"]] = buffer.layout
        return True

    def release(self, frame: Frame) -> None:
        """Give the memory of a frame that ended back."""
        start = frame.depth * STATE.size
        view = self._view
        if view[start + _MODE] != MODE_NATIVE:
            return
        view[start + _MODE] = 0
        if view[start + _BUFFER_OWNED] == OWN:
            _free(view[start + _BUFFER_DATA])
        if view[start + _CONVOLUTION] and view[start + _INPUT_OWNED] == OWN:
            _free(view[start + _INPUT_DATA])
        first = start + _SAVED
        for place in range(first, first + _ITEMS_SIZE * view[start + _SAVED_COUNT], _ITEMS_SIZE):
            if view[place + _OWNED] == OWN:
                _free(view[place + _DATA])

    # -- tables of activations

    def _count_activations(self, name: str, scale: int, count: int) -> None:
        """A kernel computed an activation of ``count`` items: make a table once as many items were computed as it
        has."""
        if scale > _TABLE_SCALE:
            return
        key = (name, scale)
        total = self._activated[key] = self._activated.get(key, 0) + count
        size = scale * (scale.bit_length() + 2) + 1  # from there on the result is the scale (see ``activation_exact``)
        if total < size // 4:
            return
        del self._activated[key]
        number, function = _ACTIVATIONS[name]
        positive = np.asarray(function(Buffer.of_array(np.arange(size, dtype=np.int32)), scale))
        limit = int(np.argmax(positive == scale))
        arguments = np.arange(-limit, limit + 1, dtype=np.int32)
        items = np.ascontiguousarray(function(Buffer.of_array(arguments), scale), np.int16)
        place = EXECUTOR["tables"] + self._next_table * TABLE.size
        self._tables[self._next_table] = items
        self._next_table = (self._next_table + 1) % TABLE_COUNT
        self._fields[place + TABLE["activation"]] = number
        self._fields[place + TABLE["scale"]] = scale
        self._fields[place + TABLE["limit"]] = limit
        self._fields[place + TABLE["items"]] = items.ctypes.data
