"""The versions under which the compiler presents itself."""

from __future__ import annotations

#: The release of the Solidity language that is implemented; version pragmas are checked against it.
LANGUAGE_VERSION = (0, 8, 37)

#: As in solc's ``--version`` and metadata; the commit spells "smartvm" in ASCII, cut to the eight digits
#: tools expect.
COMPILER_VERSION = "0.8.37+commit.736d6172"
