"""A rebuild compiles what changed and gives the bytes of a fresh compilation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from smartvm.compiler.incremental.options import OptionValueError, options_from_environment
from smartvm.compiler.incremental.results import MOVABLE_OUTPUTS

EVERYTHING = {"*": {"*": ["*"], "": ["ast"]}}


@pytest.mark.parametrize("selection", [None, EVERYTHING, {"*": {"": ["ast"]}}, {"Left.sol": {"Left": ["abi"]}}, {}])
def test_what_is_kept_is_what_a_fresh_compilation_gives(project: Any, selection: object) -> None:
    if selection is not None:
        project.selection = selection
    fresh = project.fresh()
    assert "errors" in json.loads(fresh)
    assert project.compile() == fresh
    assert project.compiled
    assert project.compile() == fresh
    assert project.compiled == []


def test_a_changed_source_is_compiled_with_what_imports_it(project: Any) -> None:
    project.compile()
    project.edit("Left.sol", '"left"', '"Left"')
    assert project.compile() == project.fresh()
    assert project.compiled == ["Both.sol", "Left.sol"]
    project.edit("Left.sol", '"Left"', '"left"')
    assert project.compile() == project.fresh()
    assert project.compiled == []


def test_nodes_that_are_added_move_those_that_follow(project: Any) -> None:
    """Node ids count through all sources: immutables of later sources get other ids without being compiled."""
    before = project.compile()
    project.edit("Alone.sol", "contract Alone {", "contract Alone { function more() external {} uint256 public other;")
    after = project.compile()
    assert after == project.fresh()
    assert project.compiled == ["Alone.sol"]

    def immutables(text: str) -> list[str]:
        deployed = json.loads(text)["contracts"]["Left.sol"]["Left"]["evm"]["deployedBytecode"]
        return list(deployed["immutableReferences"])

    assert immutables(before) != immutables(after)


def test_outputs_that_spell_ids_are_kept_while_the_ids_stay(project: Any) -> None:
    """Ids of later sources move when nodes are added; those of sources before do not, nor does anything when the
    number of nodes stays."""
    project.selection = EVERYTHING
    project.compile()
    project.edit("Left.sol", '"left"', '"Left"')
    assert project.compile() == project.fresh()
    assert project.compiled == ["Both.sol", "Left.sol"]
    project.edit("Left.sol", "contract Left is Base {", "contract Left is Base { function more() external {}")
    assert project.compile() == project.fresh()
    assert project.compiled == ["Both.sol", "Left.sol", "Right.sol"]
    project.selection = {"*": {"*": ["irOptimized", "ir"]}}
    project.compile()
    project.sources["Zzz.sol"] = project.head + "contract Zzz {}"
    assert project.compile() == project.fresh()
    assert len(project.compiled) == 6


def test_sources_that_come_and_go_move_the_others(project: Any) -> None:
    project.compile()
    project.sources["Aaa.sol"] = project.head + "contract Aaa { function f() external pure { } }"
    assert project.compile() == project.fresh()
    assert project.compiled == ["Aaa.sol"]
    del project.sources["Aaa.sol"], project.sources["Alone.sol"]
    assert project.compile() == project.fresh()
    assert project.compiled == []


def test_warnings_come_once_and_in_the_order_of_one_compilation(project: Any) -> None:
    """That `halt` never ends is found for Left and for Right, and reported for the first of them; transient storage
    is warned of once."""
    project.compile()
    project.edit("Left.sol", '"left"', '"LEFT"')
    text = project.compile()
    assert text == project.fresh()
    codes = [error["errorCode"] for error in json.loads(text)["errors"]]
    assert codes.count("5740") == 1
    del project.sources["Left.sol"], project.sources["Both.sol"], project.sources["Alone.sol"]
    assert project.compile() == project.fresh()
    assert project.compiled == []
    assert "5740" in [error["errorCode"] for error in json.loads(project.compile())["errors"]]


def test_other_settings_and_outputs_are_other_results(project: Any) -> None:
    everything = sorted(project.sources)
    project.compile()
    for change in (
        {"optimizer": {"enabled": False}},
        {"optimizer": {"enabled": True, "runs": 1}},
        {"evmVersion": "paris"},
        {"metadata": {"bytecodeHash": "none"}},
        {"remappings": ["x/=y/"]},
        {"instructionTable": "evm"},
        {"libraries": {"A.sol": {"L": "0x" + "11" * 20}}},
    ):
        project.settings = {"optimizer": {"enabled": True}, **change}
        assert project.compile() == project.fresh()
        assert project.compiled == everything, change
    project.settings = {"optimizer": {"enabled": True}}
    project.selection = {"*": {"*": ["abi"]}}
    assert project.compile() == project.fresh()
    assert project.compiled == everything


def test_a_changed_instruction_table_is_noticed(project: Any, tmp_path: Path) -> None:
    table = tmp_path / "table.toml"
    project.settings["instructionTable"] = str(table)
    table.write_text('extends = "default"\n')
    project.compile()
    project.compile()
    assert project.compiled == []
    table.write_text('extends = "default"\n[change.SLOAD]\ngas = 5\n')
    assert project.compile() == project.fresh()
    assert project.compiled
    table.unlink()
    assert project.compile() == project.fresh()
    assert "table" in project.compile()


def test_errors_are_reported_as_by_a_fresh_compilation_and_not_kept(project: Any) -> None:
    project.compile()
    for name, old, new in (
        ("Right.sol", "2 * x", "2 * y"),
        ("Right.sol", "contract Right", "contract Right Right"),
        ("Base.sol", "item.amount = 1;", "item.amount = msg.sender;"),
        ("Both.sol", '"./Left.sol"', '"./Missing.sol"'),
    ):
        project.edit(name, old, new)
        answer = project.compile()
        assert answer == project.fresh()
        assert answer == project.compile()
        assert any(error["severity"] == "error" for error in json.loads(answer)["errors"])
        project.edit(name, new, old)
        assert project.compile() == project.fresh()
        assert project.compiled == []


def test_damaged_entries_are_made_again(project: Any) -> None:
    fresh = project.compile()
    for path in project.folder.iterdir():
        path.write_bytes(path.read_bytes()[:-7])
    assert project.compile() == fresh
    assert project.compiled == sorted(project.sources)
    assert project.compile() == fresh
    assert project.compiled == []


def test_a_cache_that_cannot_be_written_is_no_error(project: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    project.folder = tmp_path / "file" / "compiled"
    assert project.compile() == project.fresh()
    assert project.compile() == project.fresh()
    assert project.compiled == sorted(project.sources)


def test_processes_that_compile_at_once_share_a_cache(project: Any, tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps(project.request))
    command = [sys.executable, "-m", "smartvm.commands.solc", "--standard-json", str(request)]
    environment = {**os.environ, "SMARTVM_COMPILE_CACHE": "on", "SMARTVM_CACHE_DIR": str(tmp_path / "shared")}
    environment["SMARTVM_REPORT_COMPILED"] = "1"
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0]
    fresh = json.loads(project.fresh())
    assert all(json.loads(output) == fresh for output, _ in answers)
    last = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(last.stdout) == fresh
    assert last.stderr == "smartvm: 5 sources, 5 from the cache, 0 compiled\n"


@pytest.mark.parametrize("outputs", [["--combined-json", "abi,bin,srcmap-runtime,ast"], ["--bin", "--abi", "--hashes"]])
def test_the_command_line_takes_what_was_kept(project: Any, tmp_path: Path, outputs: list[str]) -> None:
    for name, text in project.sources.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "smartvm.commands.solc", *outputs, "--report-compiled", "Both.sol", "Alone.sol"]

    def run(*options: str) -> tuple[str, str, str]:
        ended = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=True)
        warnings, _, report = ended.stderr.partition("smartvm: ")
        return ended.stdout, warnings + report.partition("\n")[2], report.partition("\n")[0]

    cache = ("--cache-dir", str(tmp_path / "cache"))
    first, again, fresh = run(*cache), run(*cache), run("--no-cache")
    assert first[:2] == again[:2] == fresh[:2]
    assert "Warning" in again[1]
    assert again[2] == "5 sources, 5 from the cache, 0 compiled"
    assert first[2] == fresh[2] == "5 sources, 0 from the cache, 5 compiled: " + ", ".join(sorted(project.sources))


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SMARTVM_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("SMARTVM_COMPILE_CACHE", "on")
    monkeypatch.setenv("SMARTVM_JOBS", "3")
    options = options_from_environment()
    assert (options.cache, options.jobs) == (tmp_path / "compiled", 3)
    monkeypatch.setenv("SMARTVM_COMPILE_CACHE", "off")
    monkeypatch.delenv("SMARTVM_JOBS")
    options = options_from_environment()
    assert options.cache is None
    assert options.jobs >= 1
    for name, value in (("SMARTVM_JOBS", "none"), ("SMARTVM_JOBS", "0"), ("SMARTVM_COMPILE_CACHE", "maybe")):
        monkeypatch.setenv(name, value)
        with pytest.raises(OptionValueError, match=name):
            options_from_environment()
        monkeypatch.setenv(name, "1")


@pytest.mark.parametrize("optimize", [False, True])
def test_ids_that_get_more_digits_are_no_exception(project: Any, optimize: bool) -> None:
    """Names of utility functions hold ids of structs, and source maps count in their text."""
    project.settings = {"optimizer": {"enabled": optimize}}
    project.selection = {"*": {"*": sorted(MOVABLE_OUTPUTS)}}
    project.compile()
    for count in (1, 3, 30, 300):
        functions = "".join(f"function f{index}() external {{}}\n" for index in range(count))
        project.sources["Alone.sol"] = project.head + f"contract Alone {{\n{functions}}}\n"
        assert project.compile() == project.fresh(), count
