"""forge builds and tests a project with forge-std through ``smartvm-solc``: each verdict is the one that solc gets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.client_forge

VAULT = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

library Shares {
    function worth(uint256 shares, uint256 total, uint256 assets) external pure returns (uint256) {
        return total == 0 ? 0 : shares * assets / total;
    }
}

contract Vault {
    error NotEnough(address account, uint256 wanted, uint256 held);
    event Deposit(address indexed account, uint256 amount);

    struct Account { uint128 shares; uint64 since; }

    address public immutable owner;
    uint256 public total;
    mapping(address => Account) public accounts;
    string public name = "a vault whose name is longer than thirty-two bytes";

    constructor() { owner = msg.sender; }

    /// @notice Takes ether for shares, one for one.
    function deposit() external payable returns (uint256 shares) {
        shares = msg.value;
        accounts[msg.sender].shares += uint128(shares);
        accounts[msg.sender].since = uint64(block.timestamp);
        total += shares;
        emit Deposit(msg.sender, shares);
    }

    function withdraw(uint256 shares) external {
        uint256 held = accounts[msg.sender].shares;
        if (shares > held) revert NotEnough(msg.sender, shares, held);
        uint256 worth = Shares.worth(shares, total, address(this).balance);
        accounts[msg.sender].shares -= uint128(shares);
        total -= shares;
        (bool sent,) = msg.sender.call{value: worth}("");
        require(sent, "not sent");
    }
}
"""

TESTS = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test, console2, stdError, stdStorage, StdStorage} from "forge-std/Test.sol";
import {Vault} from "../src/Vault.sol";

contract Handler is Test {
    Vault public vault;
    uint256 public put;

    constructor(Vault vault_) { vault = vault_; }

    receive() external payable {}

    function deposit(uint96 amount) external {
        deal(address(this), amount);
        put += vault.deposit{value: amount}();
    }

    function withdraw(uint256 amount) external {
        amount = bound(amount, 0, put);
        vault.withdraw(amount);
        put -= amount;
    }
}

contract VaultTest is Test {
    using stdStorage for StdStorage;

    Vault vault;
    Handler handler;

    function setUp() public {
        vault = new Vault();
        handler = new Handler(vault);
        targetContract(address(handler));
    }

    receive() external payable {}

    function test_Deposit() public {
        vm.expectEmit(true, false, false, true, address(vault));
        emit Vault.Deposit(address(this), 5 ether);
        vault.deposit{value: 5 ether}();
        (uint128 shares, uint64 since) = vault.accounts(address(this));
        assertEq(shares, 5 ether);
        assertEq(since, block.timestamp);
        assertEq(vault.owner(), address(this));
        assertEq(bytes(vault.name()).length, 50);
        console2.log("total", vault.total());
    }

    function test_RevertWhen_NotEnough() public {
        vm.expectRevert(abi.encodeWithSelector(Vault.NotEnough.selector, address(7), 1, 0));
        vm.prank(address(7));
        vault.withdraw(1);
    }

    function test_Overflow() public {
        stdstore.target(address(vault)).sig("total()").checked_write(type(uint256).max);
        vm.expectRevert(stdError.arithmeticError);
        vault.deposit{value: 1}();
    }

    function testFuzz_DepositAndWithdraw(address account, uint96 amount) public {
        vm.assume(uint160(account) > 1000 && account.code.length == 0);
        hoax(account, amount);
        vault.deposit{value: amount}();
        vm.warp(block.timestamp + 1 days);
        vm.prank(account);
        vault.withdraw(amount);
        assertEq(account.balance, amount);
    }

    function test_CodeByName() public {
        address made = deployCode("Vault.sol:Vault");
        assertEq(made.codehash, address(vault).codehash);
    }

    function test_Fails() public view {
        assertEq(vault.total(), 1, "nothing was put in");
    }

    function test_FailsForAPanic() public view {
        uint256[] memory numbers = new uint256[](vault.total());
        numbers[3] = 1;
    }

    function testFuzz_Fails(uint256 x) public pure {
        assertLt(x % 7, 6);
    }

    function invariant_total() public view {
        assertEq(vault.total(), handler.put());
    }
}
"""

CONFIGURATION = """[profile.default]
src = "src"
test = "test"
solc = {solc}
auto_detect_solc = false
offline = true
evm_version = "prague"
optimizer = {optimizer}
remappings = ["forge-std/={forge_std}/"]
allow_paths = ["{forge_std}"]
extra_output = ["storageLayout", "devdoc", "userdoc", "evm.gasEstimates"]

