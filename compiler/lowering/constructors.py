"""Contract creation: constructors along the linearised bases, state variables' initial values
(docs/contracts/inheritance.rst, docs/ir-breaking-changes.rst)."""

from __future__ import annotations

from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.compilation import contract_name
from smartvm.compiler.lowering.expressions import variable_place
from smartvm.compiler.lowering.function_lowering import FunctionLowering
from smartvm.compiler.lowering.functions import ModifierChain, declare_parameters
from smartvm.compiler.lowering.object_context import ObjectContext
from smartvm.compiler.lowering.statements import block_contents
from smartvm.compiler.lowering.type_facts import variable_names
from smartvm.compiler.lowering.value_conversion import function_slots
from smartvm.compiler.lowering.values import Value
from smartvm.compiler.lowering.yul_nodes import name, string
from smartvm.compiler.yul import ast as yul


class Constructors:
    """Makes one Yul function for each contract of the linearisation.

    The constructor of a contract evaluates the arguments that it gives to its bases, calls the constructor
    of the next base in the linearisation with all arguments that are known by now, sets its own state
    variables, and runs its body.
    """

    def __init__(self, context: ObjectContext) -> None:
        self.context = context
        self.model = context.model
        self.bases = context.model.linearized_base_contracts(context.contract)

    def make_all(self) -> None:
        """Make the functions and add them to the object."""
        pending: dict[int, list[str]] = {}
        for index, contract in enumerate(self.bases):
            pending.pop(contract.id, None)
            self._make(index, contract, pending)

    def constructor_name(self, contract: nodes.ContractDefinition) -> str:
        """The Yul name of a contract's constructor within the object."""
        return f"constructor_{contract_name(contract)}"

    def _arguments(
        self, contract: nodes.ContractDefinition
    ) -> list[tuple[nodes.ContractDefinition, tuple[nodes.Expression, ...]]]:
        """The base constructor arguments that a contract gives, in the order of the linearisation."""
        given: dict[int, tuple[nodes.Expression, ...]] = {}
        for specifier in contract.base_contracts:
            base = self.model.referenced_declaration.get(specifier.base_name.id)
            if isinstance(base, nodes.ContractDefinition) and specifier.arguments:
                given[base.id] = self.model.sorted_arguments.get(specifier.id, specifier.arguments)
        constructor = self.context.compilation.constructor(contract)
        for invocation in constructor.modifiers if constructor is not None else ():
            base = self.model.referenced_declaration.get(invocation.modifier_name.id)
            if isinstance(base, nodes.ContractDefinition) and invocation.arguments:
                given[base.id] = self.model.sorted_arguments.get(invocation.id, invocation.arguments)
        return [(base, given[base.id]) for base in self.bases if base.id in given]

    def _make(self, index: int, contract: nodes.ContractDefinition, pending: dict[int, list[str]]) -> None:
        compilation = self.context.compilation
        constructor = compilation.constructor(contract)
        f = FunctionLowering(self.context)
        node: nodes.Node = constructor if constructor is not None else contract
        with f.at(node):
            own = declare_parameters(f, constructor.parameters) if constructor is not None else ()
            parameters = (*own, *(n for base in self.bases for n in pending.get(base.id, ())))
            for base, arguments in self._arguments(contract):
                pending[base.id] = self._evaluate(f, base, arguments)
            if index + 1 < len(self.bases):
                passed = [n for base in self.bases for n in pending.get(base.id, ())]
                following = self.constructor_name(self.bases[index + 1])
                f.writer.do(f.call(following, *map(name, passed)))
            self._initialize_variables(f, contract)
            if constructor is not None:
                self._body(f, constructor, own)
            body = f.writer.block(f.writer.statements())
        yul_name = self.constructor_name(contract)
        self.context.functions[yul_name] = yul.FunctionDefinition(yul_name, parameters, (), body, node.src)

    def _evaluate(
        self, f: FunctionLowering, base: nodes.ContractDefinition, arguments: tuple[nodes.Expression, ...]
    ) -> list[str]:
        """Evaluate arguments into variables, which the constructors up to the base pass on."""
        constructor = self.context.compilation.constructor(base)
        if constructor is None:
            return []
        names: list[str] = []
        for argument, parameter in zip(arguments, constructor.parameters.parameters, strict=True):
            with f.full_expression(argument):
                value = f.value_as(argument, self.model.type_of_declaration(parameter))
                for slot in function_slots(f, value):
                    names.append(f"argument_{len(names)}_of_{contract_name(base)}")
                    f.writer.let([names[-1]], slot)
        return names

    def _initialize_variables(self, f: FunctionLowering, contract: nodes.ContractDefinition) -> None:
        for variable in contract.nodes:
            if not isinstance(variable, nodes.VariableDeclaration):
                continue
            if variable.mutability == "constant" or variable.value is None:
                continue
            with f.at(variable), f.full_expression(variable.value):
                value: Value = f.value(variable.value)
                place = variable_place(f, variable, variable.value)
                assert place is not None
                f.write(place, value)

    def _body(
        self, f: FunctionLowering, constructor: nodes.FunctionDefinition, parameters: tuple[str, ...]
    ) -> None:
        modifiers = [
            m
            for m in constructor.modifiers
            if isinstance(self.model.referenced_declaration.get(m.modifier_name.id), nodes.ModifierDefinition)
        ]
        if modifiers:
            chain = ModifierChain(self.context, constructor, modifiers)
            f.writer.do(f.call(chain.first_link(), *f.names(parameters)))
        elif constructor.body is not None:
            block_contents(f, constructor.body)


def write_creation(f: FunctionLowering) -> None:
    """The creation object's code after memory is set up: arguments, constructors, the deployed code
    returned."""
    context = f.context
    contract = context.contract
    constructor = context.compilation.constructor(contract)
    if constructor is None or constructor.state_mutability != "payable":
        f.revert_if(f.call("callvalue"), "Ether sent to non-payable function")
    if contract.contract_kind != "library":
        constructors = Constructors(context)
        arguments: tuple[str, ...] = ()
        if constructor is not None and constructor.parameters.parameters:
            arguments = _copy_arguments(f, constructor)
        f.writer.do(f.call(constructors.constructor_name(contract), *map(name, arguments)))
        constructors.make_all()


def _copy_arguments(f: FunctionLowering, constructor: nodes.FunctionDefinition) -> tuple[str, ...]:
    """Decode the constructor's arguments, which stand behind the creation code."""
    listed = [f.model.type_of_declaration(p) for p in constructor.parameters.parameters]
    size = f.call("datasize", string(contract_name(f.context.contract), f.source))
    program_size = f.writer.bind(size, "program_size")
    arguments_size = f.writer.bind(f.call("sub", f.call("codesize"), program_size), "arguments_size")
    allocate = f.utilities.memory.allocate()
    start = f.writer.bind(f.call(allocate, arguments_size), "start")
    f.writer.do(f.call("codecopy", start, program_size, arguments_size))
    names = tuple(n for i, t in enumerate(listed) for n in variable_names(f"param_{i}", t))
    decode = f.utilities.decoding.decode_tuple(listed, from_memory=True)
    f.writer.let(names, f.call(decode, start, f.call("add", start, arguments_size)))
    return names
