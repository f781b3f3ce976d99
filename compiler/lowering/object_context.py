"""The code of one Yul object (creation or deployed) while it is made: which functions it needs and has."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.compilation import Compilation, contract_name
from smartvm.compiler.lowering.memory import FIRST_FREE_MEMORY
from smartvm.compiler.lowering.reverts import INVALID_FUNCTION_POINTER
from smartvm.compiler.lowering.storage import Space
from smartvm.compiler.lowering.type_facts import declared_name, stack_size
from smartvm.compiler.lowering.yul_nodes import call, name, number
from smartvm.compiler.source import NO_SOURCE
from smartvm.compiler.yul import ast as yul

Arity = tuple[int, int]


class ObjectContext:
    """Collects functions on demand. ``function_ids`` is shared by the creation and the deployed object of
    a contract, because function pointers cross from one to the other through storage."""

    def __init__(
        self,
        compilation: Compilation,
        contract: nodes.ContractDefinition,
        kind: Literal["creation", "deployed"],
        function_ids: dict[int, int],
    ) -> None:
        self.compilation = compilation
        self.model = compilation.model
        self.settings = compilation.settings
        self.utilities = compilation.utilities(contract)
        self.enums_in_assembly = compilation.enums_in_assembly(contract)
        self.contract = contract
        self.kind = kind
        self.function_ids = function_ids
        self.used_utilities: dict[str, None] = {}
        self.functions: dict[str, yul.FunctionDefinition | None] = {}
        self.sub_objects: dict[int, nodes.ContractDefinition] = {}
        self.memory_unsafe = False
        self.pointed_functions: dict[Arity, dict[int, nodes.FunctionDefinition]] = {}
        self._dispatched: dict[Arity, None] = {}
        self._pending: deque[tuple[str, Callable[[], yul.FunctionDefinition]]] = deque()
        self.state_places: dict[int, tuple[int, int, Space]] = {}
        for space in ("storage", "transient"):
            for variable, slot, offset in compilation.state_variables(contract, space):
                self.state_places[variable.id] = (slot, offset, space)
        self.immutable_addresses: dict[int, int] = {}
        if kind == "creation":
            for index, variable in enumerate(compilation.immutables(contract)):
                self.immutable_addresses[variable.id] = FIRST_FREE_MEMORY + 32 * index

    # --- functions -----------------------------------------------------------------------------------

    def request(self, name_: str, make: Callable[[], yul.FunctionDefinition]) -> str:
        """A function of this object, made later and once. Returns its name."""
        if name_ not in self.functions:
            self.functions[name_] = None
            self._pending.append((name_, make))
        return name_

    def make_pending(self) -> None:
        """Make every function asked for, and those that they ask for; then the dispatch of function
        pointers."""
        self._request_pointed_functions()
        while self._pending:
            while self._pending:
                name_, make = self._pending.popleft()
                self.functions[name_] = make()
            self._request_pointed_functions()
        for arity in self._dispatched:
            self.functions[_dispatch_name(arity)] = self._dispatch(arity)

    def all_functions(self) -> list[yul.FunctionDefinition]:
        """The object's own functions, then the utility functions."""
        own = [function for function in self.functions.values() if function is not None]
        return own + self.utilities.library.closure(self.used_utilities)

    # --- function pointers -----------------------------------------------------------------------------

    def function_pointer(self, function: nodes.FunctionDefinition) -> int:
        """The id that stands for an internal function as a value."""
        type_ = types.function_type(function, self.model, "internal")
        arity = (
            sum(map(stack_size, type_.parameter_types)),
            sum(map(stack_size, type_.return_types)),
        )
        self.pointed_functions.setdefault(arity, {})[function.id] = function
        return self.function_ids.setdefault(function.id, len(self.function_ids) + 1)

    def dispatch_function(self, arity: Arity) -> str:
        """``(pointer, arguments...) -> results``: calls the function that a pointer stands for."""
        self._dispatched[arity] = None
        return _dispatch_name(arity)

    def _request_pointed_functions(self) -> None:
        from smartvm.compiler.lowering.functions import request_function

        for arity in list(self._dispatched):
            for function in list(self.pointed_functions.get(arity, {}).values()):
                request_function(self, function)

    def _dispatch(self, arity: Arity) -> yul.FunctionDefinition:
        inputs = tuple(f"argument_{i}" for i in range(arity[0]))
        outputs = tuple(f"result_{i}" for i in range(arity[1]))
        cases: list[yul.Case] = []
        for function in self.pointed_functions.get(arity, {}).values():
            target = call(function_name(function), *map(name, inputs))
            statement = yul.Assignment(outputs, target) if outputs else yul.ExpressionStatement(target)
            cases.append(yul.Case(number(self.function_ids[function.id]), yul.Block((statement,))))
        panic = self.utilities.reverts.panic(INVALID_FUNCTION_POINTER)
        cases.append(yul.Case(None, yul.Block((yul.ExpressionStatement(call(panic)),))))
        switch = yul.Switch(name("pointer"), tuple(cases))
        return yul.FunctionDefinition(
            _dispatch_name(arity), ("pointer", *inputs), outputs, yul.Block((switch,)), NO_SOURCE
        )

    # --- other objects -----------------------------------------------------------------------------------

    def sub_object(self, contract: nodes.ContractDefinition) -> str:
        """The name of the creation object of a contract that this object needs."""
        self.sub_objects[contract.id] = contract
        return contract_name(contract)


def _dispatch_name(arity: Arity) -> str:
    return f"dispatch_internal_in_{arity[0]}_out_{arity[1]}"


def function_name(function: nodes.Declaration) -> str:
    """The Yul name of a Solidity function."""
    if isinstance(function, nodes.FunctionDefinition) and function.kind in ("receive", "fallback"):
        return f"fun_{function.kind}_{function.id}"
    return f"fun_{declared_name(function)}"
