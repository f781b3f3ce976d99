"""Addresses with the checksum of EIP-55 in the case of their letters."""

from __future__ import annotations

from smartvm.compiler.analysis.types.elementary import keccak256


def checksummed_address(text: str) -> str:
    """The address (``0x`` and up to 40 digits) with the right case of letters."""
    digits = text[2:].lower().rjust(40, "0")
    digest = keccak256(digits.encode("ascii")).hex()
    return "0x" + "".join(c.upper() if int(digest[i], 16) >= 8 else c for i, c in enumerate(digits))


def passes_checksum(text: str) -> bool:
    """Whether the letters have the right case; all in one case is not enough where letters occur (as in
    solc)."""
    return text == checksummed_address(text)
