"""Checks of the syntax tree that need no names: pragmas, placement of statements, number literals,
visibility."""

from __future__ import annotations

from smartvm.compiler.analysis.context import AnalysisContext
from smartvm.compiler.analysis.tree import children
from smartvm.compiler.ast import nodes
from smartvm.compiler.grammar.solidity_parser import vocabulary
from smartvm.compiler.grammar.tokens import SOFT_KEYWORDS
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.walk import yul_nodes

_EXPERIMENTAL_FEATURES = frozenset({"ABIEncoderV2", "SMTChecker"})


class SyntaxChecker:
    """One walk over each unit; also reads the ABI coder from the pragmas."""

    def __init__(self, context: AnalysisContext) -> None:
        self.context = context
        self.model = context.model
        self._contract: nodes.ContractDefinition | None = None
        self._loops = 0
        self._unchecked = False
        self._placeholder = False

    def check_unit(self, unit: nodes.SourceUnit) -> None:
        """Check a unit."""
        self._unit = unit
        self._features: set[str] = set()
        self._version_found = False
        for node in unit.nodes:
            self._visit(node)
        if not self._version_found:
            self.context.warning(
                3420,
                SourceRange(-1, -1, unit.src.file),
                'The source does not say for which compiler it is. Consider adding "pragma solidity '
                '^0.8.37;".',
            )
        self.model.abi_coder.setdefault(unit.id, 2)

    def _visit_children(self, node: nodes.Node) -> None:
        for child in children(node):
            self._visit(child)

    def _visit(self, node: nodes.Node) -> None:
        match node:
            case nodes.ImportDirective():
                return
            case nodes.PragmaDirective():
                self._pragma(node)
            case nodes.ContractDefinition():
                self._visit_contract(node)
                return
            case nodes.ModifierDefinition():
                self._placeholder = False
                if node.virtual:
                    self.context.warning(8429, node, "Virtual modifiers are deprecated and will be removed.")
                self._visit_children(node)
                if node.body is not None and not self._placeholder:
                    self.context.syntax_error(2883, node.body, 'The body of the modifier lacks "_".')
                self._placeholder = False
                return
            case nodes.WhileStatement() | nodes.ForStatement():
                self._no_declaration(node.body)
                self._loops += 1
                self._visit_children(node)
                self._loops -= 1
                return
            case nodes.Block():
                self._visit_block(node)
                return
            case nodes.IfStatement():
                self._no_declaration(node.true_body)
                self._no_declaration(node.false_body)
            case nodes.Continue():
                if not self._loops:
                    self.context.syntax_error(4123, node, '"continue" stands in loops.')
            case nodes.Break():
                if not self._loops:
                    self.context.syntax_error(6102, node, '"break" stands in loops.')
            case nodes.Literal():
                self._literal(node)
            case nodes.InlineAssembly():
                self._assembly(node)
            case nodes.PlaceholderStatement():
                if self._unchecked:
                    self.context.syntax_error(2573, node, '"_" cannot stand in an unchecked block.')
                self._placeholder = True
            case nodes.UsingForDirective():
                self._using(node)
            case nodes.FunctionDefinition():
                self._function(node)
            case nodes.FunctionTypeName():
                for parameter in node.parameter_types.parameters:
                    if parameter.name:
                        self.context.warning(
                            6162, parameter, "Names of parameters in function types are deprecated."
                        )
                for parameter in node.return_parameter_types.parameters:
                    if parameter.name:
                        self.context.syntax_error(
                            7304, parameter, "Returned values in function types have no names."
                        )
            case nodes.StructDefinition():
                if not node.members:
                    self.context.syntax_error(5306, node, "A struct has members.")
        self._visit_children(node)

    def _visit_contract(self, node: nodes.ContractDefinition) -> None:
        self._contract = node
        for function in node.nodes:
            if isinstance(function, nodes.FunctionDefinition) and function.name == node.name:
                self.context.syntax_error(
                    5796,
                    function,
                    "A function cannot have the contract's name; a constructor is written "
                    "`constructor(...)`.",
                )
        self._visit_children(node)
        self._contract = None

    def _visit_block(self, node: nodes.Block) -> None:
        if not node.unchecked:
            self._visit_children(node)
            return
        if self._unchecked:
            self.context.syntax_error(1941, node, "Unchecked blocks cannot stand in one another.")
        self._unchecked = True
        self._visit_children(node)
        self._unchecked = False

    def _no_declaration(self, node: nodes.Statement | None) -> None:
        if isinstance(node, nodes.VariableDeclarationStatement):
            self.context.syntax_error(9079, node, "Variables are declared only within blocks.")

    # --- pragmas ----------------------------------------------------------------------------------

    def _pragma(self, node: nodes.PragmaDirective) -> None:
        first, *rest = node.literals or ("",)
        if not self._names_pragma(node, first):
            self.context.syntax_error(5226, node, f'Invalid pragma "{first}".')
        elif first == "solidity":
            self._version_found = True
        elif first == "abicoder":
            if rest not in (["v1"], ["v2"]):
                self.context.syntax_error(2745, node, 'The pragma is "abicoder v1" or "abicoder v2".')
            elif self._unit.id in self.model.abi_coder:
                self.context.syntax_error(3845, node, "The ABI coder of this source is chosen already.")
            else:
                self.model.abi_coder[self._unit.id] = 1 if rest == ["v1"] else 2
            if rest == ["v1"]:
                self.context.warning(
                    9511, node, "ABI coder v1 is deprecated and will be removed: use ABI coder v2."
                )
        elif first == "experimental":
            self._experimental(node, rest)
        else:
            self.context.syntax_error(4936, node, f'There is no pragma "{first}".')

    def _names_pragma(self, node: nodes.PragmaDirective, first: str) -> bool:
        """Whether the first word is an identifier: no keyword, number or string."""
        text = self.model.source_text(node.src.file)
        if text is not None and text.slice(node.src)[len("pragma") :].lstrip()[:1] in ("'", '"'):
            return False
        words = vocabulary()
        kind = words.solidity.get(first)
        return first.isidentifier() and (kind is None or words.names[kind] in SOFT_KEYWORDS)

    def _experimental(self, node: nodes.PragmaDirective, rest: list[str]) -> None:
        if not rest:
            self.context.syntax_error(9679, node, "The name of the experimental feature is missing.")
            return
        if len(rest) > 1:
            self.context.syntax_error(6022, node, "One experimental feature is named in a pragma.")
            return
        feature = rest[0].strip("\"'")
        if not feature:
            self.context.syntax_error(3250, node, "The name of the experimental feature is empty.")
        elif feature == "solidity":
            self.context.syntax_error(
                3332, node, "The experimental Solidity prototype does not exist any more."
            )
        elif feature in self._features:
            self.context.syntax_error(1231, node, f'The experimental feature "{feature}" is chosen already.')
        elif feature == "__test":
            self._features.add(feature)
            self.context.syntax_error(2816, node, "Experimental features are not turned on.")
        elif feature not in _EXPERIMENTAL_FEATURES:
            self.context.syntax_error(8491, node, f'There is no experimental feature "{feature}".')
        else:
            self._features.add(feature)
            if feature == "SMTChecker":
                self.context.warning(5523, node, "This pragma is deprecated; there is no model checker here.")
            elif feature == "ABIEncoderV2":
                self.context.warning(
                    8506,
                    node,
                    "This experimental pragma is deprecated: ABI coder v2 is what is used without it.",
                )
                if self.model.abi_coder.setdefault(self._unit.id, 2) == 1:
                    self.context.syntax_error(8273, node, "ABI coder v1 is chosen already.")

    # --- parts ------------------------------------------------------------------------------------

    def _literal(self, node: nodes.Literal) -> None:
        if node.kind == "unicodeString" and node.value is not None:
            try:
                node.value.decode("utf-8")
            except UnicodeDecodeError as error:
                self.context.syntax_error(
                    8452, node, f"The literal is not valid UTF-8 at position {error.start}."
                )
        if node.kind != "number":
            return
        text = node.text
        if text.endswith("_"):
            self.context.syntax_error(2090, node, "A number does not end in an underscore.")
        elif "__" in text:
            self.context.syntax_error(2990, node, "Only one underscore stands between digits.")
        elif not text.startswith("0x"):
            for part, code, where in (
                ("._", 3891, "before the fraction"),
                ("_.", 1023, "before the point"),
                ("_e", 6415, "at the end of the mantissa"),
                ("e_", 6165, "before the exponent"),
            ):
                if part in text:
                    self.context.syntax_error(code, node, f"No underscore stands {where}.")

    def _assembly(self, node: nodes.InlineAssembly) -> None:
        marked = False
        for flag in node.flags or ():
            if flag != "memory-safe":
                self.context.warning(4430, node, f'There is no assembly flag "{flag}".')
            elif marked:
                self.context.syntax_error(7026, node, "The assembly is marked memory-safe twice.")
            else:
                marked = True
        if marked:
            self.model.memory_safe_assembly.add(node.id)
        if self.context.settings.optimizer_runs_yul and any(
            isinstance(part, yul.FunctionCall) and part.name == "msize" for part in yul_nodes(node.operations)
        ):
            self.context.syntax_error(
                6553, node, '"msize" cannot be used with the optimizer, which may change what it gives.'
            )

    def _using(self, node: nodes.UsingForDirective) -> None:
        error = self.context.syntax_error
        if self._contract is None and node.type_name is None:
            error(8118, node, "At file level the type has to be given instead of `*`.")
        elif node.uses_braces and node.type_name is None:
            error(3349, node, "Functions are attached to one type, which has to be given instead of `*`.")
        if node.is_global and node.type_name is None:
            error(2854, node, '"global" needs a type instead of `*`.')
        if node.is_global and self._contract is not None:
            error(3367, node, '"global" stands only at file level.')
        if self._contract is not None and self._contract.contract_kind == "interface":
            error(9088, node, "Interfaces have no using directives.")

    def _function(self, node: nodes.FunctionDefinition) -> None:
        in_interface = self._contract is not None and self._contract.contract_kind == "interface"
        if node.kind == "freeFunction":
            if node.visibility != "default":
                self.context.syntax_error(4126, node, "Free functions have no visibility.")
            if node.body is None:
                self.context.type_error(4668, node, "Free functions have a body.")
        elif node.kind != "constructor" and node.visibility == "default":
            suggested = "external" if node.kind in ("fallback", "receive") or in_interface else "public"
            self.context.syntax_error(4937, node, f'The visibility is missing, for example "{suggested}".')
        if node.modifiers:
            if in_interface:
                self.context.syntax_error(5842, node, "Functions of interfaces have no modifiers.")
            elif node.body is None:
                self.context.syntax_error(2668, node, "Functions without body have no modifiers.")
