"""What each DNN instruction wants of the Buffer and leaves in it, as far as operands are known
(docs/dnn-instructions.md). ``Misfit`` says what is certain to halt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from smartvm.compiler.diagnostic_codes import (
    CHANNELS_DIFFER,
    LENGTHS_DIFFER,
    OPERAND_RANGE,
    SAVED_BUFFERS,
    SHAPE_MISFIT,
    TOO_FEW_ITEMS,
    WINDOW_TOO_LARGE,
)
from smartvm.compiler.yul.buffers.state import UNKNOWN, BufferState, Shape, shape_text
from smartvm.records import replace

#: Counts, sizes, sides, strides and paddings are below this.
SIZE_LIMIT = 1 << 32
_SIGN = 1 << 255


class Misfit(Exception):
    """The instruction halts in every execution. ``code`` is the diagnostic's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Operands:
    """An instruction's operands by the names of the table; None where the value is not known."""

    def __init__(self, instruction: str, values: Mapping[str, int | None], saved_limit: int = 64) -> None:
        self.instruction = instruction
        self.values = values
        self.saved_limit = saved_limit

    def size(self, name: str, least: int = 0) -> int | None:
        """A size from ``least`` to 2^32 - 1. Raises Misfit."""
        value = self.values[name]
        if value is not None and not least <= value < SIZE_LIMIT:
            raise self.misfit(OPERAND_RANGE, f"wants {name} from {least} to 2^32 - 1, not {_number(value)}")
        return value

    def misfit(self, code: int, text: str) -> Misfit:
        """A message that starts with the instruction's name."""
        return Misfit(code, f"`{self.instruction}` {text}.")


def _number(word: int) -> str:
    """A word as a reader knows it: what is large is a negative number."""
    return str(word - 2**256 if word >= _SIGN else word)


def _product(*sizes: int | None) -> int | None:
    known = [size for size in sizes if size is not None]
    return prod(known) if len(known) == len(sizes) else None


def _known(*sizes: int | None) -> Shape:
    known = tuple(size for size in sizes if size is not None)
    return known if len(known) == len(sizes) else None


def _require_map(operands: Operands, state: BufferState, names: tuple[str, ...]) -> None:
    """Raise Misfit unless the Buffer may hold a map of the sizes with these names."""
    shape, length = state.shape, state.length
    if shape is None or length is None:
        return
    sizes = [operands.values[name] for name in names]
    known = [size for size in sizes if size is not None]
    wanted = prod(known)
    if len(known) == len(sizes):
        if length == wanted:
            return
    elif length % wanted == 0 and length > 0:
        return
    got = shape_text(shape)
    channels = sizes[0]
    if channels is not None and len(shape) == len(sizes) and list(shape[1:]) == sizes[1:]:
        raise operands.misfit(SHAPE_MISFIT, f"gets {got}, its kernel wants {channels} channels")
    if len(shape) > 1:
        got += f" = {length} items"
    meaning = " x ".join(names)
    if len(known) == len(sizes):
        want = "x".join(str(size) for size in known)
        raise operands.misfit(SHAPE_MISFIT, f"gets {got}, it wants {want} = {wanted} items ({meaning})")
    want = "x".join("?" if size is None else str(size) for size in sizes)
    raise operands.misfit(SHAPE_MISFIT, f"gets {got}, which are no {want} ({meaning})")


def _require_items(operands: Operands, state: BufferState, count: int | None, what: str) -> None:
    if count is not None and state.length is not None and state.shape is not None and count > state.length:
        got = shape_text(state.shape)
        if len(state.shape) > 1:
            got += f" = {state.length} items"
        raise operands.misfit(TOO_FEW_ITEMS, f"{what} {count} item{'' if count == 1 else 's'} and gets {got}")


def _output_side(
    operands: Operands, name: str, kernel: int | None, stride: int | None, padding: int | None
) -> int | None:
    side = operands.values[name]
    if side is None or kernel is None or padding is None:
        return None
    padded = side + 2 * padding
    if padded < kernel:
        text = f"has a kernel of {kernel}, larger than the {name} of {side}"
        if padding:
            text += f" padded to {padded}"
        raise operands.misfit(WINDOW_TOO_LARGE, text)
    return None if stride is None else (padded - kernel) // stride + 1


def _window(operands: Operands, sizes: tuple[str, ...]) -> tuple[int | None, int | None, int | None]:
    for name in sizes:
        operands.size(name, 1)
    kernel, stride = operands.size("kernel", 1), operands.size("stride", 1)
    return kernel, stride, operands.size("padding") if "padding" in operands.values else 0


