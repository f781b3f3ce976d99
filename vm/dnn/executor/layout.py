"""The memory that Python and the compiled handlers share: structures of 64-bit fields.

Each frame that executes a DNN instruction has a *state*: its Buffer and saved Buffers as descriptors of native
memory.
"""

from __future__ import annotations

from smartvm.vm.native.layout import Structure

#: Buffers that a state has room for besides the Buffer itself.
SAVED_LIMIT = 64

#: A Buffer's items: ``data`` is the address of ``length`` items of ``width`` bytes (2, 4 or 8), none of which
#: exceeds ``bound`` in magnitude; items of a map of ``layout`` channels are channels last, those of layout 1 in their
#: own order. ``owned`` is one of the numbers below; memory of the state's own has ``capacity`` bytes.
ITEMS = Structure("data", "length", "width", "bound", "owned", "capacity", "layout")

#: Memory is Python's and only to be read; Python's, but nobody else uses it; the state's own, which has to free it.
READ_ONLY = 0
LENT = 1
OWN = 2

#: A correlation that the Buffer stands for and that is not carried out yet (see ``smartvm.vm.dnn.platforms.deferred``):
#: ``convolution`` is its address, 0 where the Buffer has its items. ``input`` is what it reads; the sums, up to
#: ``sum_bound``, get the items at ``bias`` (0: none), are divided by ``divisor`` and clamped; on the 8-bit route
#: ``shift`` is added to the items.
DEFERRED = Structure("convolution", ("input", ITEMS.size), "sum_bound", "bias", "divisor", "low", "high", "shift")

#: A frame's Buffers. ``mode`` is one of the ``MODE_`` numbers.
STATE = Structure(
    "executor",  # address of the executor's structure
    "mode",
    "saved_count",
    "saved_items",
    ("buffer", ITEMS.size),
    ("deferred", DEFERRED.size),
    ("saved", SAVED_LIMIT * ITEMS.size),
)

MODE_NATIVE = 1
#: Python has the Buffers: handlers leave every instruction to it.
MODE_PYTHON = 2

#: Magnitudes that handlers deal with are below this.
BOUND_LIMIT = 1 << 62

#: What is known of a weight block, by account and block id. ``fresh`` is the version of the state's blocks for
#: which the rest holds; ``warm`` the transaction in which it was accessed; ``used`` the number of its last use by a
#: handler. ``words`` are those that reading it costs; ``items`` is the address of ``count`` items of 8 bytes,
#: ``addends`` that of the same at 4 bytes with the last one repeated up to a multiple of ``ADDENDS_TOGETHER``,
#: ``convolution`` that of a CONVOLUTION, 0 when not prepared.
BLOCK = Structure(
    ("key", 8), "hash", "warm", "used", "fresh", "words", "count", "bound", "items", "addends", "convolution"
)

#: A multiple of the channels of every kernel's panels.
ADDENDS_TOGETHER = 64

#: A convolution by a block in one shape, on the 16-bit or the 8-bit route (``panels``): ``operands`` after the block
#: id, as many as the instruction with ``opcode`` has; ``items`` that it reads, ``map_channels`` of ``height`` x
#: ``width`` cells; ``kernels`` and ``positions`` of its result; what gas depends on; padding, and whether the
#: map must be copied for it; the addresses of ``weight_items`` packed weights, of the function that carries it
#: out, of seven window numbers and of ``taps`` offsets; the largest sum of magnitudes of one kernel; the address of
#: each kernel's sum on the 8-bit route, 0 on the 16-bit one; the shape (``shapes``), where windows must be
#: ``gathered`` as rows.
CONVOLUTION = Structure(
    "opcode",
    ("operands", 7),
    "items",
    "map_channels",
    "height",
    "width",
    "kernels",
    "positions",
    "terms",
    "products",
    "reads",
    "top",
    "left",
    "copied",
    "weights",
    "weight_items",
    "settle",
    "window",
    "offsets",
    "taps",
    "norm",
    "sums",
    "gathered",
    "inputs",
    ("sizes", 3),
    ("kernel", 3),
    ("outputs", 3),
    "stride",
    ("padding", 3),
)

#: An activation's table: results for −``limit`` … ``limit`` as 16-bit items; beyond, they are those of the ends.
TABLE = Structure("activation", "scale", "limit", "items")
TABLE_COUNT = 8
SIGMOID = 1
HYPERBOLIC_TANGENT = 2

#: Blocks of memory that were given back, for the next Buffer: up to ``SPARES_OF_CLASS`` of each class; those of class
#: n have ``SPARE_BYTES`` · 2^n bytes.
SPARE_BYTES = 256
SPARE_CLASSES = 10
SPARES_OF_CLASS = 6

#: Gas of an instruction, by opcode.
RULE = Structure("per_item", "wide_per_item", "narrow_per_1024", "medium_per_1024", "wide_per_1024", "reads_per_1024")

#: Constants of the table that handlers read.
CONSTANTS = (
    "memory_word",
    "memory_quadratic_divisor",
    "buffer_word",
    "buffer_linear_items",
    "buffer_quadratic_divisor",
    "saved_buffers_limit",
    "block_cold_access",
    "block_warm_access",
    "block_read_word",
    "narrow_bits",
    "medium_bits",
    "activation_scale_bits",
)

#: One per machine.
EXECUTOR = Structure(
    "handlers",  # addresses of the handlers, by opcode; 0 where Python executes
    "frames",  # address of the outermost frame's structure
    "states",  # address of its state
    "rules",
    "transaction",  # number of the present transaction
    "version",  # of the state's blocks
    "block_index",  # 32-bit hash table of entry numbers + 1
    "block_mask",
    "blocks",
    "warmed",  # numbers of the entries made warm in this transaction, in order
    "warmed_count",
    "warmed_capacity",
    "uses",  # of blocks, counted
    ("hash_keys", 8),
    "in_order",  # addresses of functions that handlers share (``settling``)
    "convert",
    "least",
    "magnitude",
    "greatest",
    ("arguments", 11),  # of these functions
    ("spare_counts", SPARE_CLASSES),
    ("spares", SPARE_CLASSES * SPARES_OF_CLASS),
    ("tables", TABLE_COUNT * TABLE.size),
    ("constants", len(CONSTANTS)),
)
