"""Inline assembly: the user's Yul with Solidity's names replaced (docs/assembly.rst)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.compiler.analysis import types
from smartvm.compiler.analysis.model import ExternalReference
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.conversions import literal_word
from smartvm.compiler.lowering.expressions import library_address
from smartvm.compiler.lowering.handlers import statement
from smartvm.compiler.lowering.raw_words import NARROW_TYPES
from smartvm.compiler.lowering.type_facts import bare, is_value_type
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.compiler.yul import ast as yul

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering

#: Put before the names of the user's variables and functions, so that they cannot meet ours.
USER_PREFIX = "usr$"


@statement(nodes.InlineAssembly)
def inline_assembly(f: FunctionLowering, node: nodes.InlineAssembly) -> None:
    """The assembly block; afterwards the Solidity variables that it assigned are cleaned."""
    with_effects = node.id in f.model.assembly_with_memory_effects
    if with_effects and node.id not in f.model.memory_safe_assembly:
        f.context.memory_unsafe = True
    translation = _Translation(f, node)
    block = translation.block(node.operations)
    f.writer.append(block)
    for declaration, suffix in translation.assigned_parts:
        part = types.ADDRESS if suffix == "address" else types.IntegerType(32, False)
        name = f.locals[declaration.id][0 if suffix == "address" else 1]
        f.writer.assign([name], f.clean(part, yul.Identifier(name, f.source)))
    for declaration in translation.assigned.values():
        type_ = f.model.type_of_declaration(declaration)
        inner = bare(type_)
        if isinstance(inner, NARROW_TYPES):
            (name,) = f.locals[declaration.id]
            variable = yul.Identifier(f.raw_names.get(declaration.id, name), f.source)
            cleaned = f.clean(type_, variable)
            if cleaned is not variable or variable.name != name:
                f.writer.assign([name], cleaned)


class _Translation:
    def __init__(self, f: FunctionLowering, node: nodes.InlineAssembly) -> None:
        self.f = f
        self.references = f.model.external_references.get(node.id, {})
        # Yul names cannot shadow Solidity's: within a block a name means one thing.
        self.by_name: dict[str, ExternalReference] = {}
        for reference in self.references.values():
            suffix = f".{reference.suffix}" if reference.suffix else ""
            self.by_name[reference.declaration.name + suffix] = reference
        self.assigned: dict[int, nodes.VariableDeclaration] = {}
        self.assigned_parts: list[tuple[nodes.VariableDeclaration, str]] = []
        self.user_functions: set[str] = set()
        self._collect_functions(node.operations)

    def _collect_functions(self, block: yul.Block) -> None:
        pending: list[yul.Block] = [block]
        while pending:
            for part in pending.pop().statements:
                match part:
                    case yul.FunctionDefinition():
                        self.user_functions.add(part.name)
                        pending.append(part.body)
                    case yul.Block():
                        pending.append(part)
                    case yul.If():
                        pending.append(part.body)
                    case yul.Switch():
                        pending.extend(case.body for case in part.cases)
                    case yul.ForLoop():
                        pending.extend((part.pre, part.post, part.body))

    # --- names ---------------------------------------------------------------------------------------

    def _reference(self, identifier: yul.Identifier) -> ExternalReference | None:
        place = (identifier.source.start, identifier.source.length)
        return self.references.get(place) or self.by_name.get(identifier.name)

    def _target(self, name: str) -> str:
        reference = self.by_name.get(name)
        if reference is None:
            return USER_PREFIX + name
        declaration = reference.declaration
        assert isinstance(declaration, nodes.VariableDeclaration)
        names = self.f.locals[declaration.id]
        if reference.suffix == "":
            self.assigned[declaration.id] = declaration
            if declaration.id in self.f.raw_names:
                return self.f.raw_names[declaration.id]
        elif reference.suffix in ("address", "selector"):
            self.assigned_parts.append((declaration, reference.suffix))
        return names[self._part(reference, len(names))]

    def _part(self, reference: ExternalReference, count: int) -> int:
        return 1 if count == 2 and reference.suffix in ("length", "selector") else 0

    def _external(self, reference: ExternalReference, identifier: yul.Identifier) -> yul.Expression:
        f, declaration = self.f, reference.declaration
        source = identifier.source
        if isinstance(declaration, nodes.ContractDefinition):
            with f.at(declaration):
                return library_address(f, declaration)
        assert isinstance(declaration, nodes.VariableDeclaration)
        if declaration.id in f.locals:
            names = f.locals[declaration.id]
            type_ = f.model.type_of_declaration(declaration)
            if reference.suffix == "offset" and len(names) == 1 and _is_storage(type_):
                return yul.Literal("number", 0, source=source)
            if reference.suffix == "length" and len(names) == 1:
                assert isinstance(type_, types.ArrayType)
                return yul.Literal("number", type_.length, source=source)
            if reference.suffix == "" and declaration.id in f.raw_names:
                return yul.Identifier(f.raw_names[declaration.id], source)
            return yul.Identifier(names[self._part(reference, len(names))], source)
        if declaration.mutability == "constant":
            return yul.Literal("number", self._constant(declaration), source=source)
        if declaration.id in f.context.state_places:
            slot, offset, _ = f.context.state_places[declaration.id]
            return yul.Literal("number", slot if reference.suffix == "slot" else offset, source=source)
        raise unimplemented(f"Assembly access to {declaration.name} is not supported.", source)

    def _constant(self, declaration: nodes.VariableDeclaration) -> int:
        f = self.f
        target = f.model.type_of_declaration(declaration)
        expression: nodes.Expression | None = declaration.value
        for _ in range(256):
            assert expression is not None
            word = literal_word(f.model.type_of(expression), target)
            if word is not None:
                return word
            if isinstance(expression, nodes.Literal) and isinstance(
                f.model.type_of(expression), types.BoolType
            ):
                return int(expression.text == "true")
            if isinstance(expression, nodes.Literal) and isinstance(
                f.model.type_of(expression), types.AddressType
            ):
                return int(expression.text, 16)
            named = f.model.referenced_declaration.get(expression.id)
            if not isinstance(named, nodes.VariableDeclaration):
                break
            target = f.model.type_of_declaration(named)
            expression = named.value
        raise unimplemented("Only direct number constants are supported by inline assembly.", declaration.src)

    # --- the tree ------------------------------------------------------------------------------------

    def block(self, block: yul.Block) -> yul.Block:
        return yul.Block(tuple(map(self.statement, block.statements)), block.source)

    def statement(self, part: yul.Statement) -> yul.Statement:
        match part:
            case yul.ExpressionStatement():
                return yul.ExpressionStatement(self.expression(part.expression), part.source)
            case yul.VariableDeclaration():
                value = None if part.value is None else self.expression(part.value)
                names = tuple(USER_PREFIX + name for name in part.names)
                return yul.VariableDeclaration(names, value, part.source)
            case yul.Assignment():
                names = tuple(map(self._target, part.names))
                return yul.Assignment(names, self.expression(part.value), part.source)
            case yul.Block():
                return self.block(part)
            case yul.FunctionDefinition():
                return yul.FunctionDefinition(
                    USER_PREFIX + part.name,
                    tuple(USER_PREFIX + name for name in part.parameters),
                    tuple(USER_PREFIX + name for name in part.returns),
                    self.block(part.body),
                    part.source,
                )
            case yul.If():
                return yul.If(self.expression(part.condition), self.block(part.body), part.source)
            case yul.Switch():
                cases = tuple(yul.Case(c.value, self.block(c.body), c.source) for c in part.cases)
                return yul.Switch(self.expression(part.expression), cases, part.source)
            case yul.ForLoop():
                return yul.ForLoop(
                    self.block(part.pre),
                    self.expression(part.condition),
                    self.block(part.post),
                    self.block(part.body),
                    part.source,
                )
        return part

    def expression(self, part: yul.Expression) -> yul.Expression:
        match part:
            case yul.Identifier():
                reference = self._reference(part)
                if reference is not None:
                    return self._external(reference, part)
                return yul.Identifier(USER_PREFIX + part.name, part.source)
            case yul.FunctionCall():
                name = USER_PREFIX + part.name if part.name in self.user_functions else part.name
                return yul.FunctionCall(name, tuple(map(self.expression, part.arguments)), part.source)
        return part


def _is_storage(type_: types.Type) -> bool:
    return isinstance(type_, types.MappingType) or (
        not is_value_type(type_) and getattr(type_, "location", None) == "storage"
    )
