"""The memory that Python and compiled code share: structures of 64-bit fields, and the numbers both sides
know.

A 256-bit word takes four fields, least significant first.
"""

from __future__ import annotations

from enum import IntEnum

WORD_BYTES = 32
STACK_LIMIT = 1024
CALL_DEPTH_LIMIT = 1024
STACK_BYTES = STACK_LIMIT * WORD_BYTES


class Structure:
    """Field names to indexes of 64-bit fields; a name with a count takes as many."""

    def __init__(self, *fields: str | tuple[str, int]) -> None:
        self.index: dict[str, int] = {}
        position = 0
        for field in fields:
            name, count = (field, 1) if isinstance(field, str) else field
            self.index[name] = position
            position += count
        self.size = position

    def __getitem__(self, name: str) -> int:
        return self.index[name]


#: One per call depth. What a frame executes and where it stands; written when it starts, leaves or goes on.
FRAME = Structure(
    "machine",  # address of the machine's structure
    "position",  # address of the stream's cell to go on at
    "stack_top",  # address behind the stack's top word
    "gas",
    "memory",  # address of the frame's memory
    "memory_size",  # bytes, a multiple of 32
    "stack",  # address of the stack's bottom
    "detail",  # says more about the reason for leaving
    "code",
    "code_size",
    "targets",  # 32-bit stream index by program counter, 0 where no JUMPDEST is
    "stream",
    "input",
    "input_size",
    "return_data",
    "return_data_size",
    "output_offset",  # of RETURN or REVERT, in the frame's memory
    "output_size",
    "is_static",
    "storage_tag",  # which account's slots
    "storage_empty",  # 1: the account has no slots besides those in the slot table
    "needed",  # bytes or entries that the arena to grow must take
    "buffers",  # address of the state of its Buffers; 0: it has none yet, BUFFERS_WITHHELD: Python has them
    ("address", 4),
    ("caller", 4),
    ("value", 4),
    ("missing_key", 4),  # of the slot that LOAD_SLOT asks for
    ("reserved", 4),
)

BUFFERS_WITHHELD = 1

#: Memory beyond this many bytes is out of gas whatever the gas: 64 GiB would cost 9 * 10**15.
MEMORY_LIMIT_BITS = 36

#: One per machine: environment, arenas, tables.
MACHINE = Structure(
    "memory_end",  # address behind the memory arena
    "refund",
    "slot_index",  # 32-bit hash table of entry numbers + 1
    "slot_mask",
    "slot_entries",
    "slot_count",
    "slot_capacity",
    "journal",
    "journal_count",
    "journal_capacity",
    "logs",
    "logs_used",
    "logs_capacity",
    "blob_hashes",
    "blob_hash_count",
    ("hash_keys", 8),  # random odd multipliers of the tables' hashes
    "state_version",  # of accounts: changes with each change, and with each revert
    "digests",  # table of KECCAK-256 digests lately computed
    "dnn",  # address of the DNN executor's structure
    "dnn_handlers",  # addresses of functions that execute DNN instructions, by opcode; 0: Python executes all
    ("origin", 4),
    ("gas_price", 4),
    ("coinbase", 4),
    ("timestamp", 4),
    ("number", 4),
    ("prev_randao", 4),
    ("difficulty", 4),
    ("gas_limit", 4),
    ("chain_id", 4),
    ("base_fee", 4),
    ("blob_base_fee", 4),
    ("parameters", 64),  # gas constants of dynamic rules, in the order of PARAMETERS
)

#: A slot table entry. Transient slots are entries too, with TRANSIENT set in the tag.
SLOT = Structure(("key", 4), "tag", "flags", ("current", 4), ("original", 4), "hash", "extra")
SLOT_WARM = 1
TRANSIENT = 1 << 62

#: Tag of entries that hold what is known of warm accounts: ``key`` the address, ``flags`` the state's version
#: that it holds for, ``current`` the balance, ``original`` what EXTCODEHASH gives, ``extra`` the code's size.
ACCOUNT_FACTS = TRANSIENT | 1 << 61

#: An entry of the table of digests: what was hashed (32 bytes are followed by zeros), its size (0: none), the
#: digest.
DIGEST = Structure(("data", 8), "size", ("digest", 4), ("unused", 3))
DIGEST_TABLE_BITS = 12

