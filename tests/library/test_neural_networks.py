"""``smartvm/nn.sol``: found by every way of compiling, and as cheap as the bare instructions."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import smartvm
from smartvm import cli
from smartvm.commands.zipapp import write_zipapp
from smartvm.compiler.imports import FileReader
from smartvm.compiler.library import library_source
from smartvm.compiler.standard_json import compile_standard
from smartvm.disassembler import disassemble
from smartvm.instructions.loader import load_table

HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
SOURCE = HEAD + (
    'import {NN, Network} from "smartvm/nn.sol";\n'
    "contract Doubler is Network {\n"
    "    function double(int256[] calldata items) external pure returns (int256[] memory) {\n"
    "        NN.load(items); NN.scaleUp(2); return NN.output(items.length);\n"
    "    }\n"
    "}\n"
)

def standard_input(**sources: object) -> dict[str, object]:
    """Standard JSON for ``SOURCE`` and more sources."""
    return {
        "language": "Solidity",
        "sources": {"A.sol": {"content": SOURCE}} | sources,
        "settings": {"outputSelection": {"*": {"*": ["abi", "evm.bytecode.object", "metadata"]}}},
    }


def errors_of(output: dict) -> list[str]:
    return [entry["formattedMessage"] for entry in output.get("errors", []) if entry["severity"] == "error"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "A.sol").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestWaysToImportIt:
    def test_command_line(self, folder, capsys):
        with pytest.raises(SystemExit) as caught:
            cli.main(["run", "A.sol", "--call", "double", "--args", "[1, -2]"])
        assert caught.value.code == 0
        assert "2, -4" in capsys.readouterr().out

    def test_artifacts_hold_its_text(self, folder):
        with pytest.raises(SystemExit) as caught:
            cli.main(["compile", "A.sol", "-o", "out"])
        assert caught.value.code == 0
        assert "library NN" in (folder / "out" / "Doubler.json").read_text()

    def test_python(self, folder):
        chain = smartvm.Chain()
        assert chain.deploy("A.sol", "Doubler").double([3, 4]) == [6, 8]
        assert chain.deploy(SOURCE, "Doubler").double([-3]) == [-6]

    def test_standard_json_without_any_reader(self):
        output = compile_standard(standard_input())
        assert errors_of(output) == []
        metadata = json.loads(output["contracts"]["A.sol"]["Doubler"]["metadata"])
        assert set(metadata["sources"]) == {"A.sol", "smartvm/nn.sol"}

    def test_standard_json_by_url(self, folder):
        given = standard_input(**{"lib/nn.sol": {"urls": ["smartvm/nn.sol"]}})
        given["settings"]["remappings"] = ["smartvm/=lib/"]
        output = compile_standard(given, FileReader(folder))
        assert errors_of(output) == []
        assert "NN" in output["contracts"]["lib/nn.sol"]

    def test_smartvm_solc_and_its_zipapp(self, folder):
        write_zipapp(folder / "solc", sys.executable)
        for command in ([sys.executable, "-m", "smartvm.commands.solc"], [str(folder / "solc")]):
            done = subprocess.run(
                [*command, "--standard-json"],
                input=json.dumps(standard_input()),
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert errors_of(json.loads(done.stdout)) == [], done.stderr
        done = subprocess.run([str(folder / "solc"), "--bin", "A.sol"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "A.sol:Doubler" in done.stdout

    def test_a_users_own_file_of_the_name_wins(self, folder):
        own = HEAD + "library NN { function own() internal {} }\nabstract contract Network {}\n"
        output = compile_standard(standard_input(**{"smartvm/nn.sol": {"content": own}}))
        assert any("load" in message for message in errors_of(output)), errors_of(output)
        (folder / "smartvm").mkdir()
        (folder / "smartvm" / "nn.sol").write_text(own)
        output = compile_standard(standard_input(), FileReader(folder))
        assert any("load" in message for message in errors_of(output)), errors_of(output)

    def test_another_name_below_it_is_not_found(self):
        output = compile_standard(
            standard_input(**{"B.sol": {"content": HEAD + 'import "smartvm/other.sol";\n'}})
        )
        assert any('"smartvm/other.sol" not found' in message for message in errors_of(output))


CALLS = [
    ("NN.conv2d(2, 1, 6, 28, 28, 5, 1, 0)", "CONV_MUL"),
    ("NN.depthwiseConv2d(2, 8, 28, 28, 3, 2, 1)", "CONV_SING"),
    ("NN.conv3d(2, 1, 6, 8, 28, 3, 1, 0)", "CONV_3D"),
    ("NN.transposedConv2d(2, 1, 6, 28, 28, 5, 1, 0)", "CONV_TPD"),
    ("NN.dense(2, 84, 10)", "FULL_CON"),
    ("NN.dense(2, 16, 5, 5, 10)", "FULL_CON"),
    ("NN.maxPool(6, 24, 24, 2, 2)", "POOL_MAX"),
    ("NN.overlappingMaxPool(6, 24, 3, 2, 1)", "POOL_OL"),
    ("NN.averagePool(6, 24, 24, 2, 2)", "POOL_AVG"),
    ("NN.globalAveragePool(6, 7)", "POOL_AVG"),
    ("NN.matrixProduct(0x80, 0x100)", "MAT_MUL"),
    ("NN.relu()", "ACT_RL"),
    ("NN.cappedRelu(9)", "ACT_RL"),
    ("NN.relu6(1000)", "ACT_RL"),
    ("NN.sigmoid(1000)", "ACT_SM1"),
    ("NN.tanh(1000)", "ACT_TANH"),
    ("NN.softmax(1000)", "ACT_SM0"),
    ("NN.bias(3)", "BUF_BIAS"),
    ("NN.scaleUp(3)", "BUF_SCL0"),
    ("NN.scaleDown(3)", "BUF_SCL1"),
    ("NN.biasAndScale(3, 1000)", "BUF_BIAS BUF_SCL1"),
    ("NN.save()", "BUF_SIZE BUF_COPY"),
    ("NN.save(2, 7)", "BUF_COPY"),
    ("NN.swap()", "BUF_SWAP"),
    ("NN.addSaved()", "BUF_ADD"),
    ("NN.multiplySaved()", "BUF_MUL"),
    ("NN.prependSaved()", "BUF_CAT"),
    ("NN.reset(7)", "BUF_INIT"),
    ("NN.appendZeros(7)", "BUF_ALLO"),
    ("NN.dropLast(7)", "BUF_FREE"),
    ("NN.clearFirst(7)", "BUF_CLS"),
    ("NN.fill(-7)", "BUF_FIL"),
    ("NN.loadMemory(0x80, 7)", "MTOB"),
    ("NN.storeMemory(0x80, 7)", "BTOM"),
    ("NN.storeBlock(9, 7)", "BTOS1"),
    ("NN.deleteBlock(9)", "BTOS1"),
]


def test_layers_with_constants_compile_to_the_bare_instructions():
    # A Buffer and a saved one of unknown lengths before each call: the layers here do not fit one another.
    prefix = "NN.loadMemory(0, block.number); NN.save();"
    functions = "".join(
        f"contract C{i} {{\n    fallback() external {{ {prefix} {call}; {prefix} {call};\n    }}\n}}\n"
        for i, (call, _) in enumerate(CALLS)
    )
    source = HEAD + 'import {NN} from "smartvm/nn.sol";\n' + functions
    compiled = smartvm.compile_source(source, ["bin-runtime"], optimize=True, metadata_hash="none")
    table = load_table("default")
    layers = {instruction.name for instruction in table.instructions if instruction.family == "dnn"}
    for i, (call, expected) in enumerate(CALLS):
        code = bytes.fromhex(compiled[f"<stdin>:C{i}"]["bin-runtime"])
        found = [item.mnemonic for item in disassemble(code, table, "osaka").instructions]
        wanted = ["MTOB", "BUF_SIZE", "BUF_COPY", *expected.split()] * 2
        assert [name for name in found if name in layers] == wanted, call
        assert "JUMP" not in found, call


def test_every_function_of_the_library_is_looked_at():
    text = library_source("smartvm/nn.sol") or ""
    names = {line.split("function ")[1].split("(")[0] for line in text.splitlines() if "    function " in line}
    seen = {call.split(".")[1].split("(")[0] for call, _ in CALLS}
    assert names - seen == {"load", "output", "argmax", "size", "denseInParts", "upload", "scores"}


TINY = HEAD + """
import {NN, Network} from "smartvm/nn.sol";
contract Tiny is Network {
    function run(bytes calldata packed) external view returns (int256[] memory scores, uint256 best, uint256 size) {
        NN.load(packed, 2);
        NN.save();
        NN.dense(2, 3, 3);
        NN.biasAndScale(3, 10);
        NN.addSaved();
        scores = NN.output(3);
        best = NN.argmax(scores);
        size = NN.size();
    }
    function bare(int256[] calldata items) external view returns (int256[10] memory scores) {
        assembly {
            let data := mload(0x40)
            calldatacopy(data, items.offset, mul(items.length, 32))
            mtob(data, items.length)
            full_con(2, 3, 1, 1, 3)
            btom(scores, 3)
        }
    }
    function layers(int256[] calldata items) external view returns (int256[10] memory scores) {
        NN.load(items);
        NN.dense(2, 3, 3);
        assembly { btom(scores, 3) }
    }
}
"""


@pytest.fixture(scope="module")
def tiny():
    contract = smartvm.Chain().deploy(TINY, "Tiny")
    weights = np.array([[1, -2, 3], [4, 5, 6], [-7, 8, 900]], ">i2")
    contract.upload(2, 2, weights.tobytes())
    contract.upload(3, 1, bytes([1, 255, 128]))
    return contract


def test_items_weights_and_results_go_in_and_out(tiny):
    packed = np.array([-300, 20, 1], ">i2").tobytes()
    # sums -337, -1094, 3160 and biases 1, -1, -128; / 10 truncated; then the saved input is added
    assert tiny.run(packed) == ([-333, -89, 304], 2, 3)


def test_the_library_costs_no_gas_beside_the_instructions(tiny):
    bare = tiny.bare.look([1, 2, 3])
    layers = tiny.layers.look([1, 2, 3])
    assert layers.value == bare.value
    assert abs(layers.gas_used - bare.gas_used) < 50


def test_only_the_owner_uploads_and_only_whole_items(tiny):
    with smartvm.reverts("only the owner uploads"):
        tiny.upload(2, 1, b"\x01", sender=tiny.chain.accounts[1])
    with smartvm.reverts("items of another width"):
        tiny.upload(2, 2, b"\x01\x02\x03")
    with smartvm.reverts("items of another width"):
        tiny.upload(2, 0, b"\x01\x02\x03")
