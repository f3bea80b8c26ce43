"""The status band of each SLO and of the service (policy, section 7.1), and why it is what it is.

Every reason asks for a band only while it holds: the moment is recorded. The band is the worst that was asked for
within the dwell. So it gets worse at once and better late, and no rule has to remember what it said before.
"""

from decimal import Decimal

from sloforge import vocabulary as v
from sloforge.plan.budget import FIRST_TICK
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import Scope, over
from sloforge.plan.remembered import copies, copy, copy_name, moment, within
from sloforge.plan.windows import common, latest, noted
from sloforge.policy import SLOW_S, TICK_S, Band, Enforcement
from sloforge.quantities import DAY, HOUR, format_duration, format_number

LEARNING = "slo:band:learning_seconds"  # sparse: the age of an SLO that is too young to have a band
TICKET_DAY = "slo_slow:burn_ticket:day"
TICKET_DAYS = "slo_slow:burn_ticket:days"
TICKET_STAYS_S = 3 * HOUR  # looked for once an hour: seen even where Prometheus is down for one or two
_PAGES = ("page_fast", "page_slow")
_TICKETS = ("ticket_fast", "ticket_slow")
BUDGET, TICKET, PAGE = "budget", "ticket_burn", "page_burn"  # values of the label `reason`
BAND, YELLOW, RED = "band", "yellow", "red"  # a label of what is asked for, and its values


def bands(scope: Scope, numbers: Enforcement, excused: str = "") -> list[RecordingRule]:
    """Return what the fast group records of bands, in order. It stands behind burn conditions and hard stops.

    `excused` has a sample by SLO while an approved exclusion explains its page burns.
    """
    return [
        _page_burn(scope),
        *_learning(scope, numbers),
        *noted(_asked(scope, numbers, excused), _asked_note(numbers)),
        _held(scope, numbers),
        *_reasons(scope, numbers),
        _state(scope, numbers),
        _service(scope),
    ]


def slow_bands(scope: Scope, numbers: Enforcement, excused: str = "") -> list[RecordingRule]:
    """Return when bands were asked for, and on how many days of late an SLO had a ticket burn.

    `excused` has a sample by SLO while an approved exclusion explains its ticket burns; it is asked about the past.
    """
    asked = copies(scope, v.BAND_ASKED, numbers.dwell_s, "When each band was last asked for")
    return [*asked, *_ticket_days(scope, numbers, excused)]


def _ticket_days(scope: Scope, numbers: Enforcement, excused: str) -> list[RecordingRule]:
    """Days are told by their midnights (UTC), so the series changes as often as another day joins."""
    lately = {tier: over("max_over_time", scope.series(v.burn_active(tier)), SLOW_S) for tier in (*_PAGES, *_TICKETS)}
    closed = f"{over('max_over_time', scope.series(v.PAGE_WHEN), SLOW_S)} == 0"
    downgraded = " or ".join(f"{lately[tier]} == 1" for tier in _PAGES)
    burning = [*(f"{lately[tier]} == 1" for tier in _TICKETS), f"({downgraded}) and {scope.on} {closed}"]
    day = f"time() - time() % {DAY} + 0 * (\n     " + "\n  or ".join(burning) + "\n)"
    today = scope.series(copy_name(TICKET_DAY, TICKET_STAYS_S))
    if excused:
        today = f"({today} unless {scope.on} ({excused}))"
    days = f"{today}[{numbers.ticket_span_days}d:1h]"
    number = f"changes({days}) + 1"
    counted = (f"{number} + ({today} > bool last_over_time({days}))", number, f"1 + 0 * {today}")
    note = "The midnights (UTC) of days with a ticket burn, and how many there are: one more than changes"
    return [
        common(TICKET_DAY, day, note, sparse=True),
        copy(scope, TICKET_DAY, TICKET_STAYS_S),
        common(TICKET_DAYS, "\nor ".join(counted), sparse=True),
    ]


