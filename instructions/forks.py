"""One map of the names that forks go by: ours, solc's EVM versions, and those of Ethereum's state tests."""

from __future__ import annotations

#: Spellings other than a table's own, in lower case without separators.
FORK_ALIASES = {
    "eip150": "tangerine_whistle",
    "tangerine": "tangerine_whistle",
    "eip158": "spurious_dragon",
    "spurious": "spurious_dragon",
    "constantinoplefix": "petersburg",
    "muirglacier": "istanbul",
    "arrowglacier": "london",
    "grayglacier": "london",
    "merge": "paris",
    "parismerge": "paris",
}


def canonical_fork(name: str) -> str:
    """The table's spelling of a fork: ``tangerineWhistle``, ``EIP150`` and ``tangerine_whistle`` are one.

    A name that is no alias comes back in lower case; whether a table has it is the table's matter.
    """
    bare = name.replace("_", "").replace("-", "").replace(" ", "").lower()
    if bare in FORK_ALIASES:
        return FORK_ALIASES[bare]
    return {"tangerinewhistle": "tangerine_whistle", "spuriousdragon": "spurious_dragon"}.get(
        bare, name.lower()
    )


def solc_name(fork: str) -> str:
    """solc's spelling of a fork as an EVM version: ``spurious_dragon`` -> ``spuriousDragon``."""
    first, *rest = fork.split("_")
    return first + "".join(word.capitalize() for word in rest)