[fuzz]
runs = 32
seed = "0x7"
dictionary_weight = 0

[invariant]
runs = 4
depth = 10
"""


def write_project(folder: Path, solc: Path, forge_std: Path, optimizer: bool) -> Path:
    """A Foundry project that compiles with ``solc``."""
    (folder / "src").mkdir(parents=True)
    (folder / "test").mkdir()
    (folder / "src" / "Vault.sol").write_text(VAULT)
    (folder / "test" / "Vault.t.sol").write_text(TESTS)
    configuration = CONFIGURATION.format(
        solc=json.dumps(str(solc)), optimizer=str(optimizer).lower(), forge_std=forge_std
    )
    (folder / "foundry.toml").write_text(configuration)
    return folder


def verdicts(result: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str | None]]:
    """Status and reason of each test in what ``forge test --json`` prints."""
    output: Mapping[str, Any] = json.loads(result.stdout)
    return {
        test: (outcome["status"], outcome.get("reason"))
        for suite in output.values()
        for test, outcome in suite["test_results"].items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", [False, True], ids=["plain", "optimized"])
def test_each_test_has_the_verdict_that_solc_gets(forge, forge_std, solc_script, reference_solc, tmp_path, optimizer):
    found = []
    for name, solc in (("own", solc_script), ("reference", reference_solc)):
        project = write_project(tmp_path / name, solc, forge_std, optimizer)
        found.append(verdicts(forge("test", "--json", "--allow-failure", cwd=project)))
    assert found[0] == found[1]
    statuses = {test.partition("(")[0]: status for test, (status, _) in found[0].items()}
    failing = {"test_Fails", "test_FailsForAPanic", "testFuzz_Fails"}
    assert {test for test, status in statuses.items() if status == "Failure"} == failing
    assert {test for test, status in statuses.items() if status == "Success"} == {
        "test_Deposit", "test_RevertWhen_NotEnough", "test_Overflow", "testFuzz_DepositAndWithdraw", "test_CodeByName",
        "invariant_total",
    }  # fmt: skip


@pytest.fixture(scope="module")
def built(forge, forge_std, solc_script, tmp_path_factory):
    """A project that is built."""
    project = write_project(tmp_path_factory.mktemp("built") / "project", solc_script, forge_std, optimizer=True)
    result = forge("build", cwd=project)
    assert "Compiler run successful" in result.stdout
    return project


@pytest.mark.slow
def test_build_writes_artifacts_and_a_second_build_compiles_nothing(forge, built):
    artifact = json.loads((built / "out" / "Vault.sol" / "Vault.json").read_text())
    assert artifact["methodIdentifiers"]["withdraw(uint256)"] == "2e1a7d4d"
    assert [variable["label"] for variable in artifact["storageLayout"]["storage"]] == ["total", "accounts", "name"]
    assert artifact["deployedBytecode"]["immutableReferences"]
    assert artifact["bytecode"]["linkReferences"]["src/Vault.sol"]["Shares"][0]["length"] == 20
    assert artifact["metadata"]["compiler"]["version"].startswith("0.8.")
    assert artifact["userdoc"]["methods"]["deposit()"]["notice"] == "Takes ether for shares, one for one."
    assert "No files changed" in forge("build", cwd=built).stdout
    assert "withdraw(uint256)" in forge("inspect", "Vault", "methodIdentifiers", cwd=built).stdout


@pytest.mark.slow
def test_a_trace_names_contracts_functions_and_the_reason_of_a_failure(forge, built):
    result = forge("test", "-vvvvv", "--match-test", "test_FailsForAPanic", cwd=built, check=False)
    assert result.returncode == 1
    assert "VaultTest::test_FailsForAPanic()" in result.stdout
    assert "panic: array out-of-bounds access (0x32)" in result.stdout


@pytest.mark.slow
def test_coverage_counts_the_lines_that_tests_run(forge, built):
    result = forge("coverage", "--report", "summary", "--match-test", "test_Deposit", cwd=built)
    row = next(line for line in result.stdout.splitlines() if "src/Vault.sol" in line)
    assert "0.00% (0/" not in row.split("|")[2]


@pytest.mark.slow
def test_errors_of_the_source_are_shown_with_code_and_place(forge, built):
    wrong = built / "src" / "Wrong.sol"
    wrong.write_text("pragma solidity ^0.8.0;\ncontract Wrong { uint8 small = 300; }\n")
    result = forge("build", cwd=built, check=False)
    wrong.unlink()
    assert result.returncode != 0
    text = result.stdout + result.stderr
    assert "Error (7407)" in text
    assert "src/Wrong.sol:2:32" in text
