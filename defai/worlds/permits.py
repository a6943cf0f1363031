"""On what terms a fleet may trade on somebody else's chain: with play money, or with its operator's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from defai.chain.keys import Signer
from defai.chain.local import DevelopmentChain
from defai.chain.pools import check_chain
from defai.chain.rpc import Rpc, RpcError, is_loopback
from defai.chain.tx import Wallet
from defai.domain.tokens import Address
from defai.errors import ConfigError
from defai.worlds.chain_seats import Keyring, throwaway_keyring
from defai.worlds.purses import OwnMoney, PlayMoney, Purse
from defai.worlds.vault_accounts import agent_tip


class Permit(Protocol):
    """The terms."""

    @property
    def network(self) -> str:
        """What kind of network it is, in a word."""

    @property
    def factory(self) -> Address | None:
        """The factory of vaults that is used; None deploys one."""

    async def check(self, rpc: Rpc) -> None:
        """Make sure that the node is one that these terms are for.

        Raises:
            ConfigError: where it is not.
        """

    def keyring(self, chain_id: int) -> Keyring:
        """The fleet's accounts."""

    async def purse(self, chain: DevelopmentChain, max_fee_wei: int) -> Purse:
        """Who pays."""


@dataclass(frozen=True, slots=True)
class PlayPermit:
    """Play money on a development node of this machine.

    Attributes:
        url: the node's address.
        seed: of the throwaway accounts.
        chain_id: what the node must say it is; None takes its word.
    """

    url: str
    seed: int
    chain_id: int | None = None
    network: str = "rpc"
    factory: Address | None = None

    async def check(self, rpc: Rpc) -> None:
        """Only a development node on the loopback interface will do: anyone can compute the keys."""
        if not is_loopback(self.url):
            raise ConfigError(
                f"{rpc.name} is not on this machine: trading there is live trading.",
                "Say so with --network live, or fork it: --network fork --fork-url URL.",
            )
        if self.chain_id is not None:
            await check_chain(rpc, self.chain_id)
        try:
            # Not anvil_nodeInfo: asked while anvil 1.7.1 mines a block, it locks the node up for good.
            await rpc.call("anvil_getAutomine")
        except RpcError as error:
            raise ConfigError(
                f"The node at {rpc.name} is not a development node: the agents' vaults cannot be funded there.",
                "Run `defai chain start`, or an anvil, and name its address.",
            ) from error

    def keyring(self, chain_id: int) -> Keyring:  # noqa: ARG002  the same on every chain
        """Throwaway accounts."""
        return throwaway_keyring(self.seed)

    async def purse(self, chain: DevelopmentChain, max_fee_wei: int) -> Purse:  # noqa: ARG002  it costs nothing
        """Out of thin air."""
        return PlayMoney(chain)


@dataclass(frozen=True, slots=True)
class LivePermit:
    """The operator's own money, on a chain that was named and confirmed.

    Attributes:
        operator: pays for gas and contracts. The agents' keys are derived from its key, so that a run that is taken up
            again has the same ones.
        chain_id: the chain that was confirmed.
        owner: whose the vaults are; None for the operator's account. Only the owner can withdraw.
        gas_wei: what each agent's account is given for gas.
    """

    operator: Signer
    chain_id: int
    owner: Address | None
    gas_wei: int
    factory: Address | None = None
    network: str = "live"

    async def check(self, rpc: Rpc) -> None:
        """The chain has to be the one that was confirmed."""
        await check_chain(rpc, self.chain_id)

    def keyring(self, chain_id: int) -> Keyring:
        """The operator's account, and others derived from it for each agent."""
        return Keyring(
            self.operator,
            self.operator,
            self.owner or self.operator.address,
            lambda name: self.operator.derive(f"agent {name} on chain {chain_id}"),
        )

    async def purse(self, chain: DevelopmentChain, max_fee_wei: int) -> Purse:
        """The operator's."""
        fees: Mapping[str, int] = {"max_fee_wei": max_fee_wei, "priority_fee_wei": agent_tip(0)}
        wallet = await Wallet.connect(self.operator, chain.rpc)
        return OwnMoney(chain.rpc, wallet, self.owner or self.operator.address, self.gas_wei, fees)
