"""Instructions that read accounts other than through storage: executed by Python, behind the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartvm.vm.frame import Frame

if TYPE_CHECKING:
    from smartvm.vm.machine import Machine

_ADDRESS_MASK = (1 << 160) - 1
_BLOCK_HASH_RANGE = 256


def address_of_word(word: int) -> bytes:
    """The address in a word's low 20 bytes."""
    return (word & _ADDRESS_MASK).to_bytes(20, "big")


def charge_account_access(machine: Machine, frame: Frame, name: str, address: bytes) -> None:
    """EIP-2929: what a first access costs beyond the constant gas (nothing before Berlin). From the second
    access on compiled code may know the account."""
    surcharge = machine.constant(name, "cold_surcharge")
    if not surcharge:
        return
    if machine.record.warm.add(address):
        frame.charge(surcharge)
    elif name != "EXTCODECOPY":
        machine.remember_account(address)


def balance(machine: Machine, frame: Frame) -> None:
    """BALANCE."""
    address = address_of_word(frame.pop(1)[0])
    charge_account_access(machine, frame, "BALANCE", address)
    frame.push(machine.state.balance(address))


def self_balance(machine: Machine, frame: Frame) -> None:
    """SELFBALANCE."""
    frame.push(machine.state.balance(frame.address))
    # only where reading it is free of EIP-2929's surcharge: the facts serve BALANCE too
    if frame.address in machine.record.warm:
        machine.remember_account(frame.address)


def external_code_size(machine: Machine, frame: Frame) -> None:
    """EXTCODESIZE: of the account's own code; a delegation (EIP-7702) is 23 bytes."""
    address = address_of_word(frame.pop(1)[0])
    charge_account_access(machine, frame, "EXTCODESIZE", address)
    frame.push(len(machine.state.code(address)))


def external_code_hash(machine: Machine, frame: Frame) -> None:
    """EXTCODEHASH: 0 for an account that does not exist or is empty (EIP-1052)."""
    address = address_of_word(frame.pop(1)[0])
    charge_account_access(machine, frame, "EXTCODEHASH", address)
    frame.push(machine.external_code_hash(address))


def external_code_copy(machine: Machine, frame: Frame) -> None:
    """EXTCODECOPY."""
    word, target, offset, size = frame.pop(4)
    frame.expand((target, size))
    frame.charge((size + 31) // 32 * machine.constant("EXTCODECOPY", "per_word"))
    address = address_of_word(word)
    charge_account_access(machine, frame, "EXTCODECOPY", address)
    frame.write_memory(target, machine.state.code(address)[offset : offset + size].ljust(size, b"\0"))


def block_hash(machine: Machine, frame: Frame) -> None:
    """BLOCKHASH: of one of the last 256 blocks, else 0."""
    number = frame.pop(1)[0]
    current = machine.block.number
    known = current - _BLOCK_HASH_RANGE <= number < current
    frame.push(int.from_bytes(machine.block.block_hash(number), "big") if known else 0)


ACCOUNT_INSTRUCTIONS = {
    "BALANCE": balance,
    "SELFBALANCE": self_balance,
    "EXTCODESIZE": external_code_size,
    "EXTCODEHASH": external_code_hash,
    "EXTCODECOPY": external_code_copy,
    "BLOCKHASH": block_hash,
}
