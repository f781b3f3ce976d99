"""Several processes give the bytes of one; a process that dies is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from smartvm.compiler.imports import ImportRules, no_reader
from smartvm.compiler.incremental import partition, processes
from smartvm.compiler.source_set import SourceSet

EVERYTHING = {"*": {"*": ["*"], "": ["ast"]}}


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are started for the smallest of inputs."""
    monkeypatch.setattr(partition, "_START", 0)
    monkeypatch.setattr(partition, "_WORTHWHILE", 2)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("selection", [None, EVERYTHING])
def test_parallel_and_sequential_results_are_the_same_bytes(project: Any, selection: object) -> None:
    if selection is not None:
        project.selection = selection
    fresh = project.fresh()
    assert project.compile(jobs=3) == fresh
    assert project.processes > 1
    assert project.compile(jobs=3) == fresh
    assert project.compiled == []


@pytest.mark.usefixtures("eager")
def test_only_what_changed_is_divided(project: Any) -> None:
    project.compile()
    project.edit("Base.sol", "revert(", "require(false, ")
    assert project.compile(jobs=2) == project.fresh()
    assert project.compiled == ["Base.sol", "Both.sol", "Left.sol", "Right.sol"]
    assert project.processes == 2


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ["Alone.sol", "Right.sol"])
def test_errors_are_those_of_one_process(project: Any, name: str) -> None:
    project.edit(name, "external", "external wrong")
    answer = project.compile(jobs=2)
    assert answer == project.fresh()
    assert any(error["severity"] == "error" for error in json.loads(answer)["errors"])


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by the signal SIGKILL"),
        ("import sys; sys.exit('out of paper')", "ended with status 1"),
        ("print('no answer')", "ended with status 0"),
    ],
)
def test_a_process_that_dies_is_reported(
    project: Any, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    monkeypatch.setattr(processes, "_PROGRAM", program)
    answer = json.loads(project.compile(jobs=2))
    (error,) = (error for error in answer["errors"] if error["severity"] == "error")
    assert message in error["message"]
    assert "SMARTVM_JOBS=1" in error["message"]
    assert "contracts" not in answer


def test_small_inputs_start_no_process(project: Any) -> None:
    project.compile(jobs=8)
    assert project.processes == 1


def test_big_inputs_are_divided_evenly() -> None:
    library = "contract L { } " + "//" + "x" * 40_000
    texts = {"L.sol": library}
    for index in range(20):
        texts[f"C{index:02}.sol"] = 'import "./L.sol"; ' + "//" + "x" * 100_000
    sources = SourceSet(texts, ImportRules(), no_reader)
    groups = partition.partition(sources, sorted(texts), 4)
    assert len(groups) == 4
    assert sorted(name for group in groups for name in group) == sorted(texts)
    assert max(map(len, groups)) - min(map(len, groups)) <= 1
    assert partition.partition(sources, sorted(texts), 1) == [sorted(texts)]
    assert len(partition.partition(sources, ["L.sol", "C01.sol"], 4)) == 1
