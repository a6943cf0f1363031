"""The stand-in of Ethereum mainnet: an empty chain with Uniswap's own bytecode at its mainnet addresses.

A contract's address follows from its deployer and the deployer's nonce (Yellow Paper, section 7), so deploying
from the same accounts at the same nonces gives the same addresses; nobody's key is needed, a local node
impersonates. The deployed state is cached in the user's cache directory: it holds contracts alone, pools are
created by `seeding`.
"""

import gzip
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from defai.chain import mainnet
from defai.chain.anvil import Anvil, AnvilOptions
from defai.chain.artifacts import artifact
from defai.chain.codec import encode_call, encode_values
from defai.chain.identity import STANDIN, STANDIN_DEPLOYER
from defai.chain.local import BLOCK_SECONDS, LocalChain
from defai.chain.rpc import Rpc
from defai.domain.tokens import Address
from defai.errors import DefaiError, DivergenceError, NotRunningError

STANDIN_CHAIN_ID: Final = 31337
"""Not mainnet's 1: what is signed here can never be replayed there."""
GENESIS_TIMESTAMP: Final = 1_438_269_973
"""Mainnet's genesis: before any price series a run may start from."""
GENESIS_BASE_FEE_WEI: Final = 1_000_000_000
DEPLOY_GAS: Final = 30_000_000

_UNISWAP_V3: Final[Address] = "0x6C9FC64A53c1b71FB3f9Af64d1ae3A4931A5f4E9"
_UNISWAP_V2: Final[Address] = "0x9C33eaCc2F50E39940D3AfaF2c7B8246B681A374"
_NATIVE_LABEL: Final = b"ETH".ljust(32, b"\0")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One contract: who deployed it on mainnet, with which nonce, and where it stands therefore."""

    artifact: str
    deployer: Address
    nonce: int
    address: Address
    arguments: tuple[tuple[str, object], ...] = ()
    libraries: tuple[tuple[str, Address], ...] = ()

    def creation_code(self) -> bytes:
        """What is sent to deploy it."""
        types = [kind for kind, _ in self.arguments]
        encoded = encode_values(types, [value for _, value in self.arguments]) if types else b""
        return artifact(self.artifact).creation_code(encoded, dict(self.libraries))


def _token(name: str, symbol: str, decimals: int) -> tuple[tuple[str, object], ...]:
    return (("string", name), ("string", symbol), ("uint8", decimals))


_WETH_ARGUMENT: Final = ("address", mainnet.WETH.address)
_V3_FACTORY_ARGUMENT: Final = ("address", mainnet.V3_FACTORY)
_V2_FACTORY_ARGUMENT: Final = ("address", mainnet.V2_FACTORY)
_MANAGER_ARGUMENT: Final = ("address", mainnet.POSITION_MANAGER)
_IDENTITY_ARGUMENT: Final = ("address", STANDIN.identity)

RECIPE: Final[tuple[Deployment, ...]] = (
    Deployment("WETH9", "0x4F26FfBe5F04ED43630fdC30A87638d53D0b0876", 446, mainnet.WETH.address),
    Deployment(
        "StandinToken",
        "0x95Ba4cF87D6723ad9C0Db21737D862bE80e93911",
        20,
        mainnet.USDC.address,
        _token("USD Coin", "USDC", 6),
    ),
    Deployment(
        "StandinToken",
        "0x36928500Bc1dCd7af6a2B4008875CC336b927D57",
        6,
        mainnet.USDT.address,
        _token("Tether USD", "USDT", 6),
    ),
    Deployment("StandinMulticall", "0x05f32B3cC3888453ff71B01135B34FF8e41263F2", 0, mainnet.MULTICALL3),
    Deployment("UniswapV3Factory", _UNISWAP_V3, 0, mainnet.V3_FACTORY),
    Deployment("TickLens", _UNISWAP_V3, 2, mainnet.TICK_LENS),
    Deployment("Quoter", _UNISWAP_V3, 3, mainnet.QUOTER, (_V3_FACTORY_ARGUMENT, _WETH_ARGUMENT)),
    Deployment("SwapRouter", _UNISWAP_V3, 4, mainnet.SWAP_ROUTER, (_V3_FACTORY_ARGUMENT, _WETH_ARGUMENT)),
    Deployment("NFTDescriptor", _UNISWAP_V3, 5, mainnet.NFT_DESCRIPTOR),
    Deployment(
        "NonfungibleTokenPositionDescriptor",
        _UNISWAP_V3,
        7,
        mainnet.POSITION_DESCRIPTOR,
        (_WETH_ARGUMENT, ("bytes32", _NATIVE_LABEL)),
        (("NFTDescriptor", mainnet.NFT_DESCRIPTOR),),
    ),
    Deployment(
        "NonfungiblePositionManager",
        _UNISWAP_V3,
        8,
        mainnet.POSITION_MANAGER,
        (_V3_FACTORY_ARGUMENT, _WETH_ARGUMENT, ("address", mainnet.POSITION_DESCRIPTOR)),
    ),
    Deployment("QuoterV2", _UNISWAP_V3, 13, mainnet.QUOTER_V2, (_V3_FACTORY_ARGUMENT, _WETH_ARGUMENT)),
    Deployment(
        "SwapRouter02",
        _UNISWAP_V3,
        14,
        mainnet.SWAP_ROUTER_02,
        (_V2_FACTORY_ARGUMENT, _V3_FACTORY_ARGUMENT, _MANAGER_ARGUMENT, _WETH_ARGUMENT),
    ),
    Deployment("UniswapV2Factory", _UNISWAP_V2, 0, mainnet.V2_FACTORY, (("address", _UNISWAP_V2),)),
    Deployment(
        "UniswapV2Router02", _UNISWAP_V2, 3, mainnet.V2_ROUTER, (_V2_FACTORY_ARGUMENT, _WETH_ARGUMENT)
    ),
    Deployment("AgentIdentity", STANDIN_DEPLOYER, 0, STANDIN.identity),
    Deployment("AgentReputation", STANDIN_DEPLOYER, 1, STANDIN.reputation or "", (_IDENTITY_ARGUMENT,)),
    Deployment("AgentValidation", STANDIN_DEPLOYER, 2, STANDIN.validation or "", (_IDENTITY_ARGUMENT,)),
)
"""Every contract, in the order of deployment. On mainnet the position descriptor stands behind a proxy.

