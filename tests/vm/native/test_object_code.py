"""Objects are loaded as LLVM's own engine loads them, or refused: never half, never writable and executable."""

from __future__ import annotations

import ctypes
import random
import struct
from pathlib import Path

import llvmlite.binding as llvm
import pytest
from smartvm.errors import SmartVMError
from smartvm.vm.native.elf import AARCH64, X86_64, ObjectCodeError, read_object
from smartvm.vm.native.jit import EngineCode, compile_to_object
from smartvm.vm.native.machine_code import NativeCode, load
from smartvm.vm.native.object_code import Layout, LoadedObject, can_load
from smartvm.vm.native.relocations import KINDS

loads_objects = pytest.mark.skipif(not can_load(), reason="objects are loaded by LLVM here")

MODULE = """
@bytes = internal global [3 x i8] c"\\05\\06\\07"
@vectors = internal global [2 x <2 x i64>] [<2 x i64> <i64 41, i64 42>, <2 x i64> <i64 43, i64 44>]
@table = constant [2 x ptr] [ptr @first, ptr @second]
@zeros = global [100 x i64] zeroinitializer
@shared = common global i64 0
@elsewhere = external global i64
declare i64 @far(i64)
declare double @fmod(double, double)
declare ptr @memmove(ptr, ptr, i64)
define internal i64 @first(i64 %x) noinline { %y = add i64 %x, 1000
 ret i64 %y }
define internal i64 @second(i64 %x) noinline section ".text.other" { %y = call i64 @far(i64 %x)
 ret i64 %y }
define i64 @run(i64 %i, i64 %count) {
 %bit = and i64 %i, 1
 %place = getelementptr [2 x ptr], ptr @table, i64 0, i64 %bit
 %function = load ptr, ptr %place
 %called = call i64 %function(i64 %i)
 %byte_place = getelementptr [3 x i8], ptr @bytes, i64 0, i64 %bit
 %byte = load i8, ptr %byte_place
 %wide = zext i8 %byte to i64
 %vector_place = getelementptr [2 x <2 x i64>], ptr @vectors, i64 0, i64 %bit
 %vector = load <2 x i64>, ptr %vector_place
 %lane = extractelement <2 x i64> %vector, i64 1
 %outside = load i64, ptr @elsewhere
 %float = sitofp i64 %called to double
 %rest = call double @fmod(double %float, double 7.0)
 %whole = fptosi double %rest to i64
 %target = getelementptr [100 x i64], ptr @zeros, i64 0, i64 10
 %moved = call ptr @memmove(ptr %target, ptr @elsewhere, i64 %count)
 %copy = load i64, ptr %target
 store i64 %copy, ptr @shared
 %again = load i64, ptr @shared
 %a = add i64 %called, %wide
 %b = mul i64 %a, %lane
 %c = add i64 %b, %outside
 %d = xor i64 %c, %whole
 %e = add i64 %d, %again
 switch i64 %i, label %out [ i64 0, label %l0
 i64 1, label %l1
 i64 2, label %l2
 i64 3, label %l3
 i64 4, label %l4 ]
l0: br label %out
l1: %r1 = call i64 @first(i64 %e)
 br label %out
l2: %r2 = mul i64 %e, 3
 br label %out
l3: %r3 = call i64 @far(i64 %e)
 br label %out
l4: %r4 = udiv i64 %e, 7
 br label %out
out: %r = phi i64 [%e, %0], [17, %l0], [%r1, %l1], [%r2, %l2], [%r3, %l3], [%r4, %l4]
 ret i64 %r
}
"""

FUNCTION = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)
FAR = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64)(lambda x: (3 * x) & 0xFFFFFFFF)
ELSEWHERE = ctypes.c_int64(123456)
SYMBOLS = {"far": ctypes.cast(FAR, ctypes.c_void_p).value or 0, "elsewhere": ctypes.addressof(ELSEWHERE)}


@pytest.fixture(scope="module")
def code() -> bytes:
    return compile_to_object(MODULE)


def results(loaded: NativeCode) -> list[int]:
    run = FUNCTION(loaded.address("run"))
    return [run(i, 8) for i in range(7)]


