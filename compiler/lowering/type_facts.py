"""Facts about types that code generation needs besides what types tell of themselves: which types share a
representation, the variables that hold a value, the name of a type in function names."""

from __future__ import annotations

from functools import lru_cache

from smartvm.compiler.analysis import types
from smartvm.compiler.analysis.types import (
    ADDRESS,
    BOOL,
    BYTES4,
    BYTES32,
    BYTES_CALLDATA,
    BYTES_MEMORY,
    BYTES_STORAGE,
    STRING_MEMORY,
    UINT256,
)
from smartvm.compiler.ast import nodes
from smartvm.compiler.lowering.unimplemented import unimplemented
from smartvm.errors import InternalError

__all__ = [
    "ADDRESS",
    "BOOL",
    "BYTES4",
    "BYTES32",
    "BYTES_CALLDATA",
    "BYTES_MEMORY",
    "BYTES_STORAGE",
    "STRING_MEMORY",
    "UINT256",
    "bare",
    "calldata_head_size",
    "calldata_offset_of_member",
    "calldata_stride",
    "calldata_tail_size",
    "declared_name",
    "event_topic",
    "is_byte_array",
    "is_dynamically_encoded",
    "is_external_function",
    "is_left_aligned",
    "is_reference_type",
    "is_value_type",
    "items_per_slot",
    "key",
    "literal_key",
    "location_of",
    "memory_offset_of_member",
    "memory_size",
    "memory_stride",
    "relocate",
    "stack_parts",
    "stack_size",
    "storage_bytes",
    "storage_size",
    "struct_layout",
    "struct_members",
    "value_bytes",
    "variable_names",
]


# --- kinds ---------------------------------------------------------------------------------------


def bare(type_: types.Type) -> types.Type:
    """The type whose representation a value shares: contracts are addresses, user-defined value types what
    they wrap, slices their arrays."""
    while True:
        if isinstance(type_, types.UserDefinedValueType):
            type_ = type_.underlying_type
        elif isinstance(type_, types.ContractType | types.AddressType):
            return ADDRESS
        elif isinstance(type_, types.ArraySliceType):
            return type_.array_type
        else:
            return type_


def is_value_type(type_: types.Type) -> bool:
    """Value types are copied on assignment and fit the stack."""
    return isinstance(
        bare(type_),
        types.AddressType
        | types.IntegerType
        | types.BoolType
        | types.FixedBytesType
        | types.EnumType
        | types.FunctionType
        | types.RationalNumberType
        | types.FixedPointType,
    )


def is_reference_type(type_: types.Type) -> bool:
    """Arrays, slices and structs."""
    return isinstance(type_, types.ArrayType | types.ArraySliceType | types.StructType)


def is_byte_array(type_: types.Type) -> bool:
    """``bytes`` or ``string``."""
    return isinstance(type_, types.ArrayType) and type_.kind != "array"


def is_external_function(type_: types.Type) -> bool:
    """A function value that is an address and a selector."""
    return isinstance(type_, types.FunctionType) and type_.kind in ("external", "delegate_call")


def location_of(type_: types.Type) -> str | None:
    """The data location of a reference type or mapping."""
    if isinstance(type_, types.ArraySliceType):
        return type_.array_type.location
    if isinstance(type_, types.ArrayType | types.StructType):
        return type_.location
    if isinstance(type_, types.MappingType):
        return "storage"
    return None


def relocate(type_: types.Type, location: types.Location) -> types.Type:
    """The same type in another data location, with everything it contains."""
    return types.with_location_if_reference(location, type_, is_pointer=location != "storage")


def struct_members(type_: types.StructType) -> tuple[tuple[str, types.Type], ...]:
    """Names and types of a struct's members, the types in the struct's location."""
    return tuple(type_.member_types().items())


# --- the stack -----------------------------------------------------------------------------------


def stack_parts(type_: types.Type) -> tuple[str, ...]:
    """The variables that a value consists of: suffixes of its name, "" for a value in one variable."""
    type_ = bare(type_)
    if isinstance(type_, types.ArrayType):
        return ("offset", "length") if type_.location == "calldata" and type_.length is None else ("",)
    if isinstance(type_, types.FunctionType):
        if type_.kind in ("external", "delegate_call"):
            return ("address", "functionSelector")
        return ("",) if type_.kind == "internal" else ()
    if isinstance(type_, types.TupleType):
        parts: list[str] = []
        for index, component in enumerate(type_.components, 1):
            if component is not None:
                parts += [f"component_{index}{'_' + part if part else ''}" for part in stack_parts(component)]
        return tuple(parts)
    if isinstance(
        type_,
        types.StringLiteralType | types.TypeType | types.MagicType | types.ModuleType | types.ModifierType,
    ):
        return ()
    return ("",)


def variable_names(prefix: str, type_: types.Type) -> tuple[str, ...]:
    """The names of the variables that hold a value of the type."""
    return tuple(f"{prefix}_{part}" if part else prefix for part in stack_parts(type_))


