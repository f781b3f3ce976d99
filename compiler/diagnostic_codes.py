"""The codes of smartvm's own diagnostics. They are numbers from 90000 on, which solc does not use; what solc
reports too has solc's number. docs/diagnostics.md shows each."""

from __future__ import annotations

from collections.abc import Mapping

#: An instruction that this fork of the instruction table lacks.
NOT_IN_FORK = 90010
#: The literal that says how many values an instruction returns is out of range.
RESULT_COUNT = 90011
#: A DNN instruction, or one of the user's own, with too many or too few operands.
OPERAND_COUNT = 90012
#: A constant operand that the instruction does not take, whatever the Buffer holds.
OPERAND_RANGE = 90030
#: A window larger than its padded map; an output without cells.
WINDOW_TOO_LARGE = 90031
#: A depthwise convolution with another number of output channels than of input channels.
CHANNELS_DIFFER = 90032
#: The Buffer's map is not what the layer is told that it is.
SHAPE_MISFIT = 90033
#: More items than the Buffer holds.
TOO_FEW_ITEMS = 90034
#: No saved Buffer to take, or no room for another.
SAVED_BUFFERS = 90035
#: The Buffer and the saved one that it is combined with have different lengths.
LENGTHS_DIFFER = 90036

#: Every code, and what it is about.
OWN_CODES: Mapping[int, str] = {
    NOT_IN_FORK: "an instruction that the EVM version lacks",
    RESULT_COUNT: "how many values an instruction returns",
    OPERAND_COUNT: "the number of operands",
    OPERAND_RANGE: "an operand out of range",
    WINDOW_TOO_LARGE: "a window that does not fit its map",
    CHANNELS_DIFFER: "a depthwise convolution's channels",
    SHAPE_MISFIT: "a map of another shape",
    TOO_FEW_ITEMS: "more items than there are",
    SAVED_BUFFERS: "saved Buffers",
    LENGTHS_DIFFER: "Buffers of different lengths",
}
