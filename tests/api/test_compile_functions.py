"""``compile_source``, ``compile_files`` and ``link_code``: as in py-solc-x."""

from __future__ import annotations

from pathlib import Path

import pytest
import smartvm
from smartvm.compiler.diagnostics import CompileError

HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"


def test_source_is_compiled_under_the_name_of_standard_input() -> None:
    result = smartvm.compile_source(HEAD + "contract C { uint public x; }", output_values=["abi", "bin"])
    assert set(result) == {"<stdin>:C"}
    assert set(result["<stdin>:C"]) == {"abi", "bin"}
    assert bytes.fromhex(result["<stdin>:C"]["bin"])


def test_all_outputs_are_given_by_default() -> None:
    (contract,) = smartvm.compile_source(HEAD + "contract C {}").values()
    assert set(contract) >= {
        "abi",
        "asm",
        "ast",
        "bin",
        "bin-runtime",
        "hashes",
        "metadata",
        "opcodes",
        "srcmap",
    }


def test_errors_are_raised_with_all_diagnostics() -> None:
    with pytest.raises(CompileError) as caught:
        smartvm.compile_source(HEAD + "contract C { uint x = true; bool y = 1; }")
    assert [item.code for item in caught.value.diagnostics] == [7407, 7407]
    assert "<stdin>:3:23" in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"evm_version": "later"}, {"revert_strings": "loud"}, {"metadata_hash": "md5"},
     {"output_values": ["nothing"]},
     {"import_remappings": "x"}, {"instruction_table": "none"}],
)  # fmt: skip
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(smartvm.SmartVMError):
        smartvm.compile_source(HEAD + "contract C {}", **options)


def test_files_are_compiled_with_their_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "a.sol").write_text(HEAD + 'import "./b.sol"; import "lib/c.sol"; contract A is B, D {}')
    (tmp_path / "b.sol").write_text(HEAD + "contract B {}")
    (tmp_path / "lib" / "c.sol").write_text(HEAD + "contract D {}")
    monkeypatch.chdir(tmp_path)
    result = smartvm.compile_files("a.sol", output_values=["abi"], import_remappings={"lib/": "lib/"})
    assert set(result) == {"a.sol:A", "b.sol:B", "lib/c.sol:D"}
    with pytest.raises(smartvm.SmartVMError, match=r"none\.sol"):
        smartvm.compile_files(["none.sol"])


def test_outputs_are_written_to_a_folder_once(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    smartvm.compile_source(HEAD + "contract C {}", ["abi"], output_dir=folder)
    assert (folder / "combined.json").is_file()
    with pytest.raises(smartvm.SmartVMError, match="exists"):
        smartvm.compile_source(HEAD + "contract C {}", ["abi"], output_dir=folder)
    smartvm.compile_source(HEAD + "contract C {}", ["abi"], output_dir=folder, overwrite=True)


def test_source_without_contracts_is_refused_unless_allowed() -> None:
    with pytest.raises(smartvm.SmartVMError):
        smartvm.compile_source(HEAD)
    assert smartvm.compile_source(HEAD, allow_empty=True) == {}
