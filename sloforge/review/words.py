"""Words for facts: numbers with their units, durations that people say, selectors."""

from collections.abc import Iterable
from decimal import Decimal

from sloforge.gate.reasons import span
from sloforge.model.objects import Events, Grouping, Hard, Indicator, Latency, Pairs, Partition, Probe, Ratio, Selector
from sloforge.plan.promql import selector
from sloforge.policy import BurnWindow
from sloforge.quantities import format_duration, format_number

OF_EVENTS = 10_000
NEVER = "never"
NOBODY = "nobody"


def per_cent(share: Decimal | None) -> str:
    """Return a share (0.995) as exact per cent; no objective is that of a hard SLO."""
    return "none" if share is None else f"{format_number(share * 100)} %"


def allowed(objective: Decimal, events: Decimal | int = OF_EVENTS) -> str:
    """Return how many of so many events may fail: `50`."""
    return grouped((1 - objective) * events)


def grouped(number: Decimal | int) -> str:
    """Return a number with its thousands apart, to a hundredth: 10,000."""
    whole, _, rest = format_number(Decimal(number), 2).partition(".")
    return f"{int(whole):,}{'.' * bool(rest)}{rest}"


def after(seconds: Decimal | None) -> str:
    """Return how long something takes, as people say it; None is never."""
    return NEVER if seconds is None else span(float(seconds)) if seconds >= 1 else "at once"


def pair(window: BurnWindow) -> str:
    """Return a burn alert's condition: `2 % of the budget in 1h (and 5m), from 3 failures`."""
    return (
        f"{per_cent(window.budget_share)} of the budget in {format_duration(window.long_s)} "
        f"(and {format_duration(window.short_s)}), from {window.min_failures} failures"
    )


def labels(pairs: Pairs) -> str:
    """Return label pairs as `a=b, c=d`."""
    return ", ".join(f"{name}={value}" for name, value in pairs)


def shares(pairs: Iterable[tuple[str, Decimal | None]]) -> str:
    """Return named shares as `gold 99.9 %, default 99 %`."""
    return ", ".join(f"{name} {per_cent(share)}" for name, share in pairs)


def grouping(by: Grouping | None) -> str:
    """Return the labels that a budget is kept by, and what differs among them."""
    if by is None:
        return ""
    objectives = "".join(f", {label}: {shares(values)}" for label, values in by.objectives)
    return f"{', '.join(by.labels)}{' with alerts' if by.alerts else ''}, up to {by.limit}{objectives}"


def partition(of: Partition | None) -> str:
    """Return by what a budget is divided, and the shares."""
    return "" if of is None else f"by {of.label}: {shares(of.shares)}"


def kind(indicator: Indicator) -> str:
    """Return the kind of SLI, as definitions call it."""
    return type(indicator).__name__.lower()


def parts(indicator: Indicator) -> dict[str, str]:
    """Return what an SLI counts, by the keys of its definition."""
    return {key: text for key, text in _parts(indicator).items() if text}


def _parts(indicator: Indicator) -> dict[str, str]:
    match indicator:
        case Ratio():
            return {key: _sum(getattr(indicator, key)) for key in ("total", "good", "bad", "excluded")}
        case Latency():
            threshold = f"{format_number(indicator.threshold_s)}s{' (native)' if indicator.native else ''}"
            return {"histogram": selector(indicator.histogram), "threshold": threshold}
        case Probe():
            missing = "bad" if indicator.missing_is_bad else "ignore"
            return {"metric": selector(indicator.metric), "good": indicator.good, "missing": missing}
        case Events():
            return {"total": indicator.total, "bad": indicator.bad}
        case Hard():
            return {"violations": _sum(indicator.violations)}


def _sum(selectors: Iterable[Selector]) -> str:
    return " + ".join(selector(one) for one in selectors)
