"""What changes about one SLO, for the people on call and for what Prometheus has recorded of it."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Final

from sloforge.model.objects import CounterKind, Hard, Slo
from sloforge.model.routing import Kind, Routing
from sloforge.plan.routes import receiver_of
from sloforge.policy import BURN_WINDOWS
from sloforge.quantities import format_duration
from sloforge.review import alarms, words
from sloforge.review.changes import Change, History, both, differ
from sloforge.vocabulary import BURN_ALERTS

MAY_CHANGE: Final = "history kept"
NO_MORE_ALERTS: Final = "no more alerts of it; what was recorded stays for as long as Prometheus keeps it"
NOT_YET: Final = "untouched at first"

# What may be edited at any time: it stands on alerts and slo_info, never on a series with a history.
FREE: Final[tuple[tuple[str, Callable[[Slo], str]], ...]] = (
    ("title", lambda slo: slo.title),
    ("ref", lambda slo: slo.ref),
    ("class", lambda slo: slo.slo_class.value),
    ("owner", lambda slo: slo.owner),
    ("tier", lambda slo: slo.tier),
    ("runbook", lambda slo: slo.runbook),
    ("labels of alerts", lambda slo: words.labels(slo.labels)),
    ("annotations", lambda slo: words.labels(slo.annotations)),
    ("traffic", lambda slo: "" if slo.traffic is None else words.grouped(slo.traffic)),
)


def slo_changes(before: Slo, after: Slo) -> Iterator[Change]:
    """Yield what changes between two versions of one SLO, the gravest first."""
    yield from _counted(before, after)
    yield from _objective(before, after)
    yield from differ("period", both(lambda slo: format_duration(slo.period_s), before, after), _period(after))
    yield from _counter(before, after)
    yield from _divided(before, after)
    yield from _alerts(before, after)
    yield from _heard(before, after)
    for what, fact in FREE:
        yield from differ(what, both(fact, before, after), MAY_CHANGE)


def added(slo: Slo, routing: Routing) -> Change:
    """Return the change that a new SLO is."""
    told = words.per_cent(slo.objective) if slo.objective is not None else "no violation is allowed"
    meaning = f"over {format_duration(slo.period_s)}; {_rings(slo, routing)}; the budget is {NOT_YET}"
    return Change(what="SLO added", after=told, meaning=meaning, history=History.NEW)


def removed(slo: Slo) -> Change:
    """Return the change that the end of an SLO is."""
    before = words.per_cent(slo.objective)
    return Change(what="SLO removed", before=before, meaning=NO_MORE_ALERTS, history=History.KEPT)


def moved(old: str, new: str) -> Change:
    """Return the change of an SLO that counts the same under another name; `old` and `new` are service/SLO."""
    meaning = (
        "all its series start anew, and the budget is untouched at first: an SLO is known by its service and id. "
        "What was recorded stays under the old name"
    )
    return Change(what="SLO moved", before=old, after=new, meaning=meaning, history=History.NEW)


def receiver_changes(before: Slo, after: Slo, old: Routing, new: Routing) -> Iterator[Change]:
    """Yield who else is told, unless everybody's receiver has changed: that is said once, of the routing."""
    for kind, rings in ((Kind.PAGE, alarms.pages), (Kind.TICKET, alarms.tickets)):
        receivers = receiver_of(before.owner, kind, old), receiver_of(after.owner, kind, new)
        if rings(before) and rings(after) and receivers != (old.receivers[kind], new.receivers[kind]):
            yield from differ(f"{kind.value}s go to", receivers, history=History.NONE)


# --- what is counted --------------------------------------------------------


def _counted(before: Slo, after: Slo) -> Iterator[Change]:
    old, new = before.indicator, after.indicator
    if old == new:
        return
    if isinstance(old, Hard) != isinstance(new, Hard):
        meaning = "a hard SLO has no budget: burn alerts and budget begin or end here, the violations are another count"
        yield Change(what="SLI", before=words.kind(old), after=words.kind(new), meaning=meaning, history=History.MIXED)
        return
    if type(old) is not type(new):
        yield Change(
            what="SLI", before=words.kind(old), after=words.kind(new), meaning=_mixture(before, after),
            history=History.MIXED,
        )  # fmt: skip
        return
    once, now = words.parts(old), words.parts(new)
    for key in dict.fromkeys((*once, *now)):
        yield from differ(
            f"counts {key}", (once.get(key, ""), now.get(key, "")), _mixture(before, after), History.MIXED
        )


def _mixture(before: Slo, after: Slo) -> str:
    if before.counter is after.counter is CounterKind.LEDGER:
        return "the series go on; the period is read from the new counters at once, burns of what is past from the old"
    period = format_duration(after.period_s)
    return f"the series go on; for {period} the budget holds counts of both, the old ones until they leave the period"


