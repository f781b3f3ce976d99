"""Random DNN programs give the same results, gas, failures and state whether handlers or kernels execute them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.instructions.loader import load_table
from smartvm.vm import (
    BlockEnvironment,
    ExecutionResult,
    KernelEvent,
    Machine,
    Message,
    TransactionEnvironment,
    WorldState,
)
from smartvm.vm.dnn import WeightBlock
from smartvm.vm.state.memory import MemoryStore
from smartvm.vm.tracing import FrameEndEvent, FrameEvent, StepEvent

ACCOUNT = b"\xac" * 20
SENDER = b"\x5e" * 20
TABLE = load_table()

Step = int | str


def assemble(*steps: Step) -> bytes:
    """Mnemonics, and numbers (modulo 2^256) that are pushed."""
    code = bytearray()
    for step in steps:
        if isinstance(step, str):
            code.append(TABLE.by_name[step].opcode)
            continue
        step %= 1 << 256
        size = max(1, (step.bit_length() + 7) // 8)
        code += bytes([0x5F + size]) + step.to_bytes(size, "big")
    return bytes(code)


def call(name: str, *operands: int) -> list[Step]:
    """An instruction with its operands, top first."""
    return [*reversed(operands), name]


class World:
    """An account with weight blocks, on a machine."""

    def __init__(self, blocks: dict[int, Sequence[int]], **options: object) -> None:
        self.state = WorldState(MemoryStore())
        self.machine = Machine(TABLE, "osaka", self.state, BlockEnvironment(), **options)  # type: ignore[arg-type]
        for block_id, items in blocks.items():
            self.state.set_block(ACCOUNT, block_id, WeightBlock.of_integers(items).encoded)

    def run(self, code: bytes, gas: int = 30_000_000, data: bytes = b"", is_static: bool = False) -> ExecutionResult:
        """Execute code as the account's, and undo what it did."""
        before = self.state.snapshot()
        self.machine.begin_transaction(TransactionEnvironment(SENDER), [SENDER, ACCOUNT])
        result = self.machine.call(Message(SENDER, ACCOUNT, gas, data, is_static=is_static, code=code))
        self.machine.finish_transaction()
        self.state.revert(before)
        return result


#: By id: small, negative, 16 bits, 32 bits, beyond 64 bits, one item.
BLOCKS: dict[int, Sequence[int]] = {
    1: [((7 * i) % 41) - 20 for i in range(48)],
    2: [-32768, 32767, 5, -6],
    3: [1 << 30, -(1 << 30), 3, 4, 5, 6],
    4: [1 << 70, -1],
    5: [-3],
    8: [((13 * i) % 301) - 150 for i in range(9 * 40)],
    10: [7, -8, 900, 3, 4],
    11: [((11 * i) % 25) - 12 for i in range(200)],
    9: [((17 * i) % 91) - 45 for i in range(36 * 5)],
    12: [((5 * i) % 19) - 9 for i in range(48)],
    6: [((31 * i) % 4001) - 2000 for i in range(96)],
    7: [1 << 61, -(1 << 61)],
}


@pytest.fixture(scope="session")
def by_kernels() -> World:
    return World(BLOCKS, dnn="kernels")


@pytest.fixture(scope="session")
def by_handlers() -> World:
    return World(BLOCKS, dnn="handlers")


NUMBERS = st.one_of(
    st.integers(-5, 5),
    st.integers(-3000, 3000),
    st.sampled_from([1000, -1000, 255, 1 << 15, -(1 << 15), 1 << 16, (1 << 31) - 1, 1 << 31, -(1 << 31)]),
    st.sampled_from([1 << 32, 1 << 51, -(1 << 51), 1 << 61, 1 << 62, 1 << 63, -(1 << 63), 1 << 64, 1 << 255]),
)
SCALES = st.sampled_from([1, 2, 7, 100, 1000, 1001, 0, -1, 1 << 13, 1 << 17])
#: Memory that programs read: words of many sizes at 0, packed items at 2048.
WORDS = [
    0,
    1,
    -1,
    5,
    1000,
    -1000,
    40000,
    -40000,
    (1 << 31) - 1,
    -(1 << 31),
    1 << 31,
    1 << 40,
    -(1 << 61),
    1 << 63,
    1 << 200,
]
PACKED = bytes(range(0, 256, 3)) * 3


