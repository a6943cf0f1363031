"""The command line: `main` finds and runs a command; each command has a module of its own."""
