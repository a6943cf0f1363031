"""What is said on the chain while agents run: models that take over, and what of charters is another."""

from collections.abc import Mapping

from defai.agent.ports import ModelChange
from defai.chain.local import DevelopmentChain
from defai.chain.tx import Wallet
from defai.domain.tokens import Address
from defai.worlds.announcing import Fees, amend, announce_switch
from defai.worlds.vault_accounts import VaultAccounts


class Speaking:
    """The part of a `PublicWorld` that speaks later than at the beginning."""

    chain: DevelopmentChain
    _vaults: VaultAccounts
    _deployer: Wallet | None
    _models: Address | None = None

    async def fees(self) -> Fees:
        """What is offered for a unit of gas."""
        raise NotImplementedError

    async def announce_switch(self, change: ModelChange) -> None:
        """Send the new model, and why; the next block has both."""
        await announce_switch(self.chain.rpc, self._deployer, self._models, change, await self.fees())

    async def amend(self, amendments: Mapping[str, bytes]) -> None:
        """Send what of charters is another now; the next block has it."""
        await amend(self.chain.rpc, self._vaults.accounts, amendments, await self.fees())
