"""The chain: a node to talk to, what is read from it, what is sent to it, and the stand-in of mainnet."""
