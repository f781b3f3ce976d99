"""The shipped tables: complete, quick to load, and the same as the sources that they state."""

from __future__ import annotations

import importlib

import pytest
from smartvm.instructions.forks import canonical_fork, solc_name
from smartvm.instructions.loader import SHIPPED_TABLES, load_table
from smartvm.instructions.model import InstructionTable

TABLES = sorted(SHIPPED_TABLES)

#: spec/dnn-instructions.md: name, operand count, the paper's opcode, the default opcode.
DNN = """
CONV_SING 8 21 21|CONV_MUL 8 22 22|CONV_3D 8 23 23|CONV_TPD 8 24 24|POOL_MAX 5 25 25
|POOL_AVG 5 26 26|POOL_OL 5 27 27|FULL_CON 5 28 28|MAT_MUL 2 29 29|ACT_SM0 1 2a 2a|ACT_SM1 1 2b 2b
|ACT_RL 1 2c 2c|ACT_TANH 1 2d 2d|BUF_SCL0 1 2e 2e|BUF_SCL1 1 2f 2f|BUF_BIAS 1 30 d4|MTOB 2 31 d5
|BTOM 2 32 d6|BTOS0 2 33 d7|BTOS1 2 34 d8|BUF_CLS 1 35 d9|BUF_FIL 1 36 da|BUF_INIT 1 37 db
|BUF_ALLO 1 38 dc|BUF_FREE 1 39 dd|BUF_COPY 2 3a de|BUF_SWAP 0 c6 c6|BUF_ADD 0 c7 c7|BUF_MUL 0 c8 c8
|BUF_CAT 0 c9 c9|BUF_SIZE 0 ca ca|MTOB_PACK 3 cb cb|BTOM_PACK 3 cc cc
"""


@pytest.mark.parametrize("row", DNN.replace("\n", "").split("|"), ids=lambda row: row.split()[0])
def test_dnn_instruction_is_as_specified(row):
    name, operands, paper, default = row.split()
    for table_name, opcode in (("default", default), ("paper", paper)):
        instruction = load_table(table_name).by_name[name]
        assert instruction.opcode == int(opcode, 16)
        assert len(instruction.operands) == int(operands)
        assert instruction.implementation is not None
        assert instruction.implementation.kind == "native"
    assert name not in load_table("evm").by_name


def test_paper_table_moves_the_eleven_ethereum_instructions():
    default, paper = load_table("default"), load_table("paper")
    moved = [
        i
        for i in default.instructions
        if i.implementation is None and paper.by_name[i.name].opcode != i.opcode
    ]
    assert [i.opcode for i in moved] == list(range(0x30, 0x3B))
    assert [paper.by_name[i.name].opcode for i in moved] == list(range(0xD4, 0xDF))


@pytest.mark.parametrize("name", TABLES)
def test_no_fork_has_two_instructions_at_one_opcode(name):
    table = load_table(name)
    for fork in table.forks:
        present = [i for i in table.instructions if table.has(i, fork)]
        assert len({i.opcode for i in present}) == len(present)
        for instruction in present:
            assert table.gas(instruction, fork).base >= 0
            assert instruction.description


def test_digests_tell_tables_apart_and_texts_and_gas_do_not_change_them(tmp_path):
    digests = {load_table(name).digest for name in TABLES}
    assert len(digests) == len(TABLES)
    file = tmp_path / "t.toml"
    file.write_text('extends = "default"\nname = "mine"\n[change.ADD]\ngas = 4\ndescription = "Adds."\n')
    assert load_table(file).digest == load_table("default").digest
    file.write_text('extends = "default"\n[change.BUF_ADD]\nopcode = 0xb1\n')
    assert load_table(file).digest != load_table("default").digest


def test_table_is_made_again_only_when_a_file_of_it_changes(tmp_path):
    base, mine = tmp_path / "base.toml", tmp_path / "mine.toml"
    base.write_text('extends = "default"\n[change.ADD]\ngas = 4\n')
    mine.write_text('extends = "base.toml"\n')
    first = load_table(mine)
    assert load_table(str(mine)) is first
    base.write_text('extends = "default"\n[change.ADD]\ngas = 5\n')
    assert [g.base for g in load_table(mine).by_name["ADD"].gas] == [5]
    assert load_table("evm") is load_table("evm")


@pytest.mark.parametrize(
    ("given", "fork"),
    [
        ("osaka", "osaka"),
        ("tangerineWhistle", "tangerine_whistle"),
        ("EIP150", "tangerine_whistle"),
        ("spurious_dragon", "spurious_dragon"),
        ("EIP158", "spurious_dragon"),
        ("ConstantinopleFix", "petersburg"),
        ("Merge", "paris"),
        ("Cancun", "cancun"),
        ("MuirGlacier", "istanbul"),
    ],
)
def test_forks_are_known_by_their_many_names(given, fork):
    assert canonical_fork(given) == fork
    assert canonical_fork(solc_name(fork)) == fork


EELS = {
    "frontier": "frontier",
    "homestead": "homestead",
    "tangerine_whistle": "tangerine_whistle",
    "spurious_dragon": "spurious_dragon",
    "byzantium": "byzantium",
    "constantinople": "constantinople",
    "istanbul": "istanbul",
    "berlin": "berlin",
    "london": "london",
    "paris": "paris",
    "shanghai": "shanghai",
    "cancun": "cancun",
    "prague": "prague",
    "osaka": "osaka",
}
#: EELS's spellings of a few names.
OTHER_NAMES = {"KECCAK": "KECCAK256", "SHA3": "KECCAK256", "PREVRANDAO": "PREVRANDAO"}


def _eels_opcodes(fork: str) -> dict[int, str]:
    for prefix in ("ethereum.forks", "ethereum"):
        try:
            module = importlib.import_module(f"{prefix}.{EELS[fork]}.vm.instructions")
        except ImportError:
            continue
        return {int(op.value): OTHER_NAMES.get(op.name, op.name) for op in module.Ops}
    pytest.skip("no EELS here")


@pytest.mark.peer
@pytest.mark.parametrize("fork", EELS)
def test_ethereum_instructions_are_those_of_the_execution_specs(fork):
    table: InstructionTable = load_table("evm")
    # INVALID (EIP-141) is an opcode that the specification leaves undefined.
    ours = {i.opcode: i.name for i in table.for_fork(fork).values() if i.name != "INVALID"}
    assert ours == _eels_opcodes(fork)


def test_reference_page_is_up_to_date():
    from pathlib import Path

    from smartvm.instructions.reference import reference_page

    page = Path(__file__).resolve().parents[2] / "docs" / "instructions.md"
    assert page.read_text(encoding="utf-8") == reference_page(), (
        "run: python -m smartvm.instructions.reference > docs/instructions.md"
    )
