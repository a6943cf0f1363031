"""Runs over recorded or generated history, headless."""
