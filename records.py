"""``dataclass`` as in the standard library, made several times faster.

A compiler that is started for every build spends much of its time on making its classes: the standard
library compiles up to six methods for each dataclass, one by one. Here those that need a text of their own are
compiled when they are first called, the others are shared. Fields, comparison, hashes and errors are the
standard library's; ``dataclasses.fields`` and ``dataclasses.replace`` take these classes like any others.

What the compiler has no use for is left out: ``order``, ``init=False``, ``InitVar``, ``ClassVar``.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:
    import dataclasses as _standard
    from reprlib import recursive_repr
    from types import MemberDescriptorType, SimpleNamespace

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, eq: bool = True) -> Any:
        """Make a class a dataclass; with or without arguments."""
        if cls is None:
            return lambda decorated: _make(decorated, frozen, slots, eq)
        return _make(cls, frozen, slots, eq)

    def replace(instance: Any, /, **changes: Any) -> Any:
        """A new instance with other values in the fields named. Raises TypeError for what is no field."""
        values = {name: getattr(instance, name) for name in instance.__dataclass_fields__}
        values.update(changes)
        return instance.__class__(**values)

    #: Stands for the value of a field whose default is made anew each time.
    _ABSENT = object()
    _object_setattr = object.__setattr__

    def _make(cls: type, frozen: bool, slots: bool, eq: bool) -> type:
        listed = _fields_of(cls)
        names = tuple(listed)
        if slots:
            cls = _with_slots(cls, names)
        own = cls.__dict__
        cls.__dataclass_fields__ = listed
        cls.__dataclass_params__ = SimpleNamespace(frozen=frozen, eq=eq, init=True, repr=True, order=False)
        cls.__match_args__ = tuple(name for name, field_ in listed.items() if not field_.kw_only)
        methods = ["__init__"]
        if eq:
            methods.append("__eq__")
            # Python sets __hash__ to None where a class defines __eq__.
            if own.get("__hash__") is None:
                if frozen:
                    methods.append("__hash__")
                else:
                    cls.__hash__ = None
        for name in methods:
            if own.get(name) is None:
                setattr(cls, name, _at_first_use(cls, name, frozen, slots))
        if "__repr__" not in own:
            cls.__repr__ = _repr
        if frozen:
            cls.__setattr__, cls.__delattr__ = _frozen_methods(cls, frozenset(names))
            if slots and "__getstate__" not in own:
                cls.__getstate__, cls.__setstate__ = _getstate, _setstate
        return cls

    def _fields_of(cls: type) -> dict[str, Field[Any]]:
        """The fields by name, those of base classes first."""
        listed: dict[str, Field[Any]] = {}
        for base in cls.__mro__[-1:0:-1]:
            listed.update(base.__dict__.get("__dataclass_fields__", {}))
        own = cls.__dict__
        for name, type_ in own.get("__annotations__", {}).items():
            given = own.get(name, MISSING)
            if isinstance(given, MemberDescriptorType):
                given = MISSING
            made = given if isinstance(given, Field) else field(default=given)
            made.name, made.type, made._field_type = name, type_, _standard._FIELD
            if made.kw_only is MISSING:
                made.kw_only = False
            if made.default.__class__.__hash__ is None:
                raise ValueError(f"the default of {cls.__name__}.{name} is mutable: use default_factory")
            if isinstance(given, Field):
                if made.default is MISSING:
                    delattr(cls, name)
                else:
                    setattr(cls, name, made.default)
            listed[name] = made
        return listed

    def _with_slots(cls: type, names: tuple[str, ...]) -> type:
        """The class again, with slots for its own fields: they cannot be added to a class that is made."""
        body = dict(cls.__dict__)
        inherited = {slot for base in cls.__mro__[1:-1] for slot in base.__dict__.get("__slots__", ())}
        body["__slots__"] = tuple(name for name in names if name not in inherited)
        for name in (*names, "__dict__", "__weakref__"):
            body.pop(name, None)
        made = type(cls)(cls.__name__, cls.__bases__, body)
        made.__qualname__ = cls.__qualname__
        return made

    def _at_first_use(cls: type, name: str, frozen: bool, slots: bool) -> Any:
        """A method that is compiled when it is first called: many classes stay without an instance."""

        def method(self: Any, *given: Any, **named: Any) -> Any:
            space: dict[str, Any] = {"_absent": _ABSENT, "_setattr": _object_setattr}
            text = _init_text(cls, frozen, slots, space) if name == "__init__" else _comparison_text(cls, name)
            made: dict[str, Any] = {}
            exec(text, space, made)
            made[name].__qualname__ = f"{cls.__qualname__}.{name}"
            setattr(cls, name, made[name])
            return made[name](self, *given, **named)

        return method

    def _init_text(cls: Any, frozen: bool, slots: bool, space: dict[str, Any]) -> str:
        """``__init__`` as text; what it names is put into ``space``."""
        positional, keywords, lines = ["self"], [], []
        for name, field_ in cls.__dataclass_fields__.items():
            written = value = name
            if field_.default_factory is not MISSING:
                space[f"_make_{name}"] = field_.default_factory
                written = f"{name}=_absent"
                value = f"_make_{name}() if {name} is _absent else {name}"
            elif field_.default is not MISSING:
                space[f"_default_{name}"] = field_.default
                written = f"{name}=_default_{name}"
            (keywords if field_.kw_only else positional).append(written)
            if not frozen:
                lines.append(f"self.{name} = {value}")
            elif slots:
                space[f"_set_{name}"] = getattr(cls, name).__set__
                lines.append(f"_set_{name}(self, {value})")
            else:
                lines.append(f"_setattr(self, {name!r}, {value})")
        if hasattr(cls, "__post_init__"):
            lines.append("self.__post_init__()")
        given = ", ".join([*positional, *(["*", *keywords] if keywords else [])])
        return f"def __init__({given}):\n " + "\n ".join(lines or ["pass"])

    def _comparison_text(cls: Any, name: str) -> str:
        """``__eq__`` or ``__hash__`` as text."""
        listed = cls.__dataclass_fields__.values()
        if name == "__hash__":
            values = "".join(f"self.{f.name}," for f in listed if (f.compare if f.hash is None else f.hash))
            return f"def __hash__(self):\n return hash(({values}))"
        compared = [f.name for f in listed if f.compare]
        left, right = ("".join(f"{it}.{part}," for part in compared) for it in ("self", "other"))
        return (
            "def __eq__(self, other):\n if other.__class__ is self.__class__:\n"
            f"  return ({left}) == ({right})\n return NotImplemented"
        )

    @recursive_repr()
    def _repr(self: Any) -> str:
        shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        return f"{self.__class__.__qualname__}({shown})"

    def _frozen_methods(cls: type, names: frozenset[str]) -> tuple[Any, Any]:
        def __setattr__(self: Any, name: str, value: Any) -> None:
            if type(self) is cls or name in names:
                raise _standard.FrozenInstanceError(f"cannot assign to field {name!r}")
            super(cls, self).__setattr__(name, value)

        def __delattr__(self: Any, name: str) -> None:
            if type(self) is cls or name in names:
                raise _standard.FrozenInstanceError(f"cannot delete field {name!r}")
            super(cls, self).__delattr__(name)

        return __setattr__, __delattr__

    def _getstate(self: Any) -> list[Any]:
        return [getattr(self, f.name) for f in fields(self)]

    def _setstate(self: Any, state: list[Any]) -> None:
        for f, value in zip(fields(self), state, strict=True):
            _object_setattr(self, f.name, value)


__all__ = ["dataclass", "field", "fields", "is_dataclass", "replace"]
