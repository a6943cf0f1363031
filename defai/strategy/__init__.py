"""Strategies: the author's API, finding them, and the parts an author starts from."""
