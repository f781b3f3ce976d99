"""slither and crytic-compile read what smartvm compiles, contracts with DNN instructions included."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from smartvm.compiler import library

pytestmark = [pytest.mark.client_slither, pytest.mark.slow]

LENET5 = Path(__file__).resolve().parents[2] / "examples" / "lenet5" / "LeNet5.sol"

#: Where the sources are that come with the compiler: clients look for each source on disk.
LIBRARY = Path(library.__file__).parent

BANK = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

contract Bank {
    mapping(address => uint256) public held;

    function put() external payable { held[msg.sender] += msg.value; }

    function take() external {
        uint256 amount = held[msg.sender];
        (bool sent,) = msg.sender.call{value: amount}("");
        require(sent);
        held[msg.sender] = 0;
    }

    function kill() external { selfdestruct(payable(msg.sender)); }

    function raw(uint256 x) external pure returns (uint256 y) {
        assembly { y := mulmod(x, x, 7) }
    }
}
"""

#: A network of one instruction in assembly, without the library.
DENSE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

contract Dense {
    uint256 public calls;

    function forward(uint256 data, uint256 count) external {
        calls++;
        assembly {
            mtob(data, count)
            conv_mul(2, 1, 6, 28, 28, 5, 1, 0)
            act_rl(0)
        }
    }
}
"""

PROJECT = """[profile.default]
solc = {solc}
auto_detect_solc = false
offline = true
optimizer = true
remappings = ["smartvm/=lib/smartvm/"]
"""


@pytest.fixture
def slither(python_client, tmp_path):
    """Runs slither; what its detectors found."""
    run = python_client("slither")

    def analyse(target: object, *arguments: object, cwd: Path, **environment: str) -> list[dict[str, Any]]:
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        result: subprocess.CompletedProcess[str] = run(
            target, *arguments, "--json", report, cwd=cwd, check=False, **environment
        )
        assert report.exists(), result.stdout[-3000:] + result.stderr[-3000:]
        found = json.loads(report.read_text())
        assert found["success"], found["error"]
        return found["results"].get("detectors", [])

    return analyse


def _checks(findings: list[dict[str, Any]]) -> set[str]:
    return {finding["check"] for finding in findings}


def test_slither_finds_the_reentrancy_in_what_the_script_compiles(slither, solc_script, tmp_path):
    (tmp_path / "Bank.sol").write_text(BANK)
    findings = slither("Bank.sol", "--solc", solc_script, cwd=tmp_path)
    assert {"reentrancy-eth", "suicidal", "low-level-calls", "assembly"} <= _checks(findings)
    (reentrancy,) = [finding for finding in findings if finding["check"] == "reentrancy-eth"]
    assert "Bank.take() (Bank.sol#9-14)" in reentrancy["description"]


def test_slither_analyses_assembly_with_dnn_instructions(slither, solc_script, tmp_path):
    (tmp_path / "Dense.sol").write_text(DENSE)
    findings = slither("Dense.sol", "--solc", solc_script, cwd=tmp_path)
    found = [finding["description"] for finding in findings if finding["check"] == "assembly"]
    assert any(text.startswith("Dense.forward(uint256,uint256) (Dense.sol#7-14) uses assembly") for text in found)


def test_slither_analyses_lenet5_with_its_library(slither, solc_script, tmp_path):
    (tmp_path / "LeNet5.sol").write_text(LENET5.read_text())
    findings = slither(
        "LeNet5.sol", "--solc", solc_script, "--solc-remaps", f"smartvm/={LIBRARY}/", cwd=tmp_path
    )
    assert "assembly" in _checks(findings)


def test_slither_through_forge_finds_what_it_finds_with_solc(
    slither, forge_path, solc_script, reference_solc, tmp_path
):
    found = []
    for name, solc in (("own", solc_script), ("reference", reference_solc)):
        project = tmp_path / name / "project"
        (project / "src").mkdir(parents=True)
        (project / "src" / "Bank.sol").write_text(BANK)
        (project / "foundry.toml").write_text(PROJECT.format(solc=json.dumps(str(solc))))
        found.append(slither(".", cwd=project, PATH=forge_path, FOUNDRY_OFFLINE="true"))
    own, reference = ({(f["check"], f["impact"], f["description"]) for f in findings} for findings in found)
    assert own == reference
    assert "reentrancy-eth" in _checks(found[0])


def test_slither_through_forge_analyses_lenet5(slither, forge_path, solc_script, tmp_path):
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "LeNet5.sol").write_text(LENET5.read_text())
    (project / "lib" / "smartvm").mkdir(parents=True)
    (project / "lib" / "smartvm" / "nn.sol").write_text((LIBRARY / "nn.sol").read_text())
    (project / "foundry.toml").write_text(PROJECT.format(solc=json.dumps(str(solc_script))))
    findings = slither(".", cwd=project, PATH=forge_path, FOUNDRY_OFFLINE="true")
    assert "assembly" in _checks(findings)


def test_crytic_compile_exports_what_the_script_compiles(python_client, solc_script, tmp_path):
    (tmp_path / "Bank.sol").write_text(BANK)
    python_client("crytic-compile")(
        "Bank.sol", "--solc", solc_script, "--export-format", "solc", cwd=tmp_path
    )
    exported = json.loads((tmp_path / "crytic-export" / "combined_solc.json").read_text())
    (contract,) = exported["contracts"].values()
    assert {entry["name"] for entry in json.loads(contract["abi"])} == {"held", "put", "take", "kill", "raw"}
    assert contract["bin-runtime"]
    assert contract["srcmap-runtime"]
