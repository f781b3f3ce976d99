"""Control-flow graph → structured control, for printing a graph as Yul.

After Ramsey, "Beyond Relooper" (ICFP 2022): the dominator tree gives the nesting, a block where ways meet stands
after the ways that meet there, a natural loop becomes a loop. What follows a loop is placed after it rather than
inside. Small blocks that only end the function are copied to each way that leads there. Graphs with loops of
more than one entry have no structure of this kind (``is_reducible``).
"""

from __future__ import annotations

from collections.abc import Callable

from smartvm.compiler.backend.control_flow import immediate_dominators, predecessors
from smartvm.compiler.backend.ssa import BRANCH, JUMP, RETURN, STOP, Block, Function
from smartvm.records import dataclass, field


@dataclass(slots=True)
class Straight:
    """A block's operations, without its exit."""

    block: Block


@dataclass(slots=True)
class Pass:
    """A jump's arguments become the parameters of a block that stands right after."""

    block: Block


@dataclass(slots=True)
class Exit:
    """Control goes from ``block`` to ``target``, which stands elsewhere, or is copied here."""

    block: Block
    target: Block


@dataclass(slots=True)
class Final:
    """A block's end that ends the function."""

    block: Block


@dataclass(slots=True)
class Choice:
    """A branch."""

    block: Block
    nonzero: list[Node]
    zero: list[Node]


@dataclass(slots=True)
class Selection:
    """A chain of branches that compare one value with numbers; ``blocks`` are the chain."""

    blocks: list[Block]
    value: int
    cases: list[tuple[int, list[Node]]]
    default: list[Node]


@dataclass(slots=True)
class Scope:
    """Nodes before ``target``: what goes there may leave them from the middle, and then ``is_left`` is set."""

    target: Block
    body: list[Node]
    is_left: bool = False


@dataclass(slots=True)
class Loop:
    """A natural loop, over which control goes on at ``after`` (None: nowhere)."""

    header: Block
    body: list[Node]
    after: Block | None


Node = Straight | Pass | Exit | Final | Choice | Selection | Scope | Loop

#: What a branch compares: value, number, where to go if equal, and if not.
Comparison = tuple[int, int, Block, Block]


@dataclass(slots=True)
class _Facts:
    position: dict[int, int]
    children: dict[int, list[Block]]
    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    def dominates(self, one: int, other: int) -> bool:
        return self.first[one] <= self.first[other] <= self.last[one]


