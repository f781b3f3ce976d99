"""What operations and functions touch, as bit masks: the passes' and the tree builder's view of effect
facts."""

from __future__ import annotations

from typing import NamedTuple

from smartvm.compiler.backend.accesses import FREE_POINTER, RANGE_WRITERS, WORD_ACCESSES, WORD_BYTES
from smartvm.compiler.backend.control_flow import predecessors
from smartvm.compiler.backend.ssa import RETURN, STOP, Block, Function, Operation, Program
from smartvm.instructions.model import Effects

#: A bit for each area of ``instructions.model.Area``, and one for control: what may end the execution writes
#: it, what writes anything else reads it, so that neither passes the other.
AREAS = (
    "memory",
    "memory_size",
    "storage",
    "transient",
    "blocks",
    "buffer",
    "returndata",
    "logs",
    "state",
    "gas",
)
BITS = {area: 1 << i for i, area in enumerate(AREAS)}
CONTROL = 1 << len(AREAS)
#: Written by what may end the execution and keep its changes (STOP, RETURN), which a revert does not.
KEEPING_END = 1 << (len(AREAS) + 1)
#: What an operation writes that does nothing but perhaps not return.
ENDING = CONTROL | KEEPING_END
#: Written by what may change the free memory pointer (in code that keeps to Solidity's memory model); every
#: write to memory but those of which the address shows that they do not.
POINTER = 1 << (len(AREAS) + 2)
EVERYTHING = (1 << (len(AREAS) + 3)) - 1
_GAS = BITS["gas"]


class Mask(NamedTuple):
    """Areas read and written."""

    reads: int
    writes: int

    def conflicts(self, other: Mask) -> bool:
        """Whether the two may not change places."""
        return bool(self.writes & (other.reads | other.writes) or self.reads & other.writes)


PURE = Mask(0, 0)


def effects_mask(effects: Effects) -> Mask:
    """The mask of an instruction's effects."""
    if effects.pure:
        return PURE
    reads = writes = 0
    for area in effects.reads:
        reads |= BITS.get(area, EVERYTHING)
    for area in effects.writes:
        writes |= BITS.get(area, EVERYTHING)
    if effects.terminates:
        return Mask(EVERYTHING, EVERYTHING)
    if writes & BITS["memory"]:
        writes |= POINTER
    if writes:
        reads |= CONTROL
    if reads & _GAS and not writes:
        # What reads the remaining gas stays where it stands.
        return Mask(reads | CONTROL, _GAS)
    return Mask(reads, writes)


class EffectFacts:
    """Masks of operations; those of functions are computed for a whole program."""

    def __init__(self, program: Program) -> None:
        self.of_builtin: dict[str, Mask] = {}
        self.of_function: dict[int, Mask] = {}
        #: Where MSIZE is used, touching memory is an effect.
        self._memory_size_matters = any(
            "memory_size" in operation.builtin.effects.reads
            for function in program.functions
            for block in function.blocks
            for operation in block.operations
            if operation.builtin is not None
        )
        self._summarize(program)

    def mask(self, operation: Operation) -> Mask:
        """What an operation touches."""
        builtin = operation.builtin
        if builtin is not None:
            mask = self.of_builtin.get(builtin.name)
            if mask is None:
                mask = effects_mask(builtin.effects)
                if self._memory_size_matters and (mask.reads | mask.writes) & BITS["memory"]:
                    mask = Mask(mask.reads | CONTROL, mask.writes | BITS["memory_size"])
                self.of_builtin[builtin.name] = mask
            return mask
        assert operation.callee is not None
        return self.of_function.get(operation.callee.number, Mask(EVERYTHING, EVERYTHING))

    def _summarize(self, program: Program) -> None:
        """The least fixed point over the calls; a function with a loop or recursion may never end."""
        functions = program.functions
        self.of_function = {f.number: PURE for f in functions}
        base: dict[int, Mask] = {}
        callees: dict[int, list[int]] = {}
        for function in functions:
            reads = writes = moved = 0
            called: dict[int, None] = {}
            # What a block does that no return follows is not seen by the caller, only that it ends there.
            returning = _returning_blocks(function)
            for block in function.blocks:
                if block.number not in returning:
                    writes |= CONTROL
                    if block.kind == STOP and not _reverts(block):
                        writes |= KEEPING_END
                    continue
                for operation in block.operations:
                    if operation.callee is not None:
                        called[operation.callee.number] = None
                    else:
                        mask = self.mask(operation)
                        reads |= mask.reads
                        writes |= mask.writes
                        if mask.writes & POINTER and not may_move_pointer(operation, function):
                            writes &= ~POINTER
                        elif mask.writes & POINTER:
                            moved = POINTER
            if _has_cycle(function):
                writes |= CONTROL
            base[function.number] = Mask(reads, writes | moved)
            callees[function.number] = list(called)
        callers: dict[int, list[int]] = {f.number: [] for f in functions}
        for number, called_numbers in callees.items():
            for callee in called_numbers:
                callers[callee].append(number)
        for group in recursive_groups(program):
            for number in group:
                mask = base[number]
                base[number] = Mask(mask.reads, mask.writes | CONTROL)
        work = [f.number for f in functions]
        waiting = set(work)
        while work:
            number = work.pop()
            waiting.discard(number)
            reads, writes = base[number]
            for callee in callees[number]:
                mask = self.of_function[callee]
                reads |= mask.reads
                writes |= mask.writes
            if writes & ~ENDING:
                reads |= CONTROL
            new = Mask(reads, writes)
            if new != self.of_function[number]:
                self.of_function[number] = new
                for caller in callers[number]:
                    if caller not in waiting:
                        waiting.add(caller)
                        work.append(caller)


