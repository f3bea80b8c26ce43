"""The panels of one SLO: what policy section 10 asks to see of each, from recorded series only.

Which SLO it is, the reader chooses. What only some SLOs of the service have is planned where any has it; queries of the
others find nothing.
"""

from dataclasses import dataclass

from sloforge import vocabulary as v
from sloforge.model.objects import Service, Slo
from sloforge.plan.alerts import factor_text
from sloforge.plan.dashboard_ir import Colour, Label, Look, Panel, Query, Section, Step, Steps, Unit, Word, Words
from sloforge.plan.groups import REASON_DAY, REASON_PERIOD
from sloforge.plan.hard_stops import is_hard
from sloforge.plan.objectives import has_own
from sloforge.plan.partitions import REMAINING_EVENTS as SHARE_EVENTS
from sloforge.plan.partitions import REMAINING_RATIO as SHARE_LEFT
from sloforge.plan.partitions import SHARE
from sloforge.plan.promql import Scope, one_of
from sloforge.plan.tiers import tiers_of
from sloforge.policy import BURN_WINDOWS, Band, Enforcement
from sloforge.quantities import DAY, HOUR, MINUTE, format_duration, format_number

CHOSEN = "${slo}"
TOP = 20  # rows of a table of culprits

BANDS: Words = (
    Word(str(Band.UNKNOWN.value), "UNKNOWN", Colour.UNKNOWN),
    Word(str(Band.GREEN.value), "GREEN", Colour.GOOD),
    Word(str(Band.YELLOW.value), "YELLOW", Colour.WARNING),
    Word(str(Band.RED.value), "RED", Colour.BAD),
)
ACTIVE: Words = (Word("0", "no", Colour.GOOD), Word("1", "YES", Colour.BAD))
NOT_ONE: Steps = (Step(None, Colour.GOOD), Step("1", Colour.BAD))
BURNING: Steps = (Step(None, Colour.GOOD), Step("1", Colour.WARNING))
_REASONS: Words = (
    Word("budget", "budget: share left"),
    Word("ticket_burn", "ticket burns: days"),
    Word("page_burn", "page burn: minutes"),
    Word("hard_stop", "hard stop: rules"),
    Word("coverage", "coverage: share of minutes seen"),
    Word("learning", "learning: age in seconds"),
    Word("few_failures", "few failures: how many"),
)
_SPENT_BY_S = (MINUTE * 5, HOUR, HOUR * 6, DAY, DAY * 3)  # windows of error ratios: the others lie between them


def left_steps(numbers: Enforcement) -> Steps:
    """Return the colours of a remaining budget: those of the bands that it asks for."""
    green, yellow = format_number(numbers.green_from), format_number(numbers.yellow_from)
    return (Step(None, Colour.BAD), Step(yellow, Colour.WARNING), Step(green, Colour.GOOD))


