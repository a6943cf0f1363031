"""Worlds: where agents run. Each is four ports - a feed, an executor, an audit log, a clock - and nothing else."""
