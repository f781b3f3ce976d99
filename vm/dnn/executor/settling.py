"""C functions that handlers call through their addresses, so that they are compiled once: carrying out what a Buffer
stands for, and passes over items of every width. They give 0 when there is no memory, with nothing changed."""

# mypy: ignore-errors
from __future__ import annotations

from smartvm.vm.dnn.executor.deferring import BIAS, CONVOLUTION_OF, DIVISOR, HIGH, INPUT, LOW, SHIFT
from smartvm.vm.dnn.executor.frames import (
    BOUND,
    DATA,
    INT32_LIMIT,
    LAYOUT,
    LENGTH,
    WIDTH,
    buffer_of,
    copy_items,
    drop,
    executor_of_state,
    hold,
)
from smartvm.vm.dnn.executor.layout import CONVOLUTION, EXECUTOR
from smartvm.vm.dnn.executor.memory import (
    byte_array,
    copy_bytes,
    helper,
    int8_array,
    int16_array,
    int32_array,
    int64_array,
    load,
    store,
)
from smartvm.vm.dnn.executor.spares import give_back, take
from smartvm.vm.dnn.platforms import native, panel_kernels
from smartvm.vm.dnn.platforms.kernel_sets import KERNELS
from smartvm.vm.dnn.platforms.panels import BYTES

_ARGUMENTS = EXECUTOR["arguments"]
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
_GATHERED = CONVOLUTION["gathered"]
_INPUTS = CONVOLUTION["inputs"]
_SIZES = CONVOLUTION["sizes"]
_KERNEL = CONVOLUTION["kernel"]
_OUTPUTS = CONVOLUTION["outputs"]
_STRIDE = CONVOLUTION["stride"]
_PADDING = CONVOLUTION["padding"]
_SUMS = CONVOLUTION["sums"]
_WINDOW_NUMBERS = 7
#: 8-bit items as the set takes them.
_narrow_array = int8_array if KERNELS.signed_quads else byte_array


@helper
def _short_items(executor, items):
    """The address of the items, which fit, at 16 bits; with room for one more."""
    length, width = load(items, LENGTH), load(items, WIDTH)
    if width == 2:
        return load(items, DATA)
    data = take(executor, 2 * length + 2)
    if data != 0:
        copy_items(executor, load(items, DATA), width, length, data, 2)
    return data


@helper
def _placed_items(convolution):
    """Items of the map as the kernel reads it, or of the rows of its windows."""
    if load(convolution, _GATHERED) != 0:
        window = _window(convolution)
        return window[0] * window[5]
    height = load(convolution, _HEIGHT) + 2 * load(convolution, _TOP)
    width = load(convolution, _MAP_WIDTH) + 2 * load(convolution, _LEFT)
    return height * width * load(convolution, _MAP_CHANNELS)


@helper
def _placed(executor, items, convolution, source):
    """The map, channels last and padded, as the kernel reads it: ``source`` itself where it is that already."""
    if load(convolution, _GATHERED) != 0:
        return _gathered(executor, load(items, LENGTH), convolution, source)
    channels = load(convolution, _MAP_CHANNELS)
    length = load(items, LENGTH)
    cells = length // channels
    layout = load(items, LAYOUT)
    if load(convolution, _COPIED) == 0 and (layout == channels or cells == 1 or channels == 1):
        return source
    size = _placed_items(convolution) + 1
    data = take(executor, 2 * size)
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
def _window(convolution):
    return int64_array(load(convolution, _WINDOW), _WINDOW_NUMBERS)


@helper
def _triple(convolution, first):
    return load(convolution, first), load(convolution, first + 1), load(convolution, first + 2)


