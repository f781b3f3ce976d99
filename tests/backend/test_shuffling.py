"""Any stack can be brought into any layout made of its values."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.compiler.backend.items import InstructionSet
from smartvm.compiler.backend.shuffling import NOTHING, StackCursor
from smartvm.instructions.loader import load_table


class Recorder:
    """A stack that carries out what is emitted, beside the simulated one."""

    def __init__(self, stack):
        self.instructions = InstructionSet(load_table("evm"), "osaka")
        self.stack = list(stack)
        self.real = list(stack)
        self.emitted = 0

    def op(self, instruction):
        self.emitted += 1
        name = instruction.name
        if name == "POP":
            self.real.pop()
        elif name.startswith("SWAP"):
            depth = int(name[4:])
            self.real[-1], self.real[-1 - depth] = self.real[-1 - depth], self.real[-1]
        else:
            self.real.append(self.real[-int(name[3:])])

    def emit_number(self, number):
        self.real.append(NOTHING)

    def push_leaf(self, value):
        self.emitted += 1
        self.stack.append(value)
        self.real.append(value)

    def fail_here(self, values):
        raise AssertionError("out of reach")


@settings(max_examples=500, deadline=None)
@given(
    stack=st.lists(st.integers(-1, 7), max_size=9),
    target=st.lists(st.integers(-1, 9), max_size=9),
)
def test_arranged_stack_equals_the_layout(stack, target):
    recorder = Recorder(stack)
    StackCursor(recorder).arrange(target)
    assert len(recorder.real) == len(target)
    for have, want in zip(recorder.real, target, strict=True):
        assert want in (NOTHING, have)
    assert recorder.emitted <= 4 * (len(stack) + len(target)) + 4


def test_a_result_above_the_return_address_takes_one_swap():
    recorder = Recorder([1, 2])
    StackCursor(recorder).arrange([2, 1])
    assert recorder.emitted == 1
