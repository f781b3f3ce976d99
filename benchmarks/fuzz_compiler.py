"""Compiles mutated real sources: each must end in diagnostics or in code, never in a traceback, never late.

    python benchmarks/fuzz_compiler.py FOLDER --count 20000 --seed 1

Takes every ``.sol`` file below FOLDER that compiles alone, changes one to three tokens of it, and compiles
all outputs, with the optimizer in every second round. What fails is written to the folder given by
``--keep``. Exit status 1 when anything failed.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from smartvm.compiler.standard_json import compile_standard

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_INSERTED = re.findall(
    r"\S+",
    """
    ( ) { } [ ] ; , . = == + - * / ** ++ => ? : uint int8 bytes string memory storage calldata payable view
    function  contract is override virtual mapping if else for while return emit revert new delete this super
    type 0 1 0x10 1e18  true abi unchecked assembly constant immutable public external internal struct enum
    error event modifier _ using  library interface abstract try catch returns bytes32[] address
    """,
)


class Late(BaseException):
    """The time limit of a compilation has passed."""


def _on_alarm(_signal: int, _frame: object) -> None:
    raise Late


def mutate(text: str, chance: random.Random) -> str:
    """The text with one to three tokens removed, added, replaced, swapped or repeated."""
    tokens = _TOKEN.findall(text)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        tokens = tokens or ["x"]
        place, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        match chance.randrange(6):
            case 0:
                del tokens[place]
            case 1:
                tokens.insert(place, chance.choice(_INSERTED) + " ")
            case 2:
                tokens[place] = chance.choice(_INSERTED)
            case 3:
                tokens[place], tokens[other] = tokens[other], tokens[place]
            case 4:
                tokens[place:place] = tokens[place : place + chance.randrange(1, 30)]
            case _:
                tokens[place] = tokens[other]
    return "".join(tokens)


def compile_(text: str, optimize: bool) -> dict[str, Any]:
    """Everything of a source; with the optimizer also the optimised program as Yul."""
    outputs = ["*", "irOptimized"] if optimize else ["*"]
    settings = {
        "optimizer": {"enabled": optimize},
        "outputSelection": {"*": {"*": outputs, "": ["ast"]}},
    }
    return compile_standard(
        {"language": "Solidity", "sources": {"a.sol": {"content": text}}, "settings": settings}
    )


def verdict(text: str, optimize: bool, limit: float) -> str:
    """``code``, ``refused``, or what went wrong."""
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        result = compile_(text, optimize)
    except Late:
        return "late"
    except Exception as error:
        return f"raised {type(error).__name__}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    errors = [error for error in result.get("errors", []) if error["severity"] == "error"]
    for error in errors:
        if error["type"] == "InternalCompilerError":
            return f"internal: {error['message'][:100]}"
    return "refused" if errors else "code"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=10.0, help="seconds of CPU time for one compilation")
    parser.add_argument("--keep", type=Path, help="folder for sources that fail")
    arguments = parser.parse_args()
    signal.signal(signal.SIGPROF, _on_alarm)
    texts = [path.read_text("utf-8") for path in sorted(arguments.folder.rglob("*.sol"))]
    seeds = [text for text in texts if verdict(text, False, 60) == "code"]
    if not seeds:
        print("no source below the folder compiles alone")
        return 2
    chance = random.Random(arguments.seed)
    counts: Counter[str] = Counter()
    start = time.perf_counter()
    for number in range(arguments.count):
        text = mutate(chance.choice(seeds), chance)
        outcome = verdict(text, bool(number % 2), arguments.limit)
        counts[outcome] += 1
        if outcome not in ("code", "refused"):
            print(f"{number}: {outcome}")
            if arguments.keep is not None:
                arguments.keep.mkdir(parents=True, exist_ok=True)
                (arguments.keep / f"{arguments.seed}-{number}.sol").write_text(text, "utf-8")
    elapsed = time.perf_counter() - start
    print(f"{arguments.count} sources from {len(seeds)} in {elapsed:.0f} s: {dict(counts.most_common())}")
    return 0 if set(counts) <= {"code", "refused"} else 1


if __name__ == "__main__":
    sys.exit(main())
