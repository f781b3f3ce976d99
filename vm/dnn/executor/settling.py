"""C functions that handlers call through their addresses, so that they are compiled once: carrying out what a Buffer
stands for, and bringing items into their own order. Both give 0 when there is no memory, with nothing changed."""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn import panel_kernels
from smartvm.vm.dnn.executor.deferring import BIAS, CONVOLUTION_OF, DIVISOR, HIGH, INPUT, LOW
from smartvm.vm.dnn.executor.frames import (
    BOUND,
    DATA,
    INT32_LIMIT,
    LAYOUT,
    LENGTH,
    WIDTH,
    buffer_of,
    drop,
    hold,
)
from smartvm.vm.dnn.executor.layout import CONVOLUTION
from smartvm.vm.dnn.executor.memory import (
    allocate,
    copy_bytes,
    free,
    helper,
    int8_array,
    int16_array,
    int32_array,
    int64_array,
    load,
    store,
)

_CHANNELS = panel_kernels.CHANNELS
_KERNELS = CONVOLUTION["kernels"]
_POSITIONS = CONVOLUTION["positions"]
_MAP_CHANNELS = CONVOLUTION["map_channels"]
_HEIGHT = CONVOLUTION["height"]
_MAP_WIDTH = CONVOLUTION["width"]
_TOP = CONVOLUTION["top"]
_LEFT = CONVOLUTION["left"]
_COPIED = CONVOLUTION["copied"]
_WEIGHTS = CONVOLUTION["weights"]
_WEIGHT_ITEMS = CONVOLUTION["weight_items"]
_WINDOW = CONVOLUTION["window"]
_OFFSETS = CONVOLUTION["offsets"]
_TAPS = CONVOLUTION["taps"]
_WINDOW_NUMBERS = 7


@helper
def _short_items(items):
    """The address of the items, which fit, at 16 bits; with room for one more."""
    length = load(items, LENGTH)
    if load(items, WIDTH) == 2:
        return load(items, DATA)
    data = allocate(2 * length + 2)
    if data == 0:
        return 0
    out = int16_array(data, length)
    if load(items, WIDTH) == 4:
        small = int32_array(load(items, DATA), length)
        for i in range(length):
            out[i] = small[i]
    else:
        wide = int64_array(load(items, DATA), length)
        for i in range(length):
            out[i] = wide[i]
    return data


@helper
def _placed_items(convolution):
    """Items of the map as the kernel reads it."""
    height = load(convolution, _HEIGHT) + 2 * load(convolution, _TOP)
    width = load(convolution, _MAP_WIDTH) + 2 * load(convolution, _LEFT)
    return height * width * load(convolution, _MAP_CHANNELS)


@helper
def _placed(items, convolution, source):
    """The map, channels last and padded, as the kernel reads it: ``source`` itself where it is that already."""
    channels = load(convolution, _MAP_CHANNELS)
    length = load(items, LENGTH)
    cells = length // channels
    layout = load(items, LAYOUT)
    if load(convolution, _COPIED) == 0 and (layout == channels or cells == 1 or channels == 1):
        return source
    size = _placed_items(convolution) + 1
    data = allocate(2 * size)
    if data == 0 or source == 0:
        return data
    by_channel = layout == channels
    panel_kernels.place_map(
        int16_array(source, length),
        load(convolution, _HEIGHT),
        load(convolution, _MAP_WIDTH),
        channels,
        1 if by_channel else cells,
        channels if by_channel else 1,
        load(convolution, _TOP),
        load(convolution, _LEFT),
        int16_array(data, size),
    )
    return data


@helper
def _write_bias(source, kernels, out):
    if source == 0:
        out[:] = 0
        return
    addends = int64_array(source, kernels)
    for i in range(kernels):
        out[i] = addends[i]
    for i in range(kernels, out.shape[0]):
        out[i] = addends[kernels - 1]


@helper
def _window(convolution):
    return int64_array(load(convolution, _WINDOW), _WINDOW_NUMBERS)


@helper
def _reciprocal(divisor):
    """See ``panel_tiles.reciprocal_of``."""
    return (1.0 / divisor) * (1.0 + 2.0**-50)


@helper
def _with_words(convolution, values, bias, divisor, low, high, first, out):
    weights = int16_array(load(convolution, _WEIGHTS), load(convolution, _WEIGHT_ITEMS))
    kernels, reciprocal = load(convolution, _KERNELS), _reciprocal(divisor)
    return panel_kernels.correlate_panels(
        values, _window(convolution), weights, bias, kernels, reciprocal, low, high, first, out
    )


@helper
def _with_bytes(convolution, values, bias, divisor, low, high, first, out):
    weights = int8_array(load(convolution, _WEIGHTS), load(convolution, _WEIGHT_ITEMS))
    kernels, reciprocal = load(convolution, _KERNELS), _reciprocal(divisor)
    return panel_kernels.correlate_panels(
        values, _window(convolution), weights, bias, kernels, reciprocal, low, high, first, out
    )


