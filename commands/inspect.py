"""``smartvm inspect``: disassembly, basic blocks, control-flow graph."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
from smartvm.commands.options import UsageError, table_option

if TYPE_CHECKING:
    from smartvm.commands.artifact import Artifact


@click.command(short_help="Disassemble bytecode; draw its control-flow graph.")
@click.argument("what", metavar="ARTIFACT|HEX|@FILE|FILE.sol|FILE.yul")
@click.option("--contract", "name", help="Which contract, when there are several.")
@click.option("--creation", is_flag=True, help="Show the creation code instead of the deployed code.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--cfg", "graph_file", metavar="FILE", help="Write the control-flow graph to FILE (.svg or .dot)."
)
@click.option(
    "--evm-version", default=None, metavar="VERSION", help="Read hex by this fork.  [default: osaka]"
)
@click.option("--optimize", is_flag=True, help="Compile a source file with the optimizer.")
@table_option(None)
def command(
    what: str,
    name: str | None,
    creation: bool,
    as_json: bool,
    graph_file: str | None,
    evm_version: str | None,
    optimize: bool,
    table_name: str | None,
) -> None:
    """Show bytecode as instructions in basic blocks, each with its static gas, where it jumps, and the
    source line that it came from. Operands that are known constants stand beside the instruction, those of
    DNN instructions always.

    The code is that of an artifact (`smartvm compile -o`), hexadecimal text, or a source file, which is
    compiled first.
    """
    from smartvm.commands.options import checked_fork, hex_argument, load_checked_table
    from smartvm.disassembler import control_flow_graph, disassemble, disassembly_json, disassembly_text
    from smartvm.disassembler.linear import bytes_from_hex
    from smartvm.disassembler.source_notes import line_notes, source_lines

    if graph_file is not None and Path(graph_file).suffix not in (".svg", ".dot"):
        raise UsageError(f"cannot draw `{graph_file}`", hint="name a file that ends with .svg or .dot")
    artifact = _artifact(what, name, table_name, evm_version, optimize)
    if artifact is None:
        code = hex_argument(what)
        if not code:
            raise UsageError("there is no code to inspect: the hexadecimal text is empty")
        table = load_checked_table(table_name or "default")
        fork = checked_fork(table, evm_version or "osaka")
        source_map = ""
    else:
        from smartvm.commands.artifact import table_for

        table = table_for(artifact, table_name)
        fork = checked_fork(table, evm_version or artifact.evm_version)
        creation = creation or not artifact.deployed_bytecode
        code = bytes_from_hex(_with_zeros(artifact.bytecode if creation else artifact.deployed_bytecode))
        source_map = artifact.source_map if creation else artifact.deployed_source_map
    disassembly = disassemble(code, table, fork)
    graph = control_flow_graph(disassembly)
    sources = artifact.sources if artifact else {}
    notes = line_notes(source_lines(disassembly, source_map, sources), sources)
    if graph_file is not None:
        from smartvm.disassembler.graph import graph_dot, graph_svg

        draw = graph_svg if graph_file.endswith(".svg") else graph_dot
        try:
            Path(graph_file).write_text(draw(graph, notes), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write `{graph_file}`: {error.strerror}") from None
        click.echo(f"wrote {graph_file}: {sum(b.is_reachable for b in graph.blocks)} blocks", err=True)
        if not as_json:
            return
    if as_json:
        import json

        click.echo(json.dumps(disassembly_json(disassembly, graph, notes), indent=2))
        return
    for line in disassembly_text(disassembly, graph, notes):
        click.echo(line)


def _with_zeros(bytecode: str) -> str:
    """Bytecode with zeros where the address of a library is missing."""
    return re.sub(r"__\$[0-9a-f]{34}\$__", "0" * 40, bytecode)


def _artifact(
    what: str, name: str | None, table_name: str | None, evm_version: str | None, optimize: bool
) -> Artifact | None:
    """The artifact that the argument names; None for hexadecimal text."""
    from smartvm.commands.artifact import choose, is_artifact_path, read_artifact

    if is_artifact_path(what):
        return read_artifact(what)
    if not what.endswith((".sol", ".yul")):
        if name is not None:
            raise UsageError("--contract goes with a source file")
        return None
    from smartvm.commands.compilation import CompileRequest, artifacts_of

    request = CompileRequest(
        [what], table_name=table_name or "default", evm_version=evm_version or "osaka", optimize=optimize
    )
    return choose(artifacts_of(what, request), name, f"`{what}`")
