"""Feeds mutated Solidity sources to the compiler: each must end in a diagnostic or in code.

    python benchmarks/fuzz_sources.py --count 20000 --seed 1 --jobs 2 FOLDER ...

Every FOLDER's ``.sol`` files are cut into tokens and changed by a few random edits (delete, repeat, swap,
replace by a token of any file, nest, cut off). A source fails that ends in an internal error, an exception, a
dead process, or takes longer than ``--limit`` seconds; failing ones go to ``--keep``. The same seed makes
the same sources. Exit status 1 when any failed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TOKEN = re.compile(r"\s+|//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'|\w+|[^\w\s]", re.S)
LARGEST_SOURCE = 12_000
HARD_TOKENS = ("0x", "1e999999", 'hex"0"', "\\u", "\x00", 'unicode"\ud7ff"', "2**9999999")


def tokens_of(text: str) -> list[str]:
    """The text cut so that joining gives it back."""
    return TOKEN.findall(text)


def kind_of(token: str) -> str:
    """A rough class of token: blank, number, word, string or sign."""
    first = token[0]
    if first.isspace() or token.startswith(("//", "/*")):
        return "blank"
    if first.isdigit():
        return "number"
    if first.isalpha() or first == "_":
        return "word"
    return "string" if first in "\"'" else "sign"


def mutate(tokens: list[str], pool: list[str], chance: random.Random) -> str:
    """A source with a few random edits; most put a token of the same kind, so that many pass the parser."""
    tokens = list(tokens)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        if not tokens:
            break
        at = chance.randrange(len(tokens))
        end = min(len(tokens), at + chance.choice((1, 1, 2, 3, 8)))
        edit = chance.randrange(14)
        if edit >= 8:
            words = [t for t in tokens if kind_of(t) == kind_of(tokens[at])]
            tokens[at] = chance.choice(words)
        elif edit == 0:
            del tokens[at:end]
        elif edit == 1:
            tokens[at:at] = tokens[at:end]
        elif edit == 2:
            other = chance.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif edit in (3, 4):
            tokens[at] = chance.choice(pool)
        elif edit == 5:
            tokens.insert(at, f" {chance.choice(pool)} ")
        elif edit == 6:
            opening, closing = chance.choice(("()", "{}", "[]"))
            depth = chance.choice((1, 2, 40, 3000))
            tokens[at] = opening * depth + tokens[at] + closing * depth
        elif chance.random() < 0.2:
            del tokens[at:]
        else:
            tokens[at] = chance.choice(HARD_TOKENS)
    return "".join(tokens)


def sources(folders: list[Path], count: int, seed: int) -> Iterator[tuple[int, str]]:
    """Number and text of each mutated source."""
    chance = random.Random(seed)
    files = sorted(path for folder in folders for path in folder.rglob("*.sol"))
    texts = [t for t in (path.read_text(errors="replace") for path in files) if len(t) <= LARGEST_SOURCE]
    cut = [tokens_of(text) for text in texts]
    pool = sorted({token for tokens in cut for token in tokens if not token.isspace() and len(token) < 40})
    for number in range(count):
        yield number, mutate(chance.choice(cut), pool, chance)


class TookTooLong(Exception):
    """The limit passed."""


def judge(job: tuple[int, str, float]) -> tuple[int, str, str, float]:
    """Compile one source: number, verdict ("code", "diagnostic", or what is wrong), text, seconds."""
    import smartvm

    number, text, limit = job

    def stop(signum: int, frame: Any) -> None:
        raise TookTooLong

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    started = time.perf_counter()
    try:
        output = smartvm.compile_standard(
            {
                "language": "Solidity",
                "sources": {"a.sol": {"content": text}},
                "settings": {"outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}}},
            }
        )
    except TookTooLong:
        return number, f"over {limit} s", text, limit
    except BaseException as error:
        return number, f"{type(error).__name__}: {error}", text, time.perf_counter() - started
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.perf_counter() - started
    errors = [e for e in output.get("errors", []) if e["severity"] == "error"]
    for error in errors:
        if error["type"] in ("InternalCompilerError", "Exception", "CodeGenerationError"):
            return number, f"{error['type']}: {error['message']}", text, seconds
    return number, "diagnostic" if errors else "code", text, seconds


def main() -> int:
    """Run; print a count of each verdict and the slowest source."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=float, default=10.0)
    parser.add_argument("--keep", type=Path, help="folder for failing sources")
    options = parser.parse_args()
    counts = {"code": 0, "diagnostic": 0}
    kinds: dict[str, int] = {}
    slowest = 0.0
    jobs = ((n, text, options.limit) for n, text in sources(options.folders, options.count, options.seed))
    with multiprocessing.Pool(options.jobs, maxtasksperchild=2000) as pool:
        for number, verdict, text, seconds in pool.imap_unordered(judge, jobs, chunksize=8):
            slowest = max(slowest, seconds)
            if verdict in counts:
                counts[verdict] += 1
                continue
            kind = verdict.splitlines()[0][:160]
            kinds[kind] = kinds.get(kind, 0) + 1
            if kinds[kind] == 1:
                print(f"source {number}: {kind}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{options.seed}-{number}.sol").write_text(text, errors="replace")
    failed = sum(kinds.values())
    print(f"{counts['code']} to code, {counts['diagnostic']} to a diagnostic, {failed} failed", end="; ")
    print(f"slowest {slowest:.1f} s")
    for kind, times in sorted(kinds.items(), key=lambda item: -item[1]):
        print(f"{times:6d}  {kind}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
