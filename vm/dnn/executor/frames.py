"""What every handler needs of its frame: operands, gas, the Buffers' state, weight blocks. All compiled into the
handlers.

A handler changes nothing before it is certain that it will do the whole instruction: it reads operands with
``size_of`` or ``number_of``, works out the price, and only then takes gas (``pay``), changes Buffers and pops its
operands.
"""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn.executor.layout import (
    BLOCK,
    BOUND_LIMIT,
    CONSTANTS,
    CONVOLUTION,
    DEFERRED,
    EXECUTOR,
    ITEMS,
    MODE_NATIVE,
    OWN,
    RULE,
    STATE,
)
from smartvm.vm.dnn.executor.memory import (
    call_function,
    copy_bytes,
    helper,
    int32_array,
    int64_array,
    load,
    load_big_endian,
    store,
)
from smartvm.vm.dnn.executor.spares import give_back, room, take
from smartvm.vm.native.layout import BUFFERS_WITHHELD, FRAME, MACHINE, WORD_BYTES

_BLOCK_FRESH = BLOCK["fresh"]
_BLOCK_USED = BLOCK["used"]
_BLOCK_WARM = BLOCK["warm"]
_BLOCK_WORDS = BLOCK["words"]
_EXECUTOR_BLOCKS = EXECUTOR["blocks"]
_EXECUTOR_BLOCK_INDEX = EXECUTOR["block_index"]
_EXECUTOR_BLOCK_MASK = EXECUTOR["block_mask"]
_EXECUTOR_FRAMES = EXECUTOR["frames"]
_EXECUTOR_HASH_KEYS = EXECUTOR["hash_keys"]
_EXECUTOR_STATES = EXECUTOR["states"]
_CONVOLUTION_SETTLE = CONVOLUTION["settle"]
_ARGUMENTS = EXECUTOR["arguments"]
_EXECUTOR_CONVERT = EXECUTOR["convert"]
_EXECUTOR_LEAST = EXECUTOR["least"]
_EXECUTOR_MAGNITUDE = EXECUTOR["magnitude"]
_EXECUTOR_IN_ORDER = EXECUTOR["in_order"]
_EXECUTOR_TRANSACTION = EXECUTOR["transaction"]
_EXECUTOR_USES = EXECUTOR["uses"]
_EXECUTOR_VERSION = EXECUTOR["version"]
_EXECUTOR_WARMED = EXECUTOR["warmed"]
_EXECUTOR_WARMED_COUNT = EXECUTOR["warmed_count"]
_RULE_PER_ITEM = RULE["per_item"]

_BUFFERS = FRAME["buffers"]
_GAS = FRAME["gas"]
_TOP = FRAME["stack_top"]
_DETAIL = FRAME["detail"]
_MACHINE = FRAME["machine"]
_ADDRESS = FRAME["address"]
_MEMORY = FRAME["memory"]
_MEMORY_SIZE = FRAME["memory_size"]
_EXECUTOR = MACHINE["dnn"]
_MEMORY_END = MACHINE["memory_end"]
_FRAME_BYTES = 8 * FRAME.size
_STATE_BYTES = 8 * STATE.size

_MODE = STATE["mode"]
_STATE_EXECUTOR = STATE["executor"]
_SAVED_COUNT = STATE["saved_count"]
_SAVED_ITEMS = STATE["saved_items"]
_BUFFER = 8 * STATE["buffer"]
_CONVOLUTION = STATE["deferred"] + DEFERRED["convolution"]
_SAVED = 8 * STATE["saved"]
_ITEMS_BYTES = 8 * ITEMS.size

DATA = ITEMS["data"]
LENGTH = ITEMS["length"]
WIDTH = ITEMS["width"]
BOUND = ITEMS["bound"]
OWNED = ITEMS["owned"]
CAPACITY = ITEMS["capacity"]
LAYOUT = ITEMS["layout"]

#: Sizes that handlers take; larger ones are Python's.
_SIZE_LIMIT = 1 << 31

