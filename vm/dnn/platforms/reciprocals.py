"""What 32-bit sums are multiplied with instead of being divided: ``panel_tiles`` has the proof that it is the same."""

from __future__ import annotations


def reciprocal_of(divisor: int) -> float:
    """1/divisor·(1 + e) with 2^-51 < e < 2^-49, in float64: both operations round by at most 2^-53 relative,
    and 1 + 2^-50 is exact."""
    return (1.0 / divisor) * (1.0 + 2.0**-50)
