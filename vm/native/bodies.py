"""What each instruction does: bodies by name, used by every tier. Constant gas and stack bounds are checked
before.

A body that needs Python is not here: the analysis leaves to the host for every instruction without a body.
"""

from __future__ import annotations

from collections.abc import Callable

from smartvm.vm.native.emit import I1, I8, I32, I64, I256, Value
from smartvm.vm.native.instruction import InstructionEmitter
from smartvm.vm.native.layout import FRAME, WORD_BYTES, PseudoOpcode, Reason

Body = Callable[[InstructionEmitter], None]

BODIES: dict[str, Body] = {}


def body(*names: str) -> Callable[[Body], Body]:
    """Register a body under instruction names."""

    def register(function: Body) -> Body:
        for name in names:
            BODIES[name] = function
        return function

    return register


def _binary(name: str, operation: Callable[[InstructionEmitter, Value, Value], Value]) -> None:
    def run(f: InstructionEmitter) -> None:
        a, b = f.pop(), f.pop()
        f.push(operation(f, a, b))

    BODIES[name] = run


def _shift(f: InstructionEmitter, amount: Value, shifted: Value, beyond: Value | int) -> Value:
    """``shifted`` where the amount is below 256. LLVM leaves wider shifts undefined, hence the masks at the
    callers."""
    return (amount < 256).choose(shifted, beyond)


def _arithmetic_right(f: InstructionEmitter, amount: Value, value: Value) -> Value:
    return value.arithmetic_shift((amount < 256).choose(amount, 255))


def _byte(f: InstructionEmitter, index: Value, value: Value) -> Value:
    shift = f.word(248) - ((index & 31) << 3)
    return (index < 32).choose((value >> shift) & 0xFF, 0)


def _sign_extend(f: InstructionEmitter, index: Value, value: Value) -> Value:
    shift = (f.word(31) - (index & 31)) << 3
    return (index < 31).choose((value << shift).arithmetic_shift(shift), value)


_binary("ADD", lambda f, a, b: a + b)
_binary("MUL", lambda f, a, b: a * b)
_binary("SUB", lambda f, a, b: a - b)
_binary("DIV", lambda f, a, b: f.call(f.support.arithmetic.divide, a, b))
_binary("SDIV", lambda f, a, b: f.call(f.support.arithmetic.signed_divide, a, b))
_binary("MOD", lambda f, a, b: f.call(f.support.arithmetic.remainder, a, b))
_binary("SMOD", lambda f, a, b: f.call(f.support.arithmetic.signed_remainder, a, b))
_binary("SIGNEXTEND", _sign_extend)
_binary("LT", lambda f, a, b: a < b)
_binary("GT", lambda f, a, b: a > b)
_binary("SLT", lambda f, a, b: a.signed_less(b))
_binary("SGT", lambda f, a, b: a.signed_greater(b))
_binary("EQ", lambda f, a, b: a.equals(b))
_binary("AND", lambda f, a, b: a & b)
_binary("OR", lambda f, a, b: a | b)
_binary("XOR", lambda f, a, b: a ^ b)
_binary("BYTE", _byte)
_binary("SHL", lambda f, amount, value: _shift(f, amount, value << (amount & 255), 0))
_binary("SHR", lambda f, amount, value: _shift(f, amount, value >> (amount & 255), 0))
_binary("SAR", _arithmetic_right)


@body("ADDMOD")
def _add_modulo(f: InstructionEmitter) -> None:
    a, b, modulus = f.pop(), f.pop(), f.pop()
    f.push(f.call(f.support.arithmetic.add_modulo, a, b, modulus))


@body("MULMOD")
def _multiply_modulo(f: InstructionEmitter) -> None:
    a, b, modulus = f.pop(), f.pop(), f.pop()
    f.push(f.call(f.support.arithmetic.multiply_modulo, a, b, modulus))


@body("EXP")
def _power(f: InstructionEmitter) -> None:
    base, exponent = f.pop(), f.pop()
    significant = (f.word(256) - f.leading_zeros(exponent) + 7) >> 3
    f.charge(significant.truncate(I64) * f.parameter("EXP", "per_byte"))
    f.push(f.call(f.support.arithmetic.power, base, exponent))


@body("ISZERO")
def _is_zero(f: InstructionEmitter) -> None:
    f.push(f.pop().equals(0))


@body("NOT")
def _not(f: InstructionEmitter) -> None:
    f.push(~f.pop())


@body("CLZ")
def _count_leading_zeros(f: InstructionEmitter) -> None:
    f.push(f.leading_zeros(f.pop()))


@body("KECCAK256")
def _keccak256(f: InstructionEmitter) -> None:
    start, size = f.memory_range(f.pop(), f.pop())
    f.charge(((size + 31) >> 5) * f.parameter("KECCAK256", "per_word"))
    digest = f.stack_slot(I256)
    f.call(f.support.remembered_keccak, f.machine, f.memory.offset(start), size, digest)
    f.push(f.byte_swap(f.load(digest, I256)))