_CONSTANTS = EXECUTOR["constants"]
_BUFFER_WORD = _CONSTANTS + CONSTANTS.index("buffer_word")
_LINEAR_ITEMS = _CONSTANTS + CONSTANTS.index("buffer_linear_items")
_QUADRATIC_DIVISOR = _CONSTANTS + CONSTANTS.index("buffer_quadratic_divisor")
_MEMORY_WORD = _CONSTANTS + CONSTANTS.index("memory_word")
_MEMORY_DIVISOR = _CONSTANTS + CONSTANTS.index("memory_quadratic_divisor")
_COLD_ACCESS = _CONSTANTS + CONSTANTS.index("block_cold_access")
_WARM_ACCESS = _CONSTANTS + CONSTANTS.index("block_warm_access")
_READ_WORD = _CONSTANTS + CONSTANTS.index("block_read_word")
_MEDIUM_BITS = _CONSTANTS + CONSTANTS.index("medium_bits")
_RULES = EXECUTOR["rules"]
_RULE_BYTES = 8 * RULE.size
_BLOCK_BYTES = 8 * BLOCK.size
_KEY_FIELDS = 8
#: The least magnitude that no int32 holds.
INT32_LIMIT = 1 << 31


@helper
def executor_of(frame):
    """The machine's executor."""
    return load(load(frame, _MACHINE), _EXECUTOR)


@helper
def executor_of_state(state):
    """The same of a frame's state."""
    return load(state, _STATE_EXECUTOR)


@helper
def enter_unsettled(frame):
    """The frame's state, made when there is none; 0 when Python has the Buffers. The Buffer may stand for work that is
    not carried out, or for a map that is channels last."""
    state = load(frame, _BUFFERS)
    if state == 0:
        executor = executor_of(frame)
        depth = (frame - load(executor, _EXECUTOR_FRAMES)) // _FRAME_BYTES
        state = load(executor, _EXECUTOR_STATES) + depth * _STATE_BYTES
        store(state, _STATE_EXECUTOR, executor)
        store(state, _MODE, MODE_NATIVE)
        store(state, _SAVED_COUNT, 0)
        store(state, _SAVED_ITEMS, 0)
        store(state, _CONVOLUTION, 0)
        clear(state + _BUFFER)
        store(frame, _BUFFERS, state)
        return state
    if state == BUFFERS_WITHHELD or load(state, _MODE) != MODE_NATIVE:
        return 0
    return state


@helper
def enter_unordered(frame):
    """The same with the work carried out: the Buffer has its items, in whatever layout and width."""
    state = enter_unsettled(frame)
    if state == 0 or load(state, _CONVOLUTION) == 0:
        return state
    settle = load(load(state, _CONVOLUTION), _CONVOLUTION_SETTLE)
    return state if call_function(settle, state) != 0 else 0


@helper
def enter(frame):
    """The same with the Buffer's items in their own order."""
    state = enter_unordered(frame)
    if state == 0 or not in_order(frame, state + _BUFFER):
        return 0
    return state


@helper
def in_order(frame, items):
    """Bring items into their own order; False when there is no memory."""
    if load(items, LAYOUT) == 1:
        return True
    executor = executor_of(frame)
    store(executor, _ARGUMENTS, items)
    return call_function(load(executor, _EXECUTOR_IN_ORDER), executor) != 0


@helper
def same_order(frame, first, second):
    """Bring two Buffers' items into the same order; False when there is no memory."""
    if load(first, LAYOUT) == load(second, LAYOUT):
        return True
    return in_order(frame, first) and in_order(frame, second)


@helper
def clear(items):
    """Make a descriptor one of no items."""
    store(items, DATA, 0)
    store(items, LENGTH, 0)
    store(items, WIDTH, 4)
    store(items, BOUND, 0)
    store(items, OWNED, 0)
    store(items, CAPACITY, 0)
    store(items, LAYOUT, 1)