def _convolution(operands: Operands, state: BufferState, *sides: str) -> BufferState:
    kernel, stride, padding = _window(operands, ("in_channels", "out_channels", *sides))
    outputs = [_output_side(operands, side, kernel, stride, padding) for side in sides]
    if len(sides) == 2 and sides[0] == "depth":
        _require_map(operands, state, ("in_channels", "depth", "height", "height"))
        outputs.append(outputs[1])
    else:
        _require_map(operands, state, ("in_channels", *sides))
    return replace(state, shape=_known(operands.values["out_channels"], *outputs))


def _conv_mul(operands: Operands, state: BufferState) -> BufferState:
    return _convolution(operands, state, "height", "width")


def _conv_sing(operands: Operands, state: BufferState) -> BufferState:
    _window(operands, ("in_channels", "out_channels", "height", "width"))
    inputs, outputs = operands.values["in_channels"], operands.values["out_channels"]
    if inputs is not None and outputs is not None and inputs != outputs:
        text = f"has a kernel for each channel: out_channels is {outputs}, it must be in_channels, {inputs}"
        raise operands.misfit(CHANNELS_DIFFER, text)
    return _convolution(operands, state, "height", "width")


def _conv_3d(operands: Operands, state: BufferState) -> BufferState:
    return _convolution(operands, state, "depth", "height")


def _conv_tpd(operands: Operands, state: BufferState) -> BufferState:
    kernel, stride, padding = _window(operands, ("in_channels", "out_channels", "height", "width"))
    outputs: list[int | None] = []
    for name in ("height", "width"):
        side = operands.values[name]
        output = None
        if side is not None and kernel is not None and stride is not None and padding is not None:
            output = (side - 1) * stride - 2 * padding + kernel
            if output < 1:
                text = f"has a padding of {padding}, which leaves {output} for the output's {name}"
                raise operands.misfit(WINDOW_TOO_LARGE, text)
        outputs.append(output)
    _require_map(operands, state, ("in_channels", "height", "width"))
    return replace(state, shape=_known(operands.values["out_channels"], *outputs))


def _pooling(operands: Operands, state: BufferState) -> BufferState:
    kernel, stride, padding = _window(operands, ("channels", "height", "width"))
    outputs = [_output_side(operands, name, kernel, stride, padding) for name in ("height", "width")]
    _require_map(operands, state, ("channels", "height", "width"))
    return replace(state, shape=_known(operands.values["channels"], *outputs))


def _pool_ol(operands: Operands, state: BufferState) -> BufferState:
    kernel, stride, padding = _window(operands, ("channels", "height"))
    if padding is not None and kernel is not None and padding >= kernel:
        text = f"wants a padding below its kernel of {kernel}, not {padding}"
        raise operands.misfit(OPERAND_RANGE, text)
    output = _output_side(operands, "height", kernel, stride, padding)
    _require_map(operands, state, ("channels", "height", "height"))
    return replace(state, shape=_known(operands.values["channels"], output, output))


def _full_con(operands: Operands, state: BufferState) -> BufferState:
    for name in ("channels", "height", "width", "outputs"):
        operands.size(name, 1)
    _require_map(operands, state, ("channels", "height", "width"))
    return replace(state, shape=_known(operands.values["outputs"]))


def _unknown_length(operands: Operands, state: BufferState) -> BufferState:
    return replace(state, shape=None)


def _scaled(operands: Operands, state: BufferState) -> BufferState:
    scale = operands.values["scale"]
    if scale is not None and not 0 < scale < _SIGN:
        raise operands.misfit(OPERAND_RANGE, f"wants a scale of at least 1, not {_number(scale)}")
    return state


def _capped(operands: Operands, state: BufferState) -> BufferState:
    cap = operands.values["cap"]
    if cap is not None and cap >= _SIGN:
        raise operands.misfit(OPERAND_RANGE, f"wants a cap of at least 0, not {_number(cap)}")
    return state


def _same(operands: Operands, state: BufferState) -> BufferState:
    return state


def _check_width(operands: Operands) -> None:
    width = operands.values.get("width", 1)
    if width is not None and not 1 <= width <= 32:
        raise operands.misfit(OPERAND_RANGE, f"wants a width of 1 to 32 bytes, not {_number(width)}")


def _appended(name: str) -> Callable[[Operands, BufferState], BufferState]:
    def append(operands: Operands, state: BufferState) -> BufferState:
        _check_width(operands)
        count = operands.size(name)
        if count == 0:
            return state
        return replace(state, shape=None if count is None or state.length is None else (state.length + count,))

    return append


