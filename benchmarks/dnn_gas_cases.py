"""What ``dnn_gas.py`` measures: programs that make the most work out of the least gas.

A program is steps: mnemonics, and integers that are pushed. ``COUNTER`` as an operand is the loop's counter, which
counts down to 1 and lies below whatever a step has pushed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from smartvm.vm.dnn import WeightBlock

Step = str | int
Program = tuple[Step, ...]

#: An operand: the loop's counter.
COUNTER = "counter"


@dataclass(frozen=True)
class Case:
    """``step`` is measured: loops of ``before + step + after`` and of ``before + after`` are compared, after ``first``,
    which runs once. ``cold``: each of the blocks is used in one round, read from a state on disk, and not kept."""

    name: str
    what: str
    step: Program
    before: Program = ()
    after: Program = ()
    first: Program = ()
    blocks: Mapping[int, WeightBlock] = field(default_factory=dict)
    cold: bool = False

    @property
    def counted(self) -> bool:
        """Whether the step uses ``COUNTER``."""
        return any(isinstance(step, str) and step.startswith("DUP") for step in self.step)


def call(name: str, *operands: int | str) -> Program:
    """The instruction with its operands pushed, the first on top."""
    pushed: list[Step] = []
    for operand in reversed(operands):
        pushed.append(f"DUP{len(pushed) + 1}" if operand == COUNTER else operand)
    return (*pushed, name)


def ones(count: int, value: int = 1) -> WeightBlock:
    """A block of equal items."""
    return WeightBlock.of_integers([value] * count)


def filled(count: int, value: int) -> Program:
    """A Buffer of ``count`` items of ``value``."""
    return (*call("BUF_INIT", count), *call("BUF_FIL", value))


#: Looks at the result, so that no work is put off for good.
LOOK: Program = (*call("BTOS0", 0, 1), "POP")

#: Deletes a block that is not there: the least that is paid for an instruction on which the state is asked.
DELETE: Program = call("BTOS1", 9, 0)

#: A value for each tier of proven width (int16 products, float64, int64, 128 and 256 bits), and a weight beside it.
VALUES = {"int16": 100, "float64": 1 << 20, "int64": 1 << 28, "128 bits": 1 << 70, "wide": 1 << 250}
WEIGHTS = {"int16": 100, "float64": 1 << 20, "int64": 1 << 27, "128 bits": 1 << 40, "wide": 1 << 200}


def convolutions(width: str) -> Iterator[Case]:
    """All four kinds."""
    value, weight = VALUES[width], WEIGHTS[width]
    big = 32 if width in ("128 bits", "wide") else 64
    for c, o, side, k, s, p in (
        (1, 1, big, 1, 1, 0),
        (1, 1, big, 3, 1, 1),
        (1, 1, big, 1, 2, 0),
        (1, 64, 14, 3, 1, 1),
        (16, 1, 16, 5, 1, 2),
        (64, 64, 1, 3, 1, 1),
        (16, 16, big // 2, 3, 1, 1),
        (1, 1, 2, 2, 1, 30),
        (1, 1, 1, 1, 1, 0),
    ):
        what = f"{width} C={c} O={o} {side}x{side} k={k} s={s} p={p}"
        blocks = {1: ones(o * c * k * k, weight), 2: ones(c * k * k, weight)}
        layer = filled(c * side * side, value)
        shape = (side, side, k, s, p)
        yield Case("CONV_MUL", what, call("CONV_MUL", 1, c, o, *shape), layer, LOOK, blocks=blocks)
        yield Case("CONV_SING", what, call("CONV_SING", 2, c, c, *shape), layer, LOOK, blocks=blocks)
        if (side - 1) * s - 2 * p + k >= 1:
            yield Case("CONV_TPD", what, call("CONV_TPD", 1, c, o, *shape), layer, LOOK, blocks=blocks)
    for c, o, side, k in ((1, 1, 8, 3), (4, 4, 6, 2), (1, 1, 12, 1), (1, 1, 1, 1)):
        what = f"{width} C={c} O={o} {side}^3 k={k}"
        layer = filled(c * side**3, value)
        step = call("CONV_3D", 1, c, o, side, side, k, 1, 0)
        yield Case("CONV_3D", what, step, layer, LOOK, blocks={1: ones(o * c * k**3, weight)})


def products(width: str) -> Iterator[Case]:
    """FULL_CON and MAT_MUL."""
    value, weight = VALUES[width], WEIGHTS[width]
    for n, o in ((1, 1), (1, 2048), (2048, 1), (256, 256), (1024, 1024)):
        if width in ("128 bits", "wide") and n * o > 1 << 17:
            continue
        step = call("FULL_CON", 1, n, 1, 1, o)
        yield Case("FULL_CON", f"{width} {n} -> {o}", step, filled(n, value), LOOK, blocks={1: ones(n * o, weight)})
    for rows, inner, columns in ((1, 1, 1), (64, 1, 64), (1, 512, 1), (32, 32, 32), (1, 64, 64)):
        second = 32 * (2 + rows * inner)
        first = (
            *filled(max(rows * inner, inner * columns), value),
            *call("BTOM", 64, rows * inner),
            *call("BTOM", second + 64, inner * columns),
        )
        for at, number in ((0, rows), (32, inner), (second, inner), (second + 32, columns)):
            first += call("MSTORE", at, number)
        yield Case("MAT_MUL", f"{width} {rows}x{inner}x{columns}", call("MAT_MUL", 0, second), after=LOOK, first=first)


def poolings(width: str) -> Iterator[Case]:
    """All three kinds."""
    value = VALUES[width]
    for c, side, k, s in ((1, 64, 1, 1), (1, 64, 2, 2), (1, 64, 3, 1), (64, 8, 8, 8), (1, 1, 1, 1), (1, 64, 1, 64)):
        what = f"{width} C={c} {side}x{side} k={k} s={s}"
        layer = filled(c * side * side, value)
        yield Case("POOL_MAX", what, call("POOL_MAX", c, side, side, k, s), layer, LOOK)
        yield Case("POOL_AVG", what, call("POOL_AVG", c, side, side, k, s), layer, LOOK)
        yield Case("POOL_OL", what, call("POOL_OL", c, side, k, s, k - 1), layer, LOOK)


def itemwise(width: str) -> Iterator[Case]:
    """What acts on each item, and what moves items."""
    value, weight = VALUES[width], WEIGHTS[width]
    for n in (1, 4096):
        layer, what = filled(n, value), f"{width} {n} items"
        yield Case("ACT_RL", what, call("ACT_RL", 1), layer, LOOK)
        yield Case("BUF_SCL0", what, call("BUF_SCL0", 3), layer, LOOK)
        yield Case("BUF_SCL1", what, call("BUF_SCL1", 3), layer, LOOK)
        yield Case("BUF_BIAS", what, call("BUF_BIAS", 1), layer, LOOK, blocks={1: ones(n, weight)})
        for name in ("BUF_ADD", "BUF_MUL", "BUF_CAT"):
            yield Case(f"BUF_COPY, {name}", what, (*call("BUF_COPY", 0, n), name), layer, LOOK)
        yield Case("BUF_FIL", what, call("BUF_FIL", value), call("BUF_INIT", n), LOOK)
        yield Case("BUF_CLS", what, call("BUF_CLS", n), layer, LOOK)
        yield Case("BUF_ALLO", what, call("BUF_ALLO", n), layer, LOOK)
        yield Case("BUF_FREE", what, call("BUF_FREE", n), layer)
        stored = (*layer, *call("BTOM", 0, n))
        yield Case("BTOM", what, call("BTOM", 0, n), first=stored)
        yield Case("MTOB", what, call("MTOB", 0, n), call("BUF_INIT", 1), LOOK, first=stored)
        for size in (1, 7, 32):
            if value < 1 << (8 * size - 1):
                packed = (*layer, *call("BTOM_PACK", 0, n, size))
                label = f"{what} of {size} bytes"
                yield Case("BTOM_PACK", label, call("BTOM_PACK", 0, n, size), first=packed)
                step = call("MTOB_PACK", 0, n, size)
                yield Case("MTOB_PACK", label, step, call("BUF_INIT", 1), LOOK, first=packed)
        yield Case("BTOS1", what, call("BTOS1", COUNTER, n), layer)
    pops = ("POP",) * 500
    yield Case("BTOS0", f"{width} 500 items", (*call("BTOS0", 0, 500), *pops), first=filled(500, value))
    yield Case("BTOS0", f"{width} 1 item", LOOK, first=filled(1, value))


def on_large_buffers() -> Iterator[Case]:
    """Instructions whose price does not depend on the Buffer's length, on a Buffer of a million items, by themselves
    and with one that another part of the VM may execute, so that the Buffer goes back and forth."""
    count = 1 << 20
    packed = (*call("BUF_INIT", 1), *call("BTOM_PACK", 0, 1, 7))
    for width, value in {"16 bits": 100, "32 bits": 1 << 28, "64 bits": 1 << 40, "256 bits": 1 << 250}.items():
        first = (*packed, *filled(count, value))
        what = f"{width}, a Buffer of {count:,} items"
        steps: dict[str, Program] = {
            "BUF_SIZE": ("BUF_SIZE", "POP"),
            "BTOS0": LOOK,
            "BTOM": call("BTOM", 64, 1),
            "BUF_CLS": call("BUF_CLS", 1),
            "BUF_ALLO, BUF_FREE": (*call("BUF_ALLO", 1), *call("BUF_FREE", 1)),
            "MTOB, BUF_FREE": (*call("MTOB", 0, 1), *call("BUF_FREE", 1)),
            "MTOB_PACK, BUF_FREE": (*call("MTOB_PACK", 0, 1, 7), *call("BUF_FREE", 1)),
        }
        for name, step in steps.items():
            yield Case(name, what, step, first=first)
            yield Case(name, f"{what}, then BTOS1", (*step, *DELETE), first=first)
        # the saved Buffer on top is one item; the million go to and fro
        saved = (*call("BUF_INIT", 1), *call("BUF_COPY", 0, 1), *first)
        yield Case("BUF_SWAP", what, ("BUF_SWAP", "BUF_SWAP"), first=saved)
        yield Case("BUF_SWAP", f"{what}, then BTOS1", ("BUF_SWAP", "BUF_SWAP", *DELETE), first=saved)
    full = (*filled(1, 1), *call("BUF_COPY", 0, 1) * 64)
    yield Case("BTOS1", "no block, 64 saved Buffers, then BUF_SIZE", (*DELETE, "BUF_SIZE", "POP"), first=full)
    odd = (*packed, *full)
    step = (*call("MTOB_PACK", 0, 1, 7), *call("BUF_FREE", 1))
    yield Case("MTOB_PACK, BUF_FREE", "64 saved Buffers", step, first=odd)


def alternating() -> Iterator[Case]:
    """Pairs of small instructions on Buffers of some thousand items, of which the VM may execute one and not the
    other."""
    for width in ("int16", "int64", "wide"):
        for n in (1, 4096):
            first = filled(n, VALUES[width])
            what = f"{width} {n} items"
            for name, step in {
                "ACT_RL, BTOS0": (*call("ACT_RL", 0), *LOOK),
                "BUF_SCL1, BTOS0": (*call("BUF_SCL1", 1), *LOOK),
                "BUF_FIL, ACT_RL": (*call("BUF_FIL", VALUES[width]), *call("ACT_RL", 0)),
                "BUF_CLS, BUF_SIZE": (*call("BUF_CLS", 1), "BUF_SIZE", "POP"),
                "ACT_SM0, ACT_RL": (*call("ACT_SM0", 1000), *call("ACT_RL", 0)),
                "POOL_AVG, ACT_RL": (*call("POOL_AVG", 1, n, 1, 1, 1), *call("ACT_RL", 0)),
            }.items():
                yield Case(name, what, step, first=first)


#: Items that float64 cannot decide at a scale, found by search over the scales near 2^16: sigmoid's, and tanh's.
UNDECIDED = {"ACT_SM1": (65271, 768856), "ACT_TANH": (65033, 5559)}


def activations() -> Iterator[Case]:
    """Softmax, sigmoid, tanh: distinct items, so that nothing is computed once for many; items that need more
    precision."""
    names = ("ACT_SM0", "ACT_SM1", "ACT_TANH")
    for scale in (1, 1000, (1 << 16) - 1, 1 << 16, 1 << 40, 1 << 254):
        for n in (1, 512):
            stored: Program = ()
            for i in range(n):
                stored += call("MSTORE", 32 * i, (i * 977 - 200_000) * scale // 100_000)
            before = (*call("BUF_INIT", 0), *call("MTOB", 0, n))
            for name in names:
                what = f"v={scale if scale < 1 << 17 else f'2^{scale.bit_length() - 1}'} {n} distinct items"
                yield Case(name, what, call(name, scale), before, LOOK, first=stored)
    for name, (scale, item) in UNDECIDED.items():
        step = call(name, scale)
        yield Case(name, f"v={scale} 4096 times an undecided item", step, filled(4096, item), LOOK)
    # two items are a sigmoid; the others are so far below that they change nothing, but not so far as to be left out
    scale, item = UNDECIDED["ACT_SM1"]
    for n in (2, 4096):
        before = (*filled(n - 1, -100 * scale), *call("MSTORE", 0, -item), *call("MTOB", 0, 1))
        yield Case(
            "ACT_SM0", f"v={scale} undecided, {n} items", call("ACT_SM0", scale), (*before, *call("BUF_ALLO", 1)), LOOK
        )
    # x^3 = 3 v^2 / 2: tanh(x / v) is half an integer but for a part in 2^340
    m = 1 << 82
    step = call("ACT_TANH", 12 * m**3)
    yield Case("ACT_TANH", "v=12 m^3, x=6 m^2, m=2^82: near a tie", step, filled(1, 6 * m * m), LOOK)


def cold_blocks() -> Iterator[Case]:
    """Blocks that are first touched, or decoded anew for each use."""
    for items, value in ((1, 1), (1 << 10, 1 << 200), (1 << 15, 300), (1 << 21, 300)):
        blocks = dict.fromkeys(range(1, 9 if items > 1 << 20 else 49), ones(items, value))
        what = f"a block of {items:,} items of {blocks[1].encoded[0]} bytes"
        step = call("BUF_BIAS", COUNTER)
        yield Case("BUF_BIAS", what, step, call("BUF_INIT", items), LOOK, blocks=blocks, cold=True)
        step = call("FULL_CON", COUNTER, items, 1, 1, 1)
        yield Case("FULL_CON", what, step, call("BUF_INIT", items), LOOK, blocks=blocks, cold=True)


def cases() -> Iterator[Case]:
    """All of them."""
    yield Case("BUF_SIZE", "", ("BUF_SIZE", "POP"))
    yield Case("BUF_SWAP", "", ("BUF_SWAP",), first=(*call("BUF_INIT", 1), *call("BUF_COPY", 0, 1)))
    for n in (1, 4096):
        yield Case("BUF_INIT", f"{n} items", call("BUF_INIT", n))
    for width in VALUES:
        yield from convolutions(width)
        yield from products(width)
        yield from poolings(width)
        yield from itemwise(width)
    yield from activations()
    yield from alternating()
    yield from on_large_buffers()
    yield from cold_blocks()
