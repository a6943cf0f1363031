"""The baseline every result stands beside."""

from defai.strategy.api import Context, Hold, Intent, Strategy


class HoldTokens(Strategy):
    """Keep the tokens it was given and do nothing.

    Works when nothing else does: it pays no fee, no gas and no impermanent loss, and earns nothing.
    """

    def decide(self, ctx: Context) -> Intent:
        """Hold, always."""
        return Hold(reason=f"the baseline: keeps its {ctx.numeraire.symbol} and {ctx.base.symbol}")
