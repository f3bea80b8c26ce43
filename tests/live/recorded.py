"""A real Prometheus that records a state of our choosing: the public series, as constants, by its own rules."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sloforge import vocabulary as v
from sloforge.plan.promql import quote
from tests.live.servers import Prometheus, free_port, prometheus, wait_for

SERVICE = "shop"
Series = tuple[str, Mapping[str, str], float]


def slo(name: str, band: int, **more: float) -> list[Series]:
    """Return the series of one SLO that is well but for its band; `more` replaces figures by their short names."""
    labels = {v.SERVICE: SERVICE, v.SLO: name}
    left = more.get("left", 0.9)
    failures = more.get("failures", 45.0)
    return [
        (v.BAND, labels, band),
        (v.POSTMORTEM, labels, more.get("postmortem", 0)),
        (v.OBJECTIVE, labels, 0.995),
        (v.ERROR_BUDGET, labels, 0.005),
        (v.PERIOD, labels, 2419200),
        (v.COVERAGE, labels, more.get("coverage", 1)),
        (v.TOTAL_PERIOD, labels, 10000),
        (v.TOTAL_PERIOD + v.WITH_EXCLUSIONS, labels, 10000),
        (v.TOTAL_TICK, labels, 1),
        (v.SLI_PERIOD, labels, 0.9995),
        (v.REMAINING_RATIO, labels, left),
        (v.REMAINING_EVENTS, labels, failures),
        (v.SLI_PERIOD + v.WITH_EXCLUSIONS, labels, 0.9995),
        (v.REMAINING_RATIO + v.WITH_EXCLUSIONS, labels, more.get("left_excluded", left)),
        (v.REMAINING_EVENTS + v.WITH_EXCLUSIONS, labels, more.get("failures_excluded", failures)),
        (v.burn_rate("1h"), labels, more.get("burn", 0.4)),
        (v.INFO, {**labels, "title": f"{name} succeeds", "class": "correctness", "owner": "on-call"}, 1),
    ]


def reason(name: str, why: str, value: float) -> Series:
    """Return one reason of an SLO's band."""
    return (v.BAND_REASON, {v.SERVICE: SERVICE, v.SLO: name, v.REASON: why}, value)


def hard_stop(name: str, active: int) -> Series:
    """Return the hard stop of an SLO."""
    return (v.HARD_STOP, {v.SERVICE: SERVICE, v.SLO: name, v.RULE: name}, active)


def service(band: int, frozen: int) -> list[Series]:
    """Return what is recorded of the service as a whole."""
    labels = {v.SERVICE: SERVICE}
    return [(v.SERVICE_BAND, labels, band), (v.FREEZE, labels, frozen)]


def rules(series: Sequence[Series]) -> str:
    """Return a rule file that records `series`."""
    lines = ["groups:", "  - name: state", "    interval: 1s", "    rules:"]
    for name, labels, value in series:
        lines += [f"      - record: {name}", f"        expr: vector({value})", "        labels:"]
        lines += [f"          {label}: {quote(text)}" for label, text in labels.items()]
    return "\n".join(lines) + "\n"


@contextmanager
def recording(folder: Path, series: Sequence[Series]) -> Iterator[Prometheus]:
    """Run a Prometheus in `folder` that records `series`, from when it has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.rules.yml").write_text(rules(series), encoding="utf-8")
    config = folder / "prometheus.yml"
    config.write_text("global: {evaluation_interval: 1s}\nrule_files: [state.rules.yml]\n", encoding="utf-8")
    with prometheus(config, free_port(), folder) as server:
        last, labels, _ = series[-1]
        asked = f"{last}{{{','.join(f'{label}={quote(text)}' for label, text in labels.items())}}}"
        wait_for("the state is recorded", lambda: server.query(asked) or None, 30)
        yield server
