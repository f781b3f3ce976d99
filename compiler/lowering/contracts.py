"""A contract's Yul object: the creation code with the deployed object and the objects of contracts it
creates."""

from __future__ import annotations

from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.ast import nodes
from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.lowering.compilation import Compilation, contract_name, deployed_name
from smartvm.compiler.lowering.constructors import write_creation
from smartvm.compiler.lowering.dispatch import LIBRARY_ADDRESS, write_dispatch
from smartvm.compiler.lowering.function_lowering import FunctionLowering
from smartvm.compiler.lowering.memory import FIRST_FREE_MEMORY, FREE_MEMORY_POINTER
from smartvm.compiler.lowering.object_context import ObjectContext
from smartvm.compiler.lowering.settings import LoweringSettings
from smartvm.compiler.lowering.yul_nodes import string
from smartvm.compiler.source import NO_SOURCE
from smartvm.compiler.yul import ast as yul
from smartvm.records import replace


class ContractLowering:
    """Lowers the contracts of one compilation; each contract's object is made once and shared by its
    creators."""

    def __init__(
        self, model: SemanticModel, settings: LoweringSettings, sink: DiagnosticSink | None = None
    ) -> None:
        self.compilation = Compilation(model, settings)
        self.sink = sink
        self.source_names = tuple((source.index, source.name) for source in model.sources)

    def lower(self, contract: nodes.ContractDefinition) -> yul.Object:
        """The creation object, named ``<name>_<id>``; ``FatalDiagnostic`` (in the sink too) when a
        feature is not supported."""
        objects = self.compilation.objects
        if contract.id not in objects:
            try:
                objects[contract.id] = self._make(contract)
            except FatalDiagnostic as raised:
                fatal = raised
                if fatal.diagnostic.source == NO_SOURCE:
                    fatal = FatalDiagnostic(replace(fatal.diagnostic, source=contract.src))
                if self.sink is not None and fatal.diagnostic not in self.sink.items:
                    self.sink.add(fatal.diagnostic)
                raise fatal from None
        return objects[contract.id]

    def _make(self, contract: nodes.ContractDefinition) -> yul.Object:
        function_ids: dict[int, int] = {}
        creation = ObjectContext(self.compilation, contract, "creation", function_ids)
        creation_code = self._creation_code(creation)
        deployed = ObjectContext(self.compilation, contract, "deployed", function_ids)
        for arity, functions in creation.pointed_functions.items():
            # A pointer stored by a constructor may be called by the deployed code.
            deployed.pointed_functions[arity] = dict(functions)
        deployed_code = self._deployed_code(deployed)
        deployed_object = yul.Object(
            deployed_name(contract), deployed_code, self._sub_objects(deployed), self.source_names
        )
        return yul.Object(
            contract_name(contract),
            creation_code,
            (deployed_object, *self._sub_objects(creation)),
            self.source_names,
        )

    def _sub_objects(self, context: ObjectContext) -> tuple[yul.Object, ...]:
        return tuple(self.lower(contract) for contract in context.sub_objects.values())

    # --- code ----------------------------------------------------------------------------------------

    def _creation_code(self, context: ObjectContext) -> yul.Block:
        f = FunctionLowering(context)
        with context.utilities.library.collecting(context.used_utilities), f.at(context.contract):
            write_creation(f)
            self._return_deployed_code(f)
            context.make_pending()
            reserved = 32 * len(context.immutable_addresses)
            return self._finish(f, FIRST_FREE_MEMORY + reserved)

    def _return_deployed_code(self, f: FunctionLowering) -> None:
        contract = f.context.contract
        label = string(deployed_name(contract), f.source)
        start = f.writer.bind(f.call("mload", f.number(FREE_MEMORY_POINTER)), "start")
        size = f.call("datasize", label)
        f.writer.do(f.call("codecopy", start, f.call("dataoffset", label), size))
        if contract.contract_kind == "library":
            name = string(LIBRARY_ADDRESS, f.source)
            f.writer.do(f.call("setimmutable", start, name, f.call("address")))
        for variable, address in f.context.immutable_addresses.items():
            name = string(str(variable), f.source)
            value = f.call("mload", f.number(address))
            f.writer.do(f.call("setimmutable", start, name, value))
        f.writer.do(f.call("return", start, size))

    def _deployed_code(self, context: ObjectContext) -> yul.Block:
        f = FunctionLowering(context)
        with context.utilities.library.collecting(context.used_utilities), f.at(context.contract):
            if context.contract.contract_kind == "library":
                own = f.call("loadimmutable", string(LIBRARY_ADDRESS, f.source))
                is_other = f.call("iszero", f.call("eq", own, f.call("address")))
                f.writer.let(["called_via_delegatecall"], is_other)
            write_dispatch(f)
            context.make_pending()
            return self._finish(f, FIRST_FREE_MEMORY)

    def _finish(self, f: FunctionLowering, first_free: int) -> yul.Block:
        """The object's code: memory set up first, functions after the statements."""
        start: yul.Expression = f.number(first_free)
        if not f.context.memory_unsafe:
            start = f.call("memoryguard", start)
        set_up = yul.ExpressionStatement(f.call("mstore", f.number(FREE_MEMORY_POINTER), start), f.source)
        # A block of its own: Yul lets no function declare a name that a block around it has.
        body = f.writer.block((set_up, *f.writer.statements()))
        return f.writer.block((body, *f.context.all_functions()))
