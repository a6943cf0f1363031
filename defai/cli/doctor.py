"""`defai doctor`: what is there, what is missing and how to get it."""

import click

from defai.cli import checkup
from defai.cli.output import print_json
from defai.errors import NotFoundError

MARKS = {"ok": "✓", "missing": "✗", "note": "·"}
PLAIN_MARKS = {"ok": "ok", "missing": "MISSING", "note": "-"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, as_json: bool) -> int:
    """Say what is there, what is missing and how to get it.

    Exit code 0 if the demo can run here, 2 if something that it needs is missing.
    """
    findings = checkup.examine()
    can_run = all(finding.state != "missing" for finding in findings)
    if as_json:
        print_json({"can_run_demo": can_run, "checks": [finding._asdict() for finding in findings]})
    else:
        _print(findings, can_run=can_run)
    return 0 if can_run else NotFoundError.exit_code


def _print(findings: list[checkup.Finding], *, can_run: bool) -> None:
    marks = MARKS if checkup.writes_unicode() else PLAIN_MARKS
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        click.echo(
            f"{marks[finding.state]:<{len(max(marks.values(), key=len))}} {finding.name:<{width}}  {finding.text}"
        )
        if finding.hint:
            click.echo(f"{'':<{width + len(max(marks.values(), key=len)) + 3}}{finding.hint}")
    click.echo()
    click.echo(
        "The demo can run here: `defai demo`." if can_run else "The demo cannot run here yet: see above."
    )
