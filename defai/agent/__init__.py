"""The agent: one step from a block to a recorded decision, and the ports it needs from a world."""
