"""``smartvm compile``: Solidity and Yul files to artifacts, or to what is asked for on stdout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from smartvm.commands.options import UsageError, table_option

if TYPE_CHECKING:
    from smartvm.commands.artifact import Artifact

#: Option: Standard JSON's name of the output, and solc's heading for it on stdout.
_OUTPUTS = {
    "asm": ("evm.assembly", "EVM assembly:"),
    "bin": ("evm.bytecode.object", "Binary:"),
    "bin_runtime": ("evm.deployedBytecode.object", "Binary of the runtime part:"),
    "opcodes": ("evm.bytecode.opcodes", "Opcodes:"),
    "ir": ("ir", "IR:"),
    "ir_optimized": ("irOptimized", "Optimized IR:"),
    "hashes": ("evm.methodIdentifiers", "Function signatures:"),
    "storage_layout": ("storageLayout", "Contract Storage Layout:"),
    "abi": ("abi", "Contract JSON ABI"),
}


@click.command(short_help="Compile Solidity and Yul files.")
@click.argument("inputs", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o", "--output-dir", metavar="DIR", help="Write an artifact (JSON) for each contract into DIR."
)
@table_option()
@click.option(
    "--evm-version", default="osaka", show_default=True, metavar="VERSION", help="The fork to compile for."
)
@click.option("--optimize", is_flag=True, help="Run the optimizer.")
@click.option(
    "--optimize-runs",
    default=200,
    show_default=True,
    type=click.IntRange(0),
    metavar="N",
    help="How often each part of the deployed code is expected to run.",
)
@click.option("--bin", is_flag=True, help="Print the creation bytecode.")
@click.option("--bin-runtime", is_flag=True, help="Print the deployed bytecode.")
@click.option("--abi", is_flag=True, help="Print the ABI.")
@click.option("--ir", is_flag=True, help="Print the Yul that the contract becomes.")
@click.option("--ir-optimized", is_flag=True, help="Print the Yul after the optimizer.")
@click.option("--asm", is_flag=True, help="Print the assembly.")
@click.option("--opcodes", is_flag=True, help="Print the instructions.")
@click.option("--ast-json", is_flag=True, help="Print the syntax tree of each source as JSON.")
@click.option("--hashes", is_flag=True, help="Print the functions' selectors.")
@click.option("--storage-layout", is_flag=True, help="Print where state variables lie in storage.")
@click.option("--base-path", metavar="DIR", help="Where imports start from.  [default: current folder]")
@click.option(
    "--include-path", "include_paths", multiple=True, metavar="DIR", help="Where else imports are looked for."
)
@click.option("--no-metadata", is_flag=True, help="Append no metadata to the code.")
@click.option(
    "--expand-extensions",
    is_flag=True,
    help="Compile in the Yul of instructions that the table gives in Yul, for a VM without them.",
)
def command(
    inputs: tuple[str, ...],
    output_dir: str | None,
    table_name: str,
    evm_version: str,
    optimize: bool,
    optimize_runs: int,
    ast_json: bool,
    base_path: str | None,
    include_paths: tuple[str, ...],
    no_metadata: bool,
    expand_extensions: bool,
    **asked: bool,
) -> None:
    """Compile Solidity (.sol) and standalone Yul (.yul) files.

    With -o each contract becomes one JSON file: ABI, bytecode, source maps, storage layout, and the digest
    of the instruction table. Else what is asked for is printed, as solc prints it. Arguments like
    `@a/=lib/a/` are import remappings.
    """
    from smartvm.commands.compilation import CompileRequest, compile_paths

    files = [item for item in inputs if "=" not in item]
    if not files:
        raise UsageError("no source file given, only remappings")
    wanted = [option for option in _OUTPUTS if asked.get(option)]
    request = CompileRequest(
        files,
        table_name=table_name,
        evm_version=evm_version,
        optimize=optimize,
        runs=optimize_runs,
        outputs=[_OUTPUTS[option][0] for option in wanted],
        base_path=base_path,
        include_paths=include_paths,
        remappings=[item for item in inputs if "=" in item],
        expand_extensions=expand_extensions,
        no_metadata=no_metadata,
        trees=ast_json,
    )
    compiled = compile_paths(request)
    if output_dir is not None:
        _write(compiled.artifacts, Path(output_dir))
    if ast_json:
        _print_trees(compiled.sources)
    for artifact, contract in zip(compiled.artifacts, compiled.contracts, strict=True):
        if wanted:
            _print_outputs(artifact, contract, wanted)
    if not (wanted or ast_json or output_dir):
        for artifact in compiled.artifacts:
            creation, deployed = len(artifact.bytecode) // 2, len(artifact.deployed_bytecode) // 2
            sizes = f"creation {creation} bytes, deployed {deployed} bytes"
            what = sizes if artifact.bytecode else "no code (interface or abstract contract)"
            click.echo(f"{artifact.source_name}:{artifact.contract_name}: {what}")


def _write(artifacts: list[Artifact], folder: Path) -> None:
    names = [artifact.contract_name for artifact in artifacts]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for artifact in artifacts:
            name = artifact.contract_name
            if names.count(name) > 1:
                name = f"{Path(artifact.source_name).stem}.{name}"
            path = folder / f"{name.replace('/', '_')}.json"
            path.write_text(json.dumps(artifact.to_json(), indent=1) + "\n", encoding="utf-8")
            click.echo(f"wrote {path}", err=True)
    except OSError as error:
        raise UsageError(f"cannot write to `{folder}`: {error.strerror}") from None


def _print_trees(sources: Mapping[str, Mapping[str, Any]]) -> None:
    click.echo("JSON AST (compact format):\n")
    for name, entry in sources.items():
        click.echo(f"\n======= {name} =======")
        click.echo(json.dumps(entry.get("ast"), indent=2))


def _print_outputs(artifact: Artifact, contract: Mapping[str, Any], wanted: list[str]) -> None:
    click.echo(f"\n======= {artifact.source_name}:{artifact.contract_name} =======")
    for option in wanted:
        output, heading = _OUTPUTS[option]
        value: Any = contract
        for key in output.split("."):
            value = value.get(key, {}) if isinstance(value, Mapping) else {}
        click.echo(heading)
        if option == "hashes":
            for signature, selector in sorted(value.items()):
                click.echo(f"{selector}: {signature}")
        elif isinstance(value, str):
            click.echo(value)
        else:
            click.echo(json.dumps(value, separators=(",", ":")))