@helper
def buffer_of(state):
    """The descriptor of the Buffer."""
    return state + _BUFFER


@helper
def saved_count(state):
    """How many Buffers are saved."""
    return load(state, _SAVED_COUNT)


@helper
def top_saved(state):
    """The descriptor of the top saved Buffer, which there is."""
    return state + _SAVED + (load(state, _SAVED_COUNT) - 1) * _ITEMS_BYTES


@helper
def push_saved(state):
    """The descriptor of a new top saved Buffer, which the caller fills and then counts by ``count_saved``."""
    place = state + _SAVED + load(state, _SAVED_COUNT) * _ITEMS_BYTES
    store(state, _SAVED_COUNT, load(state, _SAVED_COUNT) + 1)
    return place


@helper
def pop_saved(state):
    """Drop the top saved Buffer, whose memory is no longer its own; its items leave the count."""
    items = top_saved(state)
    store(state, _SAVED_ITEMS, load(state, _SAVED_ITEMS) - load(items, LENGTH))
    store(state, _SAVED_COUNT, load(state, _SAVED_COUNT) - 1)


@helper
def count_saved(state, more):
    """Count items of saved Buffers."""
    store(state, _SAVED_ITEMS, load(state, _SAVED_ITEMS) + more)


@helper
def move_items(target, source):
    """Copy a descriptor."""
    copy_bytes(target, source, _ITEMS_BYTES)


@helper
def drop(executor, items):
    """Give the memory of a descriptor back, if it is its own."""
    if load(items, OWNED) == OWN:
        give_back(executor, load(items, DATA), load(items, CAPACITY))


@helper
def hold(executor, items, data, size, length, width, bound):
    """Let a descriptor own memory that was taken for ``size`` bytes instead of what it had; its layout stays."""
    drop(executor, items)
    store(items, DATA, data)
    store(items, LENGTH, length)
    store(items, WIDTH, width)
    store(items, BOUND, bound)
    store(items, OWNED, OWN)
    store(items, CAPACITY, room(size))


@helper
def magnitude(executor, items):
    """The exact largest magnitude of the items, which then is their bound."""
    store(executor, _ARGUMENTS, items)
    return call_function(load(executor, _EXECUTOR_MAGNITUDE), executor)


@helper
def least(executor, items):
    """The least of 0 and the items."""
    store(executor, _ARGUMENTS, items)
    return call_function(load(executor, _EXECUTOR_LEAST), executor)


@helper
def bound_below(executor, items, limit):
    """The items' bound; where it is not below ``limit``, the exact one."""
    bound = load(items, BOUND)
    return bound if bound < limit else magnitude(executor, items)


@helper
def copy_items(executor, source, have, count, target, width):
    """Copy ``count`` items of ``have`` bytes each to ``target`` at ``width`` bytes each, into which they fit."""
    if have == width:
        copy_bytes(target, source, count * width)
        return
    store(executor, _ARGUMENTS, source)
    store(executor, _ARGUMENTS + 1, have)
    store(executor, _ARGUMENTS + 2, count)
    store(executor, _ARGUMENTS + 3, target)
    store(executor, _ARGUMENTS + 4, width)
    call_function(load(executor, _EXECUTOR_CONVERT), executor)


@helper
def writable(executor, items, width):
    """Let the descriptor own memory that may be written, its items at ``width`` bytes, which hold them; False when
    there is no memory."""
    have = load(items, WIDTH)
    if load(items, OWNED) != 0 and have == width:
        return True
    length = load(items, LENGTH)
    data = take(executor, length * width)
    if data == 0:
        return False
    copy_items(executor, load(items, DATA), have, length, data, width)
    hold(executor, items, data, length * width, length, width, load(items, BOUND))
    return True


@helper
def at_least_32(executor, items):
    """Let items have 4 or 8 bytes; False when there is no memory."""
    return load(items, WIDTH) != 2 or writable(executor, items, 4)


@helper
def width_for(bound):
    """The width of items up to ``bound`` in magnitude."""
    return 4 if bound < INT32_LIMIT else 8


