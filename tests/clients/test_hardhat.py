"""Hardhat 2 and 3 compile and test a project with smartvm in the place of solc."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.client_hardhat, pytest.mark.slow]

COUNTER = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

library Doubling {
    function twice(uint256 x) external pure returns (uint256) { return 2 * x; }
}

contract Counter {
    error Odd(uint256 value);
    event Grown(uint256 value);

    uint256 public value;
    uint256 public immutable step;

    constructor(uint256 step_) { step = step_; }

    function grow() external {
        value += step;
        emit Grown(value);
    }

    function half() external view returns (uint256) {
        if (value % 2 == 1) revert Odd(value);
        return value / 2;
    }

    function quotient(uint256 by) external view returns (uint256) { return value / by; }
}
"""

#: Hardhat 2 has no solc of its own here: the build that it asks for is ours.
CONFIGURATION_2 = """
const {{ subtask }} = require("hardhat/config");
const {{ TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD }} = require("hardhat/builtin-tasks/task-names");

subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async () => ({{
  compilerPath: {path}, isSolcJs: false, version: "0.8.37", longVersion: {version},
}}));

module.exports = {{
  solidity: {{ version: "0.8.37", settings: {{ optimizer: {{ enabled: true }} }} }},
  networks: {{ hardhat: {{ hardfork: "prague" }} }},
}};
"""

#: What Hardhat adds to an error message comes from the source map, the AST and the build's input.
TESTS_2 = """
const assert = require("assert");
const hre = require("hardhat");

const word = (n) => BigInt(n).toString(16).padStart(64, "0");

describe("Counter", () => {
  let from, to, selectors;

  const send = (method, ...parameters) => hre.network.provider.request({ method, params: parameters });
  const data = (signature, ...words) => "0x" + selectors[signature] + words.map(word).join("");

  beforeEach(async () => {
    const artifact = await hre.artifacts.readArtifact("Counter");
    const info = await hre.artifacts.getBuildInfo("contracts/Counter.sol:Counter");
    selectors = info.output.contracts["contracts/Counter.sol"].Counter.evm.methodIdentifiers;
    [from] = await send("eth_accounts");
    const hash = await send("eth_sendTransaction", { from, data: artifact.bytecode + word(3) });
    to = (await send("eth_getTransactionReceipt", hash)).contractAddress;
  });

  it("grows by its immutable step and says so", async () => {
    const hash = await send("eth_sendTransaction", { from, to, data: data("grow()") });
    const receipt = await send("eth_getTransactionReceipt", hash);
    assert.equal(BigInt(receipt.logs[0].data), 3n);
    assert.equal(BigInt(await send("eth_call", { from, to, data: data("value()") })), 3n);
  });

  it("says which error the contract reverted with, and where", async () => {
    await send("eth_sendTransaction", { from, to, data: data("grow()") });
    await assert.rejects(send("eth_sendTransaction", { from, to, data: data("half()") }), (error) => {
      assert.match(error.message, /reverted with custom error 'Odd\\(3\\)'/);
      assert.match(error.stack, /Counter\\.half \\(contracts\\/Counter\\.sol:23\\)/);
      return true;
    });
  });

  it("says which panic it was", async () => {
    await assert.rejects(send("eth_sendTransaction", { from, to, data: data("quotient(uint256)", 0) }), (error) => {
      assert.match(error.message, /panic code 0x12/);
      assert.match(error.stack, /Counter\\.quotient \\(contracts\\/Counter\\.sol:27\\)/);
      return true;
    });
  });

  it("says that a function takes no ether", async () => {
    await assert.rejects(send("eth_sendTransaction", { from, to, data: data("grow()"), value: "0x1" }), (error) => {
      assert.match(error.message, /non-payable function was called with value 1/);
      return true;
    });
  });
});
"""

CONFIGURATION_3 = """
import {{ defineConfig }} from "hardhat/config";

export default defineConfig({{
  solidity: {{ version: "0.8.37", path: {path}, settings: {{ optimizer: {{ enabled: true }} }} }},
}});
"""

TESTS_3 = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import {Counter} from "./Counter.sol";

interface Cheats {
    function expectRevert(bytes calldata) external;
}

contract CounterTest {
    Cheats constant cheats = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
    Counter counter;

    function setUp() public { counter = new Counter(3); }

    function test_Grow() public {
        counter.grow();
        require(counter.value() == 3, "did not grow by 3");
    }

    function test_Odd() public {
        counter.grow();
        cheats.expectRevert(abi.encodeWithSelector(Counter.Odd.selector, 3));
        counter.half();
    }

    function testFuzz_Quotient(uint64 times, uint64 by) public {
        times %= 8;
        for (uint256 i = 0; i < times; i++) counter.grow();
        if (by == 0) by = 1;
        require(counter.quotient(by) == 3 * uint256(times) / by, "wrong quotient");
    }

    FAILING
}
"""

FAILING = 'function test_Fails() public view { require(counter.value() == 1, "nothing has grown"); }'


def _project(folder: Path, modules: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "node_modules").symlink_to(modules)
    return folder


def _counter_artifact(folder: Path) -> dict[str, object]:
    return json.loads((folder / "artifacts/contracts/Counter.sol/Counter.json").read_text())


def test_hardhat_2_compiles_and_runs_mocha_tests_with_our_errors_located(hardhat2, solc_script, tmp_path):
    run, modules = hardhat2
    from smartvm.compiler.version import COMPILER_VERSION

    configuration = CONFIGURATION_2.format(path=json.dumps(str(solc_script)), version=json.dumps(COMPILER_VERSION))
    files = {
        "package.json": '{"name": "sample", "private": true}', "hardhat.config.js": configuration,
        "contracts/Counter.sol": COUNTER, "test/counter.js": TESTS_2,
    }  # fmt: skip
    project = _project(tmp_path / "project", modules, files)
    home = str(tmp_path / "home")
    result = run("compile", cwd=project, HOME=home)
    assert "Compiled 1 Solidity file successfully" in result.stdout
    assert _counter_artifact(project)["contractName"] == "Counter"
    assert "4 passing" in run("test", cwd=project, HOME=home).stdout


def test_hardhat_3_compiles_and_runs_solidity_tests_through_the_binary(hardhat3, solc_binary, tmp_path):
    run, modules = hardhat3
    files = {
        "package.json": '{"name": "sample", "private": true, "type": "module"}',
        "hardhat.config.js": CONFIGURATION_3.format(path=json.dumps(str(solc_binary))),
        "contracts/Counter.sol": COUNTER, "contracts/Counter.t.sol": TESTS_3.replace("FAILING", ""),
    }  # fmt: skip
    project = _project(tmp_path / "project", modules, files)
    environment = {"HOME": str(tmp_path / "home"), "SMARTVM_CACHE_DIR": str(tmp_path / "cache")}
    result = run("build", cwd=project, **environment)
    assert "Compiled" in result.stdout
    artifact = _counter_artifact(project)
    assert artifact["contractName"] == "Counter"
    assert artifact["immutableReferences"]
    result = run("test", "solidity", cwd=project, **environment)
    assert "3 passing" in result.stdout
    (project / "contracts" / "Counter.t.sol").write_text(TESTS_3.replace("FAILING", FAILING))
    result = run("test", "solidity", cwd=project, check=False, **environment)
    assert result.returncode == 1
    assert "nothing has grown" in result.stdout + result.stderr
