"""Every mistake in a table ends in one error with the file, the line, and the text that is wrong."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartvm.errors import SmartVMError
from smartvm.extensions import check_extensions
from smartvm.instructions.errors import TableError
from smartvm.instructions.loader import load_table

GOOD = """\
extends = "default"
name = "mine"

[constants]
my_constant = 3

[instructions.MAC]
opcode = 0xb0
operands = ["a", "b", "c"]
results = ["sum"]
gas = 9
pure = true
description = "a * b + c"
yul = "add(mul(a, b), c)"

[instructions.COUNT]
opcode = 0xb1
operands = ["n"]
results = ["total"]
gas = { base = 5, dynamic = "microcode", percent = 50 }
yul = '''
for { } n { n := sub(n, 1) } {
    total := add(total, n)
}
'''

[instructions.MINE]
opcode = 0xb2
operands = []
results = []
gas = [{ since = "frontier", base = 1 }, { since = "berlin", base = 2, extra = 3 }]
kernel = "my_kernels:mine"

[change.ADD]
gas = 4
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my_kernels.py").write_text("def mine(context):\n    return None\nnumber = 5\n")
    (tmp_path / "broken_kernels.py").write_text("1 / 0\n")
    return tmp_path


def check(folder, text):
    file = folder / "t.toml"
    file.write_text(text)
    table = load_table(file)
    check_extensions(table)
    return table


def test_right_table_is_accepted(folder):
    table = check(folder, GOOD)
    assert table.by_name["MAC"].opcode == 0xB0
    assert table.gas(table.by_name["ADD"], "osaka").base == 4
    assert table.gas(table.by_name["MINE"], "osaka").constant("extra") == 3
    assert table.constant("my_constant") == 3
    assert table.constant("stack_limit") == 1024