def seen_steps(numbers: Enforcement) -> Steps:
    """Return the colours of a coverage."""
    return (Step(None, Colour.UNKNOWN), Step(format_number(numbers.min_coverage), Colour.GOOD))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The SLO that the reader chose, among those of a service."""

    scope: Scope  # whose identity is the reader's choice as well
    service: Service
    numbers: Enforcement

    def series(self, name: str) -> str:
        """Return the selector of its recorded series."""
        return self.scope.series(name, CHOSEN)

    def section(self) -> Section:
        """Return everything about it."""
        panels = (*self._now(), *self._history(), *self._culprits())
        return Section(title=f"SLO {CHOSEN}", panels=panels)

    def _any(self, *, by: bool = False, reasons: bool = False) -> bool:
        return any((by and slo.by) or (reasons and slo.reasons) for slo in self.service.slos)

    def _both(self, name: str, what: str) -> tuple[Query, Query]:
        """A figure of the period as it decides, and as it was counted."""
        return (
            Query(expr=self.series(name + v.WITH_EXCLUSIONS), name=f"{what}, after exclusions"),
            Query(expr=self.series(name), name=f"{what}, as counted"),
        )

    # --- now ------------------------------------------------------------------

    def _now(self) -> tuple[Panel, ...]:
        return (
            Panel(
                title="Band",
                description="What may ship: the status band of policy section 7.1.",
                look=Look.FIGURE,
                queries=(Query(expr=self.series(v.BAND), name="band"),),
                unit=Unit.STATE,
                words=BANDS,
                width=3,
                height=5,
            ),
            Panel(
                title="Why",
                description="What keeps the band from GREEN, and the number behind it. Empty while all is well.",
                look=Look.TABLE,
                queries=(Query(expr=self.series(v.BAND_REASON), name="Number"),),
                labels=(Label(name=v.REASON, title="Reason", words=_REASONS),),
                unlisted=(v.SLO, *self._own_names()),
                width=5,
                height=5,
                absent="nothing",
            ),
            Panel(
                title="Budget left",
                description="The share of the period's error budget that is left. Below 0, it is overspent.",
                look=Look.FIGURE,
                queries=self._both(v.REMAINING_RATIO, "left"),
                unit=Unit.SHARE,
                steps=left_steps(self.numbers),
                height=5,
            ),
            Panel(
                title="Failures that are left",
                description="How many more events may fail before the budget is spent, at the period's traffic.",
                look=Look.FIGURE,
                queries=self._both(v.REMAINING_EVENTS, "events"),
                steps=(Step(None, Colour.BAD), Step("0", Colour.PLAIN)),
                height=5,
            ),
            Panel(
                title="SLI and objective",
                description="The share of good events in the period, and what is promised.",
                look=Look.FIGURE,
                queries=(*self._both(v.SLI_PERIOD, "SLI"), Query(expr=self.series(v.OBJECTIVE), name="objective")),
                unit=Unit.SHARE,
                height=5,
            ),
            Panel(
                title="Spent in",
                description="When the budget will be gone if the last six hours go on.",
                look=Look.FIGURE,
                queries=(Query(expr=self.series(v.EXHAUSTION), name="at this pace"),),
                unit=Unit.SECONDS,
                steps=(Step(None, Colour.BAD), Step(str(3 * DAY), Colour.WARNING)),
                height=5,
                absent="not at this pace",
            ),
        )

    # --- over time ------------------------------------------------------------

    def _history(self) -> tuple[Panel, ...]:
        return (
            Panel(
                title="Burn-down",
                description="What was left of the budget. The lines are where the band gets worse.",
                look=Look.CURVES,
                queries=self._both(v.REMAINING_RATIO, "left"),
                unit=Unit.SHARE,
                steps=left_steps(self.numbers),
                drawn=True,
                width=12,
                height=8,
            ),
            Panel(
                title="Burn rate, and where alerts fire",
                description="1 spends the budget in exactly one period. An alert fires once its long and its short "
                "window are above its line and enough events have failed.",
                look=Look.CURVES,
                queries=(*self._burns(), *self._limits()),
                width=12,
                height=8,
            ),
            Panel(
                title="SLI against objective",
                description="The share of good events over the whole period, as of each moment.",
                look=Look.CURVES,
                queries=(
                    *self._both(v.SLI_PERIOD, "SLI"),
                    Query(expr=self.series(v.OBJECTIVE), name="objective", limit=Colour.BAD),
                ),
                unit=Unit.SHARE,
                width=12,
                height=8,
            ),
            Panel(
                title="Error ratio",
                description="Failed / all events over the last minutes, hours, days. A window without events has none.",
                look=Look.CURVES,
                queries=(
                    *(
                        Query(expr=self.series(v.error_ratio(window)), name=f"last {window}")
                        for window in map(format_duration, _SPENT_BY_S)
                    ),
                    Query(expr=self.series(v.ERROR_BUDGET), name="error budget", limit=Colour.BAD),
                ),
                unit=Unit.SHARE,
                width=12,
                height=8,
            ),
            Panel(
                title="Events and failures",
                description="Whole events of each minute. Below 0: a failure of before was made good.",
                look=Look.BARS,
                queries=(
                    Query(expr=self.series(v.TOTAL_TICK), name="events"),
                    Query(expr=self.series(v.FAILED_TICK), name="failures"),
                ),
                width=12,
                height=7,
            ),
            Panel(
                title="What was on",
                description="When the condition of each alert held, and what it left behind.",
                look=Look.TIMELINE,
                queries=tuple(Query(expr=self.series(name), name=alert) for name, alert in self._states()),
                unit=Unit.STATE,
                words=(Word("0", " ", Colour.NONE), Word("1", "YES", Colour.BAD)),
                width=12,
                height=7,
            ),
            Panel(
                title="Taken out by exclusions",
                description="Events and failures of the period that approved exclusions take out of it.",
                look=Look.CURVES,
                queries=tuple(
                    Query(expr=f"{self.series(name)} - {self.series(name + v.WITH_EXCLUSIONS)}", name=what)
                    for name, what in ((v.TOTAL_PERIOD, "events"), (v.FAILED_PERIOD, "failures"))
                ),
                width=12,
                height=6,
            ),
            Panel(
                title="Coverage",
                description="The share of minutes of the period in which any target was seen. Below the line, nobody "
                "knows the band.",
                look=Look.CURVES,
                queries=(Query(expr=self.series(v.COVERAGE), name="seen"),),
                unit=Unit.SHARE,
                steps=seen_steps(self.numbers),
                drawn=True,
                width=12,
                height=6,
            ),
        )

    def _burns(self) -> tuple[Query, ...]:
        """The long windows of alerts: short ones are as loud as they are short, and only end an alert."""
        defined = (*BURN_WINDOWS, *(window for slo in self.service.slos for window in slo.windows))
        windows = [format_duration(window_s) for window_s in sorted({window.long_s for window in defined})]
        return tuple(Query(expr=self.series(v.burn_rate(window)), name=f"last {window}") for window in windows)

    def _limits(self) -> tuple[Query, ...]:
        """The factor of each alert, for SLOs that have it: its condition is recorded for those."""
        found = []
        for tier, alert in v.BURN_ALERTS.items():
            factors: dict[str, list[str]] = {}
            for slo in self.service.slos:
                for window in slo.windows:
                    if window.tier == tier:
                        factors.setdefault(factor_text(slo, window), []).append(slo.id)
            if factors:
                lines = [
                    f"{factor} + 0 * {self._of(v.burn_active(tier), ids if len(factors) > 1 else [])}"
                    for factor, ids in sorted(factors.items())
                ]
                colour = Colour.BAD if tier.startswith("page") else Colour.WARNING
                found.append(Query(expr="\nor ".join(lines), name=alert, limit=colour))
        return tuple(found)

    def _of(self, name: str, ids: list[str]) -> str:
        """The chosen SLO's series, if it is one of `ids`."""
        return self.scope.narrowed(name, *([one_of(v.SLO, sorted(ids))] if ids else []), slo=CHOSEN)

    def _states(self) -> list[tuple[str, str]]:
        slos = self.service.slos
        tiers = {window.tier for slo in slos for window in slo.windows}
        states = [(v.burn_active(tier), alert) for tier, alert in v.BURN_ALERTS.items() if tier in tiers]
        if any(map(is_hard, slos)):
            states.append((v.HARD_STOP, v.HARD_VIOLATION))
        return [*states, (v.POSTMORTEM, v.POSTMORTEM_REQUIRED)]

    # --- whose fault, and whose trouble -----------------------------------------

    def _culprits(self) -> tuple[Panel, ...]:
        return (
            *([self._reasons()] if self._any(reasons=True) else []),
            *([self._combinations()] if self._any(by=True) else []),
            *self._parts(),
        )

    def _reasons(self) -> Panel:
        period, day = self.series(REASON_PERIOD), self.series(REASON_DAY)
        return self._table(
            "Top reasons",
            "What the failures were. A failure that was made good keeps its reason.",
            Query(expr=f"topk({TOP}, sum without (__name__) ({period}) > 0)", name="In the period"),
            Query(expr=f"topk({TOP}, sum without (__name__) ({day}) > 0)", name="In the last day"),
        )

    def _combinations(self) -> Panel:
        failed = f"topk({TOP}, {self._bare(v.GROUP_FAILED_PERIOD + v.WITH_EXCLUSIONS)} > 0)"
        among = f"and {failed}"
        left = self._bare(v.GROUP_REMAINING + v.WITH_EXCLUSIONS)
        return self._table(
            "Most affected",
            "Who had the most failures in the period, after exclusions; what they have left of a budget of their own.",
            Query(expr=failed, name="Failures"),
            Query(expr=f"{self._bare(v.GROUP_TOTAL_PERIOD)} {among}", name="Events"),
            Query(expr=f"{left} {among}", name="Budget left", unit=Unit.SHARE, steps=left_steps(self.numbers)),
            Query(expr=f"{self._bare(v.GROUP_BAND)} {among}", name="Band", unit=Unit.STATE, words=BANDS),
        )

    def _parts(self) -> tuple[Panel, ...]:
        """Tiers, values with objectives of their own, shares of a divided budget."""
        slos = self.service.slos
        prefixes = [
            *([(v.TIER_PREFIX, "Tiers of clients")] if any(map(tiers_of, slos)) else []),
            *([(v.LABEL_PREFIX, "Values with objectives of their own")] if any(map(_by_label, slos)) else []),
        ]
        return (
            *(
                self._table(
                    title,
                    "What each is promised, what it gets, and what is left of its budget; as counted.",
                    Query(expr=self._bare(f"{prefix}:budget_remaining:ratio"), name="Budget left",
                          unit=Unit.SHARE, steps=left_steps(self.numbers)),
                    Query(expr=self._bare(f"{prefix}:sli:ratio_period"), name="SLI", unit=Unit.SHARE),
                    Query(expr=self._bare(f"{prefix}:objective:ratio"), name="Objective", unit=Unit.SHARE),
                )
                for prefix, title in prefixes
            ),
            *([self._shares()] if any(slo.partition for slo in slos) else []),
        )  # fmt: skip

    def _shares(self) -> Panel:
        return self._table(
            "Shares of the budget",
            "The budget divided: how large each share is, and what is left of it.",
            Query(expr=self._bare(SHARE_LEFT), name="Left", unit=Unit.SHARE, steps=left_steps(self.numbers)),
            Query(expr=self._bare(SHARE_EVENTS), name="Failures left"),
            Query(expr=self._bare(SHARE), name="Share", unit=Unit.SHARE),
        )

    def _bare(self, name: str) -> str:
        """The SLO's series without their name, so that columns of several can be laid side by side."""
        return f"sum without (__name__) ({self.series(name)})"

    def _table(self, title: str, description: str, *queries: Query) -> Panel:
        return Panel(
            title=title,
            description=description,
            look=Look.TABLE,
            queries=queries,
            unlisted=(v.SLO, *self._own_names()),
            sorted_by=queries[0].name,
            width=12,
            height=9,
            absent="nothing",
        )

    def _own_names(self) -> tuple[str, ...]:
        return tuple(name for name in self.scope.names if name != v.SLO)


def _by_label(slo: Slo) -> bool:
    return bool(has_own(slo) and slo.by and slo.by.objectives)
