"""The one instant query that reads the state of services, and what its samples say."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.objects import Matcher, Pairs, SloClass
from sloforge.plan.promql import braces
from sloforge.policy import Band
from sloforge.quantities import DAY, MINUTE
from sloforge.query.answers import NAME, AnswerError, Sample, shown
from sloforge.query.snapshot import SEVERITY, STALE_S, Figures, SloState, Snapshot, worst

WINDOWS: Final = ("1h", "6h", "1d", "3d")
READ: Final = (
    v.BAND, v.BAND_REASON, v.SERVICE_BAND, v.FREEZE, v.LAST_RED, v.HARD_STOP, v.VIOLATIONS, v.POSTMORTEM, v.PERIOD,
    v.OBJECTIVE, v.COVERAGE, v.EXHAUSTION, v.INFO,
    *(name + suffix for name in (v.SLI_PERIOD, v.REMAINING_RATIO, v.REMAINING_EVENTS)
      for suffix in ("", v.WITH_EXCLUSIONS)),
    *(v.burn_rate(window) for window in WINDOWS),
    *(v.burn_active(tier) for tier in v.BURN_ALERTS),
)  # fmt: skip
READING: Final = "reading"  # a label of ours, on what the query works out beside the recorded series
RECORDED: Final = "recorded"
LONGEST_S: Final = 3660 * DAY  # beyond this nobody promises anything
_CLASSES: Final = tuple(kind.value for kind in SloClass)


def state_query(service: str = "", identity: Pairs = ()) -> str:
    """Return the query for the state of `service`, or of every service, and for when it was recorded."""
    own = [Matcher(v.SERVICE, "=", service)] if service else []
    own += [Matcher(label, "=", value) for label, value in identity]
    names = "|".join(re.escape(name) for name in READ)
    series = braces([Matcher(NAME, "=~", names), *own])
    return f'{series}\nor label_replace(timestamp({v.FREEZE}{braces(own)}), "{READING}", "{RECORDED}", "", "")'


def read_state(url: str, samples: Iterable[Sample]) -> tuple[Snapshot, ...]:
    """Return the snapshot of each service, by name; none where no service has a recorded freeze.

    Two copies of a service that differ by identity labels are two snapshots. Raises AnswerError.
    """
    samples = tuple(samples)
    copies: dict[str, list[_Copy]] = {}
    for sample in samples:
        if sample.name == v.FREEZE:
            copies.setdefault(sample.label(v.SERVICE), []).append(_Copy(url, sample))
    for sample in samples:
        fitting = [copy for copy in copies.get(sample.label(v.SERVICE), ()) if copy.owns(sample)]
        if fitting:
            max(fitting, key=lambda copy: len(copy.identity)).keep(sample)
    found = sorted((copy for ours in copies.values() for copy in ours), key=lambda copy: (copy.service, copy.identity))
    return tuple(copy.snapshot() for copy in found)


class _Copy:
    """The samples of one service with one identity, by series name and what tells its series apart."""

    def __init__(self, url: str, freeze: Sample) -> None:
        self.url = url
        self.service = freeze.label(v.SERVICE)
        self.identity: Pairs = tuple(pair for pair in freeze.labels if pair[0] not in {NAME, v.SERVICE})
        self.at_s = freeze.at_s
        self.values: dict[tuple[str, str, str], float] = {}
        self.info: dict[str, Mapping[str, str]] = {}
        self.reasons: dict[str, list[tuple[str, float]]] = {}

    def owns(self, sample: Sample) -> bool:
        return all(pair in sample.labels for pair in self.identity)

    def keep(self, sample: Sample) -> None:
        labels = dict(sample.labels)
        name, reason = labels.get(NAME, ""), labels.get(v.REASON, "")
        slo = labels.get(v.SLO, "") or (labels.get(v.RULE, "") if name == v.HARD_STOP else "")
        key = (name or labels.get(READING, ""), slo, reason)
        if name == v.INFO:
            self.info[slo] = labels
        elif key in self.values:
            raise AnswerError(f"has {shown(' '.join(filter(None, key)))} of {shown(self.service)} twice")
        else:
            self.values[key] = sample.value
            if name == v.BAND_REASON:
                self.reasons.setdefault(slo, []).append((reason, sample.value))

    def snapshot(self) -> Snapshot:
        recorded_s = self._moment(RECORDED)
        if recorded_s is None:
            raise AnswerError("did not say when its rules ran last")
        named = {slo: None for name, slo, _ in self.values if name in {v.BAND, v.HARD_STOP}}
        slos = [self._slo(slo) for slo in named]
        if not slos:
            raise AnswerError(f"has no {v.BAND} of {shown(self.service)}: its rules are incomplete")
        service_band = self._band(v.SERVICE_BAND, "")
        return Snapshot(
            url=self.url,
            service=self.service,
            identity=self.identity,
            at_s=self.at_s,
            recorded_s=recorded_s,
            # Both were recorded by one evaluation and agree; should they ever not, the worse counts.
            band=worst(service_band, *(slo.band for slo in slos)),
            frozen=self._flag(v.FREEZE, "") or any(slo.hard_stop for slo in slos),
            last_red_s=self._moment(v.LAST_RED),
            slos=tuple(sorted(slos, key=badness)),
        )

    def _slo(self, slo: str) -> SloState:
        info = self.info.get(slo, {})
        rates = ((window, self._value(v.burn_rate(window), slo)) for window in WINDOWS)
        return SloState(
            slo=slo,
            band=self._band(v.BAND, slo),
            title=info.get("title", ""),
            ref=info.get("ref", ""),
            slo_class=info.get("class", ""),
            owner=info.get(v.OWNER, ""),
            runbook=info.get("runbook", ""),
            reasons=tuple(sorted(self.reasons.get(slo, ()))),
            objective=self._value(v.OBJECTIVE, slo),
            figures=self._figures(slo, ""),
            after_exclusions=self._figures(slo, v.WITH_EXCLUSIONS),
            coverage=self._value(v.COVERAGE, slo),
            burn_rates=tuple((window, rate) for window, rate in rates if rate is not None),
            watched=tuple(tier for tier in v.BURN_ALERTS if self._value(v.burn_active(tier), slo) is not None),
            burning=tuple(tier for tier in v.BURN_ALERTS if self._flag(v.burn_active(tier), slo)),
            exhaustion_s=self._value(v.EXHAUSTION, slo),
            period_s=self._period(slo),
            hard_stop=self._flag(v.HARD_STOP, slo),
            violations=self._value(v.VIOLATIONS, slo),
            owes_postmortem=self._flag(v.POSTMORTEM, slo),
        )

    def _figures(self, slo: str, suffix: str) -> Figures:
        return Figures(
            sli=self._value(v.SLI_PERIOD + suffix, slo),
            remaining=self._value(v.REMAINING_RATIO + suffix, slo),
            events=self._value(v.REMAINING_EVENTS + suffix, slo),
        )

    def _value(self, name: str, slo: str) -> float | None:
        return self.values.get((name, slo, ""))

    def _moment(self, name: str) -> float | None:
        value = self._value(name, "")
        if value is not None and not 0 <= value <= self.at_s + STALE_S:
            raise AnswerError(f"says {value:g} for {name}, which is no moment of the past")
        return value

    def _period(self, slo: str) -> float | None:
        value = self._value(v.PERIOD, slo)
        if value is not None and not MINUTE <= value <= LONGEST_S:
            raise AnswerError(f"says {value:g} for {v.PERIOD}, which is no period")
        return value

    def _band(self, name: str, slo: str) -> Band:
        value = self._value(name, slo)
        if value is None:
            raise AnswerError(f"has no {name} of {shown(self.service)}: its rules are incomplete")
        if value not in tuple(Band):
            raise AnswerError(f"says {value:g} for {name}, which is no band")
        return Band(int(value))

    def _flag(self, name: str, slo: str) -> bool:
        value = self._value(name, slo)
        if value not in {None, 0.0, 1.0}:
            raise AnswerError(f"says {value:g} for {name}, which is neither 0 nor 1")
        return value == 1.0


def badness(slo: SloState) -> tuple[int, int, str]:
    """Return a sort key, worst first: by band, then by the policy's order of classes, then by name."""
    known = slo.slo_class in _CLASSES
    return -SEVERITY.index(slo.band), _CLASSES.index(slo.slo_class) if known else len(_CLASSES), slo.slo
