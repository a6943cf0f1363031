"""What the `audit` commands do and print."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import click

from defai.audit.canonical import canonical_json, digest
from defai.audit.ladder.findings import Comparison, Finding, Report, Standing
from defai.chain.codec import checksum
from defai.chain.download.patience import PatientRpc
from defai.chain.keys import Signer
from defai.cli.key_sources import named_key
from defai.cli.output import say
from defai.domain.tokens import Address
from defai.errors import ConfigError, NotFoundError
from defai.session.verification.chapters import Means
from defai.session.verification.evidence import Evidence, read_evidence
from defai.session.verification.explaining import Explanation, explain
from defai.session.verification.listing import rows_of_trail
from defai.session.verification.responding import respond
from defai.session.verification.scope import agent_named, locate, narrowed, until_of
from defai.session.verification.verifier import verify
from defai.strategy.registry import strategies_folders

VALIDATOR_KEY: Final = "DEFAI_VALIDATOR_KEY"
_ATTEMPTS: Final = 3
_SHOWN: Final = 10
_LONGEST: Final = 68


@dataclass(frozen=True, slots=True)
class Place:
    """Where records are looked for."""

    rpc: str
    contract: Address
    from_block: int | None

    @classmethod
    def of(cls, *, rpc: str | None, contract: str | None, run: Path | None, from_block: int | None) -> Self:
        """The place that options name.

        Raises:
            ConfigError: where they name none.
            NotFoundError: where the run's directory says nothing of a chain.
        """
        if run is not None:
            try:
                known = json.loads((run / "chain.json").read_text(encoding="utf-8"))
                rpc, contract = rpc or known["rpc_url"], contract or known["audit_contract"]
            except (OSError, ValueError, KeyError) as error:
                raise NotFoundError(
                    f"{run} does not say where its records are.", "Give --rpc and --contract."
                ) from error
        if not rpc or not contract:
            raise ConfigError(
                "Say where the records are.", "Give --rpc URL and --contract ADDRESS, or --run DIRECTORY."
            )
        try:
            return cls(rpc, checksum(contract), from_block)
        except ValueError:
            raise ConfigError(f"{contract!r} is not an address.", "It has 0x and 40 hex digits.") from None

    def connect(self) -> PatientRpc:
        """A connection to the node."""
        return PatientRpc(self.rpc, attempts=_ATTEMPTS)


async def gathered(place: Place) -> Evidence:
    """What the chain says of all agents."""
    async with place.connect() as rpc:
        return await read_evidence(rpc, place.contract, from_block=place.from_block)


async def verified(
    place: Place,
    decision: str | None,
    agent: str | None,
    strategies: Sequence[Path],
    models: Path | None,
) -> tuple[Evidence, list[Report]]:
    """Verify a decision, an agent's, or all there are.

    Returns:
        What the chain says of whom was verified, and the reports.
    """
    means = Means(strategies or strategies_folders(), models)
    async with place.connect() as rpc:
        evidence = await read_evidence(rpc, place.contract, from_block=place.from_block)
        if decision is not None:
            agent_id, sequence = locate(evidence, decision)
            evidence = narrowed(evidence, agent_id)
            until = until_of(evidence.trails[agent_id], sequence)
            reports = await verify(rpc, evidence, means, until=until)
            return evidence, _only(reports, sequence, decision)
        if agent is not None:
            evidence = narrowed(evidence, agent_named(evidence, agent))
        return evidence, await verify(rpc, evidence, means)


def _only(reports: Sequence[Report], sequence: int, decision: str) -> list[Report]:
    mine = [report for report in reports if report.sequence == sequence]
    if not mine:
        raise NotFoundError(
            f"Decision {decision} stands under an anchor, and nobody can say what it was: the agent's charter cannot "
            "be followed.",
            "`--agent` verifies what else it left.",
        )
    return mine


async def explained(
    place: Place, decision: str, strategies: Sequence[Path], models: Path | None
) -> Explanation:
    """Explain one decision."""
    async with place.connect() as rpc:
        evidence = await read_evidence(rpc, place.contract, from_block=place.from_block)
        agent_id, sequence = locate(evidence, decision)
        means = Means(strategies or strategies_folders(), models)
        return await explain(rpc, narrowed(evidence, agent_id), agent_id, sequence, means)


async def answered(
    place: Place, evidence: Evidence, reports: Sequence[Report], request: str, keystore: Path | None
) -> dict[str, Any]:
    """Answer a validation request with the worst of some reports, and the digest of all of them."""
    results = results_json(evidence, reports, None)
    score = min((report.score for report in reports), default=0)
    evidence_digest = digest(canonical_json(results))
    vaults = {trail.bound.vault for trail in evidence.trails.values()}
    async with place.connect() as rpc:
        transaction = await respond(rpc, _validator(keystore), request, vaults, score, evidence_digest)
    return {
        "request": request,
        "response": score,
        "evidence_digest": evidence_digest,
        "transaction": transaction,
    }


def _validator(keystore: Path | None) -> Signer:
    validator = named_key(keystore, VALIDATOR_KEY)
    if validator is None:
        raise ConfigError("The validator's key is missing.", f"Name a --keystore, or set {VALIDATOR_KEY}.")
    return validator


def rows_of(
    evidence: Evidence, *, agent: str | None, action: str | None, limit: int | None
) -> list[dict[str, Any]]:
    """Records and anchors, in the chain's order, filtered."""
    chosen = evidence.trails
    if agent is not None:
        agent_id = agent_named(evidence, agent)
        chosen = {agent_id: chosen[agent_id]}
    rows = [row for trail in chosen.values() for row in rows_of_trail(trail)]
    rows.sort(key=lambda row: (row["block_number"], row["record"] or 0))
    rows = [row for row in rows if action is None or row["action"] == action]
    return rows[-limit:] if limit else rows


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """A table of records and anchors."""
    say(f"{'record':<8}{'agent':<12}{'decision':<14}{'block':>7}  {'action':<10}{'gas':>9}  reason")
    for row in rows:
        record = f"#{row['record']}" if row["record"] is not None else "-"
        first, count = row["sequence"], row["count"]
        place = f"{first:,}" if row["action"] != "anchor" else f"{first:,}…{first + count - 1:,}"
        gas = f"{row['gas_used']:,}" if row["gas_used"] else ""
        said = row.get("reason", f"{count:,} decisions that moved nothing")
        say(
            f"{record:<8}{row['agent']:<12}{place:<14}{row['block_number']:>7,}  {row['action']:<10}{gas:>9}  {said}"
        )


