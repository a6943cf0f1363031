"""Compiled contracts: ours are package data, Uniswap's come from npm at set-up."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from defai.chain.anvil import NODE_MODULES
from defai.domain.tokens import Address
from defai.errors import NotFoundError

OURS: Final = Path(__file__).parent / "abi"

_V3_CORE: Final = "@uniswap/v3-core/artifacts/contracts"
_V3_PERIPHERY: Final = "@uniswap/v3-periphery/artifacts/contracts"
_ROUTERS: Final = "@uniswap/swap-router-contracts/artifacts/contracts"
UNISWAP: Final[Mapping[str, str]] = {
    "UniswapV3Factory": f"{_V3_CORE}/UniswapV3Factory.sol/UniswapV3Factory.json",
    "UniswapV3Pool": f"{_V3_CORE}/UniswapV3Pool.sol/UniswapV3Pool.json",
    "TickLens": f"{_V3_PERIPHERY}/lens/TickLens.sol/TickLens.json",
    "Quoter": f"{_V3_PERIPHERY}/lens/Quoter.sol/Quoter.json",
    "SwapRouter": f"{_V3_PERIPHERY}/SwapRouter.sol/SwapRouter.json",
    "NFTDescriptor": f"{_V3_PERIPHERY}/libraries/NFTDescriptor.sol/NFTDescriptor.json",
    "NonfungibleTokenPositionDescriptor": (
        f"{_V3_PERIPHERY}/NonfungibleTokenPositionDescriptor.sol/NonfungibleTokenPositionDescriptor.json"
    ),
    "NonfungiblePositionManager": (
        f"{_V3_PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json"
    ),
    "QuoterV2": f"{_ROUTERS}/lens/QuoterV2.sol/QuoterV2.json",
    "SwapRouter02": f"{_ROUTERS}/SwapRouter02.sol/SwapRouter02.json",
    "UniswapV2Factory": "@uniswap/v2-core/build/UniswapV2Factory.json",
    "UniswapV2Router02": "@uniswap/v2-periphery/build/UniswapV2Router02.json",
    "WETH9": "@uniswap/v2-periphery/build/WETH9.json",
}
"""Uniswap's artifacts by contract, relative to node_modules."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract.

    Attributes:
        abi: the JSON ABI.
        bytecode: creation code as hex digits without 0x, with holes where libraries' addresses go.
        runtime: the code it has once it is deployed, likewise; empty where the artifact does not tell.
        links: byte offsets of the creation code's holes by the library's name.
        digest: sha256 of the file it was read from.
    """

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: str
    runtime: str
    links: Mapping[str, tuple[int, ...]]
    digest: bytes

    def creation_code(self, arguments: bytes = b"", libraries: Mapping[str, Address] | None = None) -> bytes:
        """What is sent to deploy it.

        Args:
            arguments: the constructor's arguments, ABI-encoded.
            libraries: addresses of the libraries it links, by name.
        """
        code = self.bytecode
        for library, offsets in self.links.items():
            digits = (libraries or {})[library][2:]
            for offset in offsets:
                code = code[: offset * 2] + digits + code[offset * 2 + 40 :]
        return bytes.fromhex(code) + arguments

    def runtime_code(self) -> bytes:
        """The code of a contract that links no library and has no immutables, as it stands once deployed."""
        return bytes.fromhex(self.runtime)


def artifact_path(name: str) -> Path:
    """The file an artifact is read from."""
    return NODE_MODULES / UNISWAP[name] if name in UNISWAP else OURS / f"{name}.json"


@cache
def artifact(name: str) -> Artifact:
    """A compiled contract by its name.

    Raises:
        NotFoundError: where its file is missing: npm's packages, or our own package data.
    """
    path = artifact_path(name)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        hint = "Run `make setup` in the checkout (it needs npm)." if name in UNISWAP else "Reinstall defai."
        raise NotFoundError(f"The compiled contract {name} is missing.", hint) from error
    document = json.loads(content)
    links = {
        library: tuple(place["start"] for place in places)
        for libraries in document.get("linkReferences", {}).values()
        for library, places in libraries.items()
    }
    return Artifact(
        name,
        tuple(document["abi"]),
        document["bytecode"].removeprefix("0x"),
        document.get("deployedBytecode", "0x").removeprefix("0x"),
        links,
        hashlib.sha256(content).digest(),
    )
