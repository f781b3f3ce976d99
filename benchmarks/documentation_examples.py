"""Compiles every Solidity example of Solidity's documentation with smartvm and deploys what can be deployed.

    python benchmarks/documentation_examples.py CLONE

CLONE is a git directory of ethereum/solidity. An example is a ``code-block`` that states a pragma; solc (the npm
package that ``SMARTVM_SOLC`` names), where there is one, says whether it is meant to compile. Exit status 1 when any
verdict differs. A constructor may revert: some examples call contracts that live on mainnet.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "artifacts"))

import smartvm
from compare import run_solc

BLOCK = re.compile(r"^( *)\.\. code-block:: solidity\n((?:\1 +:.*\n)*)\n((?:(?:\1 +.*)?\n)+)", re.M)


def examples(clone: str) -> Iterator[tuple[str, str]]:
    """Place and text of each example."""
    git = ["git", "--git-dir", clone]
    listed = subprocess.run([*git, "ls-tree", "-r", "--name-only", "HEAD", "docs"], capture_output=True, text=True)
    for path in listed.stdout.splitlines():
        if not path.endswith(".rst"):
            continue
        text = subprocess.run([*git, "show", f"HEAD:{path}"], capture_output=True, text=True).stdout
        for match in BLOCK.finditer(text):
            code = textwrap.dedent(match[3])
            if "pragma solidity" in code:
                yield f"{path}:{text[: match.start()].count(chr(10)) + 1}", code


def main(clone: str) -> int:
    """Compare verdicts and deploy; print what differs and the counts."""
    solc = os.environ.get("SMARTVM_SOLC")
    counts = {"examples": 0, "compiled": 0, "deployed": 0, "different": 0}
    for place, code in examples(clone):
        counts["examples"] += 1
        request = {
            "language": "Solidity",
            "sources": {"example.sol": {"content": code}},
            "settings": {"outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}}},
        }
        own = smartvm.compile_standard(request)
        errors = [e for e in own.get("errors", []) if e["severity"] == "error"]
        if solc:
            answer: Any = run_solc(solc, request)
            theirs = [e for e in answer.get("errors", []) if e["severity"] == "error"]
            if bool(theirs) != bool(errors):
                counts["different"] += 1
                print(f"{place}: smartvm {json.dumps([e['message'] for e in errors])}, ", end="")
                print(f"solc {json.dumps([e['message'] for e in theirs])}")
        if errors:
            continue
        counts["compiled"] += 1
        for name, contract in own.get("contracts", {}).get("example.sol", {}).items():
            code_ = contract["evm"]["bytecode"]["object"]
            needs = any(e["type"] == "constructor" and e["inputs"] for e in contract["abi"])
            if code_ and "__$" not in code_ and not needs:
                try:
                    smartvm.Chain().deploy_compiled({"abi": contract["abi"], "bin": code_})
                    counts["deployed"] += 1
                except smartvm.Reverted as error:
                    print(f"{place}: {name}: {error}")
    print(", ".join(f"{number} {what}" for what, number in counts.items()))
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
