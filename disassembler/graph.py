"""A control-flow graph as a picture: ``.dot`` for Graphviz, ``.svg`` laid out here in layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from xml.sax.saxutils import escape

from smartvm.disassembler.blocks import BasicBlock, ControlFlowGraph
from smartvm.disassembler.report import SourceNotes

_COLOURS = {"jump": "#1f6feb", "taken": "#1a7f37", "next": "#57606a"}
_SHOWN_LINES = 14
_CHARACTER, _LINE = 6.7, 14
#: Width that an edge takes where it passes a layer.
_PASSAGE = 4.0
#: With more places for passing edges than this the picture would be mostly those.
_PASSAGES_LIMIT = 6000
_PADDING, _GAP_X, _GAP_Y = 8, 28, 44


def _lines(block: BasicBlock, sources: SourceNotes) -> list[str]:
    """What stands in a block's box: its offset and gas, its source line, its instructions (the middle of a
    long block left out)."""
    gas = f"gas {block.static_gas}" + (" + dynamic" if block.dynamic_rules else "")
    lines = [f"{block.start:#06x}   {gas}"]
    source = next((sources[i.offset] for i in block.instructions if i.offset in sources), None)
    if source:
        shown = source.rpartition("/")[2] if "/" in source.partition(":")[0] else source
        lines.append(shown if len(shown) <= 48 else shown[:47] + "…")
    texts = [
        f"{i.mnemonic} 0x{i.immediate.hex()[:24]}{'…' if len(i.immediate) > 12 else ''}"
        if i.immediate
        else i.mnemonic
        for i in block.instructions
    ]
    if len(texts) > _SHOWN_LINES:
        head, tail = texts[: _SHOWN_LINES - 5], texts[-4:]
        texts = [*head, f"… {len(texts) - len(head) - len(tail)} more …", *tail]
    if block.has_unknown_jump:
        texts.append("jump -> ?")
    return lines + texts


def graph_dot(graph: ControlFlowGraph, sources: SourceNotes | None = None) -> str:
    """The graph in Graphviz's language; blocks that are not reached are left out."""
    lines = ["digraph control_flow {", '  node [shape=box fontname="monospace" fontsize=9];']
    for block in graph.blocks:
        if not block.is_reachable:
            continue
        label = "".join(
            text.replace("\\", "\\\\").replace('"', '\\"') + "\\l" for text in _lines(block, sources or {})
        )
        lines.append(f'  b{block.start} [label="{label}"];')
        lines.extend(
            f'  b{block.start} -> b{target} [color="{_COLOURS[kind]}"];' for target, kind in block.successors
        )
    return "\n".join([*lines, "}"]) + "\n"


@dataclass
class _Box:
    start: int
    lines: list[str]
    layer: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    targets: list[tuple[int, str]] = field(default_factory=list)


def _assign_layers(boxes: dict[int, _Box], entry: int) -> None:
    """Layer: the longest way from the entry without the edges that close a loop (found depth first)."""
    state: dict[int, int] = {}
    order: list[int] = []
    closing: set[tuple[int, int]] = set()
    stack: list[tuple[int, int]] = [(entry, 0)]
    state[entry] = 1
    while stack:
        node, position = stack.pop()
        targets = boxes[node].targets
        if position < len(targets):
            stack.append((node, position + 1))
            target = targets[position][0]
            if state.get(target) == 1:
                closing.add((node, target))
            elif target not in state:
                state[target] = 1
                stack.append((target, 0))
        else:
            state[node] = 2
            order.append(node)
    for node in reversed(order):
        for target, _ in boxes[node].targets:
            if (node, target) not in closing:
                boxes[target].layer = max(boxes[target].layer, boxes[node].layer + 1)


def _order_layers(boxes: dict[int, _Box]) -> list[list[_Box]]:
    """Boxes by layer, each layer ordered by the mean position of the boxes that lead to it (a few sweeps)."""
    layers: list[list[_Box]] = [[] for _ in range(max(box.layer for box in boxes.values()) + 1)]
    for box in boxes.values():
        layers[box.layer].append(box)
    before: dict[int, list[int]] = {start: [] for start in boxes}
    for box in boxes.values():
        for target, _ in box.targets:
            before[target].append(box.start)
    place = {box.start: float(i) for layer in layers for i, box in enumerate(layer)}

    def mean(box: _Box, neighbours: list[int]) -> float:
        return sum(place[n] for n in neighbours) / len(neighbours) if neighbours else place[box.start]

    for sweep in range(6):
        downward = sweep % 2 == 0
        for layer in layers if downward else reversed(layers):
            if downward:
                layer.sort(key=lambda box: mean(box, before[box.start]))
            else:
                layer.sort(key=lambda box: mean(box, [t for t, _ in box.targets]))
            for i, box in enumerate(layer):
                place[box.start] = float(i)
    return layers