The agents' registries are ours, at addresses that mainnet does not have."""


@asynccontextmanager
async def open_standin(
    *,
    port: int = 0,
    cache_directory: Path | None = None,
    automine: bool = False,
    block_time: float | None = None,
) -> AsyncIterator[LocalChain]:
    """A running stand-in, with contracts and without pools; it ends with the context.

    Args:
        port: TCP port on the loopback interface; 0 takes a free one.
        cache_directory: where the deployed state is kept; None for the user's cache directory.
        automine: mine a block upon each transaction instead of on demand.
        block_time: mine a block every so many seconds instead.

    Raises:
        NotFoundError: where anvil or Uniswap's artifacts are not installed.
        ConfigError: where the port is in use.
    """
    state = cached_state(cache_directory) or await build_state(cache_directory)
    options = AnvilOptions(
        port=port,
        chain_id=STANDIN_CHAIN_ID,
        timestamp=GENESIS_TIMESTAMP,
        load_state=state,
        automine=automine,
        block_time=block_time,
    )
    anvil = Anvil(options)
    try:
        await anvil.start()
    except NotRunningError:
        # The dump is what was written, but this anvil cannot read it: another version wrote it.
        state.unlink(missing_ok=True)
        anvil = Anvil(replace(options, load_state=await build_state(cache_directory)))
        await anvil.start()
    async with _connected(anvil) as chain:
        await _check_deployed(chain)
        yield chain


@asynccontextmanager
async def open_fork(
    url: str, *, block: int | None = None, port: int = 0, chain_id: int | None = None
) -> AsyncIterator[LocalChain]:
    """A local continuation of another chain; it ends with the context.

    Args:
        url: the node to fork; may hold a secret.
        block: the block to fork at; None for the newest.
        port: TCP port on the loopback interface; 0 takes a free one.
        chain_id: sign for this chain id instead of the forked chain's.

    Raises:
        DefaiError: where the node does not answer, is no node, or is not at that block yet.
    """
    anvil = Anvil(AnvilOptions(port=port, fork_url=url, fork_block=block, chain_id=chain_id))
    await anvil.start()
    async with _connected(anvil) as chain:
        yield chain


@asynccontextmanager
async def _connected(anvil: Anvil) -> AsyncIterator[LocalChain]:
    try:
        async with anvil.rpc() as rpc:
            chain_id = await rpc.number("eth_chainId")
            yield LocalChain(rpc, chain_id, anvil)
    finally:
        await anvil.stop()


async def _check_deployed(chain: LocalChain) -> None:
    there = await chain.code_exists([deployment.address for deployment in RECIPE])
    missing = [deployment.artifact for deployment, exists in zip(RECIPE, there, strict=True) if not exists]
    if missing:
        raise DivergenceError(
            f"The stand-in came up without {', '.join(missing)}.", "Delete its cache and start again."
        )


def default_cache_directory() -> Path:
    """Where the deployed state is kept between runs."""
    from platformdirs import user_cache_path  # noqa: PLC0415  only needed where no directory is given

    return user_cache_path("defai") / "standin"


