"""What a contract reverted with, in words."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from defai.chain.codec import decode_values, selector

_ERROR: Final = bytes.fromhex("08c379a0")
"""Error(string): what `require` and `revert` with a text give."""
_PANIC: Final = bytes.fromhex("4e487b71")
"""Panic(uint256): what the compiler's own checks give."""
_PANICS: Final[Mapping[int, str]] = {
    0x01: "an assertion failed",
    0x11: "an arithmetic overflow",
    0x12: "a division by zero",
    0x21: "a number outside its enum",
    0x31: "a pop from an empty array",
    0x32: "an index outside its array",
    0x41: "out of memory",
}
_UNISWAP: Final[Mapping[str, str]] = {
    "AI": "the pool is initialised already",
    "AS": "the swap's amount is zero",
    "IIA": "the pool was paid too little",
    "LOK": "the pool is locked",
    "SPL": "the price limit is on the wrong side",
    "STF": "a token transfer from the payer failed: balance or allowance too low",
    "TLM": "the lower tick is too low",
    "TUM": "the upper tick is too high",
    "TLU": "the lower tick is not below the upper",
    "Too little received": "the swap gives less than the minimum",
    "Price slippage check": "the amounts are below their minimum",
    "Transaction too old": "the deadline has passed",
    "Not approved": "the caller may not act for this position",
    "Invalid token ID": "there is no such position",
    "Not cleared": "the position is not empty",
}
"""What Uniswap's short texts mean (v3-core and v3-periphery)."""


def decode_revert(data: bytes) -> str:
    """The reason in a revert's data, in words: a text, a panic, one of our contracts' errors, or its bytes."""
    if not data:
        return "it reverted without a reason"
    head, body = data[:4], data[4:]
    try:
        if head == _ERROR:
            text = str(decode_values(("string",), body)[0])
            return f"{_UNISWAP[text]} ({text})" if text in _UNISWAP else text
        if head == _PANIC:
            code = int(decode_values(("uint256",), body)[0])
            return f"{_PANICS.get(code, 'a panic')} (panic 0x{code:02x})"
        known = _our_errors().get(head)
        if known is not None:
            name, fields = known
            values = decode_values([kind for _, kind in fields], body)
            return _error_text(name, fields, values)
    except ValueError as error:
        return f"0x{data.hex()} (its reason cannot be decoded: {error})"
    return f"0x{data.hex()}"


def _error_text(name: str, fields: tuple[tuple[str, str], ...], values: tuple[Any, ...]) -> str:
    shown = []
    for (label, kind), value in zip(fields, values, strict=True):
        if kind == "bytes" and len(value) >= 4:
            shown.append(f"{label}: {decode_revert(value)}")  # an error that wraps another one
        else:
            shown.append(f"{label}={'0x' + value.hex() if isinstance(value, bytes) else value}")
    return f"{name}({', '.join(shown)})"


@cache
def _our_errors() -> Mapping[bytes, tuple[str, tuple[tuple[str, str], ...]]]:
    from defai.chain.artifacts import OURS, artifact  # noqa: PLC0415  files are read only once something reverts

    errors: dict[bytes, tuple[str, tuple[tuple[str, str], ...]]] = {}
    for path in sorted(OURS.glob("*.json")):
        for entry in artifact(path.stem).abi:
            if entry["type"] == "error":
                fields = tuple((field["name"], canonical_type(field)) for field in entry["inputs"])
                signature = f"{entry['name']}({','.join(kind for _, kind in fields)})"
                errors[selector(signature)] = (entry["name"], fields)
    return errors


def canonical_type(parameter: Mapping[str, Any]) -> str:
    """A parameter of a JSON ABI as signatures write it: tuples in parentheses."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return (
        f"({','.join(canonical_type(part) for part in parameter['components'])}){kind.removeprefix('tuple')}"
    )
