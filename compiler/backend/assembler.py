"""Items → bytes: label widths, symbols, sub-objects and data, references."""

from __future__ import annotations

from collections.abc import Mapping

from smartvm.compiler.backend.items import LABEL, OPCODE, PUSH, PUSH_LABEL, PUSH_SYMBOL, InstructionSet, Item
from smartvm.compiler.backend.result import AssembledObject, AssemblyItem, FunctionEntry
from smartvm.compiler.backend.ssa import Symbol
from smartvm.compiler.source import NO_SOURCE
from smartvm.compiler.yul import ast as yul
from smartvm.errors import InternalError
from smartvm.records import replace

#: Bytes that a library's address and an immutable take in a push.
_ADDRESS, _WORD = 20, 32


class Sections:
    """What lies after an object's code: referenced sub-objects, then data (equal contents once), then the
    data whose names start with "." (metadata), last of all."""

    def __init__(
        self, object_: yul.Object, sub_objects: Mapping[str, AssembledObject], referenced: set[str]
    ) -> None:
        self.names: list[tuple[str, bytes]] = []
        last: list[tuple[str, bytes]] = []
        for sub in object_.sub_objects:
            if isinstance(sub, yul.Data):
                (last if sub.name.startswith(".") else self.names).append((sub.name, sub.data))
            elif any(name == sub.name or name.startswith(sub.name + ".") for name in referenced):
                self.names.append((sub.name, sub_objects[sub.name].bytecode))
        self.names.extend(last)
        self.sub_objects = sub_objects
        self.relative: dict[str, tuple[int, int]] = {}
        content: list[bytes] = []
        offsets: dict[bytes, int] = {}
        length = 0
        for name, data in self.names:
            offset = offsets.get(data)
            if offset is None or name.startswith("."):
                offset = offsets[data] = length
                content.append(data)
                length += len(data)
            self.relative[name] = (offset, len(data))
        self.content = b"".join(content)

    def find(self, path: str) -> tuple[int, int]:
        """Offset (from the sections' start) and size of a section; a dotted path leads into sub-objects."""
        found = self.relative.get(path)
        if found is not None:
            return found
        name, dot, rest = path.partition(".")
        if dot and name in self.relative and name in self.sub_objects:
            offset, _ = self.relative[name]
            inner = self.sub_objects[name]
            while rest not in inner.sections:
                head, dot, tail = rest.partition(".")
                if not dot or head not in inner.sub_objects:
                    raise InternalError(f"no section `{path}` in the object")
                offset += inner.sections[head][0]
                inner, rest = inner.sub_objects[head], tail
            start, size = inner.sections[rest]
            return offset + start, size
        raise InternalError(f"no section `{path}` in the object")


