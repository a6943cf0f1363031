"""`defai rate`: say what you think of a decision; retraining learns from it, if that helps."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from defai.session.ratings import Rating


@click.command("rate")
@click.argument("decision", metavar="AGENT:SEQUENCE", required=False)
@click.argument("verdict", type=click.Choice(["good", "bad"]), required=False)
@click.option("--why", default="", help="The reason, in your words; it is kept with the rating.")
@click.option("--run", type=click.Path(path_type=Path), help="The run's directory.  [default: the newest]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, decision: str | None, verdict: str | None, why: str, run: Path | None, as_json: bool) -> None:
    """Rate a decision good or bad. Without arguments, list the ratings of the run.

    When the model is retrained (`models.live_retrain_hours`), rows near a decision that was rated good count up to
    twice, near a bad one down to half. Both ways are tried on rows that neither has seen; ratings only count where
    they make the model better there, and the session says by how much.
    """
    from dataclasses import asdict  # noqa: PLC0415  loads on use, so that --help is quick

    from defai.cli.output import print_json  # noqa: PLC0415  the same
    from defai.errors import ConfigError  # noqa: PLC0415  the same
    from defai.session.ratings import rate, ratings_in  # noqa: PLC0415  the same
    from defai.session.run_directory import newest_run  # noqa: PLC0415  the same

    place = run or newest_run()
    if decision is None:
        ratings = ratings_in(place)
    else:
        agent, _, number = decision.rpartition(":")
        if not agent or not number.isdigit() or verdict is None:
            raise ConfigError("Say which decision, and what you think of it.", "defai rate lp-wide:12 good")
        ratings = (rate(place, agent, int(number), "good" if verdict == "good" else "bad", why),)
    if as_json:
        print_json({"run": place, "ratings": [asdict(rating) for rating in ratings]})
        return
    for rating in ratings:
        click.echo(_line(rating))
    if not ratings:
        click.echo(f"No decision of {place} has been rated.")


def _line(rating: "Rating") -> str:
    why = f": {rating.why}" if rating.why else ""
    return f"{rating.agent}:{rating.sequence}  block {rating.block_number}  {rating.verdict}{why}"
