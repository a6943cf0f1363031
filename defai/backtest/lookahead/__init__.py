"""Whether a strategy sees what is yet to come: `defai lookahead-analysis`."""

from defai.backtest.lookahead.asking import LookaheadRequest, analyse, analyse_all
from defai.backtest.lookahead.findings import Finding, LookaheadReport, text

__all__ = ["Finding", "LookaheadReport", "LookaheadRequest", "analyse", "analyse_all", "text"]
