"""Checks inline assembly and how it uses what is declared outside of it (docs/assembly.rst)."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.checking.base import CheckerBase
from smartvm.compiler.analysis.model import ExternalReference, MagicVariable
from smartvm.compiler.analysis.references import AssemblyNames
from smartvm.compiler.analysis.scope_facts import ScopeFacts
from smartvm.compiler.analysis.yul_names import name_ranges
from smartvm.compiler.ast import nodes
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.checker import NameUse, check_block
from smartvm.compiler.yul.dialect import Dialect, dialect_for
from smartvm.compiler.yul.walk import yul_nodes
from smartvm.instructions.forks import canonical_fork
from smartvm.instructions.loader import load_table


class AssemblyChecks(CheckerBase):
    """Inline assembly."""

    _dialect: Dialect | None = None

    def dialect(self) -> Dialect:
        """The dialect of inline assembly under the settings."""
        if self._dialect is None:
            table = self.settings.table or load_table()
            self._dialect = dialect_for(table, canonical_fork(self.settings.evm_version), objects=False)
        return self._dialect

    def visit_InlineAssembly(self, node: nodes.InlineAssembly) -> None:
        """An assembly block."""
        names = _OutsideNames(self, node, self.assembly_names.get(node.id, AssemblyNames()))
        text = self.model.source_text(node.src.file)
        check_block(node.operations, self.dialect(), self.context.sink, external=names, text=text)
        self.model.external_references[node.id] = names.references
        self._mark_areas(node, names.writes_memory_variable)

    def _mark_areas(self, node: nodes.InlineAssembly, writes_memory_variable: bool) -> None:
        dialect = self.dialect()
        effects = [
            builtin.effects
            for name in _called_names(node.operations)
            if (builtin := dialect.find(name)) is not None
        ]
        if writes_memory_variable or any("memory" in e.reads or "memory" in e.writes for e in effects):
            self.model.assembly_with_memory_effects.add(node.id)
        if any("buffer" in e.reads or "buffer" in e.writes for e in effects):
            self.model.buffer_assembly.add(node.id)


class _OutsideNames:
    """Resolves names of one assembly block for the Yul checker and records the references."""

    def __init__(self, checker: AssemblyChecks, node: nodes.InlineAssembly, names: AssemblyNames) -> None:
        self.checker = checker
        self.context = checker.context
        self.model = checker.model
        self.facts: ScopeFacts = checker.facts
        self.node = node
        self.names = names
        self.references: dict[tuple[int, int], ExternalReference] = {}
        self.writes_memory_variable = False

    def is_taken(self, name: str) -> bool:
        """Reported when names were resolved."""
        return False

    def resolve(self, name: str, source: SourceRange, use: NameUse, inside_function: bool) -> bool:
        """See ``checker.ExternalNames``."""
        found = self.names.found.get(name)
        if found is None:
            return False
        symbol, suffix = found
        place = source
        if use == "assignment":
            place = self._place(name, source)
        if isinstance(symbol, nodes.VariableDeclaration):
            problem = self._check_variable(symbol, suffix, use)
            if problem is not None:
                self.context.type_error(problem[0], place, f'"{name}": {problem[1]}')
                return True
        elif suffix:
            self.context.type_error(7944, place, f'"{name}": only variables have parts like ".{suffix}".')
            return True
        elif use == "assignment":
            if isinstance(symbol, MagicVariable):
                return False
            self.context.type_error(1990, place, f'"{name}" cannot be assigned to; only local variables can.')
            return True
        if use == "value":
            if isinstance(symbol, nodes.FunctionDefinition):
                self.context.declaration_error(
                    2025, place, f'"{name}" is a function, which assembly cannot use.'
                )
                return True
            if isinstance(symbol, nodes.ContractDefinition):
                if symbol.contract_kind != "library":
                    self.context.type_error(4977, place, f'"{name}" is no library.')
                    return True
            elif not isinstance(symbol, nodes.VariableDeclaration):
                return False
        elif use == "call":
            return False
        assert isinstance(symbol, nodes.Declaration)
        if not suffix:
            uses = self.model.assembly_writes if use == "assignment" else self.model.assembly_reads
            uses.setdefault(symbol.id, set()).add(self.node.id)
        self.references[place.start, place.length] = ExternalReference(symbol, suffix)
        return True

    def _place(self, name: str, source: SourceRange) -> SourceRange:
        return name_ranges((name,), source, self.model.source_text(source.file))[0]

    def _check_variable(
        self, variable: nodes.VariableDeclaration, suffix: str, use: NameUse
    ) -> tuple[int, str] | None:
        type_ = self.model.variable_types[variable.id]
        writes = use == "assignment"
        if writes and type_.data_stored_in("memory"):
            self.writes_memory_variable = True
        if variable.mutability == "immutable":
            return 3773, "immutables cannot be used in assembly."
        constant = variable.mutability == "constant"
        if constant:
            problem = self._check_constant(variable, suffix, writes)
            if problem is not None:
                return problem
        state_variable = self.facts.is_state_variable(variable)
        if suffix:
            return self._check_suffix(type_, suffix, writes, state_variable and not constant)
        if state_variable and not constant:
            return 1408, 'state variables are used through ".slot" and ".offset".'
        if type_.data_stored_in("storage"):
            return 9068, 'references to storage are used through ".slot" and ".offset".'
        if type_.size_on_stack() != 1:
            if _is_dynamic_calldata_array(type_):
                return 1397, 'calldata arrays are used through ".offset" and ".length".'
            return 9857, "the variable is not a single word."
        return None

    def _check_suffix(
        self, type_: t.Type, suffix: str, writes: bool, is_mutable_state_variable: bool
    ) -> tuple[int, str] | None:
        if is_mutable_state_variable or type_.data_stored_in("storage"):
            if suffix not in ("slot", "offset"):
                return 4656, 'storage variables have only ".slot" and ".offset".'
            if writes:
                if is_mutable_state_variable:
                    return 4713, 'state variables are written with "sstore" or "tstore".'
                if suffix != "slot":
                    return 9739, 'only ".slot" can be assigned to.'
            return None
        if _is_dynamic_calldata_array(type_):
            return None if suffix in ("offset", "length") else (1536, 'it has only ".offset" and ".length".')
        if isinstance(type_, t.FunctionType):
            if suffix not in ("selector", "address"):
                return 9272, 'function variables have only ".selector" and ".address".'
            if type_.kind != "external":
                return 8533, 'only external functions have ".selector" and ".address".'
            return None
        return 3622, f'the variable has no part ".{suffix}".'

    def _check_constant(
        self, variable: nodes.VariableDeclaration, suffix: str, writes: bool
    ) -> tuple[int, str] | None:
        if self._is_cyclic(variable):
            return 3558, "the constant is defined by itself."
        root = self._root(variable)
        if root is not None and root.value is None:
            return 3224, "the constant has no value."
        if writes:
            return 6252, "constants cannot be assigned to."
        if suffix in ("slot", "offset"):
            return 6617, 'constants have no ".slot" and ".offset".'
        value = root.value if root is not None else None
        value_type = self.model.expression_types.get(value.id) if value is not None else None
        if value is not None and value_type is None and not isinstance(value, nodes.Literal):
            return 2249, "constants that are computed have to be defined before the assembly that uses them."
        if (
            root is None
            or not self.model.variable_types[root.id].is_value_type
            or (not isinstance(value, nodes.Literal) and not isinstance(value_type, t.RationalNumberType))
        ):
            return 7615, "only constants that are a number, or name such a constant, can be used in assembly."
        return None

    def _next(self, variable: nodes.VariableDeclaration) -> nodes.VariableDeclaration | None:
        value = variable.value
        if not isinstance(value, nodes.Identifier | nodes.MemberAccess):
            return None
        symbol = self.model.referenced_declaration.get(value.id)
        if isinstance(symbol, nodes.VariableDeclaration) and symbol.mutability == "constant":
            return symbol
        return None

    def _is_cyclic(self, variable: nodes.VariableDeclaration) -> bool:
        seen = {variable.id}
        current = self._next(variable)
        while current is not None:
            if current.id in seen:
                return True
            seen.add(current.id)
            current = self._next(current)
        return False

    def _root(self, variable: nodes.VariableDeclaration) -> nodes.VariableDeclaration | None:
        """The constant that the constant names in the end; None when it names something else."""
        current = variable
        while isinstance(current.value, nodes.Identifier):
            following = self._next(current)
            if following is None:
                return None
            current = following
        return current


def _is_dynamic_calldata_array(type_: t.Type) -> bool:
    return isinstance(type_, t.ArrayType) and type_.length is None and type_.location == "calldata"


def _called_names(block: yul.Block) -> set[str]:
    """The names of all functions called in a block."""
    return {node.name for node in yul_nodes(block) if isinstance(node, yul.FunctionCall)}