@dataclass
class _Shape:
    """What a program's Buffer will be, as long as nothing halts."""

    length: int = 0
    saved: list[int] = field(default_factory=list)


@st.composite
def programs(draw: st.DrawFn) -> list[list[Step]]:
    """Instructions that mostly fit what went before them."""
    shape = _Shape()
    if draw(st.booleans()):
        steps = [call("MTOB", draw(st.integers(0, 6)) * 32, draw(st.integers(0, 8)))]
    else:
        steps = [call("MTOB_PACK", 2048 + draw(st.integers(0, 50)), draw(st.sampled_from([16, 36, 48, 72, 128])), 1)]
    shape.length = int(steps[0][-3])
    for _ in range(draw(st.integers(1, 12))):
        steps.append(_instruction(draw, shape))
    return steps


def _instruction(draw: st.DrawFn, shape: _Shape) -> list[Step]:
    n = shape.length
    odd = draw(st.integers(0, 14)) == 0  # now and then an operand that does not fit
    match draw(st.integers(0, 30)):
        case 0 | 1:
            return call("BUF_SCL0", draw(NUMBERS))
        case 2 | 3:
            return call("BUF_SCL1", draw(NUMBERS))
        case 4:
            return call("ACT_RL", draw(NUMBERS) if odd else draw(st.sampled_from([0, 6, 6000, 1 << 40])))
        case 5:
            return call(draw(st.sampled_from(["ACT_SM1", "ACT_TANH"])), draw(SCALES))
        case 6:
            fitting = [k for k, items in BLOCKS.items() if n % len(items) == 0]
            return call("BUF_BIAS", draw(st.integers(0, 8)) if odd or not fitting else draw(st.sampled_from(fitting)))
        case 7 | 8:
            fitting = [k for k, items in BLOCKS.items() if n and len(items) % n == 0]
            if odd or not fitting:
                return call("FULL_CON", draw(st.integers(0, 8)), draw(st.integers(0, 3)), 1, 1, 2)
            block = draw(st.sampled_from(fitting))
            shape.length = len(BLOCKS[block]) // n
            return call("FULL_CON", block, n, 1, 1, shape.length)
        case 9 | 10:
            start = draw(st.integers(0, n))
            end = draw(st.integers(start, n)) + odd
            shape.saved.append(end - start)
            return call("BUF_COPY", start, end)
        case 11:
            if shape.saved:
                shape.length, shape.saved[-1] = shape.saved[-1], shape.length
            return ["BUF_SWAP"]
        case 12:
            if shape.saved:
                shape.length += shape.saved.pop()
            return ["BUF_CAT"]
        case 13:
            equal: list[Step] = [] if odd else call("BUF_COPY", 0, n)
            return [*equal, draw(st.sampled_from(["BUF_ADD", "BUF_MUL"]))]
        case 14:
            count = draw(st.integers(0, n)) + odd
            shape.length = max(0, n - count)
            return call("BUF_FREE", count)
        case 15:
            shape.length = draw(st.integers(0, 6)) if not odd else 1 << 32
            return call("BUF_INIT", shape.length)
        case 16:
            count = draw(st.integers(0, 4))
            shape.length = n + count
            return call("MTOB", draw(st.integers(0, 10)) * 32 + odd * 5000, count)
        case 17:
            count, width = draw(st.integers(0, 5)), draw(st.sampled_from([1, 2, 3, 4, 8, 16, 32, 33 if odd else 1]))
            shape.length = n + count
            return call("MTOB_PACK", 2048 + draw(st.integers(0, 40)), count, width)
        case 18:
            count, width = draw(st.integers(0, n)) + odd, draw(st.sampled_from([1, 2, 4, 8, 16, 32]))
            return call("BTOM_PACK", 4096 + draw(st.integers(0, 9000)), count, width)
        case 19 | 20 | 21:
            return _convolution(draw, shape, odd)
        case 22 | 23:
            return _pooling(draw, shape, odd)
        case 24:
            return _volume(draw, shape, odd)
        case 25 | 26:
            return _transposed(draw, shape, odd)
        case 27:
            shape.length, steps = _matrices(draw, odd)
            return steps
        case 28:
            count = draw(st.integers(0, 5))
            shape.length = n + count
            return call("BUF_ALLO", count if not odd else 1 << 33)
        case 29:
            offset = draw(st.integers(0, n))
            count = draw(st.integers(0, min(n - offset, 20))) + odd * draw(st.sampled_from([1, 1100]))
            return [*call("BTOS0", offset, count), *(["ADD"] * max(0, min(count, 20) - 1)), 9000, "MSTORE"]
        case _:
            other = draw(st.sampled_from(["BUF_FIL", "BUF_CLS", "BTOS1", "GAS", "ACT_SM0"]))
            if other == "BUF_FIL":
                return call("BUF_FIL", draw(NUMBERS))
            if other == "BUF_CLS":
                return call("BUF_CLS", draw(st.integers(0, n)) + odd)
            if other == "BTOS1":
                return call("BTOS1", draw(st.integers(1, 7)), draw(st.integers(0, n)) + odd)
            if other == "ACT_SM0":
                return call("ACT_SM0", draw(SCALES))
            return ["GAS", 3000, "MSTORE"]


