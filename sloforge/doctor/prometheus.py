"""What a running Prometheus says of itself and of the rules: is it what budgets need?"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sloforge.doctor import data, rules
from sloforge.doctor.check import Check, bad, ok, unreachable, warning
from sloforge.model.objects import Service
from sloforge.plan.ir import RuleFile
from sloforge.policy import MEMORY_S
from sloforge.quantities import format_duration, parse_duration
from sloforge.query.answers import AnswerError, Failure, shown
from sloforge.query.client import ask, look
from sloforge.query.endpoints import Endpoint
from sloforge.query.snapshot import STALE_S
from sloforge.verify.promql import FLOOR, parse_version

KEEP: Final = "--storage.tsdb.retention.time=100d"
_DURATION: Final = re.compile(r"(\d+[ywdhms])+", re.ASCII)
_OLDEST: Final = ".".join(map(str, FLOOR))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """A place that runs the rules, and how long to wait for each answer.

    `plain` is whether it is a Prometheus, with storage, notifications and metrics of its own.
    """

    place: Endpoint
    plain: bool
    total_s: float

    def look(self, path: str) -> dict[str, Any] | Failure:
        """Return what it says of itself."""
        return look(self.place, path, self.total_s)


def reached(ruler: Ruler) -> Check:
    """Return whether it answers, by a clock that agrees with ours."""
    (answer,) = ask([ruler.place], "vector(time())", ruler.total_s)
    if isinstance(answer, Failure):
        return unreachable("server", str(answer), "give the address before /api/v1, and look whether it runs")
    apart_s = abs(time.time() - answer[0].value) if answer else 0.0
    if apart_s > STALE_S:
        text = f"{ruler.place.url} has a clock that is {apart_s:.0f} s away from ours"
        return bad("server", text, "set both clocks by NTP; the gate believes no figures of another time")
    return _version(ruler)


def _version(ruler: Ruler) -> Check:
    build = ruler.look("status/buildinfo")
    told = "" if isinstance(build, Failure) else shown(str(build.get("version", "")))
    try:
        known = parse_version(told.partition("+")[0].partition("~")[0].partition("-")[0])
    except ValueError:
        known = FLOOR
    if ruler.plain and known < FLOOR:
        return bad("server", f"{ruler.place.url} is version {told}", f"rules need {_OLDEST} or newer")
    return ok("server", f"{ruler.place.url} answers{f', version {told}' if told else ''}")


def examine(
    ruler: Ruler, services: Sequence[Service], plans: Sequence[RuleFile], min_coverage: float
) -> Iterator[Check]:
    """Yield what was found of a server that was reached, thing by thing; never raises."""
    if ruler.plain:
        yield _retention(ruler, max((slo.period_s for service in services for slo in service.slos), default=0))
        yield _watched(ruler)
        yield _notified(ruler)
    told = ruler.look("rules")
    try:
        if isinstance(told, Failure):
            raise AnswerError(told.sentence)
        yield from rules.examine(plans, rules.read_groups(told))
    except AnswerError as error:
        yield warning("rules", f"{ruler.place.url} {error}", "name the ruler's own address, which tells its rules")
    yield from data.examine(ruler.place, services, min_coverage, ruler.total_s)


def _retention(ruler: Ruler, period_s: int) -> Check:
    info = ruler.look("status/runtimeinfo")
    told = "" if isinstance(info, Failure) else shown(str(info.get("storageRetention", "")))
    kept = _DURATION.search(told)
    if kept is None:
        text = f"how long samples are kept is not told{f' as a time: {told}' if told else ''}"
        return warning("storage", text, f"see that it is longer than {format_duration(period_s)}: {KEEP}")
    kept_s = sum(parse_duration(part) for part in re.findall(r"\d+[ywdhms]", kept[0]))
    if kept_s <= period_s:
        text = f"samples are kept for {told}, and budgets look back {format_duration(period_s)}"
        return bad("storage", f"{text}: what is older is forgotten", f"start Prometheus with {KEEP}")
    if kept_s < MEMORY_S:
        text = f"samples are kept for {told}; hard stops and freezes look back {format_duration(MEMORY_S)}"
        return warning("storage", text, f"start Prometheus with {KEEP}")
    return ok("storage", f"samples are kept for {told}")


def _watched(ruler: Ruler) -> Check:
    (answer,) = ask([ruler.place], "count(prometheus_rule_group_iterations_total)", ruler.total_s)
    if isinstance(answer, Failure) or not answer:
        text = "Prometheus does not scrape its own metrics: the alert SLORulesFailing sees nothing"
        return warning("own metrics", text, "add a scrape job for Prometheus itself, as in deploy/prometheus")
    return ok("own metrics", "Prometheus scrapes itself, so that failing rules are seen")


def _notified(ruler: Ruler) -> Check:
    told = ruler.look("alertmanagers")
    active = None if isinstance(told, Failure) else told.get("activeAlertmanagers")
    if not isinstance(active, list):
        return warning("alerting", "which Alertmanagers are told is not known", "see `alerting:` of prometheus.yml")
    if not active:
        return bad("alerting", "no Alertmanager is told of alerts: nobody is paged", "name one under `alerting:`")
    urls = [str(one.get("url", "")).partition("/api/")[0] for one in active if isinstance(one, dict)]
    return ok("alerting", f"alerts go to {shown(', '.join(urls))}")
