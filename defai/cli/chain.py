"""`defai chain start`: the stand-in alone, for a wallet, a script or another terminal."""

import asyncio
import signal
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from defai.cli.group import Group
from defai.cli.output import print_json

if TYPE_CHECKING:
    from defai.chain.local import LocalChain

ACCOUNTS = 3
ETHER = 10_000
TOKENS = {"USDC": 1_000_000, "USDT": 1_000_000, "WETH": 500}
"""What each account is given, in whole tokens."""
POOLS_AGE_S = 3_600
"""How long ago the pools opened: vaults ask for the average price of the last minutes, which no new pool knows."""


@click.group("chain", cls=Group)
def command() -> None:
    """Run the stand-in chain alone."""


@command.command("start")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8545, show_default=True, help="0 takes a free one."
)
@click.option(
    "--seed-price",
    type=click.FloatRange(0, min_open=True),
    default=2_000.0,
    show_default=True,
    help="USDC per WETH when the pools and the pair open.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Which throwaway accounts.")
@click.option(
    "--block-time",
    type=click.IntRange(1),
    help="Seconds between blocks.  [default: a block per transaction]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, then keep running.")
def start(*, port: int, seed_price: float, seed: int, block_time: int | None, as_json: bool) -> None:
    """Run the stand-in until ctrl-c: Uniswap's own contracts at their mainnet addresses, pools and a pair."""
    asyncio.run(_run(port, Decimal(str(seed_price)), seed, block_time, as_json=as_json))


async def _run(port: int, seed_price: Decimal, seed: int, block_time: int | None, *, as_json: bool) -> None:
    from defai.chain.standin import open_standin  # noqa: PLC0415  aiohttp takes a while; --help shouldn't

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_standin(port=port) as chain:
        description = await _furnish(chain, seed_price, seed)
        if block_time is None:
            await chain.rpc.call("evm_setAutomine", True)
        else:
            await chain.rpc.call("anvil_setIntervalMining", block_time)
        if as_json:
            print_json(description)
        else:
            _print(description)
        stopped = asyncio.create_task(stop.wait())
        ended = asyncio.create_task(chain.anvil.ended())
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if ended.done():
            raise ended.result()
        ended.cancel()
    if not as_json:
        click.echo("Stopped.")


async def _furnish(chain: "LocalChain", seed_price: Decimal, seed: int) -> dict[str, object]:
    """Open the pools, fund the accounts, and describe it all."""
    from defai.chain import mainnet  # noqa: PLC0415  --help shouldn't wait for it
    from defai.chain.keys import Signer, throwaway_key, throwaway_secret  # noqa: PLC0415  the same
    from defai.chain.seeding import seed_pools, sqrt_price_x96  # noqa: PLC0415  the same

    prices_x96 = {key: sqrt_price_x96(key, seed_price, of=mainnet.WETH) for key in mainnet.ALL_POOLS}
    provider, now = throwaway_key(seed, "liquidity-provider"), int(time.time())
    await seed_pools(chain, provider, prices_x96=prices_x96, timestamp=now - POOLS_AGE_S)
    await chain.mine(timestamp=now)
    accounts = []
    for i in range(ACCOUNTS):
        secret = throwaway_secret(seed, f"account-{i}")
        address = Signer(secret).address
        await chain.fund_ether(address, ETHER * 10**18)
        for token in mainnet.TOKENS:
            await chain.fund(address, token, TOKENS[token.symbol] * 10**token.decimals)
        accounts.append({"address": address, "private_key": "0x" + secret.hex()})
    return {
        "url": chain.url,
        "chain_id": chain.chain_id,
        "pools": [{"name": key.name, "address": key.address} for key in mainnet.ALL_POOLS],
        "tokens": [{"symbol": token.symbol, "address": token.address} for token in mainnet.TOKENS],
        "accounts": accounts,
    }


def _print(description: dict[str, object]) -> None:
    click.echo(
        f"The stand-in runs at {description['url']}, chain id {description['chain_id']}. Ctrl-c ends it.\n"
    )
    for title, columns in (("pools", ("name", "address")), ("tokens", ("symbol", "address"))):
        click.echo(title)
        for row in description[title]:  # type: ignore[attr-defined]  # JSON-like: a list under this key
            click.echo(f"  {row[columns[0]]:<18} {row[columns[1]]}")
    funds = ", ".join(f"{amount:,} {symbol}" for symbol, amount in {"ETH": ETHER, **TOKENS}.items())
    click.echo(f"\nthrowaway accounts, each with {funds}; never use them on a public network")
    for row in description["accounts"]:  # type: ignore[attr-defined]  # JSON-like: a list under this key
        click.echo(f"  {row['address']}  key {row['private_key']}")
