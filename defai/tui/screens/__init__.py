"""One module per screen, its looks beside it in a .tcss of the same name."""
