"""Runs a project's own forge tests twice, compiled by smartvm and by solc, and prints the tests that differ.

    python benchmarks/forge_suites.py CLONE [--match-path GLOB] [--fuzz-runs N] [--fuzz-seed S] [--results FOLDER]

CLONE is a checked out repository with a ``foundry.toml``, its libraries in place. Needs forge on PATH or in the
folder that ``SMARTVM_CLIENTS`` names (``tests/clients/install.py`` makes it), node, and the npm package solc, which
``SMARTVM_SOLC`` names or the same folder has. Both runs get the same seed, and the bytecode's constants are kept out of
the fuzzer's dictionary, so that they get the same inputs. The runs happen in a copy without git and without the
configuration's choice of solc, where tests may read the project's files, with ``^`` in pragmas that want one release
of 0.8, and with ``testFail…``, which today's forge refuses, renamed to ``test_fails_…`` (both must then fail); it and
the builds are in ``--results`` (a temporary folder by default), where a second run finds them. Exit status 1 when any
verdict differs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

#: The npm package as an executable that forge accepts.
REFERENCE = """#!/usr/bin/env node
const solc = require({package});
if (process.argv.includes('--version')) {{
    console.log('solc, the solidity compiler commandline interface\\nVersion: ' + solc.version());
}} else {{
    process.stdout.write(solc.compile(require('fs').readFileSync(0, 'utf8')));
}}
"""


@dataclass(frozen=True)
class Verdict:
    """What forge says of one test: Success, Failure or Skipped, and why."""

    status: str
    reason: str | None


@dataclass(frozen=True)
class Suite:
    """One compiler's run: verdicts by ``file:Contract.test``, and the CPU seconds of build and tests."""

    verdicts: dict[str, Verdict]
    build_seconds: float
    test_seconds: float


def find_forge() -> Path:
    """The forge to run. Exits with a message where there is none."""
    if found := shutil.which("forge"):
        return Path(found)
    # The binary itself: the package's script loses its exit status.
    clients = Path(os.environ.get("SMARTVM_CLIENTS", "")).absolute()
    for path in clients.glob("forge/node_modules/@foundry-rs/forge-*/bin/forge"):
        return path
    sys.exit("Error: no forge on PATH, and none in the folder that SMARTVM_CLIENTS names")


def write_reference(folder: Path) -> Path:
    """Write the executable of solc; its path. Exits with a message where the package is not found."""
    clients = Path(os.environ.get("SMARTVM_CLIENTS", ""))
    package = Path(os.environ.get("SMARTVM_SOLC") or clients / "solc" / "node_modules" / "solc").absolute()
    if not (package / "package.json").exists() or not shutil.which("node"):
        sys.exit("Error: needs node, and the npm package solc where SMARTVM_SOLC or SMARTVM_CLIENTS says")
    path = folder / "solc"
    path.write_text(REFERENCE.format(package=json.dumps(str(package))))
    path.chmod(0o755)
    return path


def copy_project(project: Path, copy: Path) -> None:
    """Copy a project to where forge finds neither submodules to fetch nor a version of solc to look for."""
    ignored = shutil.ignore_patterns(".git", ".gitmodules", "out", "cache", "node_modules")
    shutil.copytree(project, copy, ignore=ignored, dirs_exist_ok=True)
    if (modules := project / "node_modules").exists() and not (copy / "node_modules").exists():
        (copy / "node_modules").symlink_to(modules.resolve())
    configuration = copy / "foundry.toml"
    lines = configuration.read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not re.match(r"\s*solc(_version)?\s*=", line))
    if "fs_permissions" not in text:
        # Some tests read files of the project.
        readable = '[profile.default]\nfs_permissions = [{ access = "read", path = "./" }]\n'
        text = text.replace("[profile.default]\n", readable, 1)
    configuration.write_text(text)
    for path in copy.rglob("*.sol"):
        text = path.read_text()
        changed = re.sub(r"^pragma solidity =?(0\.8\.\d+);", r"pragma solidity ^\1;", text, flags=re.M)
        changed = re.sub(r"\bfunction testFail(\w*)\(", r"function test_fails_\1(", changed)
        if changed != text:
            path.write_text(changed)


