"""Facts about types that code generation needs: how a value stands on the stack, its name in function
names, its sizes.

The layout rules are those of docs/internals/layout_in_storage.rst, layout_in_memory.rst and abi-spec.rst.
"""

from __future__ import annotations

from functools import lru_cache

from smartvm.compiler.analysis import types
from smartvm.compiler.ast import nodes
from smartvm.errors import InternalError

ADDRESS = types.AddressType(False)
BOOL = types.BoolType()
UINT256 = types.IntegerType(256, False)
BYTES32 = types.FixedBytesType(32)
BYTES4 = types.FixedBytesType(4)
BYTES1 = types.FixedBytesType(1)
BYTES_MEMORY = types.ArrayType(BYTES1, "memory", None, "bytes")
STRING_MEMORY = types.ArrayType(BYTES1, "memory", None, "string")
BYTES_CALLDATA = types.ArrayType(BYTES1, "calldata", None, "bytes")


# --- kinds ---------------------------------------------------------------------------------------


def bare(type_: types.Type) -> types.Type:
    """The type whose representation a value shares: contracts are addresses, user-defined value types what
    they wrap, slices their arrays."""
    while True:
        if isinstance(type_, types.UserDefinedValueType):
            type_ = underlying_type(type_)
        elif isinstance(type_, types.ContractType | types.AddressType):
            return ADDRESS
        elif isinstance(type_, types.ArraySliceType):
            return type_.array_type
        else:
            return type_


def underlying_type(type_: types.UserDefinedValueType) -> types.Type:
    """U of ``type T is U``."""
    return type_.underlying_type


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
        | types.RationalNumberType,
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


def enum_size(type_: types.EnumType) -> int:
    """Number of members."""
    return len(type_.definition.members)


@lru_cache(maxsize=4096)
def relocate(type_: types.Type, location: types.Location) -> types.Type:
    """The same type in another data location, with everything it contains."""
    if isinstance(type_, types.ArrayType):
        return types.ArrayType(
            relocate(type_.base_type, location),
            location,
            type_.length,
            type_.kind,
            is_pointer=location != "storage",
        )
    if isinstance(type_, types.StructType):
        return types.StructType(
            type_.definition, location, is_pointer=location != "storage", declared=type_.declared
        )
    return type_


def struct_members(type_: types.StructType) -> tuple[tuple[str, types.Type], ...]:
    """Names and types of a struct's members, the types in the struct's location."""
    return tuple(
        (member.name, relocate(type_.declared.type_of_declaration(member), type_.location))
        for member in type_.definition.members
    )


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
        case _:
            raise InternalError(f"a value of {type_!r} has no representation")


def literal_key(value: bytes) -> str:
    """A short name for a literal's bytes: themselves in hexadecimal, or their hash when long."""
    from smartvm.compiler.lowering.hashing import keccak256

    return value.hex() if len(value) <= 32 else keccak256(value).hex()


# --- sizes ---------------------------------------------------------------------------------------


def value_bytes(type_: types.Type) -> int:
    """Bytes that a value type takes in packed storage and in packed encoding."""
    type_ = bare(type_)
    match type_:
        case types.IntegerType(bits=bits):
            return bits // 8
        case types.AddressType():
            return 20
        case types.FixedBytesType(size=size):
            return size
        case types.FunctionType():
            return 24 if is_external_function(type_) else 8
        case types.BoolType() | types.EnumType():
            return 1
    raise InternalError(f"{type_!r} is not a value type")


def is_left_aligned(type_: types.Type) -> bool:
    """Whether a stack value stands in the word's high bytes."""
    return isinstance(bare(type_), types.FixedBytesType)


def is_dynamically_encoded(type_: types.Type) -> bool:
    """Whether ABI encoding puts an offset in the head and the value in the tail."""
    type_ = bare(type_)
    if isinstance(type_, types.ArrayType):
        return type_.length is None or is_dynamically_encoded(type_.base_type)
    if isinstance(type_, types.StructType):
        return any(is_dynamically_encoded(member) for _, member in struct_members(type_))
    return False


def calldata_encoded_size(type_: types.Type) -> int:
    """Bytes of a statically encoded value."""
    type_ = bare(type_)
    if isinstance(type_, types.ArrayType):
        assert type_.length is not None
        return type_.length * calldata_encoded_size(type_.base_type)
    if isinstance(type_, types.StructType):
        return sum(calldata_encoded_size(member) for _, member in struct_members(type_))
    return 32


