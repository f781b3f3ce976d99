"""The control flow of functions, with where variables are declared, assigned and used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal as OneOf

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.model import SemanticModel
from smartvm.compiler.analysis.scope_facts import ScopeFacts
from smartvm.compiler.analysis.tree import children
from smartvm.compiler.analysis.yul_names import name_ranges
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.dialect import Dialect
from smartvm.records import dataclass, field

#: Nodes whose range does not count as code of its own.
_NOT_COVERED = (nodes.PlaceholderStatement, nodes.TryStatement, nodes.InlineAssembly)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What happens to a variable, and where (None: at its declaration)."""

    variable: nodes.VariableDeclaration
    kind: OneOf["declaration", "access", "return", "assignment"]
    place: SourceRange | None = None


@dataclass(slots=True, eq=False)
class FlowNode:
    """A piece of code that runs as a whole. ``call`` ends the piece: a call of an internal function, or a
    user-defined operator's function."""

    exits: list[FlowNode] = field(default_factory=list)
    occurrences: list[Occurrence] = field(default_factory=list)
    location: SourceRange | None = None
    call: nodes.FunctionCall | nodes.FunctionDefinition | None = None


@dataclass(slots=True, eq=False)
class FunctionFlow:
    """A function's graph with its modifiers inside. ``calls`` are the nodes that end in a call."""

    entry: FlowNode
    exit: FlowNode
    revert: FlowNode
    transaction_return: FlowNode
    all_nodes: list[FlowNode]
    calls: list[FlowNode] = field(default_factory=list)