def _counter(before: Slo, after: Slo) -> Iterator[Change]:
    read = "the counters themselves" if after.counter is CounterKind.LEDGER else "the minutes that were counted"
    yield from differ(
        "counter", (before.counter.value, after.counter.value), f"{MAY_CHANGE}; the period is read from {read}"
    )
    yield from differ("births", (before.births.value, after.births.value), f"{MAY_CHANGE}; of new series from now on")
    snapshots = both(lambda slo: str(slo.snapshots).lower(), before, after)
    yield from differ("snapshots", snapshots, f"{MAY_CHANGE}; evaluations that are missed lose events without them")


def _divided(before: Slo, after: Slo) -> Iterator[Change]:
    """What a budget is kept for besides the whole."""
    old, new = before.by, after.by
    if (old.labels if old else ()) != (new.labels if new else ()):
        meaning = "the budgets of combinations start anew, as their labels differ; that of the whole is kept"
        yield Change(
            what="by", before=words.grouping(old), after=words.grouping(new), meaning=meaning, history=History.NEW
        )
    else:
        yield from differ("by", both(words.grouping, old, new), MAY_CHANGE)
    yield from differ("tiers", both(words.shares, before.tiers, after.tiers), MAY_CHANGE)
    yield from differ("partition", both(words.partition, before.partition, after.partition), MAY_CHANGE)
    reasons = both(lambda slo: f"by {', '.join(slo.reasons.by)}" if slo.reasons else "", before, after)
    if before.reasons != after.reasons and reasons[0] == reasons[1]:
        yield Change(what="counts reasons", after="of other counters", history=History.MIXED)
    yield from differ("reasons", reasons, "failures by reason start anew; the budget is kept", History.NEW)


# --- what is promised -------------------------------------------------------


def _objective(before: Slo, after: Slo) -> Iterator[Change]:
    old, new = before.objective, after.objective
    if old is None or new is None or old == new:
        return
    meaning = f"allowed failures {words.allowed(old)} → {words.allowed(new)} of {words.grouped(words.OF_EVENTS)}"
    meaning += "; history kept, and judged by the new objective at once"
    if after.justification and after.justification != before.justification:
        meaning += f"; because: {after.justification}"
    yield Change(
        what="objective",
        before=words.per_cent(old),
        after=words.per_cent(new),
        meaning=meaning,
        history=History.KEPT,
    )


def _period(after: Slo) -> str:
    period = format_duration(after.period_s)
    return f"{MAY_CHANGE}: the last {period} are added up from what was recorded, as far back as Prometheus keeps it"


# --- what rings -------------------------------------------------------------


def _alerts(before: Slo, after: Slo) -> Iterator[Change]:
    old = {window.tier: window for window in before.windows}
    new = {window.tier: window for window in after.windows}
    for standard in BURN_WINDOWS:
        once, now = old.get(standard.tier), new.get(standard.tier)
        texts = both(lambda window: words.pair(window) if window else "off", once, now)
        yield from differ(BURN_ALERTS[standard.tier], texts, "" if once and now else _switched(standard.severity, now))
    when = "burns page only while it has a sample, and open tickets otherwise"
    yield from differ("pages only while", (before.page_when or "", after.page_when or ""), when)
    stops = both(lambda slo: "stops all shipping" if slo.hard_stop else "", before, after)
    yield from differ("when the objective is missed", stops)


def _switched(severity: str, now: object) -> str:
    return f"another {severity}" if now else f"this {severity} comes no more"


def _heard(before: Slo, after: Slo) -> Iterator[Change]:
    """How soon the first page and ticket come, where that changes."""
    if before.objective is None or after.objective is None:
        return
    for severity in alarms.SEVERITIES:
        for share in alarms.SHARES[:2]:
            told = both(partial(_first, severity, share), before, after)
            what = "a total outage" if share == 1 else f"{words.per_cent(share)} failures"
            yield from differ(f"first {severity} of {what}", told)


def _first(severity: str, share: Decimal, slo: Slo) -> str:
    heard = alarms.first(slo, severity, share)
    return f"after {words.after(heard.due_s)}" if heard else words.NEVER


def _rings(slo: Slo, routing: Routing) -> str:
    """Who hears of a total outage, and how soon."""
    if slo.objective is None:
        return f"any violation pages {receiver_of(slo.owner, Kind.PAGE, routing)} at once"
    for severity in alarms.SEVERITIES:
        if heard := alarms.first(slo, severity, Decimal(1)):
            who = receiver_of(slo.owner, Kind(severity), routing)
            return f"a total outage is a {severity} to {who} after {words.after(heard.due_s)}"
    return f"its failures alert {words.NOBODY}"