#: A journal entry: entry number and kind, then the word that was there before.
JOURNAL = Structure("what", ("previous", 4))
JOURNAL_VALUE = 0
JOURNAL_WARMED = 1 << 62

#: A log's record: data size, topic count, address, topics (a word each), data padded to 8 bytes.
LOG_HEADER_FIELDS = 6

#: Gas constants that compiled code reads: (instruction, constant); None: a constant of the table.
PARAMETERS: tuple[tuple[str | None, str], ...] = (
    (None, "memory_word"),
    (None, "memory_quadratic_divisor"),
    ("EXP", "per_byte"),
    ("KECCAK256", "per_word"),
    ("CALLDATACOPY", "per_word"),
    ("CODECOPY", "per_word"),
    ("RETURNDATACOPY", "per_word"),
    ("MCOPY", "per_word"),
    ("LOG0", "per_byte"),
    ("LOG1", "per_byte"),
    ("LOG2", "per_byte"),
    ("LOG3", "per_byte"),
    ("LOG4", "per_byte"),
    ("SLOAD", "cold_surcharge"),
    ("SSTORE", "noop"),
    ("SSTORE", "set"),
    ("SSTORE", "reset"),
    ("SSTORE", "clear_refund"),
    ("SSTORE", "stipend_guard"),
    ("SSTORE", "cold_surcharge"),
)


class Reason(IntEnum):
    """Why compiled code returned to Python."""

    STOP = 0
    RETURN = 1
    REVERT = 2
    # exceptional halts
    OUT_OF_GAS = 3
    BLOCK_REFUSED = 4  # the block's gas, stack need or stack growth is not there
    INVALID_INSTRUCTION = 5
    INVALID_JUMP = 6
    STATIC_VIOLATION = 7
    RETURNDATA_OUT_OF_BOUNDS = 8
    # the door: act, then go on at `position`
    HOST = 9  # execute the instruction whose opcode is in `detail`
    GROW_MEMORY = 10
    GROW_SLOTS = 11
    GROW_JOURNAL = 12
    GROW_LOGS = 13
    LOAD_SLOT = 14  # the slot whose key is on top of the stack
    TRACE = 15
    HOT = 16  # the block whose cell is at `detail` was jumped back to often, counted at `needed`


class Shape(IntEnum):
    """What the analysis does with an opcode."""

    PLAIN = 0
    PUSH = 1  # immediate bytes become a word of the stream
    JUMP_TARGET = 2
    JUMP = 3
    CONDITIONAL_JUMP = 4
    TERMINATOR = 5  # what follows is reached by a jump only
    BLOCK_END = 6  # needs exact gas, so nothing after it may be charged before it
    HOST = 7  # BLOCK_END that is executed by Python
    UNDEFINED = 8
    PROGRAM_COUNTER = 9  # the program counter becomes a word of the stream
    HOST_TERMINATOR = 10
    MAYBE_HOST = 11  # BLOCK_END that Python executes when compiled code lacks what it needs


#: The analysis' description of an opcode.
DESCRIPTOR = Structure("shape", "sequence", "gas", "operands", "results", "immediate")


class PseudoOpcode(IntEnum):
    """Cells that are no opcode: numbers behind the opcodes in the analysis' transition table."""

    PUSH_SMALL = 256  # below 2**64: one field
    PUSH_WIDE = 257  # four fields
    JUMP_TO = 258  # destination known
    CONDITIONAL_JUMP_TO = 259
    BEGIN_BLOCK = 260
    BAD_JUMP = 261
    TRACE = 262
    STOP = 263  # behind the end of the code
    JUMP_BACK_TO = 264  # like JUMP_TO, and counts
    CONDITIONAL_JUMP_BACK_TO = 265


TRANSITION_WIDTH = 266

#: Modes of ``analyse``.
TRACED = 1  # a TRACE cell before each instruction, which is a block of its own
UNFUSED = 2  # one cell per instruction

#: What code must be followed by: zeros, as many as the longest immediate and a word read at its end.
CODE_PADDING = 64

#: 64-bit fields of stream that each byte of code needs at most, and besides.
STREAM_FIELDS_PER_BYTE = 7
STREAM_FIELDS_EXTRA = 16