@helper
def _with_taps(convolution, values, bias, divisor, low, high, first, out):
    weights = int16_array(load(convolution, _WEIGHTS), load(convolution, _WEIGHT_ITEMS))
    offsets = int64_array(load(convolution, _OFFSETS), load(convolution, _TAPS))
    kernels, reciprocal = load(convolution, _KERNELS), _reciprocal(divisor)
    return panel_kernels.correlate_taps(
        values, _window(convolution), offsets, weights, bias, kernels, reciprocal, low, high, first, out
    )


def _settle(correlate):
    """What carries convolutions out by ``correlate``."""

    @helper
    def results(state, convolution, values, bias, out):
        """Write the results to ``out``; their width, 2 or 4, and their exact largest magnitude."""
        kernels, positions = load(convolution, _KERNELS), load(convolution, _POSITIONS)
        count = kernels * positions
        divisor = load(state, DIVISOR)
        low = max(load(state, LOW), -INT32_LIMIT)
        high = min(load(state, HIGH), INT32_LIMIT - 1)
        short = int16_array(out, count)
        least, greatest = 0, 0
        done = 0
        if divisor > 1 or load(buffer_of(state), BOUND) < 1 << 15:
            done, least_there, greatest_there = correlate(convolution, values, bias, divisor, low, high, 0, short)
            if done > 0:
                least, greatest = least_there, greatest_there
            if done == positions:
                return 2, max(-least, greatest)
        wide = int32_array(out, count)
        for i in range(done * kernels - 1, -1, -1):  # from the end, since they overlap
            wide[i] = short[i]
        _, least_there, greatest_there = correlate(convolution, values, bias, divisor, low, high, done, wide)
        return 4, max(-min(least, least_there), max(greatest, greatest_there))

    @helper
    def settle(state):
        convolution = load(state, CONVOLUTION_OF)
        items = state + INPUT
        kernels, positions = load(convolution, _KERNELS), load(convolution, _POSITIONS)
        padded = (kernels + _CHANNELS - 1) // _CHANNELS * _CHANNELS
        source = _short_items(items)
        placed = _placed(items, convolution, source)
        bias = allocate(4 * padded)
        out = allocate(4 * kernels * positions)  # also for what turns out not to fit 16 bits
        if source == 0 or placed == 0 or bias == 0 or out == 0:
            return 0
        _write_bias(load(state, BIAS), kernels, int32_array(bias, padded))
        width, bound = results(
            state,
            convolution,
            int16_array(placed, _placed_items(convolution) + 1),
            int32_array(bias, padded),
            out,
        )
        free(bias)
        if placed != source:
            free(placed)
        if source != load(items, DATA):
            free(source)
        drop(items)
        buffer = buffer_of(state)
        hold(buffer, out, kernels * positions, width, bound)
        store(buffer, LAYOUT, kernels if positions > 1 else 1)
        store(state, CONVOLUTION_OF, 0)
        return 1

    return settle


_settle_words = _settle(_with_words)
_settle_bytes = _settle(_with_bytes)
_settle_taps = _settle(_with_taps)


def settle_words(state):
    """Carry out the convolution, with 16-bit weights, that a state's Buffer stands for."""
    return _settle_words(state)


def settle_bytes(state):
    """The same with 8-bit weights."""
    return _settle_bytes(state)


def settle_taps(state):
    """The same of a depthwise convolution."""
    return _settle_taps(state)


def order(items):
    """Bring items into their own order, at 4 or 8 bytes each."""
    length, width, channels = load(items, LENGTH), load(items, WIDTH), load(items, LAYOUT)
    target = max(width, 4)
    data = allocate(max(1, length * target))
    if data == 0:
        return 0
    source = load(items, DATA)
    if channels == 1 and width == target:
        copy_bytes(data, source, length * width)
    elif width == 2:
        _reorder(int16_array(source, length), channels, int32_array(data, length))
    elif width == 4:
        _reorder(int32_array(source, length), channels, int32_array(data, length))
    else:
        _reorder(int64_array(source, length), channels, int64_array(data, length))
    hold(items, data, length, target, load(items, BOUND))
    store(items, LAYOUT, 1)
    return 1


@helper
def _reorder(values, channels, out):
    cells = values.shape[0] // channels
    for channel in range(channels):
        line = out[channel * cells : (channel + 1) * cells]
        place = channel
        for cell in range(cells):
            line[cell] = values[place]
            place += channels


#: The functions by name.
FUNCTIONS = {
    "settle_words": settle_words,
    "settle_bytes": settle_bytes,
    "settle_taps": settle_taps,
    "in_order": order,
}