@helper
def _gathered(executor, length, convolution, source):
    """The windows as rows, of a map in its own order."""
    step = native.COPY_STEP
    window = _window(convolution)
    size = 2 * (_placed_items(convolution) + step)
    data = take(executor, size)
    padded = take(executor, 2 * (length + step))  # whole steps are read at its end
    if data == 0 or source == 0 or padded == 0:
        return 0
    copy_bytes(padded, source, 2 * length)
    native.gather_windows(
        int16_array(padded, length + step),
        load(convolution, _INPUTS),
        _triple(convolution, _SIZES),
        _triple(convolution, _KERNEL),
        _triple(convolution, _OUTPUTS),
        load(convolution, _STRIDE),
        _triple(convolution, _PADDING),
        0,
        window[0],
        window[5],
        int16_array(data, size // 2),
    )
    give_back(executor, padded, 2 * (length + step))
    return data


@helper
def _reciprocal(divisor):
    """See ``reciprocals.reciprocal_of``."""
    return (1.0 / divisor) * (1.0 + 2.0**-50)


@helper
def _with_words(convolution, values, bias, divisor, low, high, first, out):
    weights = int16_array(load(convolution, _WEIGHTS), load(convolution, _WEIGHT_ITEMS))
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


@helper
def _with_quads(convolution, values, bias, divisor, low, high, first, out):
    weights = int8_array(load(convolution, _WEIGHTS), load(convolution, _WEIGHT_ITEMS))
    kernels, reciprocal = load(convolution, _KERNELS), _reciprocal(divisor)
    return panel_kernels.correlate_panels(
        values, _window(convolution), weights, bias, kernels, reciprocal, low, high, first, out
    )


@helper
def _as_words(executor, state, convolution, placed, bias, padded):
    """Items and biases as kernels of 16-bit items take them, and the memory to give back: address and bytes."""
    return int16_array(placed, _placed_items(convolution) + 1), int32_array(bias, padded), 0, 0


@helper
def _as_bytes(executor, state, convolution, placed, bias, padded):
    """The same for 8-bit items: see ``panels.byte_shift``. -1 bytes: there is no memory."""
    count, shift = _placed_items(convolution), load(state, SHIFT)
    size = 4 * padded + count + BYTES - 1
    data = take(executor, size)
    corrected, values = int32_array(data, padded), _narrow_array(data + 4 * padded, count + BYTES - 1)
    if data == 0:
        return values, corrected, 0, -1
    panel_kernels.shift_items(int16_array(placed, count), shift, values)
    kernels = load(convolution, _KERNELS)
    biases, sums = int32_array(bias, padded), int64_array(load(convolution, _SUMS), kernels)
    for o in range(padded):
        corrected[o] = biases[o] - shift * sums[min(o, kernels - 1)]  # modulo 2^32
    return values, corrected, data, size


def _in_blocks(correlate):
    """What computes results by ``correlate``."""

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

    return results


def _in_a_row(weights_array):
    """What computes the results of a single position, of weights in such an array."""

    @helper
    def results(state, convolution, values, bias, out):
        kernels = load(convolution, _KERNELS)
        weights = weights_array(load(convolution, _WEIGHTS), load(convolution, _WEIGHT_ITEMS))
        low = max(load(state, LOW), -INT32_LIMIT)
        high = min(load(state, HIGH), INT32_LIMIT - 1)
        reciprocal = _reciprocal(load(state, DIVISOR))
        least, greatest = panel_kernels.multiply_panels(
            values, _window(convolution), weights, bias, kernels, reciprocal, low, high, int32_array(out, kernels)
        )
        return 4, max(-least, greatest)

    return results


def _settle(results, arranged=_as_words):
    """What carries convolutions out, whose results ``results`` computes of items and biases that ``arranged`` gives."""

    @helper
    def settle(state):
        executor = executor_of_state(state)
        convolution = load(state, CONVOLUTION_OF)
        items = state + INPUT
        length = load(items, LENGTH)
        kernels, positions = load(convolution, _KERNELS), load(convolution, _POSITIONS)
        padded = (kernels + _CHANNELS - 1) // _CHANNELS * _CHANNELS
        source = _short_items(executor, items)
        placed = _placed(executor, items, convolution, source)
        size = 4 * kernels * positions  # also for what turns out not to fit 16 bits
        out = take(executor, size)
        bias = load(state, BIAS)
        zeros = take(executor, 4 * padded) if bias == 0 else bias
        if source == 0 or placed == 0 or zeros == 0 or out == 0:
            return 0
        if bias == 0:
            int32_array(zeros, padded)[:] = 0
        values, biases, extra, extra_bytes = arranged(executor, state, convolution, placed, zeros, padded)
        if extra_bytes < 0:
            return 0
        width, bound = results(state, convolution, values, biases, out)
        if extra != 0:
            give_back(executor, extra, extra_bytes)
        if bias == 0:
            give_back(executor, zeros, 4 * padded)
        if placed != source:
            give_back(executor, placed, 2 * (_placed_items(convolution) + 1))
        if source != load(items, DATA):
            give_back(executor, source, 2 * length + 2)
        drop(executor, items)
        buffer = buffer_of(state)
        hold(executor, buffer, out, size, kernels * positions, width, bound)
        store(buffer, LAYOUT, kernels if positions > 1 else 1)
        store(state, CONVOLUTION_OF, 0)
        return 1

    return settle


_settle_words = _settle(_in_blocks(_with_words))
_settle_taps = _settle(_in_blocks(_with_taps))
_settle_row = _settle(_in_a_row(int16_array))
_settle_row_of_bytes = _settle(_in_a_row(int8_array))
_settle_quads = _settle(_in_blocks(_with_quads), _as_bytes)


def settle_words(state):
    """Carry out the convolution that a state's Buffer stands for."""
    return _settle_words(state)


def settle_quads(state):
    """The same with 8-bit weights and items."""
    return _settle_quads(state)


def settle_taps(state):
    """The same of a depthwise convolution."""
    return _settle_taps(state)


def settle_row(state):
    """The same of a single window of one stretch: a matrix times a vector."""
    return _settle_row(state)


def settle_row_of_bytes(state):
    """The same with 8-bit weights."""
    return _settle_row_of_bytes(state)


def order(executor):
    """Bring items, whose address is the argument, into their own order."""
    items = load(executor, _ARGUMENTS)
    length, width, channels = load(items, LENGTH), load(items, WIDTH), load(items, LAYOUT)
    data = take(executor, length * width)
    if data == 0:
        return 0
    source = load(items, DATA)
    if width == 2:
        _reorder(int16_array(source, length), channels, int16_array(data, length))
    elif width == 4:
        _reorder(int32_array(source, length), channels, int32_array(data, length))
    else:
        _reorder(int64_array(source, length), channels, int64_array(data, length))
    hold(executor, items, data, length * width, length, width, load(items, BOUND))
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


def convert(executor):
    """Copy items; the arguments are source, bytes of its items, their number, target, bytes of its items: another
    number, and enough for all."""
    source, have, count = load(executor, _ARGUMENTS), load(executor, _ARGUMENTS + 1), load(executor, _ARGUMENTS + 2)
    target, width = load(executor, _ARGUMENTS + 3), load(executor, _ARGUMENTS + 4)
    if have == 2 and width == 4:
        _convert(int16_array(source, count), int32_array(target, count))
    elif have == 2:
        _convert(int16_array(source, count), int64_array(target, count))
    elif have == 4 and width == 8:
        _convert(int32_array(source, count), int64_array(target, count))
    elif have == 4:
        _convert(int32_array(source, count), int16_array(target, count))
    elif width == 4:
        _convert(int64_array(source, count), int32_array(target, count))
    else:
        _convert(int64_array(source, count), int16_array(target, count))
    return 1


@helper
def _convert(source, target):
    for i in range(target.shape[0]):
        target[i] = source[i]


def least(executor):
    """The least of 0 and items, whose address is the argument."""
    items = load(executor, _ARGUMENTS)
    length, width, data = load(items, LENGTH), load(items, WIDTH), load(items, DATA)
    if width == 2:
        return _least(int16_array(data, length))
    return _least(int32_array(data, length)) if width == 4 else _least(int64_array(data, length))


@helper
def _least(values):
    low = values.dtype.type(0)
    for i in range(values.shape[0]):
        low = values[i] if values[i] < low else low
    return int(low)


def magnitude(executor):
    """The exact largest magnitude of items, whose address is the argument; it becomes their bound."""
    items = load(executor, _ARGUMENTS)
    length, width, data = load(items, LENGTH), load(items, WIDTH), load(items, DATA)
    if width == 2:
        bound = _magnitude(int16_array(data, length))
    elif width == 4:
        bound = _magnitude(int32_array(data, length))
    else:
        bound = _magnitude(int64_array(data, length))
    store(items, BOUND, bound)
    return bound


@helper
def _magnitude(values):
    low = values.dtype.type(0)
    high = values.dtype.type(0)
    for i in range(values.shape[0]):
        low = values[i] if values[i] < low else low
        high = values[i] if values[i] > high else high
    return max(-int(low), int(high))
