"""A command with commands below it, whose `--help` says what each does to the end of the sentence."""

import click

_WHOLE = 1_000


class Group(click.Group):
    """click's, which would cut these sentences off where the terminal's line ends."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """Write the list of commands, each with the first sentence of its help."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, self.commands[name].get_short_help_str(_WHOLE)) for name in sorted(self.commands)]
            )
