"""The composition root: settings in, a world with agents and an event bus out."""
