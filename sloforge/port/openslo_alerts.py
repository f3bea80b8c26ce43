"""Alert policies of OpenSLO as burn alerts: a burn rate over a window is a share of the budget lost within it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sloforge.diagnostics import Code
from sloforge.policy import SHORT_DIVISOR, error_threshold
from sloforge.port.draft import Draft
from sloforge.port.openslo_known import Known, seconds
from sloforge.port.parts import Part, RefusedError
from sloforge.quantities import MINUTE, format_duration, format_number, parse_duration, parse_number
from sloforge.render.serialize import Data

_PAGING: Final = ("page", "critical", "high", "urgent", "sev1", "p1")
_SHORTEST_S: Final = 5 * MINUTE
_SPEEDS: Final = ("fast", "slow")


@dataclass(frozen=True, slots=True)
class _Condition:
    severity: str
    long_s: int
    factor: Decimal
    part: Part


def take_alerts(found: Draft, policies: list[Part], known: Known) -> None:
    """Give an SLO the burn alerts that its policies ask for; what does not fit is noted, and no alert."""
    conditions = []
    for policy in policies:
        try:
            conditions += _conditions(found, policy, known)
        except RefusedError as error:
            found.changed(f"an alert policy cannot be read: {error.message}", policy.route, lost=True)
    said: dict[str, Data] = {}
    for severity in ("page", "ticket"):
        own = [each for each in conditions if each.severity == severity and _fits(found, each)]
        own.sort(key=lambda each: each.long_s)
        for each in own[len(_SPEEDS) :]:
            _lost(found, each, f"a third alert with the severity of a {severity}")
        tiers = {speed: _window(found, each) for speed, each in zip(_SPEEDS, own, strict=False)}
        said[severity] = {speed: tiers.get(speed, False) for speed in _SPEEDS} if tiers else False
    found.data["alerts"] = said


def _conditions(found: Draft, policy: Part, known: Known) -> list[_Condition]:
    spec = known.resolve("AlertPolicy", policy, "alertPolicyRef")
    spec.irrelevant("description alertWhenResolved", "Alertmanager tells when an alert ends")
    spec.irrelevant("alertWhenNoData", "missing data are always told, by SLODataMissing")
    spec.lost("notificationTargets", "who is told is said in policy/routing.yml")
    if not spec.flag("alertWhenBreaching", True):
        return []
    return [_condition(known.resolve("AlertCondition", each, "conditionRef")) for each in spec.parts("conditions")]


def _condition(spec: Part) -> _Condition:
    spec.irrelevant("description", "alerts have words of their own")
    part = spec.part("condition")
    part.lost("alertAfter", "a short window in its place keeps the alert from flapping")
    part.irrelevant("op", "a burn rate alerts when it is high")
    if (kind := part.text("kind", "burnrate")) != "burnrate":
        raise RefusedError(Code.IMPORT_SHAPE, part.at("kind"), f"the kind of condition is {kind!r}, not burnrate")
    try:
        factor = parse_number(part.needed("threshold"))
    except ValueError as error:
        raise RefusedError(Code.IMPORT_SHAPE, part.at("threshold"), str(error)) from None
    severity = "page" if spec.text("severity").lower() in _PAGING else "ticket"
    return _Condition(severity, seconds(part.needed("lookbackWindow"), part.at("lookbackWindow")), factor, part)


def _fits(found: Draft, each: _Condition) -> bool:
    period_s, objective = parse_duration(str(found.data["period"])), parse_number(str(found.data["objective"])) / 100
    share = each.factor * each.long_s / period_s
    if not 0 < share <= 1 or each.long_s >= period_s or error_threshold(each.factor, objective) >= 1:
        _lost(found, each, "a burn rate that could never alert at this objective and period")
    elif _short(each) >= each.long_s:
        _lost(found, each, f"a window of {format_duration(each.long_s)} is too short for a burn rate")
    else:
        return True
    return False


def _lost(found: Draft, each: _Condition, why: str) -> None:
    route = each.part.route if each.part.notes is found.notes else found.route
    found.changed(f"alert on a burn rate of {format_number(each.factor)}: {why}", route, lost=True)


def _short(each: _Condition) -> int:
    return max(_SHORTEST_S, round(each.long_s / SHORT_DIVISOR / MINUTE) * MINUTE)


def _window(found: Draft, each: _Condition) -> Data:
    share = each.factor * each.long_s / parse_duration(str(found.data["period"])) * 100
    return {
        "long": format_duration(each.long_s),
        "short": format_duration(_short(each)),
        "budget": format_number(share),
    }
