"""A real Prometheus that records a state of our choosing: the public series, as constants, by its own rules."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sloforge import vocabulary as v
from sloforge.model.quoting import quote
from tests.live.servers import Prometheus, free_port, prometheus, wait_for

BUDGET = 0.005
EVENTS = 10000


@dataclass
class Recorded:
    """The series of one service, as (name, labels, PromQL of its value)."""

    service: str
    identity: Mapping[str, str] = field(default_factory=dict)
    series: list[tuple[str, Mapping[str, str], str]] = field(default_factory=list)

    def add(self, name: str, value: float | str, **labels: str) -> "Recorded":
        """Add one series; a number stands for a constant."""
        promql = value if isinstance(value, str) else f"vector({value})"
        self.series.append((name, {v.SERVICE: self.service, **self.identity, **labels}, promql))
        return self

    def slo(
        self,
        name: str,
        band: int = 0,
        left: float = 0.9,
        left_with_all: float | None = None,
        coverage: float = 1,
        kind: str = "correctness",
        **reasons: float,
    ) -> "Recorded":
        """Add one SLO of which `left` of the budget remains; `reasons` are those of its band."""
        for suffix, share in (("", left if left_with_all is None else left_with_all), (v.WITH_EXCLUSIONS, left)):
            self.add(v.SLI_PERIOD + suffix, 1 - BUDGET * (1 - share), slo=name)
            self.add(v.REMAINING_RATIO + suffix, share, slo=name)
            self.add(v.REMAINING_EVENTS + suffix, share * BUDGET * EVENTS, slo=name)
            self.add(v.TOTAL_PERIOD + suffix, EVENTS, slo=name)
        self.add(v.OBJECTIVE, 1 - BUDGET, slo=name).add(v.ERROR_BUDGET, BUDGET, slo=name)
        self.add(v.COVERAGE, coverage, slo=name).add(v.burn_rate("1h"), 0.4, slo=name)
        self.add(v.INFO, 1, slo=name, title=f"{name} succeeds", **{"class": kind})
        for reason, value in reasons.items():
            self.add(v.BAND_REASON, value, slo=name, reason=reason)
        return self.add(v.BAND, band, slo=name)

    def hard_stop(self, name: str, active: int) -> "Recorded":
        """Add the hard stop of an SLO."""
        return self.add(v.HARD_STOP, active, slo=name, rule=name)

    def whole(self, band: int, frozen: int = 0) -> "Recorded":
        """Add what is recorded of the service as a whole: the last of it."""
        return self.add(v.SERVICE_BAND, band).add(v.FREEZE, frozen)


def rules(services: Sequence[Recorded]) -> str:
    """Return a rule file that records every series once a second."""
    lines = ["groups:"]
    for number, service in enumerate(services):
        lines += [f"  - name: state-{number}", "    interval: 1s", "    rules:"]
        for name, labels, promql in service.series:
            lines += [f"      - record: {name}", f"        expr: {quote(promql)}", "        labels:"]
            lines += [f"          {label}: {quote(text)}" for label, text in labels.items()]
    return "\n".join(lines) + "\n"


@contextmanager
def recording(folder: Path, *services: Recorded) -> Iterator[Prometheus]:
    """Run a Prometheus in `folder` that records `services`, from when it has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.rules.yml").write_text(rules(services), encoding="utf-8")
    config = folder / "prometheus.yml"
    config.write_text("global: {evaluation_interval: 1s}\nrule_files: [state.rules.yml]\n", encoding="utf-8")
    with prometheus(config, free_port(), folder) as server:
        everyone = f"count({v.FREEZE}) == {len(services)}"
        wait_for("the state is recorded", lambda: server.query(everyone) or None, 30)
        yield server