def _page_burn(scope: Scope) -> RecordingRule:
    fast, slow = (scope.series(v.burn_active(tier)) for tier in _PAGES)
    open_ = f"unless {scope.on} {scope.series(v.PAGE_WHEN)} == 0"
    expr = f"((({fast} == 1) or ({slow} == 1)) {open_})\nor 0 * {fast}\nor 0 * {slow}"
    return common(v.PAGE_BURN, expr, "All SLOs: whether any page burns; one whose page.when is closed is a ticket")


def _learning(scope: Scope, numbers: Enforcement) -> list[RecordingRule]:
    age = f"time() - {latest(scope.series(FIRST_TICK))}"
    enough = f"clamp_max({scope.series(v.PERIOD)} / 2, {numbers.learning_s})"
    note = f"The age of SLOs younger than {format_duration(numbers.learning_s)} (or half their period): no band yet"
    return [common(LEARNING, f"{age} < {scope.on} {enough}", note, sparse=True)]


def _asked_note(numbers: Enforcement) -> str:
    return (
        "When something asked for a band worse than GREEN. There only while it asks.\n"
        f"budget: less than {_percent(numbers.green_from)} left asks for YELLOW, less than "
        f"{_percent(numbers.yellow_from)} for RED; from {numbers.min_failures} failures on\n"
        f"ticket_burn: on {numbers.ticket_days} of the last {numbers.ticket_span_days} days asks for YELLOW\n"
        f"page_burn: for {format_duration(numbers.page_for_s)} on end asks for RED"
    )


def _asked(scope: Scope, numbers: Enforcement, excused: str) -> list[RecordingRule]:
    on = scope.on
    # A ledger tells a whole period before the SLO's first tick is known, from which on it learns. Coverage tells both.
    failed = scope.series(v.FAILED_PERIOD + v.WITH_EXCLUSIONS)
    enough = f"and {on} ({failed} >= {numbers.min_failures})\n  and {on} {scope.series(v.COVERAGE)}"
    burn, on_end = scope.series(v.PAGE_BURN), format_duration(numbers.page_for_s)
    minutes = f"{burn}[{format_duration(numbers.page_for_s - TICK_S // 2)}]"
    page = f"min_over_time({minutes}) == 1\n  and {burn} offset {on_end} == 1"
    if excused:
        page += f"\n  unless {on} ({excused})"
    return [
        *(_asks(scope, BUDGET, band, f"{less}\n  {enough}") for band, less in budget_asks(_left(scope), numbers)),
        _asks(scope, TICKET, YELLOW, f"{latest(scope.series(TICKET_DAYS))} >= {numbers.ticket_days}"),
        _asks(scope, PAGE, RED, page),
    ]


def _asks(scope: Scope, reason: str, band: str, condition: str) -> RecordingRule:
    expr = moment(f"\n  {condition}\n  unless {scope.on} {scope.series(LEARNING)}\n")
    return common(v.BAND_ASKED, expr, labels=((v.REASON, reason), (BAND, band)), sparse=True)


def _held(scope: Scope, numbers: Enforcement) -> RecordingRule:
    note = f"A band is held until nothing has asked for it, or for worse, in {format_duration(numbers.dwell_s)}"
    return common(v.BAND_HELD, within(scope, v.BAND_ASKED, numbers.dwell_s), note, sparse=True)