def graph_svg(graph: ControlFlowGraph, sources: SourceNotes | None = None) -> str:
    """The graph as a picture of its own, no other program needed; blocks that are not reached are left
    out."""
    shown = [block for block in graph.blocks if block.is_reachable]
    boxes = {block.start: _Box(block.start, _lines(block, sources or {})) for block in shown}
    if not boxes:
        return _document(200, 40, ['<text x="10" y="24">no code</text>'])
    for block in shown:
        box = boxes[block.start]
        box.targets = list(block.successors)
        box.width = max(len(line) for line in box.lines) * _CHARACTER + 2 * _PADDING
        box.height = len(box.lines) * _LINE + 2 * _PADDING
    _assign_layers(boxes, shown[0].start)
    chains = _chain_long_edges(boxes)
    layers = _order_layers(boxes)
    widths = [sum(box.width for box in layer) + _GAP_X * (len(layer) - 1) for layer in layers]
    total = max(widths)
    y = float(_GAP_Y)
    for layer, width in zip(layers, widths, strict=True):
        x = _GAP_Y + (total - width) / 2
        for box in layer:
            box.x, box.y = x, y
            x += box.width + _GAP_X
        height = max((box.height for box in layer), default=0)
        for box in layer:
            box.height = box.height or height
        y += height + _GAP_Y
    parts = [_edge([boxes[i] for i in chain], kind) for chain, kind in chains]
    parts += [_box_svg(box) for box in boxes.values() if box.lines]
    return _document(total + 2 * _GAP_Y + 60, y, parts)


def _chain_long_edges(boxes: dict[int, _Box]) -> list[tuple[list[int], str]]:
    """All edges as chains of boxes.

    An edge down over several layers gets a place of its own in each layer between (an empty box with a
    negative key), so that it runs beside the other boxes and not behind them; in huge graphs it does not.
    """
    chains: list[tuple[list[int], str]] = []
    spans = sum(max(boxes[t].layer - box.layer - 1, 0) for box in boxes.values() for t, _ in box.targets)
    for box in list(boxes.values()):
        targets, box.targets = box.targets, []
        for target, kind in targets:
            chain = [box.start]
            for layer in range(box.layer + 1, boxes[target].layer) if spans <= _PASSAGES_LIMIT else ():
                key = -1 - len(boxes)
                boxes[key] = _Box(key, [], layer, width=_PASSAGE)
                chain.append(key)
            chain.append(target)
            chains.append((chain, kind))
    for chain, kind in chains:
        for first, second in pairwise(chain):
            if boxes[second].layer > boxes[first].layer:
                boxes[first].targets.append((second, kind))
    return chains


def _edge(chain: list[_Box], kind: str) -> str:
    box, target = chain[0], chain[-1]
    if target.layer > box.layer:
        points = [(box.x + box.width / 2, box.y + box.height)]
        for passage in chain[1:-1]:
            x = passage.x + passage.width / 2
            points += [(x, passage.y), (x, passage.y + passage.height)]
        points.append((target.x + target.width / 2, target.y - 3))
        path = f"M{points[0][0]:.0f},{points[0][1]:.0f}"
        for (x1, y1), (x2, y2) in pairwise(points):
            middle = (y1 + y2) / 2
            path += f" C{x1:.0f},{middle:.0f} {x2:.0f},{middle:.0f} {x2:.0f},{y2:.0f}"
    else:
        # An edge back up runs along the right side.
        side = max(box.x + box.width, target.x + target.width) + 30
        x1, x2 = box.x + box.width, target.x + target.width
        y1, y2 = box.y + box.height / 2, target.y + target.height / 2
        path = f"M{x1:.0f},{y1:.0f} C{side:.0f},{y1:.0f} {side:.0f},{y2:.0f} {x2 + 3:.0f},{y2:.0f}"
    return f'<path d="{path}" stroke="{_COLOURS[kind]}" fill="none" marker-end="url(#arrow-{kind})"/>'


def _box_svg(box: _Box) -> str:
    left = f"{box.x + _PADDING:.0f}"
    first = f'<tspan x="{left}" dy="{_LINE}" font-weight="bold">{escape(box.lines[0])}</tspan>'
    texts = first + "".join(
        f'<tspan x="{left}" dy="{_LINE}">{escape(line)}</tspan>' for line in box.lines[1:]
    )
    return (
        f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="4"'
        f' fill="#f6f8fa" stroke="#8c959f"/><text x="{left}" y="{box.y + _PADDING - 3:.0f}">{texts}</text>'
    )


def _document(width: float, height: float, parts: list[str]) -> str:
    markers = "".join(
        f'<marker id="arrow-{kind}" viewBox="0 0 8 8" refX="7" refY="4"'
        ' markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
        for kind, colour in _COLOURS.items()
    )
    body = "".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="monospace" font-size="11">'
        f'<defs>{markers}</defs><rect width="100%" height="100%" fill="white"/>{body}</svg>\n'
    )