class FlowBuilder:
    """Builds the graph of one function whose modifiers are known."""

    def __init__(self, model: SemanticModel, dialect: Dialect) -> None:
        self.model = model
        self.dialect = dialect
        self.facts = ScopeFacts(model)
        self._nodes: list[FlowNode] = []
        self._break: FlowNode | None = None
        self._continue: FlowNode | None = None
        self._placeholder_entry: FlowNode | None = None
        self._placeholder_exit: FlowNode | None = None

    def build(
        self, function: nodes.FunctionDefinition, modifiers: Sequence[nodes.ModifierDefinition | None]
    ) -> FunctionFlow:
        """The graph; ``modifiers`` belong to the function's invocations (None: a base constructor, or no
        body)."""
        self._nodes = []
        entry, exit_, revert, transaction_return = (self._new() for _ in range(4))
        self._flow = FunctionFlow(entry, exit_, revert, transaction_return, self._nodes)
        self._current = entry
        self._return = exit_
        for parameter in function.parameters.parameters:
            self._visit(parameter)
        for parameter in function.return_parameters.parameters:
            self._visit(parameter)
            exit_.occurrences.append(Occurrence(parameter, "return"))
        for invocation, modifier in zip(function.modifiers, modifiers, strict=True):
            self._modifier(invocation, modifier)
        if function.body is not None:
            self._visit(function.body)
        self._current.exits.append(self._return)
        return self._flow

    # --- graph ------------------------------------------------------------------------------------

    def _new(self) -> FlowNode:
        node = FlowNode()
        self._nodes.append(node)
        return node

    def _label_here(self) -> FlowNode:
        label = self._new()
        self._current.exits.append(label)
        self._current = label
        return label

    def _place(self, label: FlowNode) -> None:
        self._current.exits.append(label)
        self._current = label

    def _split(self, count: int) -> list[FlowNode]:
        branches = [self._new() for _ in range(count)]
        self._current.exits.extend(branches)
        return branches

    def _branch(self, start: FlowNode, node: nodes.Node) -> FlowNode:
        before = self._current
        self._current = start
        self._visit(node)
        end = self._current
        self._current = before
        return end

    def _merge(self, ends: Sequence[FlowNode], target: FlowNode | None = None) -> None:
        """Join ends of branches; an end that is the target itself is left out."""
        joined = target if target is not None else self._new()
        for end in ends:
            if end is not joined:
                end.exits.append(joined)
        self._current = joined

    def _cover(self, place: SourceRange) -> None:
        known = self._current.location
        if known is None:
            self._current.location = place
            return
        start, end = min(known.start, place.start), max(known.end, place.end)
        self._current.location = SourceRange(start, end - start, known.file)

    def _after_call(self, call: nodes.FunctionCall | nodes.FunctionDefinition) -> None:
        self._current.call = call
        self._flow.calls.append(self._current)
        self._label_here()

    # --- nodes ------------------------------------------------------------------------------------

    def _visit(self, node: nodes.Node) -> None:
        if not isinstance(node, _NOT_COVERED):
            self._cover(node.src)
        match node:
            case nodes.Identifier():
                variable = self.model.referenced_declaration.get(node.id)
                if isinstance(variable, nodes.VariableDeclaration):
                    written = node.id in self.model.will_be_written_to
                    kind: OneOf["assignment", "access"] = "assignment" if written else "access"
                    self._current.occurrences.append(Occurrence(variable, kind, node.src))
            case nodes.VariableDeclaration():
                self._variable(node)
            case nodes.VariableDeclarationStatement():
                self._declaration(node)
            case nodes.FunctionTypeName() | nodes.StructuredDocumentation():
                return
            case nodes.BinaryOperation():
                self._binary(node)
            case nodes.UnaryOperation():
                self._visit(node.sub_expression)
                operator = self.model.user_defined_function.get(node.id)
                if operator is not None:
                    self._after_call(operator)
            case nodes.Conditional():
                self._visit(node.condition)
                first, second = self._split(2)
                self._merge(
                    [self._branch(first, node.true_expression), self._branch(second, node.false_expression)]
                )
            case nodes.FunctionCall():
                self._call(node)
            case nodes.InlineAssembly():
                self._assembly(node)
            case nodes.PlaceholderStatement():
                assert self._placeholder_entry is not None
                assert self._placeholder_exit is not None
                self._current.exits.append(self._placeholder_entry)
                self._current = self._new()
                self._placeholder_exit.exits.append(self._current)
            case nodes.IfStatement() | nodes.ForStatement() | nodes.WhileStatement() | nodes.TryStatement():
                self._branching(node)
            case nodes.Break() | nodes.Continue() | nodes.RevertStatement() | nodes.Return():
                self._jump(node)
            case _:
                for child in children(node):
                    self._visit(child)

    def _variable(self, node: nodes.VariableDeclaration) -> None:
        occurrences = self._current.occurrences
        occurrences.append(Occurrence(node, "declaration"))
        if node.value is not None:
            occurrences.append(Occurrence(node, "assignment", node.value.src))
        elif self.facts.is_callable_or_catch_parameter(node) and not self.facts.is_return_parameter(node):
            occurrences.append(Occurrence(node, "assignment"))
        for child in children(node):
            self._visit(child)

    def _declaration(self, node: nodes.VariableDeclarationStatement) -> None:
        for variable in node.declarations:
            if variable is not None:
                self._visit(variable)
        if node.initial_value is not None:
            self._visit(node.initial_value)
            for variable in node.declarations:
                if variable is not None:
                    self._current.occurrences.append(
                        Occurrence(variable, "assignment", node.initial_value.src)
                    )

    def _binary(self, node: nodes.BinaryOperation) -> None:
        chain = [node]
        while isinstance(chain[-1].left_expression, nodes.BinaryOperation):
            chain.append(chain[-1].left_expression)
            self._cover(chain[-1].src)
        self._visit(chain[-1].left_expression)
        for operation in reversed(chain):
            if operation.operator in ("&&", "||"):
                right, after = self._split(2)
                self._merge([self._branch(right, operation.right_expression)], after)
                continue
            self._visit(operation.right_expression)
            operator = self.model.user_defined_function.get(operation.id)
            if operator is not None:
                self._after_call(operator)

    def _call(self, node: nodes.FunctionCall) -> None:
        self._visit(node.expression)
        for argument in node.arguments:
            self._visit(argument)
        function = self.model.expression_types.get(node.expression.id)
        if not isinstance(function, t.FunctionType):
            return
        if function.kind == "revert":
            self._current.exits.append(self._flow.revert)
            self._current = self._new()
        elif function.kind in ("require", "assert"):
            self._current.exits.append(self._flow.revert)
            self._label_here()
        elif function.kind == "internal":
            self._after_call(node)

    def _branching(
        self, node: nodes.IfStatement | nodes.ForStatement | nodes.WhileStatement | nodes.TryStatement
    ) -> None:
        match node:
            case nodes.IfStatement():
                self._visit(node.condition)
                first, second = self._split(2)
                ends = [self._branch(first, node.true_body)]
                if node.false_body is not None:
                    self._merge([*ends, self._branch(second, node.false_body)])
                else:
                    self._merge(ends, second)
            case nodes.TryStatement():
                self._visit(node.external_call)
                starts = self._split(len(node.clauses))
                self._merge([self._branch(s, c.block) for s, c in zip(starts, node.clauses, strict=True)])
            case nodes.ForStatement():
                self._for(node)
            case nodes.WhileStatement():
                self._while(node)

    def _loop_body(self, body: nodes.Node, after: FlowNode, again: FlowNode) -> None:
        before = self._break, self._continue
        self._break, self._continue = after, again
        self._visit(body)
        self._break, self._continue = before

    def _for(self, node: nodes.ForStatement) -> None:
        if node.initialization_expression is not None:
            self._visit(node.initialization_expression)
        condition = self._label_here()
        if node.condition is not None:
            self._visit(node.condition)
        post = self._new()
        body, after = self._split(2)
        self._current = body
        self._loop_body(node.body, after, post)
        self._place(post)
        if node.loop_expression is not None:
            self._visit(node.loop_expression)
        self._current.exits.append(condition)
        self._current = after

    def _while(self, node: nodes.WhileStatement) -> None:
        if node.is_do_while:
            after = self._new()
            body = self._label_here()
            condition = self._new()
            self._loop_body(node.body, after, condition)
            self._place(condition)
            self._visit(node.condition)
            self._current.exits.append(body)
            self._place(after)
            return
        condition = self._label_here()
        self._visit(node.condition)
        body, after = self._split(2)
        self._current = body
        self._loop_body(node.body, after, condition)
        self._current.exits.append(condition)
        self._current = after

    def _jump(self, node: nodes.Break | nodes.Continue | nodes.RevertStatement | nodes.Return) -> None:
        match node:
            case nodes.Break():
                target = self._break
            case nodes.Continue():
                target = self._continue
            case nodes.RevertStatement():
                target = self._flow.revert
            case nodes.Return():
                target = self._return
                if node.expression is not None:
                    self._visit(node.expression)
                    parameters = self.model.function_return_parameters.get(node.id)
                    for parameter in parameters.parameters if parameters is not None else ():
                        self._current.occurrences.append(Occurrence(parameter, "assignment", node.src))
        assert target is not None
        self._current.exits.append(target)
        self._current = self._new()

    def _modifier(
        self, invocation: nodes.ModifierInvocation, modifier: nodes.ModifierDefinition | None
    ) -> None:
        for argument in invocation.arguments or ():
            self._visit(argument)
        if modifier is None or modifier.body is None:
            return
        self._placeholder_entry, self._placeholder_exit = self._new(), self._new()
        self._visit(modifier)
        self._current.exits.append(self._return)
        self._current = self._placeholder_entry
        self._return = self._placeholder_exit
        self._placeholder_entry = self._placeholder_exit = None

    # --- inline assembly --------------------------------------------------------------------------

    def _assembly(self, node: nodes.InlineAssembly) -> None:
        self._references = self.model.external_references.get(node.id, {})
        self._yul_block(node.operations)

    def _yul_block(self, block: yul.Block) -> None:
        for statement in block.statements:
            self._yul_statement(statement)

    def _occurrence(self, place: SourceRange, kind: OneOf["assignment", "access"]) -> None:
        reference = self._references.get((place.start, place.length))
        if reference is not None and isinstance(reference.declaration, nodes.VariableDeclaration):
            self._current.occurrences.append(Occurrence(reference.declaration, kind, place))

    def _yul_expression(self, expression: yul.Expression) -> None:
        if isinstance(expression, yul.Identifier):
            self._occurrence(expression.source, "access")
        elif isinstance(expression, yul.FunctionCall):
            for argument in reversed(expression.arguments):
                self._yul_expression(argument)
            builtin = self.dialect.find(expression.name)
            if builtin is None:
                return
            if builtin.effects.terminates and not builtin.effects.reverts:
                self._current.exits.append(self._flow.transaction_return)
            if builtin.effects.reverts:
                self._current.exits.append(self._flow.revert)
            if builtin.effects.terminates:
                self._current = self._new()

    def _yul_statement(self, statement: yul.Statement) -> None:
        self._cover(statement.source)
        match statement:
            case yul.ExpressionStatement(expression):
                self._yul_expression(expression)
            case yul.VariableDeclaration(_, value):
                if value is not None:
                    self._yul_expression(value)
            case yul.Assignment(names, value, source):
                self._yul_expression(value)
                if self._references:
                    for place in name_ranges(names, source, self.model.source_text(source.file)):
                        self._occurrence(place, "assignment")
            case yul.Block():
                self._yul_block(statement)
            case yul.If(condition, body):
                self._yul_expression(condition)
                first, second = self._split(2)
                self._current = first
                self._yul_block(body)
                self._merge([self._current], second)
            case yul.Switch():
                self._yul_switch(statement)
            case yul.ForLoop():
                self._yul_for(statement)
            case yul.Break() | yul.Continue():
                target = self._break if isinstance(statement, yul.Break) else self._continue
                assert target is not None
                self._current.exits.append(target)
                self._current = self._new()
            case yul.FunctionDefinition() | yul.Leave():
                return  # functions cannot use what is outside, so their flow does not matter

    def _yul_switch(self, statement: yul.Switch) -> None:
        self._yul_expression(statement.expression)
        before = self._current
        ends = []
        for start, case in zip(self._split(len(statement.cases)), statement.cases, strict=True):
            self._current = start
            self._yul_block(case.body)
            ends.append(self._current)
        self._merge(ends)
        if all(case.value is not None for case in statement.cases):
            before.exits.append(self._current)

    def _yul_for(self, statement: yul.ForLoop) -> None:
        self._yul_block(statement.pre)
        condition = self._label_here()
        self._yul_expression(statement.condition)
        post = self._new()
        body, after = self._split(2)
        self._current = body
        outer = self._break, self._continue
        self._break, self._continue = after, post
        self._yul_block(statement.body)
        self._break, self._continue = outer
        self._place(post)
        self._yul_block(statement.post)
        self._current.exits.append(condition)
        self._current = after