class Structure:
    """The structure of one function, whose blocks are in reverse postorder. ``comparison`` tells what a branch
    compares (``is_chained``: only if its block does nothing else); ``may_copy`` whether a block that ends the
    function may be copied."""

    def __init__(
        self,
        function: Function,
        comparison: Callable[[Block, bool], Comparison | None],
        may_copy: Callable[[Block], bool],
    ) -> None:
        self.function = function
        self.comparison = comparison
        order = function.blocks
        before = predecessors(order)
        dominators = immediate_dominators(order, before)
        self.facts = facts = _tree_facts(order, dominators)
        position = facts.position
        self.loops: dict[int, set[int]] = {}
        self.is_reducible = True
        forward: dict[int, int] = {}
        for block in order:
            number = block.number
            back = [p for p in before[number] if position[p.number] >= position[number]]
            forward[number] = len(before[number]) - len(back)
            if back:
                self.is_reducible &= all(facts.dominates(number, p.number) for p in back)
                self.loops[number] = _loop_body(block, back, before)
        self.copied = {
            block.number
            for block in order[1:]
            if forward[block.number] > 1 and block.kind in (STOP, RETURN) and may_copy(block)
        }
        self.merges = {block.number for block in order if forward[block.number] > 1} - self.copied
        self.after: dict[int, Block] = {}
        self._displaced: set[int] = set()
        if self.is_reducible:
            self._choose_afters(order, dominators)

    def _choose_afters(self, order: list[Block], dominators: dict[int, int]) -> None:
        """For each loop the block that stands after it: where its ways out meet, else where its condition leads."""
        blocks = {block.number: block for block in order}
        position = self.facts.position
        headers = sorted(self.loops, key=lambda number: position[number])
        for header in headers:
            body = self.loops[header]
            around = min(
                (self.loops[h] for h in headers if h != header and header in self.loops[h]),
                key=len,
                default=None,
            )
            candidates = [
                block
                for block in order[1:]
                if dominators[block.number] in body
                and block.number not in body
                and block.number not in self.copied
                and block.number not in self._displaced
                and (around is None or block.number in around)
            ]
            if not candidates:
                continue
            meeting = [block for block in candidates if block.number in self.merges]
            own = [block for block in blocks[header].targets if block in candidates]
            chosen = (meeting or own or candidates)[-1]
            self.after[header] = chosen
            self._displaced.add(chosen.number)

    # ------------------------------------------------------------------ the tree

    def nodes(self) -> list[Node]:
        """The function's structure; scopes know whether they are left from the middle."""
        nodes = self._tree(self.function.blocks[0])
        mark_left_scopes(nodes, None, [], self.copied)
        return nodes

    def _tree(self, start: Block) -> list[Node]:
        nodes: list[Node] = []
        block: Block | None = start
        while block is not None:
            if block.number in self.loops:
                body: list[Node] = []
                following = self._place(block, body)
                if following is not None:
                    body += self._tree(following)
                after = self.after.get(block.number)
                nodes.append(Loop(block, body, after))
                block = after
            else:
                block = self._place(block, nodes)
        return nodes

    def _place(self, block: Block, nodes: list[Node]) -> Block | None:
        """Append the block and what lies inside it; the block to go on with, if there is one."""
        nodes.append(Straight(block))
        if block.kind == JUMP and self._stands_inside(block, block.targets[0]):
            nodes.append(Pass(block))
            return block.targets[0]
        members, leaving = self._exit(block)
        merging = [
            child
            for member in members
            for child in self.facts.children[member.number]
            if child.number in self.merges and child.number not in self._displaced
        ]
        merging.sort(key=lambda child: self.facts.position[child.number])
        inner: list[Node] = [leaving]
        for child in merging:
            scope = Scope(child, inner)
            if child is merging[-1]:
                nodes.append(scope)
                return child
            inner = [scope, *self._tree(child)]
        nodes += inner
        return None

    def _stands_inside(self, source: Block, target: Block) -> bool:
        """Whether ``target`` is reached from ``source`` alone (but for its own loop), and stands there."""
        number, position = target.number, self.facts.position
        return (
            position[number] > position[source.number]
            and number not in self.merges
            and number not in self.copied
            and number not in self._displaced
        )

    def _exit(self, block: Block) -> tuple[list[Block], Node]:
        """The block's exit, with the blocks of a chain of comparisons that it takes in."""
        if block.kind == JUMP:
            return [block], Exit(block, block.targets[0])
        if block.kind != BRANCH:
            return [block], Final(block)
        chain = self._chain(block)
        if len(chain) < 2:
            nonzero, zero = block.targets
            return [block], Choice(block, self._way(block, nonzero), self._way(block, zero))
        members = [member for member, _ in chain]
        cases = [(found[1], self._way(member, found[2])) for member, found in chain]
        last, (value, _, _, otherwise) = chain[-1]
        return members, Selection(members, value, cases, self._way(last, otherwise))

    def _chain(self, block: Block) -> list[tuple[Block, Comparison]]:
        chain: list[tuple[Block, Comparison]] = []
        numbers: set[int] = set()
        while True:
            found = self.comparison(block, bool(chain))
            if found is None or found[1] in numbers or (chain and found[0] != chain[0][1][0]):
                return chain
            numbers.add(found[1])
            chain.append((block, found))
            source, block = block, found[3]
            if block.kind != BRANCH or not self._stands_inside(source, block) or block.number in self.loops:
                return chain

    def _way(self, source: Block, target: Block) -> list[Node]:
        return self._tree(target) if self._stands_inside(source, target) else [Exit(source, target)]


def mark_left_scopes(
    nodes: list[Node], follow: Block | None, frames: list[Scope | Loop], copied: set[int]
) -> None:
    """Find the scopes that an exit leaves other than by its end. ``follow`` is the block after the nodes."""
    for i, node in enumerate(nodes):
        is_last = i == len(nodes) - 1
        match node:
            case Scope():
                mark_left_scopes(node.body, node.target, [*frames, node], copied)
            case Loop():
                after = node.after if not is_last or node.after is not None else follow
                frame = Loop(node.header, [], after)
                mark_left_scopes(node.body, node.header, [*frames, frame], copied)
            case Choice():
                mark_left_scopes(node.nonzero, follow, frames, copied)
                mark_left_scopes(node.zero, follow, frames, copied)
            case Selection():
                for _, way in node.cases:
                    mark_left_scopes(way, follow, frames, copied)
                mark_left_scopes(node.default, follow, frames, copied)
            case Exit():
                if node.target is follow or node.target.number in copied:
                    continue
                for frame_ in reversed(frames):
                    if isinstance(frame_, Loop):
                        if node.target is frame_.header or node.target is frame_.after:
                            break
                    elif frame_.target is node.target:
                        frame_.is_left = True
                        break


def _tree_facts(order: list[Block], dominators: dict[int, int]) -> _Facts:
    facts = _Facts({block.number: i for i, block in enumerate(order)}, {block.number: [] for block in order})
    for block in order[1:]:
        facts.children[dominators[block.number]].append(block)
    count = 0
    work: list[tuple[int, bool]] = [(order[0].number, True)]
    while work:
        number, entering = work.pop()
        if not entering:
            facts.last[number] = count
            continue
        count += 1
        facts.first[number] = count
        work.append((number, False))
        work += [(child.number, True) for child in facts.children[number]]
    return facts


def _loop_body(header: Block, back: list[Block], before: dict[int, list[Block]]) -> set[int]:
    body = {header.number}
    work = list(back)
    while work:
        block = work.pop()
        if block.number not in body:
            body.add(block.number)
            work += before[block.number]
    return body