@loads_objects
def test_an_object_computes_what_it_computes_in_llvms_engine(code: bytes) -> None:
    assert results(LoadedObject(code, SYMBOLS)) == results(EngineCode(code, SYMBOLS))


@loads_objects
def test_a_name_that_an_object_lacks_is_a_key_error(code: bytes) -> None:
    with pytest.raises(KeyError):
        LoadedObject(code, SYMBOLS).address("walk")


@loads_objects
def test_an_object_that_needs_what_nobody_has_is_refused(code: bytes) -> None:
    with pytest.raises(ObjectCodeError, match="`far` is nowhere in this process"):
        LoadedObject(code, {"elsewhere": SYMBOLS["elsewhere"]})


def test_llvms_engine_is_not_given_what_needs_more_than_there_is() -> None:
    lacking = compile_to_object(
        "declare i64 @nowhere(i64)\ndefine i64 @run(i64 %x) { %y = call i64 @nowhere(i64 %x)\n ret i64 %y }"
    )
    with pytest.raises(SmartVMError, match="`nowhere`"):
        load(lacking)


@loads_objects
def test_no_page_is_writable_and_executable(code: bytes) -> None:
    loaded = LoadedObject(code, SYMBOLS)
    modes = {}
    for name in ("run", "table", "zeros"):
        address = loaded.address(name)
        for line in Path("/proc/self/maps").read_text().splitlines():
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if start <= address < end:
                modes[name] = line.split()[1]
    assert modes == {"run": "r-xp", "table": "r--p", "zeros": "rw-p"}


def place(code: bytes) -> None:
    """Everything that loading does but for executing."""
    layout = Layout(read_object(code))
    layout.write(memoryview(bytearray(layout.size)), 0x7F0000000000, lambda name: 0x7F0000100000)


def test_objects_cut_short_are_refused(code: bytes) -> None:
    place(code)
    for size in range(0, len(code) - 1, 7):
        with pytest.raises(ObjectCodeError):
            place(code[:size])


def test_damaged_objects_are_refused_or_loaded_within_their_memory(code: bytes) -> None:
    generator = random.Random(1)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(code)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(code))] = generator.choice((0, 1, 127, 255, generator.randrange(256)))
        try:
            place(bytes(damaged))
        except ObjectCodeError:
            refused += 1
    assert refused > 0


def test_what_is_not_an_object_is_refused() -> None:
    for content in (b"", b"\x7fELF", b"MZ" * 100, bytes(1000)):
        with pytest.raises(ObjectCodeError):
            read_object(content)


# -- the relocations of AArch64, whatever machine this is

#: number: (instruction without its field, address meant, place, instruction with it), by the architecture's manual
ARM_CASES = {
    257: (0, 0x123456789ABCDEF0, 0x1000, 0x123456789ABCDEF0),
    260: (0, 0x1000, 0x3000, 0xFFFFFFFFFFFFE000),
    261: (0, 0x1000, 0x3000, 0xFFFFE000),
    275: (0x90000000, 0x12346678, 0x1000, 0xB0091A20),  # adrp x0: 0x12345 pages on
    277: (0x91000000, 0x12345678, 0x1000, 0x9119E000),  # add x0, x0, #0x678
    278: (0x39400000, 0x12345679, 0x1000, 0x3959E400),  # ldrb w0, [x0, #0x679]
    282: (0x14000000, 0x2000, 0x1000, 0x14000400),  # b +0x1000
    283: (0x94000000, 0x1000, 0x2000, 0x97FFFC00),  # bl -0x1000
    284: (0x79400000, 0x12345678, 0x1000, 0x794CF000),  # ldrh w0, [x0, #0x678]
    285: (0xB9400000, 0x12345678, 0x1000, 0xB9467800),  # ldr w0, [x0, #0x678]
    286: (0xF9400000, 0x12345678, 0x1000, 0xF9433C00),  # ldr x0, [x0, #0x678]
    299: (0x3DC00000, 0x12345670, 0x1000, 0x3DC19C00),  # ldr q0, [x0, #0x670]
}


@pytest.mark.parametrize("number", ARM_CASES)
def test_arm_instructions_get_their_fields(number: int) -> None:
    old, target, place, new = ARM_CASES[number]
    assert KINDS[AARCH64][number].formula(old, target, place) == new