def _read(operands: Operands, state: BufferState) -> BufferState:
    _check_width(operands)
    count = operands.size("size")
    first = operands.size("offset") if operands.instruction == "btos0" else 0
    _require_items(operands, state, None if count is None or first is None else first + count, "takes")
    return state


def _stored(operands: Operands, state: BufferState) -> BufferState:
    _require_items(operands, state, operands.size("size"), "stores")
    return state


def _cleared(operands: Operands, state: BufferState) -> BufferState:
    _require_items(operands, state, operands.size("count"), "clears")
    return state


def _new(operands: Operands, state: BufferState) -> BufferState:
    return replace(state, shape=_known(operands.size("count")))


def _freed(operands: Operands, state: BufferState) -> BufferState:
    count = operands.size("count")
    _require_items(operands, state, count, "drops")
    if count == 0:
        return state
    return replace(state, shape=None if count is None or state.length is None else (state.length - count,))


def _saved(operands: Operands, state: BufferState) -> BufferState:
    start, end = operands.size("start"), operands.size("end")
    if start is not None and end is not None and start > end:
        raise operands.misfit(OPERAND_RANGE, f"wants start <= end, not {start} and {end}")
    _require_items(operands, state, end if end is not None else start, "saves up to")
    if state.saved is None:
        return state
    if len(state.saved) >= operands.saved_limit:
        raise operands.misfit(SAVED_BUFFERS, f"would save one more than {operands.saved_limit} Buffers")
    shape: Shape = None
    if start is not None and end is not None:
        shape = state.shape if start == 0 and end == state.length else (end - start,)
    return replace(state, saved=(*state.saved, shape))


def _top(operands: Operands, state: BufferState) -> Shape:
    if state.saved is None:
        return None
    if not state.saved:
        raise operands.misfit(SAVED_BUFFERS, "takes the last saved Buffer, and none is saved")
    return state.saved[-1]


def _without_top(state: BufferState) -> tuple[Shape, ...] | None:
    return None if state.saved is None else state.saved[:-1]


def _combined(operands: Operands, state: BufferState) -> BufferState:
    top = _top(operands, state)
    if top is not None and state.shape is not None and prod(top) != state.length:
        text = f"gets {shape_text(state.shape)}, the last saved Buffer has {shape_text(top)}"
        raise operands.misfit(LENGTHS_DIFFER, text)
    return BufferState(state.shape if state.shape is not None else top, _without_top(state))


def _exchanged(operands: Operands, state: BufferState) -> BufferState:
    top = _top(operands, state)
    saved = None if state.saved is None else (*state.saved[:-1], state.shape)
    return BufferState(top, saved)


def _concatenated(operands: Operands, state: BufferState) -> BufferState:
    top = _top(operands, state)
    length = _product(None if top is None else prod(top), 1)
    shape: Shape = None
    if length is not None and top is not None and state.shape is not None and state.length is not None:
        same_maps = len(top) == len(state.shape) > 1 and top[1:] == state.shape[1:]
        shape = (top[0] + state.shape[0], *top[1:]) if same_maps else (length + state.length,)
    return BufferState(shape, _without_top(state))


_EFFECTS: Mapping[str, Callable[[Operands, BufferState], BufferState]] = {
    "conv_sing": _conv_sing,
    "conv_mul": _conv_mul,
    "conv_3d": _conv_3d,
    "conv_tpd": _conv_tpd,
    "pool_max": _pooling,
    "pool_avg": _pooling,
    "pool_ol": _pool_ol,
    "full_con": _full_con,
    "mat_mul": _unknown_length,
    "act_sm0": _scaled,
    "act_sm1": _scaled,
    "act_tanh": _scaled,
    "act_rl": _capped,
    "buf_scl0": _same,
    "buf_scl1": _same,
    "buf_bias": _same,
    "buf_fil": _same,
    "buf_size": _same,
    "mtob": _appended("size"),
    "mtob_pack": _appended("size"),
    "btom": _read,
    "btom_pack": _read,
    "btos0": _read,
    "btos1": _stored,
    "buf_cls": _cleared,
    "buf_init": _new,
    "buf_allo": _appended("count"),
    "buf_free": _freed,
    "buf_copy": _saved,
    "buf_add": _combined,
    "buf_mul": _combined,
    "buf_swap": _exchanged,
    "buf_cat": _concatenated,
}


def is_modelled(name: str) -> bool:
    """Whether an instruction (by its name in Yul) is one whose effect stands here."""
    return name in _EFFECTS


def after(operands: Operands, state: BufferState) -> BufferState:
    """What is known after an instruction. Raises Misfit where it is certain to halt."""
    effect = _EFFECTS.get(operands.instruction)
    return UNKNOWN if effect is None else effect(operands, state)