class Assembler:
    """Turns one object's items into bytes. ``numbers`` are the symbols whose value is already settled."""

    def __init__(self, instructions: InstructionSet, object_name: str, sections: Sections) -> None:
        self.instructions = instructions
        self.object_name = object_name
        self.sections = sections
        self.has_push0 = instructions.push[0] is not None
        self.label_offsets: dict[int, int] = {}
        self.code_size = 0
        self.separator = 1 if sections.content else 0

    def assemble(
        self,
        items: list[Item],
        numbers: Mapping[Symbol, int],
        sub_objects: Mapping[str, AssembledObject],
        entries: list[tuple[int, FunctionEntry]],
    ) -> AssembledObject:
        """The assembled object; ``entries`` are its functions with their labels."""
        sizes = self._settle_sizes(items, numbers)
        code = bytearray()
        listing: list[AssemblyItem] = []
        links: dict[str, list[tuple[int, int]]] = {}
        immutables: dict[str, list[tuple[int, int]]] = {}
        push = self.instructions.push
        jumpdest = self.instructions.jumpdest
        for item, size in zip(items, sizes, strict=True):
            offset = len(code)
            kind, value = item.kind, item.value
            if kind == OPCODE:
                code.append(value.opcode)
                listing.append(AssemblyItem(offset, value.opcode, value.name, b"", item.source, item.jump))
            elif kind == LABEL:
                code.append(jumpdest.opcode)
                listing.append(AssemblyItem(offset, jumpdest.opcode, jumpdest.name, b"", item.source))
            elif kind in (PUSH, PUSH_LABEL, PUSH_SYMBOL):
                note = ""
                if kind == PUSH_LABEL:
                    note = "label"
                elif isinstance(value, Symbol):
                    note = str(value)
                    if value.kind == "linkersymbol":
                        links.setdefault(value.name, []).append((offset + 1, _ADDRESS))
                    elif value.kind == "loadimmutable":
                        immutables.setdefault(value.name, []).append((offset + 1, _WORD))
                number = self._number(item, numbers)
                instruction = push[size - 1]
                assert instruction is not None
                immediate = number.to_bytes(size - 1, "big")
                code.append(instruction.opcode)
                code += immediate
                listing.append(
                    AssemblyItem(
                        offset, instruction.opcode, instruction.name, immediate, item.source, note=note
                    )
                )
            else:
                assert isinstance(value, bytes)
                code += value
                listing.append(AssemblyItem(offset, None, "verbatim", value, item.source))
        start = len(code) + self.separator
        if self.separator:
            invalid = self.instructions.invalid
            listing.append(AssemblyItem(len(code), invalid.opcode, invalid.name, b"", NO_SOURCE))
            code.append(invalid.opcode)
        code += self.sections.content
        placed = {name: (start + offset, size) for name, (offset, size) in self.sections.relative.items()}
        placed_subs = {name: sub for name, sub in sub_objects.items() if name in placed}
        for name, sub in placed_subs.items():
            for library, places in sub.link_references.items():
                links.setdefault(library, []).extend((placed[name][0] + at, size) for at, size in places)
        return AssembledObject(
            name=self.object_name,
            bytecode=bytes(code),
            link_references={name: tuple(sorted(set(places))) for name, places in links.items()},
            immutable_references={name: tuple(places) for name, places in immutables.items()},
            sub_objects=dict(sub_objects),
            items=tuple(listing),
            functions=tuple(
                replace(entry, offset=self.label_offsets[label])
                for label, entry in entries
                if label in self.label_offsets
            ),
            sections=placed,
        )

    def _number(self, item: Item, numbers: Mapping[Symbol, int]) -> int:
        value = item.value
        if item.kind == PUSH_LABEL:
            return self.label_offsets[value]
        if not isinstance(value, Symbol):
            assert isinstance(value, int)
            return value
        known = numbers.get(value)
        if known is not None:
            return known
        if value.kind in ("linkersymbol", "loadimmutable"):
            return 0
        start = self.code_size + self.separator
        if value.name == self.object_name and value.name not in self.sections.relative:
            return start + len(self.sections.content) if value.kind == "datasize" else 0
        offset, size = self.sections.find(value.name)
        return size if value.kind == "datasize" else start + offset

    def _width(self, number: int) -> int:
        if number == 0:
            return 1 if self.has_push0 else 2
        return 1 + (number.bit_length() + 7) // 8

    def _settle_sizes(self, items: list[Item], numbers: Mapping[Symbol, int]) -> list[int]:
        """The smallest sizes of all items: pushes of addresses grow until everything fits."""
        sizes: list[int] = []
        open_positions: list[int] = []
        for i, item in enumerate(items):
            kind, value = item.kind, item.value
            if kind == PUSH:
                assert isinstance(value, int)
                sizes.append(self._width(value))
            elif kind == PUSH_LABEL:
                sizes.append(2)
                open_positions.append(i)
            elif kind == PUSH_SYMBOL:
                assert isinstance(value, Symbol)
                if value.kind == "linkersymbol":
                    sizes.append(1 + _ADDRESS)
                elif value.kind == "loadimmutable":
                    sizes.append(1 + _WORD)
                else:
                    sizes.append(self._width(numbers[value]) if value in numbers else 2)
                    open_positions.append(i)
            elif kind in (OPCODE, LABEL):
                sizes.append(1)
            else:
                assert isinstance(value, bytes)
                sizes.append(len(value))
        changed = True
        while changed:
            changed = False
            offset = 0
            for item, size in zip(items, sizes, strict=True):
                if item.kind == LABEL:
                    self.label_offsets[item.value] = offset
                offset += size
            self.code_size = offset
            for i in open_positions:
                width = self._width(self._number(items[i], numbers))
                if width > sizes[i]:
                    sizes[i] = width
                    changed = True
        return sizes