def calldata_head_size(type_: types.Type) -> int:
    """Bytes of a value in the head part of an encoding."""
    return 32 if is_dynamically_encoded(type_) else calldata_encoded_size(type_)


def calldata_tail_size(type_: types.Type) -> int:
    """The least number of bytes that a dynamically encoded value takes in the tail (a dynamic array: its
    length)."""
    type_ = bare(type_)
    if isinstance(type_, types.ArrayType):
        if type_.length is None:
            return 32
        return type_.length * calldata_head_size(type_.base_type)
    assert isinstance(type_, types.StructType)
    return sum(calldata_head_size(member) for _, member in struct_members(type_))


def calldata_stride(type_: types.ArrayType) -> int:
    """Bytes from an element of a calldata array to the next."""
    return 1 if is_byte_array(type_) else calldata_head_size(type_.base_type)


def calldata_offset_of_member(type_: types.StructType, member: str) -> int:
    """Where a member's head stands in a calldata struct."""
    offset = 0
    for member_name, member_type in struct_members(type_):
        if member_name == member:
            return offset
        offset += calldata_head_size(member_type)
    raise InternalError(f"struct {type_.definition.name} has no member {member}")


def memory_stride(type_: types.ArrayType) -> int:
    """Bytes from an element of a memory array to the next: everything but bytes takes a word."""
    return 1 if is_byte_array(type_) else 32


def memory_members(type_: types.StructType) -> tuple[tuple[str, types.Type], ...]:
    """Members that a struct has in memory: all but mappings (and what contains them, which cannot be
    there)."""
    return struct_members(type_)


def memory_offset_of_member(type_: types.StructType, member: str) -> int:
    """Where a member's word stands in a memory struct."""
    for index, (member_name, _) in enumerate(memory_members(type_)):
        if member_name == member:
            return 32 * index
    raise InternalError(f"struct {type_.definition.name} has no member {member}")


def memory_size(type_: types.Type) -> int:
    """Bytes that a struct or a static array takes in memory without what it points to."""
    if isinstance(type_, types.StructType):
        return 32 * len(memory_members(type_))
    assert isinstance(type_, types.ArrayType)
    assert type_.length is not None
    return 32 * type_.length


# --- storage -------------------------------------------------------------------------------------


def storage_bytes(type_: types.Type) -> int:
    """Bytes of a slot that a value takes; 32 for what starts a new slot."""
    return value_bytes(type_) if is_value_type(type_) else 32


@lru_cache(maxsize=4096)
def storage_size(type_: types.Type) -> int:
    """Number of slots."""
    type_ = bare(type_)
    if isinstance(type_, types.ArrayType):
        if type_.length is None:
            return 1
        per_slot = items_per_slot(type_)
        if per_slot > 1:
            return max(1, -(-type_.length // per_slot))
        return max(1, type_.length * storage_size(type_.base_type))
    if isinstance(type_, types.StructType):
        return struct_layout(type_)[1]
    return 1


def items_per_slot(type_: types.ArrayType) -> int:
    """How many elements share a slot of a storage array."""
    size = storage_bytes(type_.base_type)
    return 32 // size if size <= 16 else 1


def storage_offsets(member_types: list[types.Type]) -> tuple[list[tuple[int, int]], int]:
    """Slot and byte offset of consecutive variables, and the number of slots they take together."""
    slot, offset = 0, 0
    placed: list[tuple[int, int]] = []
    for type_ in member_types:
        size = storage_bytes(type_)
        if offset + size > 32:
            slot, offset = slot + 1, 0
        placed.append((slot, offset))
        slots = storage_size(type_)
        if slots == 1 and offset + size <= 32:
            offset += size
        else:
            slot, offset = slot + slots, 0
    return placed, slot + (1 if offset > 0 else 0)


@lru_cache(maxsize=1024)
def struct_layout(type_: types.StructType) -> tuple[dict[str, tuple[int, int]], int]:
    """Slot and byte offset of each member in storage, and the struct's size in slots (at least 1)."""
    members = struct_members(type_)
    placed, size = storage_offsets([member_type for _, member_type in members])
    return {member[0]: place for member, place in zip(members, placed, strict=True)}, max(1, size)


def declared_name(declaration: nodes.Declaration) -> str:
    """A declaration's name as part of a Yul name, with its id."""
    return f"{declaration.name}_{declaration.id}" if declaration.name else str(declaration.id)