def stack_size(type_: types.Type) -> int:
    """Number of variables of a value."""
    return len(stack_parts(type_))


# --- names ---------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def key(type_: types.Type) -> str:
    """The type's name inside function names. Types that are represented and coded alike share it."""
    type_ = bare(type_)
    match type_:
        case types.AddressType():
            return "t_address"
        case types.IntegerType(bits=bits, signed=signed):
            return f"t_{'' if signed else 'u'}int{bits}"
        case types.BoolType():
            return "t_bool"
        case types.FixedBytesType(size=size):
            return f"t_bytes{size}"
        case types.EnumType(definition=definition):
            return f"t_enum_{definition.name}_{definition.id}"
        case types.ArrayType(kind="array"):
            length = "dyn" if type_.length is None else str(type_.length)
            return f"t_array_{key(type_.base_type)}_{length}_{type_.location}"
        case types.ArrayType():
            return f"t_{type_.kind}_{type_.location}"
        case types.StructType(definition=definition):
            return f"t_struct_{definition.name}_{definition.id}_{type_.location}"
        case types.MappingType():
            return f"t_mapping_{key(type_.key_type)}_{key(type_.value_type)}"
        case types.FunctionType():
            return "t_function_external" if is_external_function(type_) else "t_function_internal"
        case types.StringLiteralType(value=value):
            return "t_stringliteral_" + literal_key(value)
        case types.RationalNumberType():
            return "t_rational"
        case types.FixedPointType():
            raise unimplemented("Fixed point types are not supported.")
        case _:
            raise InternalError(f"a value of {type_!r} has no representation")


def literal_key(value: bytes) -> str:
    """A short name for a literal's bytes: themselves in hexadecimal, or their hash when long."""
    return value.hex() if len(value) <= 32 else types.keccak256(value).hex()


# --- sizes (of types by their representation) ----------------------------------------------------------


def value_bytes(type_: types.Type) -> int:
    """Bytes that a value type takes in packed storage and in packed encoding."""
    inner = bare(type_)
    # A function of a library is stored like any external function.
    return 24 if is_external_function(inner) else inner.storage_bytes()


def is_left_aligned(type_: types.Type) -> bool:
    """Whether a stack value stands in the word's high bytes."""
    return isinstance(bare(type_), types.FixedBytesType)


def is_dynamically_encoded(type_: types.Type) -> bool:
    """Whether ABI encoding puts an offset in the head and the value in the tail."""
    return bare(type_).is_dynamically_encoded()


def calldata_head_size(type_: types.Type) -> int:
    """Bytes of a value in the head part of an encoding; references to storage are slot numbers."""
    return 32 if location_of(type_) == "storage" else bare(type_).calldata_head_size()


def calldata_tail_size(type_: types.Type) -> int:
    """The least number of bytes that a dynamically encoded value takes in the tail."""
    return bare(type_).calldata_encoded_tail_size()


def calldata_stride(type_: types.ArrayType) -> int:
    """Bytes from an element of a calldata array to the next."""
    return type_.calldata_stride()


def calldata_offset_of_member(type_: types.StructType, member: str) -> int:
    """Where a member's head stands in a calldata struct."""
    return type_.calldata_offset_of_member(member)


def memory_stride(type_: types.ArrayType) -> int:
    """Bytes from an element of a memory array to the next: everything but bytes takes a word."""
    return type_.memory_stride()


def memory_offset_of_member(type_: types.StructType, member: str) -> int:
    """Where a member's word stands in a memory struct."""
    return type_.memory_offset_of_member(member)


def memory_size(type_: types.StructType) -> int:
    """Bytes that a struct takes in memory without what it points to."""
    return type_.memory_data_size()


def storage_bytes(type_: types.Type) -> int:
    """Bytes of a slot that a value takes; 32 for what starts a new slot."""
    return value_bytes(type_) if is_value_type(type_) else 32


def storage_size(type_: types.Type) -> int:
    """Number of slots."""
    return bare(type_).storage_size()


def items_per_slot(type_: types.ArrayType) -> int:
    """How many elements share a slot of a storage array."""
    size = storage_bytes(type_.base_type)
    return 32 // size if size <= 16 else 1


def struct_layout(type_: types.StructType) -> dict[str, tuple[int, int]]:
    """Slot and byte offset of each member in storage."""
    members = type_.member_types()
    placed, _ = types.storage_offsets(members.values())
    return {name: place for name, place in zip(members, placed, strict=True) if place is not None}


def event_topic(event: types.FunctionType) -> int:
    """The first topic of an event that is not anonymous: its signature's hash."""
    return int.from_bytes(types.keccak256(event.external_signature().encode("utf-8")), "big")


def declared_name(declaration: nodes.Declaration) -> str:
    """A declaration's name as part of a Yul name, with its id."""
    return f"{declaration.name}_{declaration.id}" if declaration.name else str(declaration.id)