def may_move_pointer(operation: Operation, function: Function) -> bool:
    """Whether a write to memory may change the free memory pointer, in code that keeps to Solidity's memory
    model."""
    assert operation.builtin is not None
    instruction = operation.builtin.instruction
    name = instruction.name if instruction is not None else ""
    if name in WORD_ACCESSES:
        start, size = operation.inputs[0], WORD_BYTES
    elif name in RANGE_WRITERS:
        position, length = RANGE_WRITERS[name]
        start = operation.inputs[position]
        known = 1 if length < 0 else function.constants.get(operation.inputs[length])
        size = known if type(known) is int else 1 << 64
    else:
        return True
    address = function.constants.get(start)
    if address is None:
        return False
    return not (
        type(address) is int and (address + size <= FREE_POINTER or address >= FREE_POINTER + WORD_BYTES)
    )


def _reverts(block: Block) -> bool:
    """Whether a block that ends the execution undoes its changes."""
    builtin = block.operations[-1].builtin if block.operations else None
    return builtin is not None and builtin.effects.reverts


def _returning_blocks(function: Function) -> set[int]:
    """Numbers of the blocks after which the function may return."""
    before = predecessors(function.blocks)
    work = [block for block in function.blocks if block.kind == RETURN]
    found = {block.number for block in work}
    while work:
        for source in before[work.pop().number]:
            if source.number not in found:
                found.add(source.number)
                work.append(source)
    return found


def _has_cycle(function: Function) -> bool:
    position = {block.number: i for i, block in enumerate(function.blocks)}
    return any(position[t.number] <= position[b.number] for b in function.blocks for t in b.targets)


def call_order(program: Program) -> list[list[Function]]:
    """The strongly connected components of the calls, callees before callers (Tarjan's algorithm,
    iterative)."""
    functions = program.functions
    callees: dict[int, list[Function]] = {}
    for function in functions:
        found: dict[int, Function] = {}
        for block in function.blocks:
            for operation in block.operations:
                if operation.callee is not None:
                    found[operation.callee.number] = operation.callee
        callees[function.number] = list(found.values())
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[Function] = []
    components: list[list[Function]] = []
    for root in functions:
        if root.number in index:
            continue
        work: list[tuple[Function, int]] = [(root, 0)]
        while work:
            function, position = work.pop()
            number = function.number
            if position == 0:
                index[number] = low[number] = len(index)
                stack.append(function)
                on_stack.add(number)
            else:
                low[number] = min(low[number], low[callees[number][position - 1].number])
            targets = callees[number]
            while position < len(targets):
                target = targets[position].number
                position += 1
                if target not in index:
                    work.append((function, position))
                    work.append((targets[position - 1], 0))
                    break
                if target in on_stack:
                    low[number] = min(low[number], index[target])
            else:
                if low[number] == index[number]:
                    component: list[Function] = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member.number)
                        component.append(member)
                        if member.number == number:
                            break
                    component.reverse()
                    components.append(component)
    return components


def recursive_groups(program: Program) -> list[list[int]]:
    """The numbers of functions that may call themselves, directly or through each other, by group."""
    groups: list[list[int]] = []
    for component in call_order(program):
        if len(component) > 1:
            groups.append([f.number for f in component])
        else:
            function = component[0]
            if any(o.callee is function for b in function.blocks for o in b.operations):
                groups.append([function.number])
    return groups


def settle_returns(program: Program) -> None:
    """Find the functions that never return, and end every block after a call of one."""
    functions = [function for component in call_order(program) for function in component]
    can_return = {f.number: False for f in functions}
    changed = True
    while changed:
        changed = False
        for function in functions:
            if (
                not can_return[function.number]
                and not function.is_main
                and _reaches_return(function, can_return)
            ):
                can_return[function.number] = changed = True
    for function in functions:
        function.can_return = can_return[function.number]
        for block in function.blocks:
            for i, operation in enumerate(block.operations):
                if operation.callee is not None and not can_return[operation.callee.number]:
                    del block.operations[i + 1 :]
                    # The results of a call that never returns are used by nothing that is ever reached.
                    operation.outputs = []
                    block.stop()
                    break


def _reaches_return(function: Function, can_return: dict[int, bool]) -> bool:
    entered = {function.blocks[0].number}
    work = [function.blocks[0]]
    while work:
        block = work.pop()
        if any(o.callee is not None and not can_return[o.callee.number] for o in block.operations):
            continue
        if block.kind == RETURN:
            return True
        for target in block.targets:
            if target.number not in entered:
                entered.add(target.number)
                work.append(target)
    return False


__all__ = [
    "CONTROL",
    "ENDING",
    "EVERYTHING",
    "KEEPING_END",
    "POINTER",
    "EffectFacts",
    "Mask",
    "call_order",
    "effects_mask",
    "may_move_pointer",
    "recursive_groups",
    "settle_returns",
]
