"""How many events of approved exclusions the period sums of one SLO hold: in the slow group, at each evaluation.

Two ways, as for the sums themselves, and each is subtracted from its own kind of sum. Counted: the ticks of an
exclusion's minutes, as far as they are in the 5m counts that the period sum adds up. Read: what a ledger's counters
gained within the exclusion, as far as it is in the period that the exact sum is about.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import indent

from sloforge import vocabulary as v
from sloforge.model.governance import Exclusion
from sloforge.model.objects import Matcher, Pairs, Selector
from sloforge.plan.budget import TICK_TIME
from sloforge.plan.counting import signed_sum
from sloforge.plan.facts import Recorder
from sloforge.plan.groups import GROUP_FAILED_TICK, GROUP_TOTAL_TICK
from sloforge.plan.hard_stops import RENAMED_S
from sloforge.plan.indicators import Reader, failures_of, minus_good, or_zero, sides
from sloforge.plan.ir import RecordingRule
from sloforge.plan.promql import aggregate, braces, offset, over, selector
from sloforge.plan.windows import slow_name
from sloforge.policy import GAP_S, SLOW_S, TICK_S
from sloforge.quantities import DAY, format_duration

EXCLUDED_TOTAL, EXCLUDED_FAILED = "slo:events_total:sum_excluded", "slo:events_failed:sum_excluded"
GROUP_EXCLUDED_TOTAL = f"{v.GROUP_PREFIX}:events_total:sum_excluded"
GROUP_EXCLUDED_FAILED = f"{v.GROUP_PREFIX}:events_failed:sum_excluded"
HELD_FROM, HELD_TO = "slo_slow:held_from:timestamp", "slo_slow:held_to:timestamp"
HELD_NOTE = """\
A sum holds the ticks after held_from, until held_to: its 5m counts enter and leave as a whole. The ticks of excluded
minutes among them are added up; one that a sub-query sees again a minute later is too old to count twice"""

Exclusions = Sequence[Exclusion]
By = tuple[str, ...]


def held(recorder: Recorder) -> list[RecordingRule]:
    """Return from when until when the ticks are that the period sums hold now; a sub-query cannot know what is now."""
    oldest_s = recorder.slo.period_s - SLOW_S // 2  # see budget.period_over
    left = over("last_over_time", recorder.series(TICK_TIME), GAP_S, oldest_s)
    return [
        recorder.rule(HELD_FROM, f"(max ({left}) or vector(time() - {oldest_s})) - {TICK_S}"),
        recorder.rule(HELD_TO, f"vector(time() - {TICK_S})"),
    ]


# --- counted ticks ------------------------------------------------------------


def counted(recorder: Recorder, exclusions: Exclusions, by: By) -> list[RecordingRule]:
    """Return the excluded events and failures among the counted ticks, of the SLO or by its combinations of labels."""
    names = (GROUP_EXCLUDED_TOTAL, GROUP_EXCLUDED_FAILED) if by else (EXCLUDED_TOTAL, EXCLUDED_FAILED)
    sums = (v.GROUP_TOTAL_PERIOD, v.GROUP_FAILED_PERIOD) if by else (v.TOTAL_PERIOD, v.FAILED_PERIOD)
    rules = []
    for failed, (name, period) in enumerate(zip(names, sums, strict=True)):
        parts = [
            (1, aggregate("sum", _ticks(recorder, _tick(exclusion, bool(failed), by), exclusion.scope, span), by))
            for exclusion in exclusions
            for span in _days(exclusion)
        ]
        nothing = aggregate("sum", f"0 * {recorder.series(slow_name(period))}", by)
        rules.append(recorder.rule(slow_name(name), f"{signed_sum(parts, by)}\nor {nothing}"))
    return rules


def _tick(exclusion: Exclusion, failed: bool, by: By) -> str:
    if by or exclusion.scope:
        return GROUP_FAILED_TICK if failed else GROUP_TOTAL_TICK
    return v.FAILED_TICK if failed else v.TOTAL_TICK


def _days(exclusion: Exclusion) -> Iterator[tuple[int, int]]:
    """A day at a time: promtool allows its tests 10,000 samples a query, and a sub-query makes some each minute."""
    for start_s in range(exclusion.start_s, exclusion.end_s, DAY):
        yield start_s, min(start_s + DAY, exclusion.end_s)


def _ticks(recorder: Recorder, tick: str, scope: Pairs, span: tuple[int, int]) -> str:
    """The sum of the ticks of (start, end]. What happens within a minute is counted by the tick of the next."""
    start_s, end_s = span
    series = tick + braces((*recorder.scope.matchers(recorder.slo.id), *_matchers(scope)))
    from_, to = (f"scalar({recorder.series(name)} @ end())" for name in (HELD_FROM, HELD_TO))
    # Half a step short: see plan/windows.py.
    range_ = format_duration(end_s - start_s - TICK_S // 2)
    return (
        f"sum_over_time((\n  {series}\n"
        f"  and (timestamp({series}) > time() - {TICK_S}\n       > {from_}\n       <= {to})\n"
        f")[{range_}:{format_duration(TICK_S)}] @ {end_s + TICK_S})"
    )


def _matchers(scope: Pairs) -> tuple[Matcher, ...]:
    return tuple(Matcher(label, "=", value) for label, value in scope)


# --- ledgers ------------------------------------------------------------------

READ_NOTE = """\
A ledger's counters are read where the exclusion begins, or where the period does once that is later; and where it
ends, or now if that is earlier. Of a target that is being renamed only the name that stays is read; over gaps of up to
an hour the last reading; over longer ones there is none, and the ticks above answer"""


def read(recorder: Recorder, reader: Reader, exclusions: Exclusions, by: By) -> list[RecordingRule]:
    """Return the excluded events and failures that a ledger's counters tell: none without a reading at every bound."""
    made_of = sides(recorder.slo.indicator)
    assert made_of is not None
    totals, told = _signed(made_of.total, made_of.minus), _signed(made_of.good or made_of.bad)
    slo_total = f"{v.LEDGER_PREFIX}:events_total:sum_excluded"
    prefix = f"{v.LEDGER_PREFIX}_group" if by else v.LEDGER_PREFIX
    total, failed = (f"{prefix}:events_{side}:sum_excluded" for side in ("total", "failed"))
    gained = [_gained(_Bounds(recorder, reader, exclusion), totals, by) for exclusion in exclusions]
    if by:
        kept = aggregate("sum", recorder.series(f"{prefix}:events_total:sum_period"), by)
        of_kept = failures_of(signed_sum([(1, part) for part in gained], by), kept, by)
        sums = f"({of_kept})\nand on () {aggregate('group', recorder.series(slo_total))}"
    else:
        sums = "\n+ ".join(gained)
    events = aggregate("sum", recorder.series(total), by)
    parts = [(1, _gained(_Bounds(recorder, reader, exclusion), told, by, born=True)) for exclusion in exclusions]
    known = signed_sum(parts, by)
    failures = minus_good(events, known) if made_of.good else f"({or_zero(known, events)})\nand {events}"
    return [recorder.rule(total, sums, "" if by else READ_NOTE), recorder.rule(failed, failures)]


