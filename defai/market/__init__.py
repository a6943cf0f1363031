"""The market as our agents know it: a pure fold over blocks."""