@pytest.mark.parametrize(
    ("number", "target"), [(275, 1 << 33), (283, 1 << 28), (282, 2), (286, 0x1004), (261, 1 << 32)]
)
def test_what_an_arm_instruction_cannot_hold_is_refused(number: int, target: int) -> None:
    with pytest.raises(ObjectCodeError):
        KINDS[AARCH64][number].formula(0, target, 0)


def test_a_distance_of_two_gibibytes_is_refused() -> None:
    relative = KINDS[X86_64][2].formula
    assert relative(0, (1 << 31) - 1, 0) == (1 << 31) - 1
    with pytest.raises(ObjectCodeError, match="32 bits"):
        relative(0, 1 << 31, 0)


@pytest.fixture(scope="module")
def arm_code() -> bytes:
    """``MODULE`` for AArch64."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    triple = "aarch64-unknown-linux-gnu"
    try:
        target = llvm.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip("this LLVM has no AArch64 target")
    machine = target.create_target_machine(opt=2, reloc="pic", codemodel="small")
    module = llvm.parse_assembly(f'target triple = "{triple}"\n{MODULE}')
    return bytes(machine.emit_object(module))


def test_llvms_arm_objects_have_relocations_that_are_known(arm_code: bytes) -> None:
    parsed = read_object(arm_code)
    assert parsed.machine == AARCH64
    for base in (0x10000000, 0x7FFFF0000000):
        layout = Layout(parsed)
        memory = bytearray(layout.size)
        exported = layout.write(memoryview(memory), base, lambda name: 0x555500001000)
        first, second = struct.unpack_from("<QQ", memory, exported["table"] - base)
        assert base <= first < base + layout.size
        assert base <= second < base + layout.size
        assert memory.count((0x555500001000).to_bytes(8, "little")) >= 2  # far: behind a stub; elsewhere: an entry
    assert {"run", "table", "zeros", "shared"} <= set(exported)


def test_arm_objects_compute_what_this_machine_computes(arm_code: bytes, code: bytes) -> None:
    unicorn = pytest.importorskip("unicorn", reason="needs an emulator of AArch64: the package unicorn")
    registers = pytest.importorskip("unicorn.arm64_const")
    layout = Layout(read_object(arm_code))
    for base, outside in ((0x10000000, 0x7F0000000000), (0x7FFF00000000, 0x7FFF00100000)):
        memory = bytearray(layout.size)
        addresses = {"far": outside, "fmod": outside + 0x100, "memmove": outside + 0x200, "elsewhere": outside + 0x300}
        exported = layout.write(memoryview(memory), base, lambda name: addresses[name])  # noqa: B023
        machine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        for start, content in ((base, bytes(memory)), (outside, bytes(0x1000)), (0x2000000, bytes(0x10000))):
            machine.mem_map(start, -(-len(content) // 0x1000) * 0x1000)
            machine.mem_write(start, content)
        # far: x0 = uint32(3·x0); fmod(x, 7), x exact and small: x - 7·trunc(x / 7); memmove of 8 bytes
        machine.mem_write(outside, struct.pack("<3I", 0x0B000401, 0x2A0103E0, 0xD65F03C0))
        machine.mem_write(outside + 0x100, struct.pack("<4I", 0x1E611802, 0x1E65C042, 0x1F418040, 0xD65F03C0))
        machine.mem_write(outside + 0x200, struct.pack("<3I", 0xF9400023, 0xF9000003, 0xD65F03C0))
        machine.mem_write(outside + 0x300, struct.pack("<q", 123456))
        found = []
        for i in range(7):
            machine.reg_write(registers.UC_ARM64_REG_SP, 0x2008000)
            machine.reg_write(registers.UC_ARM64_REG_X0, i)
            machine.reg_write(registers.UC_ARM64_REG_X1, 8)
            machine.reg_write(registers.UC_ARM64_REG_LR, outside + 0x800)
            machine.emu_start(exported["run"], outside + 0x800, 0, 10000)
            found.append(machine.reg_read(registers.UC_ARM64_REG_X0))
        assert found == results(EngineCode(code, SYMBOLS))
