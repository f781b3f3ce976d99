"""Tuples, type expressions, modules and magic."""

from __future__ import annotations

from typing import Literal as OneOf

from smartvm.compiler.analysis.types.base import DeclaredTypes, StackItem, Type, identifier_list
from smartvm.compiler.analysis.types.elementary import ADDRESS, UINT256
from smartvm.compiler.analysis.types.user_defined import ContractType
from smartvm.compiler.ast import nodes
from smartvm.records import dataclass, field


@dataclass(frozen=True, slots=True)
class TupleType(Type):
    """Several values; None is a gap."""

    components: tuple[Type | None, ...]

    def text(self, without_location: bool = False) -> str:
        return f"tuple({','.join('' if c is None else c.text(without_location) for c in self.components)})"

    def human_readable_name(self) -> str:
        return f"tuple({','.join('' if c is None else c.human_readable_name() for c in self.components)})"

    def rich_identifier(self) -> str:
        return "t_tuple" + identifier_list(*self.components)

    @property
    def can_be_stored(self) -> bool:
        return False

    def has_simple_zero_value_in_memory(self) -> bool:
        return False

    def stack_items(self) -> tuple[StackItem, ...]:
        return tuple((f"component_{i}", c) for i, c in enumerate(self.components, 1) if c is not None)

    def mobile_type(self) -> Type | None:
        mobiles: list[Type | None] = []
        for component in self.components:
            mobile = component.mobile_type() if component is not None else None
            if component is not None and mobile is None:
                return None
            mobiles.append(mobile)
        return TupleType(tuple(mobiles))


@dataclass(frozen=True, slots=True)
class TypeType(Type):
    """The type of an expression that names a type: ``uint8`` in ``uint8(x)``, a contract's or struct's
    name."""

    actual_type: Type

    def text(self, without_location: bool = False) -> str:
        return f"type({self.actual_type.text(without_location)})"

    def rich_identifier(self) -> str:
        return "t_type" + identifier_list(self.actual_type)

    @property
    def can_be_stored(self) -> bool:
        return False

    def stack_items(self) -> tuple[StackItem, ...]:
        actual = self.actual_type
        if isinstance(actual, ContractType) and actual.definition.contract_kind == "library":
            return (("address", ADDRESS),)
        return ()

    def mobile_type(self) -> Type | None:
        return None


@dataclass(frozen=True, slots=True)
class ModuleType(Type):
    """``import "x" as M``: the type of ``M``."""

    source_unit: nodes.SourceUnit
    declared: DeclaredTypes = field(compare=False, repr=False, kw_only=True)

    def text(self, without_location: bool = False) -> str:
        return f'module "{self.source_unit.absolute_path}"'

    def rich_identifier(self) -> str:
        return f"t_module_{self.source_unit.id}"

    @property
    def can_be_stored(self) -> bool:
        return False

    def stack_items(self) -> tuple[StackItem, ...]:
        return ()


_MAGIC_TEXT = {"block": "block", "message": "msg", "transaction": "tx", "abi": "abi", "error": "error"}


@dataclass(frozen=True, slots=True)
class MagicType(Type):
    """``block``, ``msg``, ``tx``, ``abi``, ``type(T)`` (then ``type_argument`` is T) or an error instance."""

    kind: OneOf["block", "message", "transaction", "abi", "meta_type", "error"]
    type_argument: Type | None = None

    def text(self, without_location: bool = False) -> str:
        if self.type_argument is not None:
            return f"type({self.type_argument.text(without_location)})"
        return _MAGIC_TEXT[self.kind]

    def rich_identifier(self) -> str:
        if self.type_argument is not None:
            return "t_magic_meta_type_" + self.type_argument.rich_identifier()
        return "t_error" if self.kind == "error" else f"t_magic_{self.kind}"

    @property
    def can_be_stored(self) -> bool:
        return False

    def stack_items(self) -> tuple[StackItem, ...]:
        return ()

    def mobile_type(self) -> Type | None:
        return None


@dataclass(frozen=True, slots=True)
class InaccessibleDynamicType(Type):
    """A dynamic value returned by a call under an EVM that cannot return it (before Byzantium)."""

    def text(self, without_location: bool = False) -> str:
        return "inaccessible dynamic type"

    def rich_identifier(self) -> str:
        return "t_inaccessible"

    @property
    def can_be_stored(self) -> bool:
        return False

    @property
    def is_value_type(self) -> bool:
        return True

    def calldata_encoded_size(self, padded: bool = True) -> int:
        return 32

    def decoding_type(self) -> Type | None:
        return UINT256


EMPTY_TUPLE = TupleType(())
