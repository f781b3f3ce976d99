"""What all parts of the type checker share: where it is, and how results are noted down."""

from __future__ import annotations

from collections.abc import Callable

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.attached import MemberLookup
from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.references import AssemblyNames
from smartvm.compiler.analysis.scope_facts import ScopeFacts
from smartvm.compiler.analysis.tree import children
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass


@dataclass(frozen=True, slots=True)
class CallArguments:
    """The arguments of the call of which an expression is the callee, for overload resolution."""

    types: tuple[t.Type, ...]
    names: tuple[str, ...]


class CheckerBase:
    """Dispatches nodes to the methods that check them. The parts of the checker derive from it."""

    def __init__(self, context: AnalysisContext, assembly_names: dict[int, AssemblyNames]) -> None:
        self.context = context
        self.model = context.model
        self.settings = context.settings
        self.facts = ScopeFacts(context.model)
        self.lookup = MemberLookup(context.model)
        self.assembly_names = assembly_names
        self.contract: nodes.ContractDefinition | None = None
        self.unit: nodes.SourceUnit | None = None
        #: arguments for callees, by the callee's id
        self.arguments: dict[int, CallArguments] = {}
        #: ids of left-hand sides of plain assignments
        self.ordinary_assignment: set[int] = set()
        self._visitors: dict[type, Callable[[nodes.Node], None]] = {}

    # --- dispatch ---------------------------------------------------------------------------------

    def visit(self, node: nodes.Node) -> None:
        """Check a node and what is below it."""
        visitor = self._visitors.get(type(node))
        if visitor is None:
            visitor = getattr(self, f"visit_{type(node).__name__}", self.visit_children)
            self._visitors[type(node)] = visitor
        visitor(node)

    def visit_children(self, node: nodes.Node) -> None:
        """Check what is below a node that has no rules of its own."""
        for child in children(node):
            self.visit(child)

    # --- places -----------------------------------------------------------------------------------

    @property
    def definition_scope(self) -> nodes.Node:
        """The contract, or outside contracts the source unit, in which the checker is."""
        if self.contract is not None:
            return self.contract
        assert self.unit is not None
        return self.unit

    @property
    def uses_abi_coder_v2(self) -> bool:
        """Whether the current source unit has ABI coder v2."""
        assert self.unit is not None
        return self.model.abi_coder.get(self.unit.id, 2) == 2

    # --- results ----------------------------------------------------------------------------------

    def type_of(self, expression: nodes.Expression) -> t.Type:
        """The type that was found for an expression."""
        return self.model.expression_types[expression.id]

    def is_pure(self, expression: nodes.Expression) -> bool:
        """Whether the expression is known to be computable at compile time."""
        return self.model.is_pure.get(expression.id, False)

    def note(
        self, expression: nodes.Expression, type_: t.Type, pure: bool = False, lvalue: bool = False
    ) -> None:
        """Set an expression's type and properties."""
        self.model.expression_types[expression.id] = type_
        self.model.is_pure[expression.id] = pure
        self.model.is_lvalue[expression.id] = lvalue

    def type_of_variable(self, variable: nodes.VariableDeclaration) -> t.Type:
        """The type of a declared variable."""
        return self.model.variable_types[variable.id]

    # --- expectations -----------------------------------------------------------------------------

    def expect_type(self, expression: nodes.Expression, expected: t.Type) -> bool:
        """Check an expression and that its value converts implicitly to a type."""
        self.visit(expression)
        found = self.type_of(expression)
        if t.is_implicitly_convertible_to(found, expected):
            return True
        message = (
            f"Type {found.human_readable_name()} cannot be converted implicitly to the expected type "
            f"{expected.human_readable_name()}"
        )
        mobile = (
            found.mobile_type() if isinstance(found, t.RationalNumberType) and found.is_fractional else None
        )
        if mobile is None:
            self.context.type_error(7407, expression, message + self.why_not(found, expected))
        elif mobile == expected:
            self.context.type_error(4426, expression, message + "; an explicit conversion is possible.")
        else:
            self.context.type_error(
                2326,
                expression,
                f"{message}. Convert it to {mobile.human_readable_name()} or explicitly.",
            )
        return False

    @staticmethod
    def why_not(found: t.Type, expected: t.Type) -> str:
        """The end of a message about a failed conversion, with the reason where one can be given."""
        if (
            isinstance(found, t.RationalNumberType)
            and isinstance(expected, t.IntegerType)
            and not found.is_fractional
        ):
            if found.value < 0 and not expected.signed:
                return ": the literal is negative, the type unsigned."
            return f": the literal does not fit into {expected.text()}."
        if isinstance(found, t.StringLiteralType) and isinstance(expected, t.FixedBytesType):
            return ": the literal is longer than the type."
        if (
            isinstance(found, t.StringLiteralType)
            and isinstance(expected, t.ArrayType)
            and expected.is_string
            and not found.is_valid_utf8()
        ):
            return ": the literal is not valid UTF-8."
        return "."

    def require_lvalue(self, expression: nodes.Expression, ordinary_assignment: bool) -> None:
        """Check an expression that is assigned to."""
        self.model.will_be_written_to.add(expression.id)
        if ordinary_assignment:
            self.ordinary_assignment.add(expression.id)
        self.visit(expression)
        if self.model.is_lvalue.get(expression.id, False):
            return
        code, message = self._not_an_lvalue(expression)
        self.context.type_error(code, expression, message)

    def _not_an_lvalue(self, expression: nodes.Expression) -> tuple[int, str]:
        if expression.id in self.model.is_constant:
            return 6520, "Constants cannot be assigned to."
        match expression:
            case nodes.IndexAccess():
                base = self.type_of(expression.base_expression)
                if isinstance(base, t.FixedBytesType):
                    return 4360, "The bytes of a fixed bytes value cannot be assigned to."
                if isinstance(base, t.ArrayType) and base.location == "calldata":
                    return 6182, "Arrays in calldata are read-only."
            case nodes.MemberAccess():
                base = self.type_of(expression.expression)
                if isinstance(base, t.StructType):
                    if base.location == "calldata":
                        return 4156, "Structs in calldata are read-only."
                elif isinstance(base, t.ArrayType) and expression.member_name == "length":
                    return 7567, '"length" is read-only: arrays are not resized through it.'
            case nodes.Identifier():
                declaration = self.model.referenced_declaration.get(expression.id)
                if (
                    isinstance(declaration, nodes.VariableDeclaration)
                    and self.facts.is_external_callable_parameter(declaration)
                    and isinstance(self.type_of(expression), t.ArrayType | t.StructType | t.ArraySliceType)
                ):
                    return 7128, "Reference type parameters of external functions are read-only."
        return 4247, "This cannot be assigned to."

    def supported_by_old_abi_encoder(self, type_: t.Type, in_library: bool) -> bool:
        """Whether ABI coder v1 knows the type."""
        if in_library and type_.data_stored_in("storage"):
            return True
        if isinstance(type_, t.StructType):
            return False
        if isinstance(type_, t.ArrayType):
            base = type_.base_type
            if not self.supported_by_old_abi_encoder(base, in_library):
                return False
            return not (isinstance(base, t.ArrayType) and base.is_dynamically_sized())
        return True
