"""Verification: from an RPC URL and a contract to a report on every decision. It reads no run's directory."""
