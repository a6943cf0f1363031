"""An EVM in this process with the real Uniswap bytecode, and accounts that pay what a pool asks for."""

import json
from pathlib import Path
from typing import Any, Final

import pyrevm
from eth_hash.auto import keccak

CONTRACTS: Final = Path(__file__).parents[3] / "contracts" / "node_modules" / "@uniswap"
DEPLOYER: Final = "0x" + "d0" * 20
START_TIME: Final = 1_700_000_000

_OPCODES: Final = {
    "STOP": 0x00, "ADD": 0x01, "SUB": 0x03, "SLT": 0x12, "EQ": 0x14, "ISZERO": 0x15, "SHL": 0x1B,
    "ORIGIN": 0x32, "CALLER": 0x33, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37,
    "RETURNDATASIZE": 0x3D, "RETURNDATACOPY": 0x3E, "CODECOPY": 0x39, "POP": 0x50, "MSTORE": 0x52, "JUMPI": 0x57,
    "GAS": 0x5A, "JUMPDEST": 0x5B, "DUP1": 0x80, "DUP3": 0x82, "CALL": 0xF1, "RETURN": 0xF3, "REVERT": 0xFD,
}  # fmt: skip

# Called by a person: calls the contract in the first word with the rest. Called by a pool (mint, swap and flash
# callbacks look alike): pays both amounts, if positive. The callback's data is (token0, token1, extra0, extra1); the
# extra is added to the amount: for a flash the loan, to pay short a negative number.
_PAY: Final = """
    {extra} CALLDATALOAD {amount} CALLDATALOAD ADD DUP1 0 SLT ISZERO @skip{n} JUMPI
    0xa9059cbb 0xe0 SHL 0 MSTORE  CALLER 4 MSTORE  DUP1 36 MSTORE
    0 0 68 0 0 {token} CALLDATALOAD GAS CALL POP
    :skip{n} POP
"""
_PAYER: Final = f"""
    CALLER ORIGIN EQ @forward JUMPI
    {_PAY.format(n=0, amount=4, token=132, extra=196)}
    {_PAY.format(n=1, amount=36, token=164, extra=228)}
    STOP
    :forward 32 CALLDATASIZE SUB DUP1 32 0 CALLDATACOPY
    0 0 DUP3 0 0 0 CALLDATALOAD GAS CALL
    RETURNDATASIZE 0 0 RETURNDATACOPY @ok JUMPI
    RETURNDATASIZE 0 REVERT
    :ok RETURNDATASIZE 0 RETURN
"""


def assemble(program: str) -> bytes:
    """Bytecode of a program in mnemonics; numbers are pushed, `@name` pushes the place of `:name`."""
    code, places, holes = bytearray(), {}, []
    for word in program.split():
        if word.startswith(":"):
            places[word[1:]] = len(code)
            code.append(_OPCODES["JUMPDEST"])
        elif word.startswith("@"):
            holes.append((len(code) + 1, word[1:]))
            code += b"\x61\0\0"
        elif word in _OPCODES:
            code.append(_OPCODES[word])
        else:
            number = int(word, 0)
            size = max(1, (number.bit_length() + 7) // 8)
            code += bytes([0x5F + size]) + number.to_bytes(size, "big")
    for at, name in holes:
        code[at : at + 2] = places[name].to_bytes(2, "big")
    return bytes(code)


def words(*values: int | str) -> bytes:
    """Values as 32-byte words: integers in two's complement, addresses as text."""
    numbers = (int(value, 16) if isinstance(value, str) else value for value in values)
    return b"".join((number % (1 << 256)).to_bytes(32, "big") for number in numbers)


def selector(signature: str) -> bytes:
    """The first four bytes of the signature's hash."""
    return keccak(signature.encode())[:4]


def signed(word: int, bits: int = 256) -> int:
    """An unsigned word read as two's complement."""
    word %= 1 << bits
    return word - (1 << bits) if word >> (bits - 1) else word


class EvmRevertError(Exception):
    """A call was reverted; `reason` is the contract's, '' if it gave none."""

    def __init__(self, output: bytes) -> None:
        self.reason = ""
        if output[:4] == selector("Error(string)"):
            length = int.from_bytes(output[36:68], "big")
            self.reason = output[68 : 68 + length].decode()
        super().__init__(self.reason)


class Evm:
    """A chain of one account, with a clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.machine: Any = pyrevm.EVM(spec_id="LONDON")
        self.machine.set_balance(DEPLOYER, 10**30)
        self.at(START_TIME)

    def at(self, timestamp: int) -> None:
        """Set the time of the calls that follow."""
        self.machine.set_block_env(pyrevm.BlockEnv(number=1, timestamp=timestamp))

    def deploy(self, artifact: str, *arguments: int | str) -> str:
        """Deploy from an artifact's path below `CONTRACTS`; constructor arguments are static words."""
        bytecode = json.loads((CONTRACTS / artifact).read_text())["bytecode"]
        code = bytes.fromhex(
            (bytecode if isinstance(bytecode, str) else bytecode["object"]).removeprefix("0x")
        )
        return str(self.machine.deploy(DEPLOYER, code + words(*arguments)))

    def deploy_payer(self) -> str:
        """Deploy an account that calls on command and pays what pools ask for."""
        runtime = assemble(_PAYER)
        size = f"0x{len(runtime):04x}"
        init = assemble(f"{size} @end 0 CODECOPY {size} 0 RETURN :end")[:-1]
        return str(self.machine.deploy(DEPLOYER, init + runtime))

    def call(
        self, to: str, signature: str, *arguments: int | str | bytes, via: str | None = None
    ) -> list[int]:
        """Call a contract, directly or through a payer; returns the words of the answer."""
        payload = selector(signature) + b"".join(
            argument if isinstance(argument, bytes) else words(argument) for argument in arguments
        )
        if via is not None:
            to, payload = via, words(to) + payload
        try:
            answer = bytes(self.machine.message_call(DEPLOYER, to, payload))
        except RuntimeError as error:
            raise EvmRevertError(_output_of(error)) from None
        return [int.from_bytes(answer[at : at + 32], "big") for at in range(0, len(answer), 32)]


def _output_of(error: RuntimeError) -> bytes:
    text = str(error)
    if "InvalidFEOpcode" in text:  # an assertion of the old compilers: refused without a reason
        return b""
    if "output: 0x" not in text:
        raise error
    return bytes.fromhex(text.split("output: 0x")[1].split(maxsplit=1)[0].rstrip("}"))
