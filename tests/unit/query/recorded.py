"""Samples as a Prometheus would answer them to the query for a service's state."""

from sloforge import vocabulary as v
from sloforge.query.answers import NAME, Sample
from sloforge.query.state import READING, RECORDED

AT_S = 1_795_000_000.0


def sample(name: str, value: float, **labels: str) -> Sample:
    """Return one sample of service shop."""
    named = {NAME: name} if name else {}
    return Sample(tuple(sorted({v.SERVICE: "shop", **labels, **named}.items())), value, AT_S)


def service(band: float = 0, frozen: float = 0, age_s: float = 20, **identity: str) -> list[Sample]:
    """Return what is recorded of the service as a whole."""
    return [
        sample(v.SERVICE_BAND, band, **identity),
        sample(v.FREEZE, frozen, **identity),
        sample("", AT_S - age_s, **{READING: RECORDED}, **identity),
    ]


def slo(name: str, band: int = 0, kind: str = "correctness", **identity: str) -> list[Sample]:
    """Return what is recorded of one SLO whose budget is whole."""
    own = {v.SLO: name, **identity}
    return [
        sample(v.BAND, band, **own),
        sample(v.INFO, 1, title=f"{name} works", **{"class": kind}, **own),
        sample(v.REMAINING_RATIO, 1, **own),
        sample(v.COVERAGE, 1, **own),
    ]
