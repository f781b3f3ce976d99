"""Facts about a function's graph: order, predecessors, dominators, loops; and the removal of what is not
reached."""

from __future__ import annotations

from smartvm.compiler.backend.ssa import BRANCH, JUMP, Block, Function


def reverse_postorder(function: Function) -> list[Block]:
    """The blocks that control reaches, each after all its predecessors but those of back edges."""
    order: list[Block] = []
    entered = {function.blocks[0].number}
    stack: list[tuple[Block, int]] = [(function.blocks[0], 0)]
    while stack:
        block, position = stack.pop()
        targets = block.targets
        # The last target first: in the reversed order the nonzero target of a branch comes before the zero
        # one.
        while position < len(targets):
            target = targets[len(targets) - 1 - position]
            position += 1
            if target.number not in entered:
                entered.add(target.number)
                stack.append((block, position))
                stack.append((target, 0))
                break
        else:
            order.append(block)
    order.reverse()
    return order


def predecessors(blocks: list[Block]) -> dict[int, list[Block]]:
    """Block number to the blocks that go there; ``blocks`` are those reached."""
    result: dict[int, list[Block]] = {block.number: [] for block in blocks}
    for block in blocks:
        for target in block.targets:
            result[target.number].append(block)
    return result


def immediate_dominators(order: list[Block], before: dict[int, list[Block]]) -> dict[int, int]:
    """Block number to its immediate dominator's (the entry's is itself), after Cooper, Harvey and Kennedy,
    "A Simple, Fast Dominance Algorithm"."""
    position = {block.number: i for i, block in enumerate(order)}
    dominator: dict[int, int] = {order[0].number: order[0].number}
    changed = True
    while changed:
        changed = False
        for block in order[1:]:
            number = block.number
            new = -1
            for predecessor in before[number]:
                other = predecessor.number
                if other not in dominator:
                    continue
                if new < 0:
                    new = other
                    continue
                while new != other:
                    while position[new] > position[other]:
                        new = dominator[new]
                    while position[other] > position[new]:
                        other = dominator[other]
            if dominator.get(number) != new:
                dominator[number] = new
                changed = True
    return dominator


def loop_depths(order: list[Block], before: dict[int, list[Block]]) -> dict[int, int]:
    """Block number to the number of natural loops around it. A header is what a back edge of the order goes
    to (Yul's control flow is reducible, and the passes keep it so)."""
    position = {block.number: i for i, block in enumerate(order)}
    depth = dict.fromkeys(position, 0)
    for header in order:
        body = {header.number}
        work = [p for p in before[header.number] if position[p.number] >= position[header.number]]
        if not work:
            continue
        while work:
            block = work.pop()
            if block.number not in body:
                body.add(block.number)
                work.extend(before[block.number])
        for number in body:
            depth[number] += 1
    return depth


def drop_unreachable(function: Function) -> None:
    """Forget the blocks that control never reaches; put the others into reverse postorder."""
    function.blocks = reverse_postorder(function)


def split_critical_edges(function: Function) -> None:
    """Restore the first invariant of ``ssa``: a branch's targets have no other predecessor and no
    parameters."""
    before = predecessors(function.blocks)
    for block in list(function.blocks):
        if block.kind != BRANCH:
            continue
        for i, target in enumerate(block.targets):
            if len(before[target.number]) > 1:
                edge = function.new_block()
                edge.jump(target, [], block.source)
                block.targets[i] = edge


def drop_redundant_parameters(function: Function) -> None:
    """Replace block parameters that are one and the same value whichever way control comes, and drop those
    that nothing uses."""
    blocks = function.blocks
    before = predecessors(blocks)
    replacement: dict[int, int] = {}

    def root(value: int) -> int:
        while value in replacement:
            value = replacement[value]
        return value

    changed = True
    while changed:
        changed = False
        for block in blocks[1:]:
            if not block.parameters:
                continue
            kept: list[int] = []
            sources = before[block.number]
            for i, parameter in enumerate(block.parameters):
                values = {root(source.arguments[i]) for source in sources}
                values.discard(parameter)
                if len(values) == 1:
                    replacement[parameter] = values.pop()
                else:
                    kept.append(i)
            if len(kept) != len(block.parameters):
                changed = True
                _keep_parameters(block, sources, kept)
    if replacement:
        rewrite_uses(function, {value: root(value) for value in replacement})
    _drop_unused_parameters(function, before)


def _keep_parameters(block: Block, sources: list[Block], kept: list[int]) -> None:
    block.parameters = [block.parameters[i] for i in kept]
    for source in sources:
        source.arguments = [source.arguments[i] for i in kept]


def _drop_unused_parameters(function: Function, before: dict[int, list[Block]]) -> None:
    """A parameter is used when an operation or another exit uses it, or a used parameter receives it."""
    parameter_sources: dict[int, list[int]] = {}
    used: set[int] = set()
    for block in function.blocks:
        for operation in block.operations:
            used.update(operation.inputs)
        if block.kind == JUMP:
            for parameter, argument in zip(block.targets[0].parameters, block.arguments, strict=True):
                parameter_sources.setdefault(parameter, []).append(argument)
        else:
            used.update(block.arguments)
            if block.kind == BRANCH:
                used.add(block.condition)
    if not parameter_sources:
        return
    work = [value for value in parameter_sources if value in used]
    while work:
        for argument in parameter_sources[work.pop()]:
            if argument not in used:
                used.add(argument)
                if argument in parameter_sources:
                    work.append(argument)
    for block in function.blocks[1:]:
        if any(parameter not in used for parameter in block.parameters):
            kept = [i for i, parameter in enumerate(block.parameters) if parameter in used]
            _keep_parameters(block, before[block.number], kept)


def rewrite_uses(function: Function, replacement: dict[int, int]) -> None:
    """Replace the uses of values by others."""
    for block in function.blocks:
        for operation in block.operations:
            inputs = operation.inputs
            for i, value in enumerate(inputs):
                if value in replacement:
                    inputs[i] = replacement[value]
        if block.arguments:
            block.arguments = [replacement.get(value, value) for value in block.arguments]
        if block.kind == BRANCH:
            block.condition = replacement.get(block.condition, block.condition)


def merge_straight_runs(function: Function) -> None:
    """Join a block with the one it jumps to when nothing else goes there."""
    before = predecessors(function.blocks)
    replacement: dict[int, int] = {}
    gone: set[int] = set()
    for block in function.blocks:
        if block.number in gone:
            continue
        while block.kind == JUMP:
            target = block.targets[0]
            if len(before[target.number]) != 1 or target is block or target is function.blocks[0]:
                break
            for parameter, argument in zip(target.parameters, block.arguments, strict=True):
                replacement[parameter] = argument
            block.operations.extend(target.operations)
            block.kind, block.targets, block.arguments = target.kind, target.targets, target.arguments
            block.condition, block.source = target.condition, target.source
            for successor in block.targets:
                sources = before[successor.number]
                sources[sources.index(target)] = block
            gone.add(target.number)
    if gone:
        function.blocks = [block for block in function.blocks if block.number not in gone]
    if replacement:
        flat: dict[int, int] = {}
        for value in replacement:
            end = value
            while end in replacement:
                end = replacement[end]
            flat[value] = end
        rewrite_uses(function, flat)
