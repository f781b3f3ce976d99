"""Up to where the kernels of activations are proven, in ``activation_float`` and in ``activation_pairs``."""

from __future__ import annotations

#: Arguments are clamped here in float64, where with scales below ``SCALE_LIMIT`` every function has long saturated.
FLOAT_ARGUMENT_LIMIT = 60
#: The bound of float64 is below 2^-29 for scales up to this.
SCALE_LIMIT = 1 << 16
#: Items that the bound of float64 allows for.
COUNT_LIMIT = 1 << 24

#: Beyond this the exponentials count as 0 in pairs of float64.
PAIRS_ARGUMENT_LIMIT = 120
