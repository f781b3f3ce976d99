"""``smartvm-solc`` as the tools use it that expect solc: its texts, its exit statuses, and what it compiles."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from dataclasses import dataclass

import pytest
from smartvm import cli
from smartvm.commands import solc
from smartvm.commands.solc_options import COMBINED
from smartvm.commands.zipapp import write_zipapp
from smartvm.compiler.combined_json import COMBINED_OUTPUTS

SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
library L { function f(uint x) public pure returns (uint) { return x + 1; } }
contract C { uint public a; function g(uint x) external { a = L.f(x); } }
"""
ADDRESS = "0x1234567890123456789012345678901234567890"
YUL = 'object "Y" { code { sstore(0, 1) } }'


@dataclass
class Run:
    status: int
    out: str
    err: str


class _Input:
    def __init__(self, text: str) -> None:
        self.buffer = io.BytesIO(text.encode())


@pytest.fixture
def run(capfdbinary, tmp_path, monkeypatch):
    """Run the command in a folder with A.sol in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "A.sol").write_text(SOURCE)

    def run_solc(*arguments: object, stdin: str = "") -> Run:
        monkeypatch.setattr(sys, "stdin", _Input(stdin))
        with pytest.raises(SystemExit) as caught:
            solc.main([str(argument) for argument in arguments])
        captured = capfdbinary.readouterr()
        assert b"Traceback" not in captured.err
        status = caught.value.code
        assert isinstance(status, int)
        return Run(status, captured.out.decode(), captured.err.decode())

    return run_solc


def test_version_ends_in_a_line_that_tools_read(run):
    lines = run("--version").out.strip().splitlines()
    assert "smartvm" in lines[0]
    assert re.fullmatch(r"Version: \d+\.\d+\.\d+\+commit\.[0-9a-f]{8}\.Linux\.g\+\+", lines[-1])


def test_help_lists_the_outputs_of_combined_json_as_py_solc_x_reads_them(run):
    line = next(line for line in run("--help").out.split("\n") if line.startswith("  --combined-json"))
    assert line.split(" ")[-1] == ",".join(COMBINED_OUTPUTS) == COMBINED


def test_outputs_stand_under_solcs_headings(run):
    result = run("--bin", "--hashes", "--abi", "A.sol")
    assert result.status == 0
    assert "\n======= A.sol:C =======\nBinary:\n" in result.out
    assert "Function signatures:\n0dbe671f: a()\n" in result.out
    assert re.search(r"// \$[0-9a-f]{34}\$ -> A\.sol:L", result.out)


def test_optimised_yul_and_its_tree_stand_under_solcs_headings(run, tmp_path):
    result = run("--optimize", "--ir-optimized", "--ir-optimized-ast-json", "A.sol")
    assert result.status == 0
    own = result.out.split("A.sol:C =======")[1].split("\n======= ")[0]
    _, text, tree = re.split(r"Optimized IR(?: AST)?:\n", own)
    assert text.startswith('/// @use-src 0:"A.sol"\nobject "C_')
    assert json.loads(tree)["nodeType"] == "YulObject"
    (tmp_path / "Y.yul").write_text("{ function f(x) -> y { y := add(x, 1) } sstore(0, f(calldataload(0))) }")
    assert "sstore(0, add(calldataload(0), 1))" in run("--strict-assembly", "--optimize", "--ir-optimized", "Y.yul").out


def test_an_error_in_the_source_goes_to_stderr_with_status_1(run, tmp_path):
    (tmp_path / "bad.sol").write_text("contract X { uint a = b; }")
    result = run("--bin", "--error-codes", "bad.sol")
    assert (result.status, result.out) == (1, "")
    assert "DeclarationError (7576)" in result.err
    assert " --> bad.sol:1:23:" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--foo", "A.sol"], "unrecognised option '--foo'"),
        (["--combined-json", "nope", "A.sol"], "Invalid option to --combined-json: nope"),
        (["--evm-version", "later", "A.sol"], "Invalid option for --evm-version: later"),
        (["--metadata-hash", "md5", "A.sol"], "Invalid option for --metadata-hash: md5"),
        (["--optimize-runs", "many", "A.sol"], "the argument ('many') for option '--optimize-runs' is invalid"),
        (["--evm-version"], "the required argument for option '--evm-version' is missing"),
        (["--link", "--standard-json"], "mutually exclusive: --link, --standard-json"),
        (["missing.sol"], '"missing.sol" is not found.'),
        ([], "No input files given."),
        (["--standard-json", "--bin"], "outputs are not supported in standard JSON mode: --bin."),
        (["--link", "--abi", "A.sol"], "outputs are not supported in linker mode: --abi."),
        (["--link", "--optimize", "A.sol"], "--optimize is only valid in compiler and assembler modes."),
        (["--strict-assembly", "--abi", "A.sol"], "outputs are not supported in assembler mode: --abi."),
        (["--libraries", "L=0x12", "A.sol"], "Invalid length for address"),
        (["--libraries", "L=" + "0xAb" + "0" * 37 + "a", "A.sol"], "Invalid checksum on address"),
        (["--include-path", "x", "A.sol"], "--include-path option requires a non-empty base path."),
        (["--asm-json", "A.sol"], "Option --asm-json is not supported by smartvm"),
        (["--model-checker-engine", "all", "A.sol"], "there is no model checker"),
    ],
)
def test_a_wrong_command_line_is_one_message_and_status_1(run, arguments, message):
    result = run(*arguments)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("Error: ")
    assert message in result.err


def test_problems_of_standard_json_are_json_with_status_0(run):
    result = run("--standard-json", stdin="{bad")
    assert result.status == 0
    assert json.loads(result.out)["errors"][0]["type"] == "JSONError"


def test_standard_json_reads_imports_below_the_base_path_only(run, tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "B.sol").write_text(SOURCE)
    source = 'import "B.sol"; import "../A.sol"; contract D is C {}'
    request = {"language": "Solidity", "sources": {"x/D.sol": {"content": source}}}
    result = run("--base-path", "base", "--standard-json", stdin=json.dumps(request))
    messages = [e["message"] for e in json.loads(result.out)["errors"] if e["severity"] == "error"]
    assert len(messages) == 1
    assert "A.sol" in messages[0]
    request["sources"]["x/D.sol"]["content"] = 'import "B.sol"; contract D is C {}'
    allowed = run("--base-path", "base", "--standard-json", stdin=json.dumps(request))
    assert all(e["severity"] != "error" for e in json.loads(allowed.out).get("errors", []))
    refused = run("--base-path", "base", "--no-import-callback", "--standard-json", stdin=json.dumps(request))
    assert any("not found" in e["message"] for e in json.loads(refused.out)["errors"])


def test_imports_outside_the_allowed_folders_are_refused(run, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "S.sol").write_text(SOURCE)
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "D.sol").write_text(f'import "{tmp_path}/secret/S.sol"; contract D {{}}')
    arguments = ["--base-path", "base", "--abi", "base/D.sol"]
    refused = run(*arguments)
    assert refused.status == 1
    assert "outside of allowed directories" in refused.err
    assert run("--allow-paths", tmp_path / "secret", *arguments).status == 0


def test_combined_json_of_standard_input_through_a_remapping(run, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "A.sol").write_text(SOURCE)
    result = run("--combined-json", "abi,ast", "@l/=lib/", "-", stdin='import "@l/A.sol"; contract D is C {}')
    output = json.loads(result.out)
    assert result.status == 0
    assert set(output["contracts"]) == {"<stdin>:D", "lib/A.sol:C", "lib/A.sol:L"}
    assert output["sources"]["<stdin>"]["AST"]["nodeType"] == "SourceUnit"


def test_files_are_written_once_and_overwritten_on_demand(run, tmp_path):
    assert run("--bin", "--abi", "-o", "out", "A.sol").status == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"C.abi", "C.bin", "L.abi", "L.bin"}
    refused = run("--bin", "-o", "out", "A.sol")
    assert refused.status == 1
    assert "Refusing to overwrite existing file" in refused.err
    assert run("--bin", "-o", "out", "--overwrite", "A.sol").status == 0


def test_link_mode_gives_what_compiling_with_the_library_gives(run, tmp_path):
    # Without metadata: it lists the libraries.
    run("--bin", "--no-cbor-metadata", "-o", "out", "A.sol")
    run("--bin", "--no-cbor-metadata", "-o", "linked", "--libraries", f"A.sol:L={ADDRESS}", "A.sol")
    binary = tmp_path / "out" / "C.bin"
    unresolved = run("--link", binary)
    assert "still unresolved" in unresolved.err
    assert run("--link", "--libraries", f"A.sol:L={ADDRESS}", binary).out == "Linking completed.\n"
    assert binary.read_text() == (tmp_path / "linked" / "C.bin").read_text()


def test_strict_assembly_compiles_yul(run, tmp_path):
    (tmp_path / "Y.yul").write_text(YUL)
    result = run("--strict-assembly", "Y.yul")
    assert "======= Y.yul (EVM) =======" in result.out
    assert "Binary representation:\n60015f55" in result.out


def test_stop_after_parsing_gives_the_tree_of_a_source_that_does_not_compile(run):
    result = run("--stop-after", "parsing", "--ast-compact-json", "-", stdin="contract C { uint a = b; }")
    assert result.status == 0
    assert '"nodeType":"ContractDefinition"' in result.out


def _is_binary(data: bytes) -> bool:
    """As Hardhat 3 decides: more than 30 % of the first 8,000 bytes are no printable ASCII."""
    start = data[:8000]
    strange = sum(byte not in (9, 10, 13) and not 32 <= byte < 127 for byte in start)
    return strange > 0.3 * len(start)


def test_the_zipapp_looks_native_and_compiles_without_any_installed_library(tmp_path):
    binary = tmp_path / "bin" / "solc"
    with pytest.raises(SystemExit) as caught:
        cli.main(["solc-binary", "-o", str(binary)])
    assert caught.value.code == 0
    assert _is_binary(binary.read_bytes())
    assert binary.stat().st_mode & 0o111
    (tmp_path / "A.sol").write_text(SOURCE)
    # -I -S: neither the environment's packages nor PYTHONPATH.
    start = [sys.executable, "-I", "-S", str(binary)]
    environment = {"SMARTVM_CACHE_DIR": str(tmp_path / "cache"), "PATH": "/usr/bin:/bin"}
    for _ in range(2):  # the second run finds what the first has unpacked
        result = subprocess.run(
            [*start, "--combined-json", "bin", "A.sol"],
            cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=120,
        )  # fmt: skip
        assert set(json.loads(result.stdout)["contracts"]) == {"A.sol:C", "A.sol:L"}
    (folder,) = (tmp_path / "cache").glob("solc-*")
    assert not list(folder.rglob("numpy"))


def test_the_zipapp_of_the_same_compiler_has_the_same_bytes(tmp_path):
    write_zipapp(tmp_path / "one", "/usr/bin/env python3")
    write_zipapp(tmp_path / "two", "/usr/bin/env python3")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.fixture
def script(tmp_path):
    """The console script, as an installation writes it."""
    path = tmp_path / "smartvm-solc"
    path.write_text(f"#!{sys.executable}\nfrom smartvm.commands.solc import main\nmain()\n")
    path.chmod(0o755)
    return path


def test_py_solc_x_compiles_through_the_script(script):
    solcx = pytest.importorskip("solcx")
    compiled = solcx.compile_source(SOURCE, solc_binary=script)
    assert set(compiled) == {"<stdin>:C", "<stdin>:L"}
    assert set(compiled["<stdin>:C"]) == set(COMBINED_OUTPUTS)
    request = {
        "language": "Solidity",
        "sources": {"A.sol": {"content": SOURCE}},
        "settings": {"outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}}},
    }
    output = solcx.compile_standard(request, solc_binary=script)
    code = output["contracts"]["A.sol"]["C"]["evm"]["bytecode"]["object"]
    assert ADDRESS[2:] in solcx.link_code(code, {"A.sol:L": ADDRESS}, solc_binary=script)
    with pytest.raises(solcx.exceptions.UnknownValue):
        solcx.compile_source(SOURCE, output_values=["nothing"], solc_binary=script)
    with pytest.raises(solcx.exceptions.SolcError, match=r"<stdin>:1:10"):
        solcx.compile_source("contract {", output_values=["abi"], solc_binary=script)


def test_utf_8_is_written_in_every_locale(script, tmp_path):
    (tmp_path / "U.sol").write_text("contract U { /// @notice Größe\n function f() public {} }")
    result = subprocess.run(
        [script, "--userdoc", "U.sol"],
        cwd=tmp_path, env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"}, capture_output=True,
        check=True, timeout=60,
    )  # fmt: skip
    assert "Größe".encode() in result.stdout