# -- environment


def _environment_word(name: str, field: str) -> None:
    def run(f: InstructionEmitter) -> None:
        f.push(f.machine_word(field))

    BODIES[name] = run


for _name, _field in (
    ("ORIGIN", "origin"),
    ("GASPRICE", "gas_price"),
    ("COINBASE", "coinbase"),
    ("TIMESTAMP", "timestamp"),
    ("NUMBER", "number"),
    ("DIFFICULTY", "difficulty"),
    ("PREVRANDAO", "prev_randao"),
    ("GASLIMIT", "gas_limit"),
    ("CHAINID", "chain_id"),
    ("BASEFEE", "base_fee"),
    ("BLOBBASEFEE", "blob_base_fee"),
):
    _environment_word(_name, _field)


def _frame_value(name: str, field: str, *, is_word: bool) -> None:
    def run(f: InstructionEmitter) -> None:
        f.push(f.frame_word(field) if is_word else f.frame_field(field))

    BODIES[name] = run


_frame_value("ADDRESS", "address", is_word=True)
_frame_value("CALLER", "caller", is_word=True)
_frame_value("CALLVALUE", "value", is_word=True)
_frame_value("CALLDATASIZE", "input_size", is_word=False)
_frame_value("CODESIZE", "code_size", is_word=False)
_frame_value("RETURNDATASIZE", "return_data_size", is_word=False)


@body("CALLDATALOAD")
def _call_data_load(f: InstructionEmitter) -> None:
    source, size = f.frame_field("input").to_pointer(), f.frame_field("input_size")
    f.push(f.call(f.support.load_padded, source, size, f.pop()))


@body("BLOBHASH")
def _blob_hash(f: InstructionEmitter) -> None:
    index = f.pop()
    held = f.variable(I256, 0)
    with f.when(index < f.machine_field("blob_hash_count").extend(I256)):
        held.value = f.load(f.machine_field("blob_hashes").to_pointer(), I256, index.truncate(I64))
    f.push(held.value)


def _copy(name: str, source: str, source_size: str) -> None:
    def run(f: InstructionEmitter) -> None:
        target, offset, size = f.pop(), f.pop(), f.pop()
        if name == "RETURNDATACOPY":
            end = offset + size
            beyond = (end > f.frame_field(source_size).extend(I256)) | (end < offset)
            f.leave_if(beyond, Reason.RETURNDATA_OUT_OF_BOUNDS)
        start, length = f.memory_range(target, size)
        f.charge(((length + 31) >> 5) * f.parameter(name, "per_word"))
        from_ = f.frame_field(source).to_pointer()
        f.call(
            f.support.copy_padded, f.memory.offset(start), length, from_, f.frame_field(source_size), offset
        )

    BODIES[name] = run


_copy("CALLDATACOPY", "input", "input_size")
_copy("CODECOPY", "code", "code_size")
_copy("RETURNDATACOPY", "return_data", "return_data_size")


# -- stack, memory, control


@body("POP")
def _pop(f: InstructionEmitter) -> None:
    f.pop()


def _stack_instructions(depth: int) -> None:
    BODIES[f"DUP{depth}"] = lambda f: f.duplicate(depth)
    BODIES[f"SWAP{depth}"] = lambda f: f.swap(depth)


for _depth in range(1, 17):
    _stack_instructions(_depth)


@body("MLOAD")
def _memory_load(f: InstructionEmitter) -> None:
    place = f.memory_at(f.pop(), WORD_BYTES)
    f.push(f.byte_swap(f.load(place, I256, align=1)))


@body("MSTORE")
def _memory_store(f: InstructionEmitter) -> None:
    place = f.memory_at(f.pop(), WORD_BYTES)
    f.store(f.byte_swap(f.pop()), place, align=1)


@body("MSTORE8")
def _memory_store_byte(f: InstructionEmitter) -> None:
    place = f.memory_at(f.pop(), 1)
    f.store(f.pop().truncate(I8), place, align=1)


@body("MCOPY")
def _memory_copy(f: InstructionEmitter) -> None:
    target, source, size = f.pop(), f.pop(), f.pop()
    # both areas are paid for, that is, the one that reaches further
    furthest = (target > source).choose(target, source)
    _, length = f.memory_range(furthest, size)
    f.charge(((length + 31) >> 5) * f.parameter("MCOPY", "per_word"))
    with f.when(length.differs(0)):
        f.move_memory(f.memory.offset(target.truncate(I64)), f.memory.offset(source.truncate(I64)), length)


@body("MSIZE")
def _memory_size(f: InstructionEmitter) -> None:
    f.push(f.memory_size)


@body("GAS")
def _gas(f: InstructionEmitter) -> None:
    f.push(f.gas)


@body("PC")
def _program_counter(f: InstructionEmitter) -> None:
    f.push(f.argument())


@body("JUMPDEST")
def _jump_destination(f: InstructionEmitter) -> None:
    """Never in a cell of its own: the analysis makes BEGIN_BLOCK of it."""


