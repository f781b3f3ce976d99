"""What ``smartvm run`` prints about a deployment and a call, or collects for ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from smartvm.commands.artifact import Artifact
    from smartvm.commands.profile import LineProfiler
    from smartvm.vm.messages import ExecutionResult

#: Lines that a profile shows at most; ``--json`` has them all.
_PROFILE_LINES = 40


def describe_failure(result: ExecutionResult, abi: list[dict[str, Any]]) -> str:
    """Why a call failed, in one line."""
    from smartvm.abi import describe_revert

    if result.reverted:
        return f"reverted: {describe_revert(abi, result.output)}"
    return f"halted: {result.error.message if result.error else 'unknown reason'}"


class CallReport:
    """Prints what happens, or collects it for ``--json``."""

    def __init__(self, artifact: Artifact, as_json: bool) -> None:
        self.artifact = artifact
        self.as_json = as_json
        self.document: dict[str, Any] = {"contract": artifact.contract_name}

    def line(self, key: str, value: Any, text: str) -> None:
        """One fact."""
        self.document[key] = value
        if not self.as_json:
            shown = f"{value:,}" if isinstance(value, int) else value
            click.echo(f"{text} {shown}")

    def deployment(self, result: ExecutionResult) -> None:
        """A contract was created, or was not."""
        from smartvm.abi import checksum_address

        if result.success and result.created_address is not None:
            address = checksum_address(result.created_address)
            self.line("address", address, f"{self.artifact.contract_name} deployed at")
            self.line("deploy_gas_used", result.gas_used, "deployment gas")
            self._logs(result)
        else:
            self._failed(result, "the constructor")

    def call(self, entry: dict[str, Any] | None, result: ExecutionResult) -> None:
        """A function was called."""
        from smartvm.abi import AbiError, decode, format_value, json_value, signature_of, type_from_json

        name = str(signature_of(entry)) if entry is not None else "the call"
        self.document["call"] = name
        if not result.success:
            self._failed(result, name)
        elif entry is None:
            self.line("output", "0x" + result.output.hex(), "output")
            self._logs(result)
        else:
            outputs = entry.get("outputs", ())
            try:
                values = decode([type_from_json(item) for item in outputs], result.output)
            except AbiError as error:
                values = ()
                click.echo(
                    f"the output 0x{result.output.hex()} does not fit the ABI: {error.message}", err=True
                )
            named = [
                (str(item.get("name") or i), value)
                for i, (item, value) in enumerate(zip(outputs, values, strict=False))
            ]
            self.document["result"] = {name: json_value(value) for name, value in named}
            if not self.as_json:
                for name, value in named:
                    shown = "result" if name.isdigit() and len(named) == 1 else name
                    click.echo(f"{shown} = {format_value(value)}")
            self._logs(result)
        self.line("gas_used", result.gas_used, "gas")

    def _logs(self, result: ExecutionResult) -> None:
        from smartvm.abi import describe_log

        texts = [describe_log(self.artifact.abi, log.topics, log.data) for log in result.logs]
        self.document.setdefault("events", []).extend(texts)
        if not self.as_json:
            for text in texts:
                click.echo(f"event {text}")

    def _failed(self, result: ExecutionResult, what: str) -> None:
        reason = describe_failure(result, self.artifact.abi)
        self.document["error"] = reason
        if not self.as_json:
            click.echo(f"{what} {reason}", err=True)

    def profile(self, profiler: LineProfiler) -> None:
        """Gas of the call by source line, most first."""
        rows = sorted(profiler.costs.items(), key=lambda item: -item[1].gas)
        texts = {name: text.splitlines() for name, text in self.artifact.sources.values()}
        self.document["profile"] = [
            {"source": name, "line": line, "gas": cost.gas, "instructions": cost.instructions}
            for (name, line), cost in rows
        ]
        if self.as_json:
            return
        whole = sum(cost.gas for _, cost in rows) or 1
        click.echo(f"\n{'gas':>14} {'share':>6} {'instructions':>13}  line")
        for (name, line), cost in rows[:_PROFILE_LINES]:
            content = texts[name][line - 1].strip() if line and line <= len(texts.get(name, ())) else ""
            where = f"{name}:{line}: {content}" if line else name
            click.echo(
                f"{cost.gas:>14,} {100 * cost.gas / whole:>5.1f}% {cost.instructions:>13,}  {where[:120]}"
            )

    def end(self, result: ExecutionResult | None) -> None:
        """Print the JSON object, if one is asked for."""
        if not self.as_json:
            return
        import json

        self.document["success"] = result is None or result.success
        if result is not None:
            self.document["output"] = "0x" + result.output.hex()
        click.echo(json.dumps(self.document))
