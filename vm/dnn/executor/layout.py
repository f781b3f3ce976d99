"""The memory that Python and the compiled handlers share: structures of 64-bit fields.

Each frame that executes a DNN instruction has a *state*: its Buffer and saved Buffers as descriptors of native
memory.
"""

from __future__ import annotations

from smartvm.vm.native.layout import Structure

#: Buffers that a state has room for besides the Buffer itself.
SAVED_LIMIT = 64

#: A Buffer's items: ``data`` is the address of ``length`` items of ``width`` bytes (4 or 8), none of which
#: exceeds ``bound`` in magnitude. ``owned`` is one of the numbers below; memory of the state's own has
#: ``capacity`` bytes.
ITEMS = Structure("data", "length", "width", "bound", "owned", "capacity")

#: Memory is Python's and only to be read; Python's, but nobody else uses it; the state's own, which has to free it.
READ_ONLY = 0
LENT = 1
OWN = 2

#: A frame's Buffers. ``mode`` is one of the ``MODE_`` numbers.
STATE = Structure("mode", "saved_count", "saved_items", ("buffer", ITEMS.size), ("saved", SAVED_LIMIT * ITEMS.size))

MODE_NATIVE = 1
#: Python has the Buffers: handlers leave every instruction to it.
MODE_PYTHON = 2

#: Magnitudes that handlers deal with are below this.
BOUND_LIMIT = 1 << 62

#: What is known of a weight block, by account and block id. ``fresh`` is the version of the state's blocks for
#: which the rest holds; ``warm`` the transaction in which it was accessed. ``words`` are those that reading it
#: costs; ``items`` is the address of ``count`` items of 8 bytes, 0 when not prepared; ``matrix`` that of
#: ``rows`` rows of 16-bit items, each zero-filled to ``row_length``, whose magnitudes sum to at most
#: ``row_sum``.
BLOCK = Structure(
    ("key", 8),
    "hash",
    "warm",
    "fresh",
    "words",
    "count",
    "bound",
    "items",
    "matrix",
    "rows",
    "row_length",
    "row_sum",
)

#: An activation's table: results for 0 … ``size`` − 1 as 32-bit items; beyond, the result is the scale.
TABLE = Structure("activation", "scale", "size", "items")
TABLE_COUNT = 8
SIGMOID = 1
HYPERBOLIC_TANGENT = 2

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
    ("hash_keys", 8),
    ("tables", TABLE_COUNT * TABLE.size),
    ("constants", len(CONSTANTS)),
)