def _destination(f: InstructionEmitter, destination: Value, condition: Value) -> Value:
    """The position of a destination, which matters where ``condition`` holds; else any."""
    size = f.frame_field("code_size")
    outside = destination >= size.extend(I256)
    f.leave_if(condition & outside, Reason.INVALID_JUMP)
    counter = outside.choose(0, destination.truncate(I64))
    index = f.load(f.frame_field("targets").to_pointer(), I32, counter, align=4)
    f.leave_if(condition & index.equals(0), Reason.INVALID_JUMP)
    return f.frame_field("stream").to_pointer().offset(index.extend(I64) << 3)


@body("JUMP")
def _jump(f: InstructionEmitter) -> None:
    f.jump(_destination(f, f.pop(), f.constant(I1, 1)))


@body("JUMPI")
def _jump_if(f: InstructionEmitter) -> None:
    destination, condition = f.pop(), f.pop().differs(0)
    f.jump_if(condition, _destination(f, destination, condition))


@body("STOP")
def _stop(f: InstructionEmitter) -> None:
    f.leave(Reason.STOP)


def _output(name: str, reason: Reason) -> None:
    def run(f: InstructionEmitter) -> None:
        start, size = f.memory_range(f.pop(), f.pop())
        f.store(start, f.frame, index=FRAME["output_offset"])
        f.store(size, f.frame, index=FRAME["output_size"])
        f.leave(reason)

    BODIES[name] = run


_output("RETURN", Reason.RETURN)
_output("REVERT", Reason.REVERT)


@body("INVALID")
def _invalid(f: InstructionEmitter) -> None:
    f.leave(Reason.INVALID_INSTRUCTION)


# -- cells that are no instruction


def _pseudo(which: PseudoOpcode) -> Callable[[Body], Body]:
    return body(which.name)


@_pseudo(PseudoOpcode.PUSH_SMALL)
def _push_small(f: InstructionEmitter) -> None:
    f.push(f.argument())


@_pseudo(PseudoOpcode.PUSH_WIDE)
def _push_wide(f: InstructionEmitter) -> None:
    f.push(f.wide_argument())


@_pseudo(PseudoOpcode.JUMP_TO)
def _jump_to(f: InstructionEmitter) -> None:
    f.jump(f.argument().to_pointer())


@_pseudo(PseudoOpcode.CONDITIONAL_JUMP_TO)
def _conditional_jump_to(f: InstructionEmitter) -> None:
    destination = f.argument().to_pointer()
    f.jump_if(f.pop().differs(0), destination)


def _count(f: InstructionEmitter, destination: Value) -> None:
    """Field: how many times the jump may still be taken before its destination counts as hot."""
    place, left = f.counter_argument()
    f.store(destination.to_integer(), f.frame, index=FRAME["detail"])
    f.store(place.to_integer(), f.frame, index=FRAME["needed"])
    f.leave_if(left.equals(0), Reason.HOT)


@_pseudo(PseudoOpcode.JUMP_BACK_TO)
def _jump_back_to(f: InstructionEmitter) -> None:
    destination = f.argument().to_pointer()
    f.skip_argument()
    _count(f, destination)
    f.jump(destination)


@_pseudo(PseudoOpcode.CONDITIONAL_JUMP_BACK_TO)
def _conditional_jump_back_to(f: InstructionEmitter) -> None:
    destination = f.argument().to_pointer()
    f.skip_argument()
    condition = f.pop().differs(0)
    f.jump_if(condition, destination, lambda: _count(f, destination))


@_pseudo(PseudoOpcode.BAD_JUMP)
def _bad_jump(f: InstructionEmitter) -> None:
    f.leave(Reason.INVALID_JUMP)


@_pseudo(PseudoOpcode.TRACE)
def _trace(f: InstructionEmitter) -> None:
    f.leave_behind(Reason.TRACE)


@_pseudo(PseudoOpcode.BEGIN_BLOCK)
def _begin_block(f: InstructionEmitter) -> None:
    """Fields: the block's gas; 32 bits each of the stack bytes it needs and of those that may be there."""
    gas = f.argument()
    bounds = f.argument()
    height = f.top.to_integer() - f.frame_field("stack")
    need = bounds & 0xFFFFFFFF
    left = f.gas - gas
    refused = (left | (height - need) | ((bounds.arithmetic_shift(32)) - height)).signed_less(0)
    f.leave_if(refused, Reason.BLOCK_REFUSED)
    f.set_gas(left)


@body("DNN")
def _execute_dnn(f: InstructionEmitter) -> None:
    """Field: the opcode. A function of the executor executes the instruction, or Python does."""
    f.call_out(f.argument(), f.machine_field("dnn_handlers"))
    f.finished = True


@body("HOST")
def _leave_to_host(f: InstructionEmitter) -> None:
    """Field: the opcode."""
    f.store(f.argument(), f.frame, index=FRAME["detail"])
    f.leave_behind(Reason.HOST)