def recipe_digest() -> str:
    """Digest of all the cached state depends on: this module, which is the recipe, and the artifacts' bytes.

    Raises:
        NotFoundError: where an artifact is missing.
    """
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in sorted({deployment.artifact for deployment in RECIPE}):
        digest.update(artifact(name).digest)
    return digest.hexdigest()


def cached_state(cache_directory: Path | None = None) -> Path | None:
    """The cached dump, if it is there and is what was written; a damaged one is deleted.

    The file's name holds the recipe's digest and the content's.
    """
    directory = cache_directory or default_cache_directory()
    for path in directory.glob(f"{recipe_digest()[:24]}-*.json"):
        if path.stem.partition("-")[2] == hashlib.sha256(path.read_bytes()).hexdigest()[:24]:
            return path
        path.unlink(missing_ok=True)
    return None


async def build_state(cache_directory: Path | None = None) -> Path:
    """Deploy everything on an empty chain and keep the state.

    Returns:
        The dump's path.
    """
    anvil = Anvil(AnvilOptions(chain_id=STANDIN_CHAIN_ID, timestamp=GENESIS_TIMESTAMP))
    await anvil.start()
    async with _connected(anvil) as chain:
        await deploy_recipe(chain)
        dump = gzip.decompress(bytes.fromhex((await chain.rpc.call("anvil_dumpState"))[2:]))
    return _write_state(cache_directory or default_cache_directory(), dump)


def _write_state(directory: Path, dump: bytes) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{recipe_digest()[:24]}-{hashlib.sha256(dump).hexdigest()[:24]}.json"
    with tempfile.NamedTemporaryFile(dir=directory, delete=False) as temporary:
        temporary.write(dump)
    Path(temporary.name).replace(path)  # a reader sees the whole file or none
    return path


async def deploy_recipe(chain: LocalChain) -> None:
    """Deploy every contract of the recipe, one a block, so that the same chain comes out each time."""
    deployers = sorted({deployment.deployer for deployment in RECIPE})
    await chain.rpc.batch([("anvil_impersonateAccount", (deployer,)) for deployer in deployers])
    await chain.rpc.batch([("anvil_setBalance", (deployer, hex(10**20))) for deployer in deployers])
    timestamp = GENESIS_TIMESTAMP
    for deployment in RECIPE:
        timestamp += BLOCK_SECONDS
        await _deploy(chain.rpc, deployment, timestamp)
    one_pip_tier = encode_call("enableFeeAmount(uint24,int24)", 100, 1)
    await _transact(
        chain.rpc,
        {"from": _UNISWAP_V3, "to": mainnet.V3_FACTORY, "data": "0x" + one_pip_tier.hex(), "nonce": hex(15)},
        timestamp + BLOCK_SECONDS,
    )
    await chain.rpc.batch([("anvil_setBalance", (deployer, "0x0")) for deployer in deployers])
    await chain.rpc.batch([("anvil_stopImpersonatingAccount", (deployer,)) for deployer in deployers])
    await chain.mine(timestamp=timestamp + 2 * BLOCK_SECONDS, base_fee_wei=GENESIS_BASE_FEE_WEI)


async def _deploy(rpc: Rpc, deployment: Deployment, timestamp: int) -> None:
    await rpc.call("anvil_setNonce", deployment.deployer, hex(deployment.nonce))
    code = deployment.creation_code()
    receipt = await _transact(
        rpc,
        {"from": deployment.deployer, "data": "0x" + code.hex(), "nonce": hex(deployment.nonce)},
        timestamp,
    )
    got = receipt["contractAddress"]
    if got is None or got.lower() != deployment.address.lower():
        raise DivergenceError(f"{deployment.artifact} was deployed at {got} instead of {deployment.address}.")


async def _transact(rpc: Rpc, transaction: dict[str, str], timestamp: int) -> Mapping[str, str]:
    fees = {
        "gas": hex(DEPLOY_GAS),
        "maxFeePerGas": hex(2 * GENESIS_BASE_FEE_WEI),
        "maxPriorityFeePerGas": "0x1",
    }
    await rpc.call("anvil_setNextBlockBaseFeePerGas", hex(GENESIS_BASE_FEE_WEI))
    digest = await rpc.call("eth_sendTransaction", transaction | fees)
    await rpc.call("evm_mine", timestamp)
    receipt: Mapping[str, str] = await rpc.call("eth_getTransactionReceipt", digest)
    if receipt is None or receipt["status"] != "0x1":
        raise DefaiError(f"A deployment of the stand-in failed in transaction {digest}.", json.dumps(receipt))
    return receipt
