"""Runs the LALR(1) tables that Lark makes of a grammar, with integers and without an intermediate tree.

Lark reads the ``.lark`` file and computes the tables; that takes a second, so the result is kept in the
user's cache folder under a name that says which grammar and which Lark it comes from. The loop in ``parse``
does what Lark's own does (shift, reduce, call back), but on prepared lists: it is the compiler's innermost
loop over source text.

A rule named ``x`` (or aliased ``-> x``) calls the method ``x`` of the actions object with the values of its
children. As in Lark, quoted terminals are left out, ``?x`` with one child is that child, ``[x]`` that is
absent is None, and the items of ``x*`` and ``x+`` come as single arguments. A terminal's value is its token's
index; a rule that matches nothing gets the index of the token that follows.
"""

from __future__ import annotations

import hashlib
import marshal
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from smartvm.disk_cache import DiskCache, cache_folder
from smartvm.records import dataclass

#: Raise when the layout of the cached tables changes.
CACHE_FORMAT = 3

#: Bytes of cached tables that are kept.
_CACHE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class Rule:
    """A production: how many symbols it replaces, by which nonterminal, the action's name and how its
    arguments are made of the symbols' values: "k" keep, "d" drop, "s" splice in, "n" insert None. ``action``
    is None where the only symbol stands for the whole, "?" where the only kept one does, "[]" for the lists
    behind ``*`` and ``+``."""

    size: int
    nonterminal: int
    action: str | None
    shape: str


@dataclass(frozen=True)
class Tables:
    """Parse tables. ``states[s]`` maps a symbol's number to what to do: a state to go to (0 or more) or a
    rule to reduce by (``-1 - rule``). Terminals come before nonterminals; ``literals`` maps a spelling to a
    terminal's name."""

    terminals: tuple[str, ...]
    nonterminals: tuple[str, ...]
    literals: Mapping[str, str]
    states: Sequence[dict[int, int]]
    rules: tuple[Rule, ...]
    start: int

    @cached_property
    def kinds(self) -> dict[str, int]:
        """Terminals by name."""
        return {name: kind for kind, name in enumerate(self.terminals)}

    def expected(self, states: Sequence[int]) -> frozenset[str]:
        """Names of the terminals that may follow, given the stack of states (the current one last): those that are
        shifted after some reductions, which are fewer than the current state has actions for."""
        count = len(self.terminals)
        return frozenset(
            self.terminals[kind]
            for kind in self.states[states[-1]]
            if kind < count and self._is_shifted(kind, list(states))
        )

    def _is_shifted(self, kind: int, states: list[int]) -> bool:
        while True:
            action = self.states[states[-1]].get(kind)
            if action is None or action >= 0:
                return action is not None
            rule = self.rules[-1 - action]
            if rule.size:
                del states[-rule.size :]
            states.append(self.states[states[-1]][rule.nonterminal])


class UnexpectedToken(Exception):
    """No action for a token. ``index`` is the token's; ``states`` is the stack, the current state last; ``values``
    are those made so far that belong to nothing yet."""

    def __init__(self, index: int, states: Sequence[int], values: Sequence[Any]) -> None:
        super().__init__(f"unexpected token {index}")
        self.index = index
        self.states = tuple(states)
        self.values = tuple(values)


class NestedTooDeeply(Exception):
    """The parse stack outgrew its limit at the token ``index``."""

    def __init__(self, index: int) -> None:
        super().__init__(f"nested too deeply at token {index}")
        self.index = index


