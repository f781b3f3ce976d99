"""Calls, creations and self-destruction: executed by Python, behind the door. A new frame is returned, not
entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.vm.account_instructions import address_of_word
from smartvm.vm.entering import enter, enter_creation
from smartvm.vm.forks import Fork
from smartvm.vm.frame import Frame
from smartvm.vm.halts import ExceptionalHalt, OutOfGas
from smartvm.vm.keccak import keccak256
from smartvm.vm.messages import HaltKind
from smartvm.vm.native.layout import CALL_DEPTH_LIMIT
from smartvm.vm.outcome import Outcome

if TYPE_CHECKING:
    from smartvm.vm.machine import Machine

MAX_CODE_SIZE = 24_576  # EIP-170
MAX_INITCODE_SIZE = 49_152  # EIP-3860
MAX_NONCE = (1 << 64) - 1  # EIP-2681


def _gas_passed_on(frame: Frame, kept_fraction: int, requested: int) -> int:
    """Take and give the gas of a call: what was asked for, or since EIP-150 at most all but 1 /
    ``kept_fraction``."""
    if kept_fraction:
        requested = min(requested, frame.gas - frame.gas // kept_fraction)
    frame.charge(requested)
    return requested


def _refuse(frame: Frame, gas: int) -> None:
    """A call that fails before it starts: 0, no output, its gas back."""
    frame.gas += gas
    frame.set_return_data(b"")
    frame.push(0)


def _call(machine: Machine, frame: Frame, name: str) -> Frame | None:
    has_value = name in ("CALL", "CALLCODE")
    operands = frame.pop(7 if has_value else 6)
    if not has_value:
        operands.insert(2, 0)
    requested, to, value, in_offset, in_size, out_offset, out_size = operands
    if name == "CALL" and value and frame.is_static:
        raise ExceptionalHalt(HaltKind.STATIC_VIOLATION)
    to_address = address_of_word(to)
    rule = machine.constants(name)
    frame.expand((in_offset, in_size), (out_offset, out_size))
    if machine.record.warm.add(to_address):
        frame.charge(rule["cold_surcharge"])
    delegate = machine.delegation(to_address)
    code_address = to_address
    if delegate is not None:
        is_cold = machine.record.warm.add(delegate)
        frame.charge(machine.plan.rule(name).base + (rule["cold_surcharge"] if is_cold else 0))
        code_address = delegate
    state = machine.state
    price = 0
    if value:
        price += rule["value_transfer"]
    if name == "CALL" and rule["new_account"]:
        if machine.fork >= Fork.SPURIOUS_DRAGON:
            is_new = value != 0 and state.is_empty(to_address)
        else:
            is_new = not state.exists(to_address)
        if is_new:
            price += rule["new_account"]
    frame.charge(price)
    gas = _gas_passed_on(frame, rule["kept_fraction"], requested)
    if value:
        gas += rule["stipend"]
    if frame.depth >= CALL_DEPTH_LIMIT or (has_value and state.balance(frame.address) < value):
        _refuse(frame, gas)
        return None
    caller, target = frame.address, to_address
    transferred = value
    if name in ("CALLCODE", "DELEGATECALL"):
        target = frame.address
    if name == "DELEGATECALL":
        caller, value, transferred = frame.caller, frame.value, 0
    child = enter(
        machine,
        kind=name,
        depth=frame.depth + 1,
        caller=caller,
        target=target,
        code_address=code_address,
        code=state.code(code_address),
        value=value,
        transferred=transferred,
        data=frame.read_memory(in_offset, in_size),
        gas=gas,
        is_static=frame.is_static or name == "STATICCALL",
        memory_start=frame.memory_start + frame.memory_size,
        may_be_precompiled=delegate is None,
        caller_gas=frame.gas,
    )
    if isinstance(child, Frame):
        child.output_area = (out_offset, out_size)
        return child
    resume_after_call(frame, (out_offset, out_size), child)
    return None


def resume_after_call(frame: Frame, output_area: tuple[int, int], outcome: Outcome) -> None:
    """What a call leaves with its caller."""
    offset, size = output_area
    frame.gas += outcome.gas_left
    frame.set_return_data(outcome.output)
    frame.write_memory(offset, outcome.output[:size])
    frame.push(int(outcome.success))


def call(machine: Machine, frame: Frame) -> Frame | None:
    """CALL."""
    return _call(machine, frame, "CALL")


def call_code(machine: Machine, frame: Frame) -> Frame | None:
    """CALLCODE."""
    return _call(machine, frame, "CALLCODE")


def delegate_call(machine: Machine, frame: Frame) -> Frame | None:
    """DELEGATECALL."""
    return _call(machine, frame, "DELEGATECALL")


def static_call(machine: Machine, frame: Frame) -> Frame | None:
    """STATICCALL."""
    return _call(machine, frame, "STATICCALL")


def created_address(creator: bytes, nonce: int) -> bytes:
    """keccak256(rlp([creator, nonce])), the last 20 bytes."""
    if nonce == 0:
        encoded = b"\x80"
    elif nonce < 0x80:
        encoded = bytes([nonce])
    else:
        number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
        encoded = bytes([0x80 + len(number)]) + number
    body = b"\x94" + creator + encoded
    return keccak256(bytes([0xC0 + len(body)]) + body)[12:]


def created_address_with_salt(creator: bytes, salt: int, init_code: bytes) -> bytes:
    """EIP-1014."""
    return keccak256(b"\xff" + creator + salt.to_bytes(32, "big") + keccak256(init_code))[12:]


def _create(machine: Machine, frame: Frame, name: str) -> Frame | None:
    if frame.is_static:
        raise ExceptionalHalt(HaltKind.STATIC_VIOLATION)
    value, offset, size, *salt = frame.pop(4 if name == "CREATE2" else 3)
    rule = machine.constants(name)
    frame.expand((offset, size))
    words = (size + 31) // 32
    frame.charge(words * (rule["per_initcode_word"] + rule["per_hashed_word"]))
    if machine.fork >= Fork.SHANGHAI and size > MAX_INITCODE_SIZE:
        raise OutOfGas(f"init code of {size} bytes, at most {MAX_INITCODE_SIZE} are allowed")
    gas = _gas_passed_on(frame, rule["kept_fraction"], frame.gas)
    frame.set_return_data(b"")
    state = machine.state
    nonce = state.nonce(frame.address)
    if state.balance(frame.address) < value or nonce >= MAX_NONCE or frame.depth >= CALL_DEPTH_LIMIT:
        _refuse(frame, gas)
        return None
    init_code = frame.read_memory(offset, size)
    if salt:
        address = created_address_with_salt(frame.address, salt[0], init_code)
    else:
        address = created_address(frame.address, nonce)
    machine.record.warm.add(address)
    state.set_nonce(frame.address, nonce + 1)
    child = enter_creation(
        machine,
        kind=name,
        depth=frame.depth + 1,
        caller=frame.address,
        address=address,
        init_code=init_code,
        value=value,
        gas=gas,
        memory_start=frame.memory_start + frame.memory_size,
        caller_gas=frame.gas,
    )
    if isinstance(child, Frame):
        return child
    resume_after_create(frame, None, child)
    return None


def resume_after_create(frame: Frame, address: bytes | None, outcome: Outcome) -> None:
    """What a creation leaves with its creator: output only of a revert."""
    frame.gas += outcome.gas_left
    frame.set_return_data(outcome.output if outcome.reverted else b"")
    frame.push(int.from_bytes(address, "big") if address is not None and outcome.success else 0)


def create(machine: Machine, frame: Frame) -> Frame | None:
    """CREATE."""
    return _create(machine, frame, "CREATE")


def create2(machine: Machine, frame: Frame) -> Frame | None:
    """CREATE2."""
    return _create(machine, frame, "CREATE2")


def self_destruct(machine: Machine, frame: Frame) -> Outcome:
    """SELFDESTRUCT. Since Cancun (EIP-6780) it deletes only what this transaction created."""
    if frame.is_static:
        raise ExceptionalHalt(HaltKind.STATIC_VIOLATION)
    beneficiary = address_of_word(frame.pop(1)[0])
    rule = machine.constants("SELFDESTRUCT")
    state, record, owner = machine.state, machine.record, frame.address
    if record.warm.add(beneficiary):
        frame.charge(rule["cold_surcharge"])
    amount = state.balance(owner)
    if machine.fork >= Fork.SPURIOUS_DRAGON:
        is_new = amount != 0 and state.is_empty(beneficiary)
    else:
        is_new = not state.exists(beneficiary)
    if is_new:
        frame.charge(rule["new_account"])
    deletes = machine.fork < Fork.CANCUN or owner in record.created
    if beneficiary != owner:
        if amount:
            state.set_balance(owner, 0)
            state.set_balance(beneficiary, state.balance(beneficiary) + amount)
    elif deletes:
        state.set_balance(owner, 0)
    machine.touch(beneficiary)
    machine.touch(owner)
    if deletes and record.destroyed.add(owner):
        machine.add_refund(rule["refund"])
    return Outcome(True, b"", frame.gas)


CALL_INSTRUCTIONS = {
    "CALL": call,
    "CALLCODE": call_code,
    "DELEGATECALL": delegate_call,
    "STATICCALL": static_call,
    "CREATE": create,
    "CREATE2": create2,
    "SELFDESTRUCT": self_destruct,
}
