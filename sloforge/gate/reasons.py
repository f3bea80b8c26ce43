"""Words for what a recorded state says: why a band is what it is, what ends it, how much is left."""

from collections.abc import Iterator

from sloforge.policy import Band, Enforcement
from sloforge.quantities import DAY, HOUR, MINUTE, format_duration, format_number, format_time
from sloforge.query.snapshot import SloState, Snapshot


def percent(ratio: float, places: int = 1) -> str:
    """Return a ratio as per cent, rounded for reading; never 100 or 0 where it is not."""
    text = f"{ratio * 100:.{places}f}"
    edge = text in {f"{100:.{places}f}", f"{0:.{places}f}", f"{-0.0:.{places}f}"} and ratio not in {0, 1}
    return f"{ratio * 100:.{places + 2}f} %" if edge and places < 5 else f"{text} %"


def span(seconds: float) -> str:
    """Return a time span in its two largest units that people would say: 3d4h, 12m, 40s."""
    unit = MINUTE if seconds >= 10 * MINUTE else 1
    unit = HOUR if seconds >= 2 * DAY else unit
    return format_duration(int(seconds) // unit * unit)


def budget_words(slo: SloState) -> str:
    """Return what is left of an SLO's budget, also without exclusions where these differ; '' where it has none."""
    counted, excluded = slo.figures, slo.after_exclusions
    if excluded.remaining is None:
        return "" if counted.remaining is None else f"{percent(counted.remaining)} of the budget left"
    failures = "" if excluded.events is None else f"{excluded.events:,.1f} failures"
    if counted.remaining is not None and counted.events is not None and counted != excluded:
        failures += f"; counting what is excluded, {percent(counted.remaining)} and {counted.events:,.1f} failures"
    return f"{percent(excluded.remaining)} of the budget left{failures and f' ({failures})'}"


def reason_words(slo: SloState, numbers: Enforcement) -> tuple[str, ...]:
    """Return a clause for each recorded reason of an SLO's band, with the number behind it."""
    return tuple(_reason(name, value, slo, numbers) for name, value in slo.reasons)


def state_words(state: Snapshot) -> str:
    """Return the band of the service and its freeze."""
    frozen = "frozen" if state.frozen else "not frozen"
    since = f", last RED {format_time(int(state.last_red_s))}" if state.last_red_s is not None else ""
    unknown = "UNKNOWN (held to the rules of YELLOW)" if state.band is Band.UNKNOWN else state.band.name
    return f"{unknown}, {frozen}{since}"


def why(state: Snapshot, numbers: Enforcement) -> Iterator[str]:
    """Yield a line for each SLO that is not GREEN, and for the freeze, worst first."""
    for slo in state.slos:
        if slo.band is not Band.GREEN or slo.hard_stop:
            reasons = "; ".join(reason_words(slo, numbers)) or "the band was asked for within the last hours"
            kind = f" ({slo.slo_class})" if slo.slo_class else ""
            yield f"{slo.slo}{kind} is {slo.band.name}: {reasons}"
    if state.frozen and state.band is not Band.RED:
        since = f" since the last RED at {format_time(int(state.last_red_s))}" if state.last_red_s is not None else ""
        yield f"the change freeze holds{since}: nobody on duty has approved its end"


def _reason(name: str, value: float, slo: SloState, numbers: Enforcement) -> str:
    match name:
        case "budget":
            return f"{budget_words(slo)}, {_below(value, slo, numbers)}"
        case "ticket_burn":
            return f"ticket burns on {value:g} of the last {numbers.ticket_span_days} days"
        case "page_burn":
            return f"a page burn lasted over {format_duration(numbers.page_for_s)}, of late for {value:g} minutes more"
        case "hard_stop":
            return "a hard stop that nobody has approved"
        case "coverage" if value == 0:
            return "nothing of the period was seen: its metrics are missing, or its rules run for minutes only"
        case "coverage":
            return f"only {percent(value)} of the period was seen, below {format_number(numbers.min_coverage * 100)} %"
        case "learning":
            return f"measured for {span(value)} only; there is no band yet"
        case "few_failures":
            return f"only {value:g} failures, too few to move the band"
    return f"{name} ({value:g})"


def _below(value: float, slo: SloState, numbers: Enforcement) -> str:
    """Return the floor that the budget is below, or was when it last asked for its band."""
    floor = numbers.yellow_from if slo.band is Band.RED or value < numbers.yellow_from else numbers.green_from
    words = f"{format_number(floor * 100)} %"
    return (
        f"below {words}"
        if value < floor
        else f"after less than {words} within the last {format_duration(numbers.dwell_s)}"
    )