class Parser:
    """Binds tables to a class of actions; ``parse`` calls its methods on the object given there."""

    def __init__(self, tables: Tables, actions: type, *, stack_limit: int) -> None:
        self.tables = tables
        self.stack_limit = stack_limit
        # Reduce actions are negative: they index this list from its end.
        self._rules = [
            (rule.size, rule.nonterminal, _bind(rule, actions) if rule.action is not None else None)
            for rule in reversed(tables.rules)
        ]

    def parse(self, kinds: Sequence[int], actor: object) -> Any:
        """The start rule's value, made by the methods of ``actor``. ``kinds`` ends with the end-of-source
        terminal.

        Raises UnexpectedToken, NestedTooDeeply and whatever the actions raise.
        """
        table, rules, limit = self.tables.states, self._rules, self.stack_limit
        states = [self.tables.start]
        values: list[Any] = []
        row = table[self.tables.start]
        index = -1
        try:
            for index, kind in enumerate(kinds):
                action = row[kind]
                while action < 0:
                    size, nonterminal, callback = rules[action]
                    if size == 1:
                        if callback is not None:
                            values[-1] = callback(actor, values[-1])
                        states.pop()
                    elif size:
                        children = values[-size:]
                        del values[-size:]
                        del states[-size:]
                        values.append(callback(actor, *children))  # type: ignore[misc]
                    else:
                        values.append(callback(actor, index))  # type: ignore[misc]
                    state = table[states[-1]][nonterminal]
                    states.append(state)
                    row = table[state]
                    action = row[kind]
                states.append(action)
                values.append(index)
                row = table[action]
                if len(states) > limit:
                    raise NestedTooDeeply(index)
        except KeyError as error:
            if row is not table[states[-1]] or kinds[index] in row:
                raise  # a KeyError of an action, not of the table
            self._settle(states, values, index, actor)
            raise UnexpectedToken(index, states, values) from error
        return values[0]

    def _settle(self, states: list[int], values: list[Any], index: int, actor: object) -> None:
        """Before the error of an unexpected token: the reductions that are due whatever comes. Their actions report
        what is wrong with the text before the token."""
        table, count = self.tables.states, len(self.tables.terminals)
        while True:
            actions = {action for kind, action in table[states[-1]].items() if kind < count}
            if len(actions) != 1 or (action := actions.pop()) >= 0:
                return
            size, nonterminal, callback = self._rules[action]
            if size == 1:
                if callback is not None:
                    values[-1] = callback(actor, values[-1])
                states.pop()
            else:
                children = values[len(values) - size :] if size else [index]
                del values[len(values) - size :]
                del states[len(states) - size :]
                values.append(callback(actor, *children))  # type: ignore[misc]
            states.append(table[states[-1]][nonterminal])


def _bind(rule: Rule, actions: type) -> Callable[..., Any]:
    """The function that turns the values of a rule's symbols into the rule's value."""
    assert rule.action is not None
    if rule.action == "[]":
        return _list_maker(rule.shape)
    if rule.action == "?":
        kept = rule.shape.index("k")
        return lambda _actor, *values: values[kept]
    method: Callable[..., Any] = getattr(actions, rule.action)
    if set(rule.shape) <= {"k"}:
        return method
    return _adapter(rule.shape)(method)


@cache
def _adapter(shape: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    names = iter(f"a{i}" for i in range(len(shape)))
    taken: list[str] = []
    given: list[str] = []
    for step in shape:
        if step == "n":
            given.append("None")
            continue
        name = next(names)
        taken.append(name if step != "d" else f"_{name}")
        if step == "k":
            given.append(name)
        elif step == "s":
            given.append(f"*{name}")
    if not taken:
        taken.append("_")
    return eval(f"lambda method: lambda actor, {', '.join(taken)}: method(actor, {', '.join(given)})")  # type: ignore[no-any-return]


def _list_maker(shape: str) -> Callable[..., Any]:
    """For the helper rules behind ``*`` and ``+``: ``items: first | items next``, separators dropped."""
    if shape == "k":
        return lambda _actor, item: [item]
    if shape == "sk":

        def append(_actor: object, items: list[Any], item: Any) -> list[Any]:
            items.append(item)
            return items

        return append

    def collect(_actor: object, *values: Any) -> list[Any]:
        items: list[Any] = []
        for step, value in zip(shape, values, strict=True):
            if step == "s":
                if items:
                    items.extend(value)
                else:
                    items = value
            elif step == "k":
                items.append(value)
        return items

    return collect


def load_tables(
    package: str,
    grammar_file: str,
    *,
    start: str,
    identifier: str,
    soft_keywords: frozenset[str] = frozenset(),
    refused: tuple[str, ...] = (),
) -> Tables:
    """The tables of a grammar that is a data file of ``package``: from the user's cache, else computed (and
    cached where the folder can be written).

    In every state where a soft keyword has no meaning but ``identifier`` has one, it is treated as that.
    ``refused`` names kinds of tokens that stand nowhere in the grammar.
    """
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).with_name(grammar_file).read_text("utf-8")
    described = [text, start, identifier, *sorted(soft_keywords), "", *refused, _lark_version()]
    key = hashlib.sha256("\0".join(described).encode()).hexdigest()[:32]
    name = f"{Path(grammar_file).stem}-{CACHE_FORMAT}-{sys.version_info.major}.{sys.version_info.minor}-{key}"
    kept = DiskCache(cache_folder() / "grammar", _CACHE_LIMIT)
    cached = _unpack(kept.read(name))
    if cached is not None:
        return cached
    tables = build_tables(
        text, start=start, identifier=identifier, soft_keywords=soft_keywords, refused=refused
    )
    kept.write(name, _pack(tables))
    kept.trim()
    return tables


