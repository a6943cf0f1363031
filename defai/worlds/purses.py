"""Who pays: play money out of thin air on a development chain, the operator's own on a live one."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from defai.chain.codec import address_word, selector, unsigned
from defai.chain.contracts import transfer
from defai.chain.local import DevelopmentChain
from defai.chain.mainnet import TOKENS
from defai.chain.multicall import multicall
from defai.chain.rpc import Rpc
from defai.chain.tx import Step, Wallet, carry_out
from defai.domain.operations import Call
from defai.domain.tokens import Address, Token
from defai.errors import ConfigError, NotFoundError
from defai.units import WEI

Amounts = Mapping[Address, int]
"""By token, in smallest units."""

_TRANSFER_GAS: Final = 120_000
_ETHER_GAS: Final = 21_000


class Purse(Protocol):
    """Fills accounts and vaults."""

    async def pay_gas(self, accounts: Sequence[Address]) -> None:
        """See to it that each account can pay for its transactions."""

    async def fill(self, vaults: Mapping[str, tuple[Address, Amounts]]) -> dict[str, dict[Address, int]]:
        """See to it that vaults hold what they ask for. Asked again after a crash, it adds what is missing.

        Args:
            vaults: by agent, each vault and what it is to hold.

        Returns:
            By agent, what its vault holds.
        """


class PlayMoney:
    """Money of a node that lets us make it."""

    def __init__(self, chain: DevelopmentChain) -> None:
        self._chain = chain

    async def pay_gas(self, accounts: Sequence[Address]) -> None:
        """A hundred ether each."""
        for account in accounts:
            await self._chain.fund_ether(account)

    async def fill(self, vaults: Mapping[str, tuple[Address, Amounts]]) -> dict[str, dict[Address, int]]:
        """Exactly what is asked for."""
        tokens = {token.address: token for token in TOKENS}
        for vault, wanted in vaults.values():
            for token, amount in wanted.items():
                await self._chain.fund(vault, tokens[token], amount)
        return {name: dict(wanted) for name, (_, wanted) in vaults.items()}


class OwnMoney:
    """The operator's money. Where the vaults are somebody else's, he fills them himself.

    Args:
        rpc: the node.
        operator: pays for gas, and fills the vaults that are its own.
        owner: whose the vaults are.
        gas_wei: what each agent's account is given when it has less than half of it.
        fees: for a unit of gas.
    """

    def __init__(
        self, rpc: Rpc, operator: Wallet, owner: Address, gas_wei: int, fees: Mapping[str, int]
    ) -> None:
        self._rpc = rpc
        self._operator = operator
        self._owner = owner
        self._gas_wei = gas_wei
        self._fees = fees

    async def pay_gas(self, accounts: Sequence[Address]) -> None:
        """From the operator's account, to those that run low.

        Raises:
            ConfigError: where it does not have as much.
        """
        others = [account for account in accounts if account != self._operator.address]
        answers = await self._rpc.batch(
            [("eth_getBalance", (account, "latest")) for account in (self._operator.address, *others)]
        )
        own, *held = [int(answer, 16) for answer in answers]
        poor = [account for account, wei in zip(others, held, strict=True) if wei < self._gas_wei // 2]
        needed = (len(poor) + 1) * self._gas_wei
        if own < needed:
            raise ConfigError(
                f"The account {self._operator.address} has {_ether(own)} ETH; {_ether(needed)} ETH are needed for gas.",
                "Send it ether, or give agents less with network.gas_eth.",
            )
        steps = [Step(account, b"", _ETHER_GAS, "pay an agent's gas", self._gas_wei) for account in poor]
        await self._carry_out(steps)

    async def fill(self, vaults: Mapping[str, tuple[Address, Amounts]]) -> dict[str, dict[Address, int]]:
        """What is missing, from the operator's account; of vaults that are not its own, see that they are not empty.

        Raises:
            ConfigError: where the operator does not have as much.
            NotFoundError: where a vault is empty that somebody else has to fill.
        """
        held = {name: await self._held(vault) for name, (vault, _) in vaults.items()}
        if self._owner != self._operator.address:
            empty = [name for name in vaults if not any(held[name].values())]
            if empty:
                lines = [f"{name}: {_text(vaults[name][1])} to {vaults[name][0]}" for name in empty]
                raise NotFoundError(
                    f"The vaults of {', '.join(empty)} are empty: their owner has to fill them.",
                    "\n".join([*lines, "Then start again with the same --run-dir."]),
                )
            return held
        missing = {
            name: {token: amount - held[name].get(token, 0) for token, amount in wanted.items()}
            for name, (_, wanted) in vaults.items()
        }
        await self._check_own(list(missing.values()))
        tokens = {token.address: token for token in TOKENS}
        steps = [
            _transfer(tokens[token], vaults[name][0], amount, name)
            for name, amounts in missing.items()
            for token, amount in amounts.items()
            if amount > 0
        ]
        await self._carry_out(steps)
        return {name: await self._held(vault) for name, (vault, _) in vaults.items()}

    async def _carry_out(self, steps: Sequence[Step]) -> None:
        if steps:
            await self._operator.resync(self._rpc)
            max_fee, tip = self._fees["max_fee_wei"], self._fees["priority_fee_wei"]
            await carry_out(self._rpc, self._operator, steps, max_fee_wei=max_fee, priority_fee_wei=tip)

    async def _check_own(self, missing: Sequence[Amounts]) -> None:
        own = await self._held(self._operator.address)
        for token in TOKENS:
            needed = sum(max(0, amounts.get(token.address, 0)) for amounts in missing)
            if needed > own[token.address]:
                raise ConfigError(
                    f"The account {self._operator.address} has {_amount(token, own[token.address])}; "
                    f"the fleet asks for {_amount(token, needed)}.",
                    "Send it more, or let the agents start with less.",
                )

    async def _held(self, account: Address) -> dict[Address, int]:
        calls = [
            Call(token.address, selector("balanceOf(address)") + address_word(account)) for token in TOKENS
        ]
        answers = await multicall(self._rpc, calls, "latest")
        return {
            token.address: unsigned(answer) if answer else 0
            for token, answer in zip(TOKENS, answers, strict=True)
        }


def _transfer(token: Token, vault: Address, amount: int, agent: str) -> Step:
    call = transfer(token, vault, amount)
    return Step(call.target, call.data, _TRANSFER_GAS, f"fill the vault of {agent} with {token.symbol}")


def _text(amounts: Amounts) -> str:
    tokens = {token.address: token for token in TOKENS}
    return " and ".join(_amount(tokens[token], amount) for token, amount in amounts.items() if amount)


def _amount(token: Token, amount_raw: int) -> str:
    return f"{token.to_decimal(amount_raw):,.{min(token.decimals, 6)}f} {token.symbol}"


def _ether(wei: int) -> str:
    return f"{wei / WEI:.4f}"
