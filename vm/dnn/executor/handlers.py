"""The handlers: by instruction, the module and name of a function of the frame's address that executes the
instruction and says so, or changes nothing. (BTOS1 alone has none: it changes the state, which is Python's.)

A handler is compiled when it is first wanted, and its module imported only then. Its operands are on the stack and its
constant gas is charged.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

HANDLERS: Mapping[str, str] = MappingProxyType(
    {
        "ACT_RL": "items.rectify",
        "ACT_SM0": "activations.softmax",
        "ACT_SM1": "activations.sigmoid",
        "ACT_TANH": "activations.hyperbolic_tangent",
        "BTOM": "moves.to_memory",
        "BTOM_PACK": "moves.to_memory_packed",
        "BTOS0": "moves.to_stack",
        "BUF_ADD": "items.add",
        "BUF_ALLO": "moves.extend",
        "BUF_BIAS": "items.add_bias",
        "BUF_CAT": "moves.concatenate",
        "BUF_CLS": "moves.clear_first",
        "BUF_COPY": "moves.save",
        "BUF_FIL": "moves.fill",
        "BUF_FREE": "moves.drop_last",
        "BUF_INIT": "moves.initialise",
        "BUF_MUL": "items.multiply",
        "BUF_SCL0": "items.scale_up",
        "BUF_SCL1": "items.scale_down",
        "BUF_SIZE": "moves.size",
        "BUF_SWAP": "moves.swap",
        "CONV_3D": "products.convolve",
        "CONV_MUL": "products.convolve",
        "CONV_SING": "products.convolve",
        "CONV_TPD": "matrices.transpose",
        "FULL_CON": "products.fully_connected",
        "MAT_MUL": "matrices.multiply",
        "MTOB": "moves.from_memory",
        "MTOB_PACK": "moves.from_memory_packed",
        "POOL_AVG": "pooling.average",
        "POOL_MAX": "pooling.maximum",
        "POOL_OL": "pooling.overlapping",
    }
)

#: Functions that every handler may call through their addresses, by their names in the executor's structure.
SHARED: Mapping[str, str] = MappingProxyType(
    {
        "in_order": "settling.order",
        "convert": "settling.convert",
        "least": "settling.least",
        "magnitude": "settling.magnitude",
        "greatest": "pooling.greatest",
    }
)

#: Functions that are called through their addresses.
FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "settle_words": "settling.settle_words",
        "settle_row": "settling.settle_row",
        "settle_row_of_bytes": "settling.settle_row_of_bytes",
        "settle_quads": "settling.settle_quads",
        "settle_taps": "settling.settle_taps",
        **SHARED,
    }
)
