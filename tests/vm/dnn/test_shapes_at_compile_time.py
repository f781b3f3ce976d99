"""What the compiler says about shapes is what the instructions do."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceText
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.buffers.flow import YulFlow
from smartvm.compiler.yul.dialect import dialect_for
from smartvm.compiler.yul.parser import parse_yul
from smartvm.instructions.loader import load_table

TABLE = load_table()
DIALECT = dialect_for(TABLE, "osaka")

#: Instructions that need no weights: the compiler knows as much of them as the machine.
WEIGHTLESS = (
    "mtob", "mtob_pack", "btom", "btom_pack", "buf_cls", "buf_init", "buf_allo", "buf_free", "buf_copy", "buf_swap",
    "buf_cat", "buf_add", "buf_mul", "buf_fil", "buf_scl0", "buf_scl1", "pool_max", "pool_avg", "pool_ol", "act_rl",
    "act_sm0", "act_sm1", "act_tanh",
)  # fmt: skip
WITH_WEIGHTS = ("conv_mul", "conv_sing", "conv_3d", "conv_tpd", "full_con")

small = st.integers(0, 5)
operand = st.one_of(small, small, small, st.sampled_from([8, 12, 16, 24, 2**32, 2**256 - 1]))


@st.composite
def instruction(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    name = draw(st.sampled_from(names))
    builtin = DIALECT.find(name)
    assert builtin is not None
    memory = "memory" in builtin.effects.reads | builtin.effects.writes
    return name, tuple(0 if memory and p == "offset" else draw(operand) for p in builtin.parameters)


def misfits(program: list[tuple[str, tuple[int, ...]]]) -> set[int]:
    """The places of the instructions that are reported before anything else halts."""
    text = "{\n" + "\n".join(f"{name}({', '.join(map(str, values))})" for name, values in program) + "\n}"
    block = parse_yul(SourceText("a.yul", text, 0), DiagnosticSink()).code
    places = [
        statement.source.start for statement in block.statements if isinstance(statement, yul.ExpressionStatement)
    ]
    found: set[int] = set()
    flow = YulFlow(DIALECT, lambda misfit, chain: found.add(places.index(chain[0].start)), 64)
    from smartvm.compiler.yul.buffers.state import EMPTY

    flow.run(block, EMPTY)
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(instruction(WEIGHTLESS), min_size=1, max_size=12))
def test_first_halt_is_the_first_misfit(new_frame, halted, program):
    frame = new_frame()
    stopped = None
    for place, (name, values) in enumerate(program):
        try:
            frame.run(name.upper(), *values)
        except halted:
            stopped = place
            break
    found = misfits(program)
    assert (min(found) if found else None) == stopped


@settings(max_examples=150, deadline=None)
@given(
    st.lists(instruction(WEIGHTLESS), max_size=3),
    instruction(WITH_WEIGHTS),
    st.lists(instruction(WEIGHTLESS), max_size=4),
)
def test_layer_halts_where_a_misfit_is_reported(new_frame, halted, before, layer, after):
    program = [*before, layer, *after]
    found = misfits(program)
    frame = new_frame()
    frame.blocks.load = lambda block_id: None
    stopped, reason = None, ""
    for place, (name, values) in enumerate(program):
        try:
            frame.run(name.upper(), *values)
        except halted as halt:
            stopped, reason = place, str(halt)
            break
    if "weight block" in reason:  # the shapes were right, the block is missing
        assert not found or min(found) > stopped
    else:
        assert (min(found) if found else None) == stopped


@settings(max_examples=40, deadline=None)
@given(channels=st.integers(1, 3), outputs=st.integers(1, 3), side=st.integers(1, 6), kernel=st.integers(1, 3),
       stride=st.integers(1, 3), padding=st.integers(0, 2))  # fmt: skip
def test_output_shape_of_a_convolution_is_the_machines(new_frame, channels, outputs, side, kernel, stride, padding):
    sizes = (channels, outputs, side, side, kernel, stride, padding)
    for name, weights in (("conv_mul", outputs * channels * kernel**2), ("conv_tpd", channels * outputs * kernel**2)):
        start = [("buf_init", (channels * side * side,)), (name, (1, *sizes))]
        if misfits(start):
            continue
        frame = new_frame()
        frame.put_block(1, [1] * weights)
        for instruction_name, values in start:
            frame.run(instruction_name.upper(), *values)
        length = len(frame.items())
        assert misfits([*start, ("btom", (0, length))]) == set()
        assert misfits([*start, ("btom", (0, length + 1))]) == {2}