#: what is replaced, by what, the line of the error, words of its message
MISTAKES = [
    ("opcode = 0xb1", "opcode = 0xb0", 17, "`COUNT` has the opcode 0xb0 of `MAC`"),
    ("opcode = 0xb1", "opcode = 0x01", 17, "`COUNT` has the opcode 0x01 of `ADD`"),
    ("opcode = 0xb1", "opcode = 0x100", 17, "expected 0x00 to 0xff"),
    ("opcode = 0xb1", "opcode = -1", 17, "expected 0x00 to 0xff"),
    ("opcode = 0xb1", 'opcode = "b1"', 17, "expected a number from"),
    ("opcode = 0xb1", "opcode = true", 17, "expected a number from"),
    ("opcode = 0xb1\n", "", 16, "lacks the key `opcode`"),
    ("gas = 9\n", "", 7, "lacks the key `gas`"),
    ('operands = ["n"]\n', "", 16, "lacks the key `operands`"),
    ("[instructions.COUNT]", "[instructions.ADD]", 16, "`ADD` clashes with an instruction"),
    ("[instructions.COUNT]", "[instructions.MAC]", 16, "`MAC` is defined twice"),
    ("[instructions.COUNT]", "[instructions.SWITCH]", 16, "`switch` is a keyword of Yul"),
    (
        "[instructions.COUNT]",
        "[instructions.DATASIZE]",
        16,
        "`datasize` is a builtin function of Yul objects",
    ),
    ("[instructions.COUNT]", "[instructions.VERBATIM_1I_1O]", 16, "is a builtin function of Yul objects"),
    ("[instructions.COUNT]", "[instructions.count]", 16, "no name for an instruction"),
    ('["a", "b", "c"]', '["a", "b"]', 14, 'Identifier "c" not found'),
    ('["a", "b", "c"]', '["a", "b", "b"]', 9, "the name `b` stands twice"),
    ('["a", "b", "c"]', '["a", "b", "sum"]', 9, "the name `sum` stands twice"),
    ('["a", "b", "c"]', '["A", "b", "c"]', 9, "`A` is no name for an entry of `operands`"),
    ('["a", "b", "c"]', '["a", "b", "gas"]', 9, "`gas` is a word of Yul"),
    ('["a", "b", "c"]', '["a", "if", "c"]', 9, "`if` is a word of Yul"),
    ('["a", "b", "c"]', '"abc"', 9, "expected a list of texts"),
    (
        '["a", "b", "c"]',
        str([f"x{i}" for i in range(18)]).replace("'", '"'),
        9,
        "18 operands, expected at most 17",
    ),
    ("pure = true", "pur = true", 12, "unknown key `pur`"),
    ("pure = true", "pure = 1", 12, "expected true or false"),
    ("pure = true", 'pure = true\nreads = ["memory"]', 12, "`pure` does not go with `reads`"),
    ("pure = true", 'reads = ["memories"]', 12, "unknown effect `memories`"),
    ("pure = true", "immediate_bytes = 33", 12, "expected 0 to 32"),
    ("pure = true", 'since = "atlantis"', 12, "unknown fork `atlantis`"),
    ("pure = true", 'since = "osaka"\nuntil = "london"', 13, "expected a fork after `osaka`"),
    ("pure = true", 'control = "sideways"', 12, "unknown control `sideways`"),
    ('description = "a * b + c"', "description = 5", 13, "expected text in quotes"),
    ("gas = 9", "gas = -9", 11, "expected 0 to"),
    ("gas = 9", 'gas = "cheap"', 11, "expected a number, a table"),
    ("gas = 9", "gas = []", 11, "`gas` is empty"),
    ("gas = 9", "gas = { dynamic = 'copy', per_word = 3 }", 11, "lacks `base`"),
    ("gas = 9", "gas = { base = 9, per_word = 3 }", 11, "`per_word` belongs to no rule"),
    ("gas = 9", "gas = { base = 9, dynamic = 'copy' }", 11, "the gas rule `copy` needs `per_word`"),
    ("gas = 9", "gas = { base = 9, dynamic = 'magic' }", 11, "unknown gas rule `magic`"),
    ('since = "berlin"', 'since = "frontier"', 31, "the order of their forks"),
    ("base = 2", "base = -2", 31, "`base` is -2"),
    ('since = "berlin"', 'since = "nowhere"', 31, "unknown fork `nowhere`"),
    ('yul = "add(mul(a, b), c)"', 'yul = "add(mul(a, b), c"', 14, "Expected ')'"),
    ('yul = "add(mul(a, b), c)"', 'yul = "add(mul(a, b), c, 1)"', 14, "expects 2 arguments but got 3"),
    ('yul = "add(mul(a, b), c)"', 'yul = "gas()"', 14, "depends on the gas left"),
    ('yul = "add(mul(a, b), c)"', 'yul = "codesize()"', 14, "reads the executing code"),
    ('yul = "add(mul(a, b), c)"', 'yul = "sum := c return(a, b)"', 14, "would end the call"),
    ('yul = "add(mul(a, b), c)"', 'yul = "call(a, b, c, 0, 0, 0, 0)"', 14, "depends on the gas left"),
    ('yul = "add(mul(a, b), c)"', 'yul = "mac(a, b, c)"', 14, "`MAC` is defined by itself"),
    ('yul = "add(mul(a, b), c)"', 'yul = "datasize(a)"', 14, 'Function "datasize" not found'),
    ('yul = "add(mul(a, b), c)"', 'yul = " "', 14, "`yul` is empty"),
    ('yul = "add(mul(a, b), c)"', 'yul = "add(a, b)"\nkernel = "x:y"', 15, "has both `yul` and `kernel`"),
    ('yul = "add(mul(a, b), c)"', 'yul = "sload(a)"', 14, "reads storage: say so in the row"),
    ('yul = "add(mul(a, b), c)"', 'yul = "sum := c mstore(a, b)"', 14, "writes memory: say so in the row"),
    (
        'pure = true\ndescription = "a * b + c"\nyul = "add(mul(a, b), c)"',
        'reads = ["memory"]\nyul = "sum := c revert(a, b)"',
        13,
        "may revert, so the call must not be dropped",
    ),
    ("pure = true", 'control = "jump"', 12, "only the VM's own instructions can jump"),
    ("pure = true", "terminates = true", 12, "only the VM's own instructions can end a call"),
    ("pure = true", "immediate_bytes = 2", 12, "no way to write an instruction's immediate bytes"),
    ('results = ["sum"]', 'results = { operand = "a", minimum = 1, maximum = 2 }', 10, "is fixed"),
    ("total := add(total, n)", "total := plus(total, n)", 23, 'Function "plus" not found'),
    ('gas = { base = 5, dynamic = "microcode", percent = 50 }', "gas = 5", 20, "its Yul has a loop"),
    ("my_kernels:mine", "no_kernels:mine", 32, "cannot import `no_kernels`: ModuleNotFoundError"),
    ("my_kernels:mine", "broken_kernels:mine", 32, "cannot import `broken_kernels`: ZeroDivisionError"),
    ("my_kernels:mine", "my_kernels:other", 32, "has no function `other`"),
    ("my_kernels:mine", "my_kernels:number", 32, "has no function `number`"),
    ("my_kernels:mine", "my_kernels.mine", 32, "is no kernel"),
    ("[change.ADD]", "[change.ADDD]", 34, "no instruction `ADDD` to change"),
    ("[change.ADD]\ngas = 4", '[change.ADD]\nyul = "1"', 35, "unknown key `yul`"),
    ("[change.ADD]\ngas = 4", "[change.ADD]\nopcode = 2", 35, "`ADD` has the opcode 0x02 of `MUL`"),
    ('name = "mine"', 'remove = ["ADDD"]', 2, "no instruction `ADDD` to remove"),
    ('name = "mine"', 'remove_families = ["cats"]', 2, "no family `cats`"),
    ('name = "mine"', "remove = 5", 2, "expected a list of names"),
    ('name = "mine"', "nam = 5", 2, "unknown key `nam`"),
    ('name = "mine"', "name = 5", 2, "expected text in quotes"),
    ('name = "mine"', 'forks = ["a"]', 2, "`forks` stands in a table that extends another"),
    ("my_constant = 3", 'my_constant = "x"', 5, "expected a number from 0 on"),
    ('extends = "default"\n', "", 1, "neither `forks` nor `extends`"),
    ('extends = "default"', 'extends = "defualt"', 1, "neither a file beside this one nor a shipped table"),
    ('extends = "default"', 'extends = "t.toml"', 1, "goes round in a circle: t.toml -> t.toml"),
    ('extends = "default"', "extends = ", 1, "Invalid value"),
    ("[constants]", "[constants", 4, "Expected ']'"),
    ("[constants]\nmy_constant = 3", "constants = 5", 4, "`constants` is 5, expected a table"),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"), MISTAKES, ids=[f"{m[2]}-{m[3][:40]}" for m in MISTAKES]
)
def test_mistake_is_told_with_its_line(folder, old, new, line, message):
    assert GOOD.count(old) == 1
    with pytest.raises(TableError) as caught:
        check(folder, GOOD.replace(old, new))
    error = caught.value
    assert message in error.message
    assert error.position is not None
    assert (error.position.line, error.position.file) == (line, str(folder / "t.toml"))
    assert str(error).count("\n") <= 3


def test_circle_over_two_files_is_told(folder):
    (folder / "a.toml").write_text('extends = "b.toml"\n')
    (folder / "b.toml").write_text('extends = "a.toml"\n')
    with pytest.raises(TableError, match=re.escape("a.toml -> b.toml -> a.toml")):
        load_table(folder / "a.toml")


def test_missing_table_is_told():
    with pytest.raises(TableError, match="no instruction table `nope`"):
        load_table("nope")


def test_table_that_is_no_text_is_told(tmp_path):
    (tmp_path / "t.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(TableError, match="not UTF-8"):
        load_table(tmp_path / "t.toml")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damage_gives_a_table_or_one_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("t")
    (folder / "my_kernels.py").write_text("def mine(context):\n    return None\n")
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 8)))
        text = (
            text[:start] + data.draw(st.text(st.sampled_from('ab=[]{}"#.\n 0x_,é'), max_size=5)) + text[end:]
        )
    try:
        check(folder, text)
    except SmartVMError as error:
        shown = str(error)
        assert shown
