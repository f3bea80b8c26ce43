"""The order in which a doctor looks: here, at each Prometheus, at Alertmanager."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sloforge.doctor import alertmanager, here, prometheus
from sloforge.doctor.check import Check, Verdict
from sloforge.pipeline import Compiled, find_amtool
from sloforge.query.endpoints import Endpoint
from sloforge.targets.prometheus import PROMETHEUS


def examine(
    compiled: Compiled, folder: Path, rulers: Sequence[Endpoint], told: Endpoint | None, total_s: float
) -> Iterator[tuple[str, Check]]:
    """Yield what was found, and where: '' for here, else a server's address. Never raises.

    `folder` is the output of `generate`, `rulers` run the rules, `told` is the Alertmanager. Definitions with errors
    ask for nothing, so that no server is asked about them.
    """
    yield from (("", check) for check in here.examine(compiled, folder))
    if compiled.routes is None:
        return
    for place in rulers:
        yield from ((place.url, check) for check in _ruler(compiled, place, total_s))
    if told is not None:
        yield from ((told.url, check) for check in _told(compiled, told, total_s))


def _ruler(compiled: Compiled, place: Endpoint, total_s: float) -> Iterator[Check]:
    ruler = prometheus.Ruler(place=place, plain=compiled.engine is PROMETHEUS, total_s=total_s)
    reached = prometheus.reached(ruler)
    yield reached
    if reached.verdict is not Verdict.UNREACHABLE:
        least = float(compiled.checked.governance.enforcement.min_coverage)
        yield from prometheus.examine(ruler, compiled.checked.services, compiled.plans, least)


def _told(compiled: Compiled, place: Endpoint, total_s: float) -> Iterator[Check]:
    reached = alertmanager.reached(place, total_s)
    yield reached
    if reached.verdict is not Verdict.UNREACHABLE and compiled.routes is not None:
        yield from alertmanager.examine(place, compiled.checked.services, compiled.routes, find_amtool(), total_s)