def _forge(command: list[str], project: Path, environment: dict[str, str]) -> tuple[str, float]:
    """What forge printed, and its CPU seconds with those of the compiler that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if run.returncode or "Error:" in run.stderr:
        sys.exit(f"Error: {' '.join(command)} failed:\n{(run.stdout + run.stderr)[-4000:]}")
    return run.stdout, seconds


def run_suite(forge: Path, project: Path, compiler: Path, results: Path, options: argparse.Namespace) -> Suite:
    """Build and test a project with one compiler."""
    environment = {
        **os.environ,
        "FOUNDRY_SOLC": str(compiler),
        "FOUNDRY_OFFLINE": "true",
        "FOUNDRY_AUTO_DETECT_SOLC": "false",
        "FOUNDRY_LINT_LINT_ON_BUILD": "false",
        "FOUNDRY_FUZZ_FAILURE_PERSIST_DIR": str(results / "failures"),
        "FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR": str(results / "failures"),
        "FOUNDRY_INVARIANT_RUNS": str(options.invariant_runs),
        "FOUNDRY_INVARIANT_DEPTH": str(options.invariant_depth),
        "FOUNDRY_FUZZ_DICTIONARY_WEIGHT": "0",
        "FOUNDRY_SNAPSHOTS": str(results / "snapshots"),
        "FOUNDRY_GAS_SNAPSHOT_EMIT": "false",
    }
    common = ["--offline", "-o", str(results / "out"), "--cache-path", str(results / "cache")]
    paths = [argument for pattern in options.match_path for argument in ("--match-path", pattern)]
    if options.no_match_path:
        paths += ["--no-match-path", options.no_match_path]
    if options.no_match_test:
        paths += ["--no-match-test", options.no_match_test]
    # Only lists the tests, which builds.
    _, build = _forge([str(forge), "test", "--list", *common, *paths], project, environment)
    fuzz = ["--fuzz-runs", str(options.fuzz_runs), "--fuzz-seed", options.fuzz_seed]
    command = [str(forge), "test", "--json", "--allow-failure", *common, *paths, *fuzz]
    text, test = _forge(command, project, environment)
    return Suite(read_verdicts(text), build, test)


def read_verdicts(text: str) -> dict[str, Verdict]:
    """The verdicts in what ``forge test --json`` printed."""
    verdicts = {}
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        for contract, suite in json.loads(line).items():
            for test, result in suite["test_results"].items():
                verdicts[f"{contract}.{test}"] = Verdict(result["status"], result.get("reason"))
    return verdicts


def report(own: Suite, reference: Suite) -> int:
    """Print the tests whose verdicts differ and the counts; how many differ."""
    different, reasons = 0, 0
    for test in sorted(own.verdicts.keys() | reference.verdicts.keys()):
        mine, theirs = own.verdicts.get(test), reference.verdicts.get(test)
        if mine and theirs and mine.status == theirs.status:
            if mine.reason != theirs.reason:
                reasons += 1
                print(f"{test}: both {mine.status}: smartvm: {mine.reason}; solc: {theirs.reason}")
            continue
        different += 1
        for name, verdict in (("smartvm", mine), ("solc", theirs)):
            print(f"{test}: {name}: {verdict.status if verdict else 'absent'} {(verdict and verdict.reason) or ''}")
    for name, suite in (("smartvm", own), ("solc", reference)):
        statuses = [verdict.status for verdict in suite.verdicts.values()]
        counts = ", ".join(f"{statuses.count(status)} {status}" for status in ("Success", "Failure", "Skipped"))
        print(f"{name}: {counts}; build {suite.build_seconds:.1f} s, tests {suite.test_seconds:.1f} s of CPU time")
    total = len(own.verdicts.keys() | reference.verdicts.keys())
    print(f"{total} tests, {different} verdicts differ, {reasons} fail for different reasons")
    return different


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("project", type=Path, help="checked out repository")
    parser.add_argument("--match-path", action="append", default=[], metavar="GLOB", help="only test files that match")
    parser.add_argument("--no-match-path", metavar="GLOB", help="no test files that match")
    parser.add_argument("--no-match-test", metavar="REGEX", help="no tests that match")
    parser.add_argument("--fuzz-runs", type=int, default=32, help="runs of each fuzz test (32)")
    parser.add_argument("--fuzz-seed", default="0x1", help="seed of the fuzzer (0x1)")
    parser.add_argument("--invariant-runs", type=int, default=4, help="runs of each invariant (4)")
    parser.add_argument("--invariant-depth", type=int, default=15, help="calls in a run of an invariant (15)")
    parser.add_argument("--smartvm", default=shutil.which("smartvm-solc"), help="the smartvm-solc to run")
    parser.add_argument("--results", type=Path, help="where build outputs stay")
    options = parser.parse_args()
    if not options.smartvm:
        sys.exit("Error: no smartvm-solc on PATH")
    forge, project = find_forge(), options.project.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        results = (options.results or Path(temporary)).resolve()
        results.mkdir(parents=True, exist_ok=True)
        copy = results / "project"
        copy_project(project, copy)
        suites = []
        for compiler in (Path(options.smartvm).resolve(), write_reference(results)):
            folder = results / ("of-" + compiler.name)
            start = time.perf_counter()
            suites.append(run_suite(forge, copy, compiler, folder, options))
            print(f"{compiler.name} done in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        return 1 if report(*suites) else 0


if __name__ == "__main__":
    sys.exit(main())