@cache
def _lark_version() -> str:
    # Importing lark to read its version would cost more than loading the tables.
    spec = find_spec("lark")
    if spec is None or spec.origin is None:
        return "unknown"
    found = re.search(r"__version__[^\n]*?([0-9][\w.]*)", Path(spec.origin).read_text("utf-8"))
    return found[1] if found else "unknown"


def _pack(tables: Tables) -> bytes:
    return marshal.dumps(
        (
            tables.terminals,
            tables.nonterminals,
            dict(tables.literals),
            list(tables.states),
            [(rule.size, rule.nonterminal, rule.action, rule.shape) for rule in tables.rules],
            tables.start,
        )
    )


def _unpack(data: bytes | None) -> Tables | None:
    if data is None:
        return None
    try:
        terminals, nonterminals, literals, states, rules, start = marshal.loads(data)
        return Tables(terminals, nonterminals, literals, states, tuple(Rule(*rule) for rule in rules), start)
    except (ValueError, EOFError, TypeError):
        return None


def build_tables(
    grammar: str,
    *,
    start: str,
    identifier: str,
    soft_keywords: frozenset[str] = frozenset(),
    refused: tuple[str, ...] = (),
) -> Tables:
    """Compute the tables with Lark (see ``load_tables``)."""
    from lark import Lark
    from lark.lexer import Lexer

    class NoLexer(Lexer):
        """Stands for the tokenizer, which is not Lark's."""

        def __init__(self, lexer_conf: Any) -> None:
            del lexer_conf

        def lex(self, lexer_state: Any, parser_state: Any) -> Any:
            raise NotImplementedError("tokens come from smartvm.compiler.grammar.tokens")

    lark = Lark(
        grammar, parser="lalr", lexer=NoLexer, start=start, maybe_placeholders=True, keep_all_tokens=False
    )
    table = lark.parser.parser._parse_table
    names = sorted({name for row in table.states.values() for name in row})
    terminals = tuple(name for name in names if name.isupper()) + refused
    nonterminals = tuple(name for name in names if name not in terminals)
    numbers = {name: number for number, name in enumerate(terminals + nonterminals)}
    literals = {t.pattern.value: t.name for t in lark.terminals if type(t.pattern).__name__ == "PatternStr"}

    rules: list[Rule] = []
    rule_numbers: dict[Any, int] = {}
    states: list[dict[int, int]] = [{} for _ in table.states]
    for state, row in table.states.items():
        for name, (action, argument) in row.items():
            if action.name == "Shift":
                states[state][numbers[name]] = argument
                continue
            if argument not in rule_numbers:
                rule_numbers[argument] = len(rules)
                rules.append(_describe(argument, numbers))
            states[state][numbers[name]] = -1 - rule_numbers[argument]
    # Lark's loop knows the end state; here the end of the source is shifted like any other token.
    end_state = table.end_states[start]
    states[end_state][numbers["$END"]] = end_state
    for row in states:
        fallback = row.get(numbers[identifier])
        if fallback is not None:
            for name in soft_keywords:
                row.setdefault(numbers[name], fallback)
    return Tables(terminals, nonterminals, literals, states, tuple(rules), table.start_states[start])


def _describe(rule: Any, numbers: Mapping[str, int]) -> Rule:
    """A Lark rule as a Rule."""
    size, nonterminal = len(rule.expansion), numbers[rule.origin.name]
    keep_all = rule.options.keep_all_tokens
    steps = []
    for symbol in rule.expansion:
        if symbol.is_term:
            steps.append("d" if symbol.filter_out and not keep_all else "k")
        else:
            steps.append("s" if symbol.name.startswith("_") else "k")
    if rule.options.empty_indices:
        gaps = [len(ones) for ones in "".join(str(int(b)) for b in rule.options.empty_indices).split("0")]
        steps = [
            step for gap, step in zip(gaps, [*steps, ""], strict=True) for step in [*"n" * gap, step] if step
        ]
    shape = "".join(steps)
    if rule.origin.name.startswith("_"):
        return Rule(size, nonterminal, "[]", shape)
    if rule.options.expand1 and not rule.alias and shape.replace("d", "") == "k":
        return Rule(size, nonterminal, None if size == 1 else "?", shape)
    return Rule(size, nonterminal, str(rule.alias or rule.origin.name), shape)
