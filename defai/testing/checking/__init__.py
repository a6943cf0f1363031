"""Whether a strategy keeps to the rules: `check_strategy`, and `defai check-strategy` with it."""

from defai.testing.checking.checks import check_strategy
from defai.testing.checking.findings import CHECKS, CheckReport, Finding, report_text

__all__ = ["CHECKS", "CheckReport", "Finding", "check_strategy", "report_text"]
