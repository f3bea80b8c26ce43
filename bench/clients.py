"""What tiers, classes and shares of one SLO with many clients make Prometheus read, beside what the estimate says."""

from pathlib import Path

from sloforge.pipeline import Compiled, compile_text
from sloforge.plan.cost import Assumptions, estimate
from tests.rules.engine import Series, simulate

CLIENTS = 1000
MINUTE_S = 60
FROM_S, TO_S = 70 * MINUTE_S, 80 * MINUTE_S
SCRAPE_S = 30
TARGET = {"job": "agency", "instance": "a:80"}
TEXT = """\
apiVersion: sloforge/v1
service: agency
tiers: {{premium: {{objective: 99.9}}, silver: {{objective: 95}}}}
clients: {{{clients}}}
slos:
  - id: publish
    objective: 99.5
    runbook: https://runbooks.example.com/publish
    sli: {{ratio: {{total: 'attempts_total{{job="agency"}}', bad: 'failures_total{{job="agency"}}'}}}}
    by: {{labels: [client_id, workload_class], limit: 2000, objectives: {{workload_class: {{paid_ads: 99.9}}}}}}
    partition: {{by: workload_class, shares: {{paid_ads: 40, organic: 60}}}}
"""


def run(_: Path | None) -> None:
    """Print rules and samples a minute, counted by the engine and as estimated."""
    print(f"\n{CLIENTS:,} clients of one SLO, with tiers, classes and a divided budget")
    of = compiled(CLIENTS // 2)
    read = read_a_minute(of, CLIENTS, FROM_S, TO_S)
    told = told_a_minute(of, CLIENTS, FROM_S, TO_S)
    rules = sum(len(group.rules) for plan in of.plans for group in plan.groups)
    print(f"sloforge {rules} rules, {read:,.0f} samples a minute, {read / CLIENTS:,.0f} a client; estimated {told:,}")


def compiled(clients: int) -> Compiled:
    """Return the agency's rules, with the tiers of so many clients told in the definitions."""
    return compile_text(text(clients), "agency.yml")


def text(clients: int) -> str:
    """Return the agency's definitions."""
    listed = ", ".join(f"client-{n}: {('premium', 'silver')[n % 2]}" for n in range(clients))
    return TEXT.format(clients=listed)


def read_a_minute(of: Compiled, clients: int, from_s: int, to_s: int) -> float:
    """Return the samples that an engine reads a minute between two moments."""
    until = [_read_until(of.artifacts[0].text, clients, end_s) for end_s in (from_s, to_s)]
    return (until[1] - until[0]) * MINUTE_S / (to_s - from_s)


def told_a_minute(of: Compiled, clients: int, from_s: int, to_s: int) -> int:
    """Return the estimate of that. Ranges reach back to the beginning: on average to the middle of the span."""
    known = Assumptions(raw_series=clients, combinations=clients, scrape_s=SCRAPE_S, history_s=(from_s + to_s) // 2)
    return estimate(of.plans[0], of.checked.services[0], known).samples_per_minute


def _read_until(rules: str, clients: int, end_s: int) -> int:
    times = range(0, end_s, SCRAPE_S)
    ones = [1] * len(times)
    series = [Series({"__name__": name, **TARGET}, times, ones) for name in ("up", "process_start_time_seconds")]
    for n in range(clients):
        client = {"client_id": f"client-{n}", **TARGET}
        own = client | {"workload_class": ("paid_ads", "organic")[n % 2]}
        info = client | {"tier": ("premium", "silver", "default")[n % 3]}
        series += [
            Series({"__name__": "attempts_total", **own}, times, [10 * time for time in range(len(times))]),
            Series({"__name__": "failures_total", **own}, times, [0] * len(times)),
            Series({"__name__": "sloforge_client_info", **info}, times, ones),
        ]
    result = simulate({"agency.rules.yml": rules}, series, {}, end_s=end_s)
    assert result.errors == {}
    return sum(result.samples.values())
