"""A thin ABI codec: what is called in every block is packed and cut by hand, the rest goes through eth_abi."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Final

from defai.domain.tokens import Address

WORD: Final = 32
_WRAP: Final = 1 << 256
_SIGN: Final = 1 << 255


def keccak(data: bytes) -> bytes:
    """keccak256."""
    from eth_hash.auto import keccak as hashed  # noqa: PLC0415  loads its backend

    return hashed(data)


@cache
def selector(signature: str) -> bytes:
    """The four bytes a function is called by, from e.g. `transfer(address,uint256)`."""
    return keccak(signature.encode())[:4]


@cache
def topic(signature: str) -> str:
    """The topic an event is found by, as 0x and 64 hex digits."""
    return "0x" + keccak(signature.encode()).hex()


@lru_cache(maxsize=65_536)
def checksum(address: str) -> Address:
    """An address with the upper and lower case of EIP-55.

    Raises:
        ValueError: where it isn't 0x and 40 hex digits.
    """
    digits = address[2:].lower()
    if not address.startswith("0x") or len(digits) != 40:
        raise ValueError(f"{address!r} is not an address")
    bytes.fromhex(digits)
    code = keccak(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(code[i], 16) >= 8 else c for i, c in enumerate(digits))


def word(value: int) -> bytes:
    """An integer as an ABI word; a negative one in two's complement."""
    return (value % _WRAP).to_bytes(WORD, "big")


def address_word(address: Address) -> bytes:
    """An address as an ABI word."""
    return bytes(12) + bytes.fromhex(address[2:])


def unsigned(data: bytes, index: int = 0) -> int:
    """The unsigned integer in the index-th word."""
    return int.from_bytes(data[index * WORD : index * WORD + WORD], "big")


def signed(data: bytes, index: int = 0) -> int:
    """The signed integer in the index-th word."""
    value = int.from_bytes(data[index * WORD : index * WORD + WORD], "big")
    return value - _WRAP if value >= _SIGN else value


def address_at(data: bytes, index: int = 0) -> Address:
    """The address in the index-th word."""
    return checksum("0x" + data[index * WORD + 12 : index * WORD + WORD].hex())


def unhex(text: str) -> bytes:
    """Bytes of 0x and hex digits."""
    return bytes.fromhex(text[2:])


def encode_call(signature: str, *arguments: object) -> bytes:
    """Call data of a function: `encode_call("transfer(address,uint256)", to, amount)`; tuples may be nested."""
    from eth_abi.abi import encode  # noqa: PLC0415  its grammar takes a while to load

    return selector(signature) + encode(argument_types(signature), list(arguments))


def encode_values(types: Sequence[str], values: Sequence[object]) -> bytes:
    """ABI encoding of values, as constructors take them."""
    from eth_abi.abi import encode  # noqa: PLC0415  its grammar takes a while to load

    return encode(list(types), list(values))


def decode_values(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """The reverse of `encode_values`; addresses come out in lower case.

    Raises:
        ValueError: where the data are too short, or not what the types say.
    """
    from eth_abi.abi import decode  # noqa: PLC0415  its grammar takes a while to load
    from eth_abi.exceptions import DecodingError  # noqa: PLC0415  the same

    try:
        return decode(list(types), data)
    except (DecodingError, OverflowError) as error:
        raise ValueError(str(error)) from error


@cache
def argument_types(signature: str) -> list[str]:
    """The types between the outer parentheses of a signature; what is within inner ones stays together."""
    inner = signature[signature.index("(") + 1 : -1]
    types: list[str] = []
    depth = start = 0
    for i, character in enumerate(inner):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            types.append(inner[start:i])
            start = i + 1
    return [*types, inner[start:]] if inner else []
