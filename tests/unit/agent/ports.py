"""An agent among ports that do what a test says: for faults that no honest world can be brought to."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from defai.agent.agent import Agent, Mandate
from defai.agent.desk import Desk
from defai.agent.outlook import ForecastModel
from defai.agent.ports import Seat, Settlement, Submission
from defai.audit.outbox import Outbox
from defai.audit.record import AuditDomain
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.domain.decisions import Decision, Execution, ExecutionStatus
from defai.domain.operations import Call, Operation
from defai.domain.stream import StreamEvent
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.testing.builders import market_of, next_block, pool_with_liquidity
from defai.testing.scripted import Scripted

T = TypeVar("T")

KEY = USDC_WETH_005
BALANCES = {USDC.address: 15_000 * 10**6, WETH.address: 75 * 10**17}
DOMAIN = AuditDomain(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3")
GAS_PRICE_WEI = 10**10


class FakePorts:
    """Executor and audit log. A submission is under way until `settle` says what became of it."""

    def __init__(self) -> None:
        self.domain = DOMAIN
        self.kept: list[tuple[str, Decision]] = []
        self.under_way: Submission | None = None
        self.submitted: list[Submission] = []
        self._settlement: Settlement | None = None

    def encode(self, operations: Sequence[Operation]) -> tuple[Call, ...]:
        return tuple(Call("0x" + "00" * 20, repr(operation).encode()) for operation in operations)

    async def append(self, agent: str, decision: Decision) -> None:
        self.kept.append((agent, decision))

    async def submit(self, submission: Submission) -> None:
        assert self.under_way is None, "an agent has at most one submission under way"
        self.under_way = submission
        self.submitted.append(submission)

    async def settled(self, agent: str) -> Settlement | None:  # noqa: ARG002  there is one agent
        settlement, self._settlement = self._settlement, None
        return settlement

    def settle(
        self, status: ExecutionStatus = ExecutionStatus.FILLED, error: str = "", gas: int = 200_000
    ) -> None:
        """Let what is under way come to an end."""
        assert self.under_way is not None
        submission, self.under_way = self.under_way, None
        landed = status is ExecutionStatus.FILLED
        execution = None
        if submission.decision is not None:
            execution = Execution(
                "a", submission.decision.digest, status, 200, "0xt",
                token_deltas=((USDC.address, -(10**6)), (WETH.address, 10**15)) if landed else (),
                record_id=1 if landed else None, gas_used=gas, gas_cost_wei=gas * GAS_PRICE_WEI, error=error,
            )  # fmt: skip
        self._settlement = Settlement(landed, 200, "0xt", gas, gas * GAS_PRICE_WEI, execution, error)


class Stand:
    """One agent on fake ports."""

    def __init__(
        self,
        *answers: object,
        limits: Limits | None = None,
        anchor_every: int = 3,
        features: tuple[str, ...] = (),
        model: ForecastModel | None = None,
        market: MarketState | None = None,
        strategy: Scripted | None = None,
        kind: type[Agent] = Agent,
    ) -> None:
        self.strategy = (strategy or Scripted(wants_features=features)).then(*answers)  # type: ignore[arg-type]  # nonsense is among what it is told
        self.market = market or market_of({KEY: pool_with_liquidity(KEY)})
        self.ports = FakePorts()
        self.events: list[StreamEvent] = []
        self.desk = desk_on(self.market, limits or Limits(), self.ports.encode)
        mandate = Mandate("a", "scripted", self.strategy, "0x" + "11" * 32, (KEY,), model, anchor_every)
        seat = Seat("a", 7, None, BALANCES)
        outbox = Outbox(7, DOMAIN)
        self.agent = kind(mandate, seat, self.desk, outbox, self.ports, self.ports, self.events.append)  # type: ignore[arg-type]  # encode is the desk's here

    async def block(self) -> Decision | None:
        """A block arrives and the agent takes part in it."""
        self.market.apply(next_block(self.market))
        return await self.agent.step(0.0)

    def heard(self, kind: type[T]) -> list[T]:
        """The events of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]


def desk_on(
    market: MarketState,
    limits: Limits,
    encode: Callable[[Sequence[Operation]], tuple[Call, ...]],
    balances: dict[str, int] | None = None,
) -> Desk:
    portfolio = Portfolio.opening(balances or BALANCES)
    return Desk(market, Valuation(KEY, USDC), portfolio, limits, encode)