# -- operands


@helper
def operand_place(frame, position):
    """The address of operand ``position``, 0 being the top of the stack."""
    return load(frame, _TOP) - WORD_BYTES * (position + 1)


@helper
def size_of(frame, position):
    """An operand that is a size; −1 when handlers do not take it."""
    place = operand_place(frame, position)
    value = load(place, 0)
    if (load(place, 1) | load(place, 2) | load(place, 3)) != 0 or value < 0 or value >= _SIZE_LIMIT:
        return -1
    return value


@helper
def is_number(frame, position):
    """Whether an operand is a signed number below 2^62 in magnitude."""
    place = operand_place(frame, position)
    value = load(place, 0)
    sign = value >> 63
    return (
        load(place, 1) == sign
        and load(place, 2) == sign
        and load(place, 3) == sign
        and -BOUND_LIMIT < value < BOUND_LIMIT
    )


@helper
def number_of(frame, position):
    """The signed number that an operand is."""
    return load(operand_place(frame, position), 0)


@helper
def pop_operands(frame, count):
    """Take the operands from the stack."""
    store(frame, _TOP, load(frame, _TOP) - WORD_BYTES * count)


@helper
def push_number(frame, value):
    """Push a signed number; there must be room."""
    top = load(frame, _TOP)
    sign = value >> 63
    store(top, 0, value)
    store(top, 1, sign)
    store(top, 2, sign)
    store(top, 3, sign)
    store(frame, _TOP, top + WORD_BYTES)


# -- gas


@helper
def affordable(frame, price):
    """Whether the frame has so much gas."""
    return price <= load(frame, _GAS)


@helper
def pay(frame, price):
    """Take gas, which is there."""
    store(frame, _GAS, load(frame, _GAS) - price)


@helper
def rule(frame, name):
    """A constant of the instruction's gas rule."""
    rules = load(executor_of(frame), _RULES)
    return load(rules + load(frame, _DETAIL) * _RULE_BYTES, name)


@helper
def ceiling_ratio(amount, per_1024):
    """``amount`` units at ``per_1024`` gas for 1,024 of them, rounded up."""
    return (amount * per_1024 + 1023) >> 10


@helper
def _price_of_items(executor, count):
    beyond = max(0, count - load(executor, _LINEAR_ITEMS))
    return count * load(executor, _BUFFER_WORD) + beyond * beyond // load(executor, _QUADRATIC_DIVISOR)


@helper
def price_of_growth(frame, state, more, fewer):
    """The price of the frame's Buffers growing by ``more`` items while ``fewer`` go away."""
    if more <= fewer:
        return 0
    executor = executor_of(frame)
    before = load(state, _SAVED_ITEMS) + load(buffer_of(state), LENGTH)
    return _price_of_items(executor, before + more - fewer) - _price_of_items(executor, before)


@helper
def price_of_items(frame, count, bound):
    """The price of an item-wise instruction on ``count`` items whose results stay within ``bound``, below 2^62; −1
    when it may not be the ordinary one."""
    if bound >> load(executor_of(frame), _MEDIUM_BITS) != 0:
        return -1
    return count * rule(frame, _RULE_PER_ITEM)


# -- memory


@helper
def memory_area(frame, offset, size):
    """Price of expanding the frame's memory to ``size`` bytes from ``offset`` on; −1 when the arena must grow."""
    have = load(frame, _MEMORY_SIZE)
    end = offset + size
    if size == 0 or end <= have:
        return 0
    words = (end + WORD_BYTES - 1) // WORD_BYTES
    machine = load(frame, _MACHINE)
    if load(frame, _MEMORY) + words * WORD_BYTES > load(machine, _MEMORY_END):
        return -1
    executor = load(machine, _EXECUTOR)
    linear = load(executor, _MEMORY_WORD)
    divisor = load(executor, _MEMORY_DIVISOR)
    old = have // WORD_BYTES
    return words * linear + words * words // divisor - old * linear - old * old // divisor