def exported(evidence: Evidence, agent: str | None, out: Path | None) -> int:
    """Write all rows; how many there are."""
    rows = rows_of(evidence, agent=agent, action=None, limit=None)
    if out is not None and out.suffix == ".parquet":
        import pyarrow as pa  # noqa: PLC0415  a second to import, for those who want parquet
        import pyarrow.parquet as pq  # noqa: PLC0415  the same

        columns = list(dict.fromkeys(name for row in rows for name in row))
        table = pa.table({name: [_storable(row.get(name)) for row in rows] for name in columns})
        pq.write_table(table, out)
        return len(rows)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if out is None:
        click.echo(lines, nl=False)
    else:
        out.write_text(lines, encoding="utf-8")
    return len(rows)


def _storable(value: object) -> object:
    """Integers that 64 bits do not hold, as text."""
    return str(value) if isinstance(value, int) and abs(value) >= 1 << 63 else value


def results_json(
    evidence: Evidence, reports: Sequence[Report], answer: Mapping[str, Any] | None
) -> dict[str, Any]:
    """All reports as one JSON object."""
    return {
        "chain_id": evidence.domain.chain_id,
        "contract": evidence.domain.contract,
        "decisions": len(reports),
        "verified": sum(report.is_verified for report in reports),
        "broken": sum(report.broken is not None for report in reports),
        "reports": [report.to_json() for report in reports],
        **({"answer": dict(answer)} if answer else {}),
    }


