"""The examples compiled by smartvm and by solc (through py-solc-x): the same interface, the same behaviour.

A solc is found where py-solc-x finds one, or made of the npm package that ``SMARTVM_SOLC`` names.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import smartvm

solcx = pytest.importorskip("solcx")

TOKEN = Path(__file__).resolve().parents[2] / "examples" / "erc20" / "Token.sol"
OUTPUTS = ["abi", "evm.methodIdentifiers", "storageLayout", "evm.bytecode.object", "userdoc", "devdoc"]

#: What py-solc-x asks of a solc, answered by the npm package.
SHIM = """#!/usr/bin/env node
const solc = require('{package}');
if (process.argv.includes('--version')) {{
    console.log('solc, the solidity compiler commandline interface\\nVersion: ' + solc.version());
}} else {{
    process.stdout.write(solc.compile(require('fs').readFileSync(0, 'utf8')));
}}
"""


@pytest.fixture(scope="module")
def solc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The binary to give to py-solc-x."""
    if found := shutil.which("solc"):
        yield Path(found)
        return
    if versions := solcx.get_installed_solc_versions():
        yield solcx.install.get_executable(max(versions))
        return
    package = os.environ.get("SMARTVM_SOLC")
    if not package or not shutil.which("node"):
        pytest.skip("no solc: none on PATH, none installed by py-solc-x, and no node with SMARTVM_SOLC")
    shim = tmp_path_factory.mktemp("solc") / "solc"
    shim.write_text(SHIM.format(package=package))
    shim.chmod(0o755)
    yield shim


@pytest.fixture(scope="module")
def both(solc: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """smartvm's and solc's contracts of the token's source."""
    request = {
        "language": "Solidity",
        "sources": {"Token.sol": {"content": TOKEN.read_text()}},
        "settings": {"optimizer": {"enabled": True}, "outputSelection": {"*": {"*": OUTPUTS}}},
    }
    own = smartvm.compile_standard(request)
    reference = solcx.compile_standard(request, solc_binary=solc, allow_empty=True)
    return own["contracts"]["Token.sol"], reference["contracts"]["Token.sol"]


@pytest.mark.solc
@pytest.mark.parametrize("name", ["IERC20", "Owned", "Token"])
def test_interface_and_documentation_are_solcs(both: tuple[dict[str, Any], dict[str, Any]], name: str) -> None:
    own, reference = both[0][name], both[1][name]
    assert own["abi"] == reference["abi"]
    assert own["evm"]["methodIdentifiers"] == reference["evm"]["methodIdentifiers"]
    assert own["userdoc"] == reference["userdoc"]
    assert own["devdoc"] == reference["devdoc"]


@pytest.mark.solc
def test_variables_lie_where_solc_puts_them(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    def places(contract: dict[str, Any]) -> list[tuple[str, str, int]]:
        return [(v["label"], v["slot"], v["offset"]) for v in contract["storageLayout"]["storage"]]

    assert places(both[0]["Token"]) == places(both[1]["Token"])


@pytest.mark.solc
def test_a_session_with_the_token_goes_as_with_solcs_code(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    def session(compiled: dict[str, Any]) -> list[Any]:
        chain = smartvm.Chain()
        code = {"abi": compiled["abi"], "bin": compiled["evm"]["bytecode"]["object"]}
        token = chain.deploy_compiled(code, "Coin", "C", 1000)
        friend = chain.accounts[1]
        seen: list[Any] = [token.name(), token.symbol(), token.totalSupply(), token.owner()]
        for act in (
            lambda: token.transfer(friend, 300),
            lambda: token.transfer(friend, 10**9),
            lambda: token.approve(friend, 50),
            lambda: token.transferFrom(chain.accounts[0], friend, 51, sender=friend),
            lambda: token.transferFrom(chain.accounts[0], friend, 50, sender=friend),
            lambda: token.grant(friend, 7, "for a reason longer than one word of thirty-two bytes"),
            lambda: token.grant(friend, 7, "", sender=friend),
            token.allGrants,
        ):
            try:
                seen.append(act())
            except smartvm.Reverted as error:
                seen.append(error.reason)
            seen.append([(e.name, e.arguments) for e in token.last.events] if token.last else None)
        return [*seen, *(token.storage(slot) for slot in range(8))]

    assert session(both[0]["Token"]) == session(both[1]["Token"])