def _reasons(scope: Scope, numbers: Enforcement) -> list[RecordingRule]:
    """Why the band is what it is. A reason stays as long as the band that it asked for."""
    on, learning = scope.on, f"unless {scope.on} {scope.series(LEARNING)}"
    left, failed = _left(scope), scope.series(v.FAILED_PERIOD + v.WITH_EXCLUSIONS)
    few = f"{failed} < {numbers.min_failures}"
    coverage = f"{scope.series(v.COVERAGE)} < {format_number(numbers.min_coverage)}"
    days = latest(scope.series(TICKET_DAYS))
    minutes = over("count_over_time", scope.labelled(v.BAND_ASKED, v.REASON, PAGE), numbers.dwell_s - TICK_S // 2)
    values = {
        BUDGET: f"{left} and {on} {_held_by(scope, BUDGET)}",
        TICKET: f"{days} and {on} {_held_by(scope, TICKET)}",
        PAGE: f"sum by ({_names(scope)}) ({minutes})",
        "hard_stop": f"sum by ({_names(scope)}) ({scope.series(v.HARD_STOP)}) > 0",
        "coverage": f"{coverage} {learning}\nor 0 * {scope.series(v.PERIOD)} unless {on} {scope.series(v.COVERAGE)}",
        "learning": scope.series(LEARNING),
        "few_failures": f"({few}) and {on} ({left} < {format_number(numbers.green_from)}) {learning}",
    }
    note = (
        "Why the band is what it is, and the number behind it. budget: the share left; ticket_burn: days; page_burn:\n"
        "minutes; hard_stop: rules; coverage: the share of ticks seen; learning: seconds; few_failures: failures"
    )
    rules = [common(v.BAND_REASON, expr, labels=((v.REASON, reason),), sparse=True) for reason, expr in values.items()]
    return noted(rules, note)


def _state(scope: Scope, numbers: Enforcement) -> RecordingRule:
    """The first line with a sample decides."""
    known = f"{scope.series(v.COVERAGE)} >= {format_number(numbers.min_coverage)}"
    lines = (
        f"{Band.RED.value} + 0 * (sum by ({_names(scope)}) ({scope.series(v.HARD_STOP)}) > 0)",
        f"{Band.UNKNOWN.value} + 0 * {scope.series(LEARNING)}",
        f"{Band.RED.value} + 0 * max by ({_names(scope)}) ({scope.labelled(v.BAND_HELD, BAND, RED)})",
        f"{Band.UNKNOWN.value} + 0 * ({scope.series(v.PERIOD)} unless {scope.on} {known})",
        f"{Band.YELLOW.value} + 0 * max by ({_names(scope)}) ({scope.series(v.BAND_HELD)})",
        f"0 * {scope.series(v.PERIOD)}",
    )
    note = (
        "The band: 0 GREEN, 1 YELLOW, 2 RED, -1 unknown. The first line with a sample decides: a hard stop; learning;\n"
        "RED is held; too little was seen, which softens no RED; YELLOW is held; else GREEN"
    )
    return common(v.BAND, "   " + "\nor ".join(lines), note)


def _service(scope: Scope) -> RecordingRule:
    band, by = scope.series(v.BAND), f"by ({_names(scope, slo=False)})"
    note = "The service: its worst SLO. Any YELLOW or RED; else unknown, if any is; else GREEN"
    return common(v.SERVICE_BAND, f"max {by} ({band} > 0)\nor min {by} ({band})", note)


def _held_by(scope: Scope, reason: str) -> str:
    return f"max by ({_names(scope)}) ({scope.labelled(v.BAND_HELD, v.REASON, reason)})"


def budget_asks(left: str, numbers: Enforcement) -> tuple[tuple[str, str], ...]:
    """Return the bands that what is `left` of a budget asks for, each with when it does."""
    green, yellow = format_number(numbers.green_from), format_number(numbers.yellow_from)
    return (YELLOW, f"{left} < {green} >= {yellow}"), (RED, f"{left} < {yellow}")


def _left(scope: Scope) -> str:
    return rounded(scope.series(v.REMAINING_RATIO + v.WITH_EXCLUSIONS))


def rounded(left: str) -> str:
    """Return what is left of a budget without a float's noise: 1 - 80/100 is a hair less than 0.2, but is not RED."""
    return f"round({left}, 0.00000001)"


def _names(scope: Scope, *, slo: bool = True) -> str:
    return ", ".join(name for name in scope.names if slo or name != v.SLO)


def _percent(share: Decimal) -> str:
    return f"{format_number(share * 100)} %"