def print_reports(evidence: Evidence, reports: Sequence[Report], *, in_full: bool) -> None:
    """Reports in words: all of them rung by rung, or a table and what breaks."""
    names = {
        agent_id: trail.charter.name if trail.charter else str(agent_id)
        for agent_id, trail in evidence.trails.items()
    }
    if in_full:
        for report in reports:
            print_report(report, names[report.agent_id])
        return
    click.echo(f"{'agent':<12}{'decisions':>10}{'records':>9}{'verified':>10}{'open':>6}{'broken':>8}")
    for agent_id, name in names.items():
        mine = [report for report in reports if report.agent_id == agent_id]
        records = sum(report.token_id is not None for report in mine)
        good, bad = sum(each.is_verified for each in mine), sum(each.broken is not None for each in mine)
        say(f"{name:<12}{len(mine):>10,}{records:>9,}{good:>10,}{len(mine) - good - bad:>6,}{bad:>8,}")
    broken = [report for report in reports if report.broken]
    for rung, count in Counter(report.broken.rung for report in broken if report.broken).items():
        click.echo(f"{count:,} break on the rung of {rung.name.lower()}")
    unsettled = [report for report in reports if not report.is_verified and not report.broken]
    for report in [*broken, *unsettled][:_SHOWN]:
        click.echo("")
        print_report(report, names[report.agent_id])
    left = len(broken) + len(unsettled) - _SHOWN
    if left > 0:
        click.echo(f"\n… and {left:,} more; `--json` has them all.")


def print_report(report: Report, agent: str) -> None:
    """One report, rung by rung."""
    record = f"record #{report.token_id}" if report.token_id is not None else "anchored"
    upon = f" upon block {report.block_number:,}" if report.block_number is not None else ""
    say(f"decision {agent}:{report.sequence} · {record} · {report.action}{upon}")
    say(f"digest {report.digest}")
    for finding in report.findings:
        _print_finding(finding)
    said = "verified" if report.is_verified else "not wholly verified"
    if report.broken:
        said = f"broken: {report.broken.rung.name.lower()}"
    say(f"{said}, {report.score} of 100")


def _print_finding(finding: Finding) -> None:
    mark = {Standing.HOLDS: "✓", Standing.BREAKS: "✗", Standing.OPEN: "?"}[finding.standing]
    note = f"  {finding.note}" if finding.note else ""
    say(f"  {int(finding.rung)} {finding.rung.name.lower():<10}{mark} {finding.standing.value}{note}")
    for comparison in finding.comparisons:
        _print_comparison(comparison)


def _print_comparison(comparison: Comparison) -> None:
    if comparison.agrees:
        say(f"      {comparison.what}: {_short(comparison.recorded)}")
    else:
        say(f"    ✗ {comparison.what}")
        say(f"        recorded  {comparison.recorded}")
        say(f"        found     {comparison.found}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def print_explanation(told: Explanation) -> None:
    """A decision, for a person."""
    decision = told.decision
    record = (
        f"record #{told.record}" if told.record is not None else "anchored with others that moved nothing"
    )
    say(f"{told.agent}:{decision.sequence} · {record} · upon block {decision.block_number:,}")
    say(f"what       {told.text}")
    say(f"why        {told.to_json()['reason']}")
    if told.forecast is not None:
        band = f", {told.band[0]:,.1f} to {told.band[1]:,.1f}" if told.band else ""
        say(f"forecast   {told.forecast_name}: {told.forecast:,.2f} {told.unit}{band}")
    if told.contributions and told.usual_forecast is not None:
        say(f"because    {told.usual_forecast:,.2f} for the usual features of the last blocks, and")
        for part in told.contributions:
            say(
                f"           {part.adds:>+10,.2f}  {part.feature} is {part.value:,}, usually {part.usually:,}"
            )
    verdict = told.verdict
    reason = f": {verdict['reason']}" if verdict.get("reason") else ""
    say(f"guard      {verdict.get('status', 'unknown')}{reason}")
    for name, (value, limit, fine) in dict(verdict.get("checks", {})).items():
        say(f"           {'✓' if fine else '✗'} {name} {value} of {limit}")
    if told.outcome:
        say(f"outcome    {told.outcome}")
        say(f"gas        {told.gas_used:,} ({told.gas_ether:.6f} ETH) in {told.transaction}")
