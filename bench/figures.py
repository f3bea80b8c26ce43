"""A Sloth file, imported and compiled, beside Sloth's own rules of it: what both record of a day in one engine."""

import subprocess
import tempfile
from pathlib import Path

from sloforge.pipeline import compile_files
from sloforge.port.importing import import_files
from tests.rules.engine import Query, simulate
from tests.rules.steady import Failing, scraped

END_S = 26 * 3600
# One event in a hundred fails all day, and more of them in two outages. Both are over: ours are a minute late,
# those of a day and more some minutes, and that is another matter than their size.
COURSE = [Failing(0, END_S, 0.01), Failing(20 * 3600, 21 * 3600, 0.05), Failing(END_S - 6600, END_S - 3900, 0.1)]
SLOTH = """\
version: prometheus/v1
service: bench
slos:
  - name: all-requests
    objective: 99.5
    sli:
      events:
        error_query: sum(rate(failures_total{job="a"}[{{.window}}]))
        total_query: sum(rate(requests_total{job="a"}[{{.window}}]))
    alerting: {name: Burn, page_alert: {labels: {severity: page}}, ticket_alert: {labels: {severity: ticket}}}
"""
PAIRS = {f"slo:sli_error:ratio{window}": f"slo:sli_error:ratio_rate{window}" for window in "5m 30m 1h 2h 6h 1d".split()}
PAIRS |= {
    "1 - slo:sli:ratio_period": "slo:sli_error:ratio_rate4w",
    "slo:burn_rate:ratio5m": "slo:current_burn_rate:ratio",
    "slo:budget_remaining:ratio": "slo:period_error_budget_remaining:ratio",
    'slo:objective:ratio{slo="all-requests"}': 'slo:objective:ratio{sloth_slo="all-requests"}',
}


def run(sloth: Path | None) -> None:
    """Print each figure of both, and by how much they differ."""
    if sloth is None:
        return
    print("\nfigures of one Sloth file after a day with two outages: imported, by Sloth's own rules")
    with tempfile.TemporaryDirectory() as folder:
        rules = {"own.yml": _imported(Path(folder)), "peer.yml": _generated(Path(folder), sloth)}
    queries = {text: Query(text, END_S) for pair in PAIRS.items() for text in pair}
    result = simulate(rules, scraped("a", COURSE, 0, END_S), queries, end_s=END_S)
    for ours, theirs in PAIRS.items():
        one, other = result.value(ours), result.value(theirs)
        if one is None or other is None:
            print(f"{ours:32} {one} {other}")
            continue
        print(f"{ours:32} {one:10.6f} {other:10.6f}  {abs(one - other) / (abs(other) or 1):.2%} apart")


def _imported(folder: Path) -> str:
    (folder / "sloth.yml").write_text(SLOTH, encoding="utf-8")
    found = import_files([folder / "sloth.yml"], period="28d")
    (folder / "bench.yml").write_text(found.files["bench.yml"], encoding="utf-8")
    compiled = compile_files([folder / "bench.yml"])
    return next(artifact.text for artifact in compiled.artifacts if artifact.path.endswith(".rules.yml"))


def _generated(folder: Path, sloth: Path) -> str:
    argv: list[str | Path] = [sloth, "generate", "--default-slo-period", "28d"]
    argv += ["-i", folder / "sloth.yml", "-o", folder / "out.yml"]
    subprocess.run(argv, check=True, capture_output=True)
    return (folder / "out.yml").read_text(encoding="utf-8")