def _divisor(draw: st.DrawFn, number: int) -> int:
    return draw(st.sampled_from([d for d in range(1, number + 1) if number % d == 0]))


def _convolution(draw: st.DrawFn, shape: _Shape, odd: bool) -> list[Step]:
    n = shape.length
    channels = _divisor(draw, n) if n else 1
    height = _divisor(draw, n // channels) if n else 1
    width = n // channels // height if n else 1
    kernel, stride, padding = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(0, 2))
    depthwise = draw(st.booleans())
    terms = kernel * kernel * (1 if depthwise else channels)
    fitting = [k for k, items in BLOCKS.items() if len(items) % terms == 0 and k != 4]
    if depthwise:
        fitting = [k for k in fitting if len(BLOCKS[k]) // terms == channels]
    if odd or not fitting or min(height, width) + 2 * padding < kernel:
        return call("CONV_MUL", draw(st.integers(0, 8)), channels, 2, height, width, kernel, stride, padding)
    block = draw(st.sampled_from(fitting))
    kernels = len(BLOCKS[block]) // terms
    sides = [(side + 2 * padding - kernel) // stride + 1 for side in (height, width)]
    shape.length = kernels * sides[0] * sides[1]
    name = "CONV_SING" if depthwise else "CONV_MUL"
    return call(name, block, channels, kernels, height, width, kernel, stride, padding)


def _volume(draw: st.DrawFn, shape: _Shape, odd: bool) -> list[Step]:
    """CONV_3D of a cube, or of what is left of the Buffer."""
    side = draw(st.integers(1, 3))
    depth = draw(st.integers(1, 3))
    items = side * side * depth
    kernel, padding = draw(st.integers(1, 3)), draw(st.integers(0, 2))
    fitting = [k for k, items in BLOCKS.items() if len(items) % kernel**3 == 0 and k != 4]
    if odd or shape.length < items or not fitting or min(side, depth) + 2 * padding < kernel:
        return call("CONV_3D", draw(st.integers(0, 8)), 1, 1, depth, side, kernel, 1, padding)
    block, stride = draw(st.sampled_from(fitting)), draw(st.integers(1, 2))
    kernels = len(BLOCKS[block]) // kernel**3
    drop = call("BUF_FREE", shape.length - items)
    sides = [(size + 2 * padding - kernel) // stride + 1 for size in (depth, side)]
    shape.length = kernels * sides[0] * sides[1] ** 2
    return [*drop, *call("CONV_3D", block, 1, kernels, depth, side, kernel, stride, padding)]


def _transposed(draw: st.DrawFn, shape: _Shape, odd: bool) -> list[Step]:
    n = shape.length
    channels = _divisor(draw, n) if n else 1
    height = _divisor(draw, n // channels) if n else 1
    width = n // channels // height if n else 1
    kernel, stride, padding = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 1 + odd))
    fitting = [k for k, items in BLOCKS.items() if len(items) % (channels * kernel * kernel) == 0]
    block = draw(st.integers(0, 8)) if odd or not fitting else draw(st.sampled_from(fitting))
    kernels = max(1, len(BLOCKS.get(block, ())) // (channels * kernel * kernel))
    sides = [(side - 1) * stride - 2 * padding + kernel for side in (height, width)]
    shape.length = kernels * max(0, sides[0]) * max(0, sides[1])
    return call("CONV_TPD", block, channels, kernels, height, width, kernel, stride, padding)


def _matrices(draw: st.DrawFn, odd: bool) -> tuple[int, list[Step]]:
    """MAT_MUL of matrices that are written to memory before, and how many items it gives."""
    rows, inner, columns = (draw(st.integers(1, 3)) for _ in range(3))
    values = draw(st.lists(NUMBERS, min_size=inner * (rows + columns), max_size=inner * (rows + columns)))
    first = [rows, inner, *values[: rows * inner]]
    second = [inner + odd, columns, *values[rows * inner :]]
    offset = 16000 + draw(st.sampled_from([0, 5]))
    steps: list[Step] = []
    for place, word in enumerate([*first, *second]):
        steps += [word, offset + 32 * place, "MSTORE"]
    return rows * columns, [*steps, *call("MAT_MUL", offset, offset + 32 * len(first))]


def _pooling(draw: st.DrawFn, shape: _Shape, odd: bool) -> list[Step]:
    n = shape.length
    channels = _divisor(draw, n) if n else 1
    height = _divisor(draw, n // channels) if n else 1
    width = n // channels // height if n else 1
    kernel = draw(st.integers(1, min(height, width))) + odd
    stride = draw(st.integers(1, 3))
    sides = [(side - kernel) // stride + 1 for side in (height, width)]
    if height == width and draw(st.booleans()):
        padding = draw(st.integers(0, kernel - 1))
        side = (height + 2 * padding - kernel) // stride + 1
        shape.length = channels * side * side
        return call("POOL_OL", channels, height, kernel, stride, padding)
    shape.length = channels * sides[0] * sides[1]
    return call(draw(st.sampled_from(["POOL_MAX", "POOL_AVG"])), channels, height, width, kernel, stride)


def whole(steps: list[list[Step]]) -> bytes:
    """The program with its memory before, and behind it what shows Buffer and saved Buffers as output."""
    before: list[Step] = ["CALLDATASIZE", 0, 0, "CALLDATACOPY"]
    # the Buffer to 8192, the size to 0; then the same with the saved Buffer below, if there is one
    show: list[Step] = ["BUF_SIZE", 8192, "BTOM", "BUF_SIZE", 0, "MSTORE"]
    after: list[Step] = [*show, "MSIZE", 0, "RETURN"]
    return assemble(*before, *(part for step in steps for part in step), *after)


DATA = b"".join((word % (1 << 256)).to_bytes(32, "big") for word in WORDS).ljust(2048, b"\0") + PACKED


def outcome(world: World, code: bytes, gas: int) -> tuple[object, ...]:
    result = world.run(code, gas, DATA)
    return _facts(result)


def _facts(result: ExecutionResult) -> tuple[object, ...]:
    return result.success, result.output, result.gas_used, result.error, result.refund


@given(steps=programs(), cut=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_programs_do_the_same(by_kernels: World, by_handlers: World, steps: list[list[Step]], cut: float) -> None:
    code = whole(steps)
    expected = outcome(by_kernels, code, 3_000_000)
    assert outcome(by_handlers, code, 3_000_000) == expected
    assert outcome(by_handlers, code, 3_000_000) == expected  # what kernels prepared is there now
    limit = int(cut * int(expected[2]))  # type: ignore[call-overload]
    assert outcome(by_handlers, code, limit) == outcome(by_kernels, code, limit)


#: Each instruction that has a handler, where the handler executes it.
NETWORK: list[list[Step]] = [
    call("MTOB", 0, 8),
    call("BUF_SCL0", 1000),
    call("BUF_SCL1", 255),
    call("MTOB_PACK", 2048, 4, 2),
    call("BUF_FREE", 4),
    call("BUF_COPY", 0, 8),
    call("BUF_SCL1", 10000),
    call("FULL_CON", 1, 8, 1, 1, 6),
    call("BUF_BIAS", 3),
    call("BUF_SCL1", 1000),
    call("ACT_RL", 0),
    ["BUF_SWAP"],
    call("ACT_RL", 6000),
    call("ACT_SM1", 100),
    ["BUF_CAT"],
    call("ACT_TANH", 100),
    call("BUF_COPY", 0, 14),
    ["BUF_ADD"],
    call("BUF_COPY", 0, 14),
    ["BUF_MUL"],
    call("BTOM_PACK", 4096, 14, 4),
    ["BUF_SIZE", "POP"],
    call("BUF_COPY", 0, 2),
    call("BUF_INIT", 3),
    ["BUF_CAT"],
    call("BUF_FREE", 5),
    call("MTOB_PACK", 2048, 72, 1),
    call("CONV_MUL", 9, 4, 5, 6, 3, 3, 1, 1),
    call("BUF_BIAS", 10),
    call("BUF_SCL1", 100),
    call("ACT_RL", 6000),
    call("POOL_MAX", 5, 6, 3, 2, 1),
    call("CONV_MUL", 11, 5, 40, 5, 2, 1, 1, 1),
    call("BUF_SCL1", 10),
    call("CONV_SING", 8, 40, 40, 7, 4, 3, 2, 1),
    call("BUF_COPY", 0, 320),
    ["BUF_ADD"],
    call("POOL_MAX", 40, 4, 2, 2, 1),
    call("BUF_COPY", 3, 19),
    ["BUF_SWAP"],
    call("POOL_OL", 1, 4, 3, 1, 1),
    call("BTOM_PACK", 4096, 16, 4),
    ["BUF_CAT"],
    call("BUF_FREE", 120),
    call("POOL_AVG", 2, 4, 2, 2, 2),
    call("BUF_ALLO", 2),
    call("BUF_CLS", 1),
    [*call("BTOS0", 1, 3), "ADD", "ADD", "POP"],
    call("ACT_SM0", 1000),
    call("BUF_FIL", 77),
    call("BUF_ALLO", 8),
    call("BUF_FREE", 6),
    call("BUF_COPY", 0, 8),
    call("CONV_3D", 12, 1, 6, 2, 2, 2, 1, 1),
    call("BUF_SCL1", 100),
    call("BUF_FREE", 160),
    call("CONV_TPD", 9, 2, 10, 1, 1, 3, 1, 0),
    [*(step for i, word in enumerate([2, 2, 3, -4, 5, 6]) for step in (word, 5120 + 32 * i, "MSTORE"))],
    call("MAT_MUL", 5120, 5120),
]


def warm_up(world: World) -> bytes:
    code = whole(NETWORK)
    for _ in range(60):  # tables of activations are made when they pay
        world.run(code, data=DATA)
    return code


def test_a_network_does_not_leave_compiled_code(by_handlers: World, monkeypatch: pytest.MonkeyPatch) -> None:
    code = warm_up(by_handlers)
    asked: list[int] = []
    for opcode, instruction in by_handlers.machine.plan.instructions.items():
        if instruction.implementation is not None:
            execute = by_handlers.machine.host_instructions[opcode]

            def counted(machine, frame, execute=execute, name=instruction.name):  # type: ignore[no-untyped-def]
                asked.append(name)
                return execute(machine, frame)

            monkeypatch.setitem(by_handlers.machine.host_instructions, opcode, counted)
    assert by_handlers.run(code, data=DATA).success
    assert asked == []


class _Steps:
    """The gas before each instruction."""

    def __init__(self) -> None:
        self.events: list[StepEvent] = []

    def step(self, event: StepEvent) -> None:
        self.events.append(event)

    def enter(self, event: FrameEvent) -> None:
        pass

    def exit(self, event: FrameEndEvent) -> None:
        pass


def test_gas_that_ends_anywhere_ends_the_same(by_kernels: World, by_handlers: World) -> None:
    code = warm_up(by_handlers)
    tracer = _Steps()
    traced = World(BLOCKS, dnn="kernels", tracer=tracer)
    full = 3_000_000
    assert traced.run(code, full, DATA).success
    limits = {full - event.gas + more for event in tracer.events if event.gas < full for more in (-1, 0, 1)}
    assert len(limits) > 150
    for limit in sorted(limits):
        assert outcome(by_handlers, code, limit) == outcome(by_kernels, code, limit), limit


def test_traces_are_the_same() -> None:
    events = []
    for dnn in ("kernels", "handlers"):
        tracer = _Steps()
        world = World(BLOCKS, dnn=dnn, tracer=tracer)
        warm_up(world)
        tracer.events.clear()
        world.run(whole(NETWORK), data=DATA)
        events.append(tracer.events)
    assert events[0] == events[1]


def test_an_observer_sees_each_instruction(by_kernels: World, by_handlers: World) -> None:
    code = warm_up(by_handlers)
    seen: list[list[tuple[str, tuple[int, ...], int]]] = []
    for world in (by_kernels, by_handlers):
        events: list[KernelEvent] = []
        world.machine.observer = events.append
        world.run(code, data=DATA)
        world.machine.observer = None
        seen.append([(event.name, event.operands, event.gas) for event in events])
    assert seen[0] == seen[1]
    assert len(seen[0]) > len(NETWORK)


def test_a_block_that_changes_is_read_anew(by_handlers: World, by_kernels: World) -> None:
    """Stored by another instruction, taken back by a revert, changed between transactions."""
    add = call("BUF_BIAS", 5)
    code = assemble(
        *call("BUF_INIT", 1), *add, *call("BTOS1", 5, 1), *add, *add, *["BUF_SIZE", 0, "BTOM", 32, 0, "RETURN"]
    )
    for _ in range(3):
        assert outcome(by_handlers, code, 1_000_000) == outcome(by_kernels, code, 1_000_000)
    for world in (by_handlers, by_kernels):
        before = world.state.block(ACCOUNT, 5)
        world.state.set_block(ACCOUNT, 5, b"\x01\x09")
        assert world.run(code).output[-1] == 27
        world.state.set_block(ACCOUNT, 5, None)
        assert world.run(code).error is not None
        world.state.set_block(ACCOUNT, 5, before)


def test_blocks_that_handlers_use_stay_in_the_cache() -> None:
    """The block that goes is the one used least recently, by handlers or kernels."""
    often, once, others = 1, 2, range(3, 8)
    blocks = {number: [300 + number] * 2000 for number in (often, once, *others)}
    world = World(blocks, dnn="handlers", block_cache_bytes=5 * 2 * 4001)

    def add(number: int) -> bytes:
        return assemble(*call("BUF_INIT", 2000), *call("BUF_BIAS", number), "STOP")

    def is_kept(number: int) -> bool:
        entry = world.state.block_entry(ACCOUNT, number)
        assert entry is not None
        return entry in world.machine.blocks

    for number in (often, once):
        for _ in range(3):
            assert world.run(add(number)).success
    for number in others:
        assert world.run(add(often)).success  # by its handler: a kernel would ask the cache
        assert world.run(add(number)).success
        assert is_kept(often)
    assert not is_kept(once)


@pytest.mark.parametrize("value", [100, 1 << 28, 1 << 40, 1 << 61, (1 << 62) + 1, 1 << 100])
def test_large_buffers_go_to_and_fro_between_handlers_and_kernels(
    by_kernels: World, by_handlers: World, value: int
) -> None:
    count = 40_000
    to_kernels = call("MTOB_PACK", 2048, 1, 7)  # of a width that no handler reads
    code = assemble(
        *call("MSTORE", 4096, 0),
        *call("BUF_INIT", count),
        *call("BUF_FIL", value),
        *to_kernels,
        *call("BUF_ALLO", 3),
        *call("BTOS1", 77, 5),
        *call("MTOB", 0, 2),
        *call("BUF_CLS", 2),
        *call("BTOS1", 78, 0),
        *to_kernels,
        *call("BUF_FREE", 3),
        *call("BUF_COPY", 1, 30_000),
        *call("BTOS1", 79, 4),
        "BUF_SWAP",
        *to_kernels,
        *call("MTOB", 32, 3),
        *call("BTOS1", 80, 30_003),
        "BUF_CAT",
        *call("ACT_RL", 0),
        *call("BUF_BIAS", 5),
        *call("BTOS0", 69_990, 16),
        *[step for place in range(16) for step in (32 * place, "MSTORE")],
        *call("BTOM", 512, 12),
        *call("RETURN", 0, 1024),
    )
    expected, found = by_kernels.run(code, 10**10), by_handlers.run(code, 10**10)
    assert expected.success, expected.error
    assert (found.output, found.gas_used) == (expected.output, expected.gas_used)


@pytest.mark.parametrize("most", [63, 127])
def test_items_of_8_bits_give_the_same_whichever_route_their_convolution_was_prepared_for(most: int) -> None:
    """Weights of one byte and a shape that is worth the 8-bit route; items cross its boundary from call to call."""
    channels, side = 40, 12
    weights = [((37 * i) % (2 * most + 1)) - most for i in range(channels * channels * 9)]
    bias = [((29 * i) % 2001) - 1000 for i in range(channels)]
    count = channels * side * side
    code = assemble(
        *[2 * count, 0, 0, "CALLDATACOPY"],
        *call("MTOB_PACK", 0, count, 2),
        *call("CONV_MUL", 1, channels, channels, side, side, 3, 1, 1),
        *call("BUF_BIAS", 2),
        *call("BUF_SCL1", 777),
        *call("CONV_MUL", 1, channels, channels, side, side, 3, 1, 1),
        *call("BTOM", 0, count),
        *[32 * count, 0, "RETURN"],
    )
    worlds = [World({1: weights, 2: bias}, dnn=dnn) for dnn in ("kernels", "handlers")]  # type: ignore[arg-type]
    for low, high in ((0, 127), (-127, 127), (0, 255), (-30_000, 30_000), (-128, 127), (0, 127), (0, 1)):
        items = [low, high, *(low + (53 * i) % (high - low + 1) for i in range(count - 2))]
        data = b"".join(item.to_bytes(2, "big", signed=True) for item in items)
        for _ in range(2):
            first, second = (world.run(code, gas=10**9, data=data) for world in worlds)
            assert first.success
            assert (first.output, first.gas_used) == (second.output, second.gas_used)
