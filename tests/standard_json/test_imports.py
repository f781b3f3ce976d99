"""Import resolution: names, remappings, files."""

from __future__ import annotations

from pathlib import Path

import pytest
from smartvm.compiler.imports import (
    FileReader,
    ImportRules,
    Remapping,
    RemappingError,
    SourceNotFound,
    join_source_name,
)


@pytest.mark.parametrize(
    ("path", "importing", "name"),
    [
        ("lib/a.sol", "src/b.sol", "lib/a.sol"),
        ("./a.sol", "src/b.sol", "src/a.sol"),
        ("../a.sol", "src/x/b.sol", "src/a.sol"),
        ("../../../a.sol", "src/b.sol", "a.sol"),
        ("./a/./../b.sol", "src/c.sol", "src/b.sol"),
        ("./a.sol", "b.sol", "a.sol"),
        ("./a.sol", "/abs/b.sol", "/abs/a.sol"),
        ("../a.sol", "https://x.org/y/b.sol", "https://x.org/a.sol"),
    ],
)
def test_relative_path_is_joined_to_the_importing_name(path: str, importing: str, name: str) -> None:
    assert join_source_name(path, importing) == name


def test_longest_context_then_longest_prefix_then_last_wins() -> None:
    rules = ImportRules(tuple(map(Remapping.parse, ["a/=1/", "a/b/=2/", "a/b/=3/", "x:a/=4/", "x/y:a/=5/"])))
    assert rules.resolve("a/c", "m") == "1/c"
    assert rules.resolve("a/b/c", "m") == "3/c"
    assert rules.resolve("a/b/c", "x/m") == "4/b/c"
    assert rules.resolve("a/b/c", "x/y/m") == "5/b/c"
    assert rules.resolve("b", "m") == "b"


@pytest.mark.parametrize("text", ["", "a", "=a", "c:=a"])
def test_malformed_remapping_is_refused(text: str) -> None:
    with pytest.raises(RemappingError):
        Remapping.parse(text)


def test_files_are_found_below_base_and_include_paths(tmp_path: Path) -> None:
    for name in ("base/a.sol", "lib/b.sol", "base/both.sol", "lib/both.sol", "outside/c.sol"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(name)
    read = FileReader(tmp_path / "base", [tmp_path / "lib"])
    assert read("a.sol") == "base/a.sol"
    assert read("b.sol") == "lib/b.sol"
    assert read.source_name(tmp_path / "lib" / "b.sol") == "b.sol"
    for name, reason in (
        ("none.sol", "not found"),
        ("both.sol", "Ambiguous"),
        ("../outside/c.sol", "outside of allowed"),
        (str(tmp_path / "outside" / "c.sol"), "outside of allowed"),
    ):
        with pytest.raises(SourceNotFound, match=reason):
            read(name)
    read.allow([tmp_path / "outside"])
    assert read("../outside/c.sol") == "outside/c.sol"


def test_link_that_leads_out_of_the_allowed_folders_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "secret.sol").write_text("secret")
    (tmp_path / "base" / "link.sol").symlink_to(tmp_path / "secret.sol")
    with pytest.raises(SourceNotFound, match="outside of allowed"):
        FileReader(tmp_path / "base")("link.sol")
