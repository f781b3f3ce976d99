"""Where the clients are: below the folder that ``SMARTVM_CLIENTS`` names and ``install.py`` fills, or on PATH.

A test whose client is absent skips with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from smartvm.commands.zipapp import write_zipapp

#: The npm package solc as an executable.
STAND_IN = Path(__file__).with_name("solc_stand_in.js")

INSTALL = "run tests/clients/install.py FOLDER and set SMARTVM_CLIENTS to the folder"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _installed(pattern: str) -> Path | None:
    """The first file or folder below the clients' folder that a glob pattern finds."""
    folder = os.environ.get("SMARTVM_CLIENTS")
    return next(iter(sorted(Path(folder).absolute().glob(pattern))), None) if folder else None


def _runner(command: list[object], environment: Mapping[str, str] | None = None) -> Run:
    def run(*arguments: object, cwd: Path, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [str(word) for word in [*command, *arguments]],
            cwd=cwd, env={**os.environ, **(environment or {}), **more}, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert not check or result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
        return result

    return run


@pytest.fixture(scope="session")
def solc_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``smartvm-solc`` as an installation writes it: a text script."""
    path = tmp_path_factory.mktemp("script") / "smartvm-solc"
    path.write_text(f"#!{sys.executable}\nfrom smartvm.commands.solc import main\nmain()\n")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def solc_binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``smartvm solc-binary`` writes."""
    path = tmp_path_factory.mktemp("binary") / "solc"
    write_zipapp(path, sys.executable)
    return path


@pytest.fixture(scope="session")
def reference_solc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real solc, from npm."""
    package = os.environ.get("SMARTVM_SOLC") or _installed("solc/node_modules/solc")
    if not package or not Path(package).exists() or not shutil.which("node"):
        pytest.skip(f"no node, or no npm package solc: {INSTALL}, or SMARTVM_SOLC to the package")
    path = tmp_path_factory.mktemp("reference") / "solc"
    path.write_text(STAND_IN.read_text().replace("PACKAGE", str(Path(package).absolute()), 1))
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def forge_binary() -> Path:
    """Where forge is."""
    # The binary itself: the package's script loses its exit status.
    path = shutil.which("forge") or _installed("forge/node_modules/@foundry-rs/forge-*/bin/forge")
    if path is None:
        pytest.skip(f"no forge on PATH: {INSTALL}")
    return Path(path)


@pytest.fixture(scope="session")
def forge_path(forge_binary: Path) -> str:
    """A PATH with forge on it, for clients that start it."""
    return f"{forge_binary.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="session")
def forge(forge_binary: Path) -> Run:
    """Runs forge, offline."""
    settings = {
        "FOUNDRY_OFFLINE": "true", "FOUNDRY_AUTO_DETECT_SOLC": "false", "FOUNDRY_LINT_LINT_ON_BUILD": "false",
        "NO_COLOR": "1",
    }  # fmt: skip
    return _runner([forge_binary], settings)


@pytest.fixture(scope="session")
def forge_std() -> Path:
    """The sources of forge-std."""
    path = _installed("forge-std/src")
    if path is None:
        pytest.skip(f"no forge-std: {INSTALL}")
    return path


def _hardhat(folder: str, entry: str) -> tuple[Run, Path]:
    modules = _installed(f"{folder}/node_modules")
    node = _installed(f"{folder}/node_modules/node-*/bin/node") or shutil.which("node")
    if modules is None or node is None:
        pytest.skip(f"no {folder}, or no node: {INSTALL}")
    quiet = {"HARDHAT_DISABLE_TELEMETRY_PROMPT": "true", "CI": "true", "NO_COLOR": "1"}
    return _runner([node, modules / "hardhat" / entry], quiet), modules


@pytest.fixture(scope="session")
def hardhat2() -> tuple[Run, Path]:
    """Runs Hardhat 2, and the ``node_modules`` that it is in."""
    return _hardhat("hardhat2", "internal/cli/bootstrap.js")


@pytest.fixture(scope="session")
def hardhat3() -> tuple[Run, Path]:
    """Runs Hardhat 3, and the ``node_modules`` that it is in."""
    return _hardhat("hardhat3", "dist/src/cli.js")


@pytest.fixture(scope="session")
def python_client() -> Callable[[str], Run]:
    """Makes the runner of a client that PyPI has, by its command's name."""

    def find(name: str) -> Run:
        path = shutil.which(name) or _installed(f"venv/bin/{name}")
        if path is None:
            pytest.skip(f"no {name} on PATH: {INSTALL}")
        # Its own packages alone: ours, with PYTHONPATH, would hide them.
        return _runner([path])

    return find
