"""What a session tells of its pools and models besides what agents say themselves; after they have decided."""

from collections.abc import Callable, Sequence

from defai.agent.pool_views import PoolTeller
from defai.domain.stream import ExecutionSettled, HoldsAnchored, StreamEvent
from defai.domain.tokens import Address
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.models.trained import TrainedModel
from defai.session.fleet import Member
from defai.session.history import HistoryRecipe
from defai.session.model_telling import model_seen
from defai.session.training import model_key


class Onlooker:
    """Watches a session's market for whoever listens.

    Args:
        market: as of the newest block whenever it is asked.
        valuation: says which token is the base.
        pools: those that the fleet looks at.
        publish: told.
    """

    def __init__(
        self,
        market: MarketState,
        valuation: Valuation,
        pools: Sequence[Address],
        publish: Callable[[StreamEvent], None],
    ) -> None:
        self._pools = PoolTeller(market, valuation, tuple(pools))
        self._publish = publish
        self._owners: dict[str, str] = {}

    def hear(self, event: StreamEvent) -> None:
        """Note whose transaction is whose, as the stream tells it."""
        if isinstance(event, ExecutionSettled | HoldsAnchored) and event.transaction_hash:
            self._owners[event.transaction_hash] = event.agent

    def after_block(self) -> None:
        """Tell of the newest block, once everyone has decided upon it."""
        for swaps in self._pools.swaps(self._owners):
            self._publish(swaps)
        for liquidity in self._pools.liquidity():
            self._publish(liquidity)
        self._owners.clear()


def tell_models(
    members: Sequence[Member],
    models: Sequence[TrainedModel | None],
    recipe: HistoryRecipe,
    publish: Callable[[StreamEvent], None],
) -> None:
    """Tell of the models that a fleet sets out with, each once."""
    asked: dict[str, tuple[TrainedModel, list[str]]] = {}
    for member, model in zip(members, models, strict=True):
        key = model_key(member.loaded, recipe)
        if model is not None and member.settings.model is not None:
            key = model.digest
        if model is not None and key is not None:
            asked.setdefault(key, (model, []))[1].append(member.settings.name)
    for key, (model, names) in asked.items():
        publish(model_seen(key, model, names))
