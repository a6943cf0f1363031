"""The owner's word in worlds with a chain."""

from defai.domain.decisions import Approval, Decision
from defai.worlds.vault_accounts import VaultAccounts


class OwnedVaults:
    """An `OwnedExecutor`, for worlds whose agents have vaults on a chain."""

    _vaults: VaultAccounts

    async def approve(self, agent: str, decision: Decision, deadline: int, signature: bytes) -> Approval:
        """The owner's approval; signed here where the signature is empty and his is a throwaway key of ours."""
        return await self._vaults.approve(agent, decision, deadline, signature)
