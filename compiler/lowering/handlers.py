"""Which function lowers which node: filled by the modules of statements and expressions when they are
imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from smartvm.compiler.ast import nodes

if TYPE_CHECKING:
    from smartvm.compiler.lowering.function_lowering import FunctionLowering
    from smartvm.compiler.lowering.values import Place, Value

ValueHandler = Callable[["FunctionLowering", Any], "Value"]
PlaceHandler = Callable[["FunctionLowering", Any], "Place"]
StatementHandler = Callable[["FunctionLowering", Any], None]

VALUE_HANDLERS: dict[type[nodes.Node], ValueHandler] = {}
PLACE_HANDLERS: dict[type[nodes.Node], PlaceHandler] = {}
STATEMENT_HANDLERS: dict[type[nodes.Node], StatementHandler] = {}

Handler = TypeVar("Handler", bound=Callable[..., Any])


def value_of(*kinds: type[nodes.Node]) -> Callable[[Handler], Handler]:
    """Registers a function that evaluates expressions of these kinds."""

    def register(handler: Handler) -> Handler:
        for kind in kinds:
            VALUE_HANDLERS[kind] = handler
        return handler

    return register


def place_of(*kinds: type[nodes.Node]) -> Callable[[Handler], Handler]:
    """Registers a function that finds the place which expressions of these kinds denote."""

    def register(handler: Handler) -> Handler:
        for kind in kinds:
            PLACE_HANDLERS[kind] = handler
        return handler

    return register


def statement(*kinds: type[nodes.Node]) -> Callable[[Handler], Handler]:
    """Registers a function that lowers statements of these kinds."""

    def register(handler: Handler) -> Handler:
        for kind in kinds:
            STATEMENT_HANDLERS[kind] = handler
        return handler

    return register
