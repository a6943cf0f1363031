"""The audit trail: canonical decisions, their hash chain, and the anchors of those that moved nothing."""