@helper
def expand_memory(frame, offset, size):
    """Expand the frame's memory, which is paid for; the address of the area."""
    have = load(frame, _MEMORY_SIZE)
    memory = load(frame, _MEMORY)
    end = (offset + size + WORD_BYTES - 1) // WORD_BYTES * WORD_BYTES
    if size != 0 and end > have:
        fields = int64_array(memory + have, (end - have) // 8)
        fields[:] = 0
        store(frame, _MEMORY_SIZE, end)
    return memory + offset


@helper
def read_words(source, out):
    """Write words of Memory to ``out``, cut where they do not fit; their largest magnitude, or 2^62 when it is not
    below that."""
    low = 0
    high = 0
    misfit = 0
    number = out.dtype.type
    for i in range(out.shape[0]):
        last = load_big_endian(source + WORD_BYTES - 8)
        sign = last >> 63
        misfit |= (load(source, 0) ^ sign) | (load(source, 1) ^ sign) | (load(source, 2) ^ sign)
        low = min(low, last)
        high = max(high, last)
        out[i] = number(last)
        source += WORD_BYTES
    return BOUND_LIMIT if misfit != 0 else bound_of(low, high)


@helper
def bound_of(low, high):
    """The largest magnitude between two numbers around 0; 2^62 when it is not below that."""
    return BOUND_LIMIT if low <= -BOUND_LIMIT or high >= BOUND_LIMIT else max(-low, high)


# -- weight blocks


@helper
def find_block(frame, position):
    """The entry of the block whose id is operand ``position``, if what is known of it holds and it is there; else
    0."""
    executor = executor_of(frame)
    identity = operand_place(frame, position)
    hashed = 0
    for i in range(4):
        hashed += load(frame, _ADDRESS + i) * load(executor, _EXECUTOR_HASH_KEYS + i)
        hashed += load(identity, i) * load(executor, _EXECUTOR_HASH_KEYS + 4 + i)
    hashed ^= hashed >> 32
    mask = load(executor, _EXECUTOR_BLOCK_MASK)
    place = hashed & mask
    index = int32_array(load(executor, _EXECUTOR_BLOCK_INDEX), mask + 1)
    while index[place] != 0:
        entry = load(executor, _EXECUTOR_BLOCKS) + (index[place] - 1) * _BLOCK_BYTES
        same = True
        for i in range(4):
            same = same and load(entry, i) == load(frame, _ADDRESS + i) and load(entry, 4 + i) == load(identity, i)
        if same:
            return entry if load(entry, _BLOCK_FRESH) == load(executor, _EXECUTOR_VERSION) else 0
        place = (place + 1) & mask
    return 0


@helper
def price_of_block(frame, entry):
    """The price of accessing and reading a block."""
    executor = executor_of(frame)
    warm = load(entry, _BLOCK_WARM) == load(executor, _EXECUTOR_TRANSACTION)
    access = load(executor, _WARM_ACCESS) if warm else load(executor, _COLD_ACCESS)
    return access + load(entry, _BLOCK_WORDS) * load(executor, _READ_WORD)


@helper
def warm_block(frame, entry):
    """Mark a block as accessed, and as the one used last. The list has room: each entry is in it once."""
    executor = executor_of(frame)
    uses = load(executor, _EXECUTOR_USES) + 1
    store(executor, _EXECUTOR_USES, uses)
    store(entry, _BLOCK_USED, uses)
    transaction = load(executor, _EXECUTOR_TRANSACTION)
    if load(entry, _BLOCK_WARM) == transaction:
        return
    count = load(executor, _EXECUTOR_WARMED_COUNT)
    number = (entry - load(executor, _EXECUTOR_BLOCKS)) // _BLOCK_BYTES
    store(load(executor, _EXECUTOR_WARMED), count, number)
    store(executor, _EXECUTOR_WARMED_COUNT, count + 1)
    store(entry, _BLOCK_WARM, transaction)