Signed = tuple[tuple[int, Selector], ...]


def _signed(plus: tuple[Selector, ...], minus: tuple[Selector, ...] = ()) -> Signed:
    return (*((1, raw) for raw in plus), *((-1, raw) for raw in minus))


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Where the counters of one ledger SLO are read for one exclusion."""

    recorder: Recorder
    reader: Reader
    exclusion: Exclusion

    def end(self, raws: Signed, by: By) -> str:
        """Return the counters at the exclusion's end, or now while it lasts."""
        read_s, end_s = self.reader.delay_s, self.exclusion.end_s
        now = self._sum(raws, by, lambda raw: _one(raw, offset(selector(raw), read_s)))
        over = end_s + read_s
        return _either(now, f"<= {over}", self._at(raws, by, lambda after_s: f"@ {end_s + after_s}"), f"> {over}")

    def start(self, raws: Signed, by: By) -> str:
        """Return the counters at the exclusion's start, or where the period begins once that is later."""
        ago_s, start_s = self.recorder.slo.period_s + self.reader.delay_s, self.exclusion.start_s
        then = self._at(raws, by, lambda after_s: f"offset {format_duration(ago_s - after_s)}")
        first = self._at(raws, by, lambda after_s: f"@ {start_s + after_s}")
        return _either(first, f"< {start_s + ago_s}", then, f">= {start_s + ago_s}")

    def _at(self, raws: Signed, by: By, moment: Callable[[int], str]) -> str:
        """The counters at a moment: of names that stay, else of those there are, else of the last within the hour.

        A renamed target is there under both of its names for a while, and nothing may be read twice.
        """

        def seen(raw: Selector, after_s: int = 0) -> str:
            return _one(raw, f"{selector(raw)} {moment(after_s)}")

        def last(raw: Selector) -> str:
            return _one(raw, f"last_over_time({selector(raw)}[{format_duration(GAP_S)}] {moment(0)})")

        ways = (lambda raw: f"{seen(raw)} and {seen(raw, RENAMED_S)}", seen, last)
        return _first(*(self._sum(raws, by, way) for way in ways))

    def _sum(self, raws: Signed, by: By, value: Callable[[Selector], str]) -> str:
        def parts(scope: Pairs) -> list[tuple[int, str]]:
            return [(sign, aggregate("sum", value(_within(raw, scope)), by)) for sign, raw in raws]

        own = signed_sum(parts(self.exclusion.scope), by)
        if by or not self.exclusion.scope:
            return own
        return f"({own} or 0 * {signed_sum(parts(()), by)})"  # nothing within the scope yet, but read


def _gained(bounds: _Bounds, raws: Signed, by: By, *, born: bool = False) -> str:
    """What the counters gained between the bounds. `born` ones and combinations of labels had 0 where they were not."""
    end, start = bounds.end(raws, by), bounds.start(raws, by)
    gained = signed_sum([(1, end), (-1, start)], by) if born or by else f"  {end}\n- {start}"
    return f"clamp_min(\n{indent(gained, '  ')}\n, 0)"


def _either(first: str, early: str, second: str, late: str) -> str:
    return _first(f"{first} and on () (vector(time()) {early})", f"{second} and on () (vector(time()) {late})")


def _first(*ways: str) -> str:
    """The first of `ways` that has a sample, one a line."""
    lines = "\nor ".join(way.replace("\n", "\n   ") for way in ways)
    return f"(\n     {indent(lines, '  ').lstrip()}\n)"


def _one(raw: Selector, value: str) -> str:
    return f"max without ({'instance, le' if raw.metric.endswith('_bucket') else 'instance'}) ({value})"


def _within(raw: Selector, scope: Pairs) -> Selector:
    return Selector(raw.metric, tuple(sorted({*raw.matchers, *_matchers(scope)})))
