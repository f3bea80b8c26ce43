"""How raw counters become whole events: one reading a tick, the difference to the reading before.

Both readings are `sample_delay` late, so that a scrape in flight is not missed. The branches of a tick are
explained where they are written; tests/rules has the cases that each of them is there for.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sloforge import vocabulary as v
from sloforge.model.objects import Births, CounterKind, Selector, Slo
from sloforge.plan.promql import Scope, aggregate, braces, offset, over, selector
from sloforge.policy import GAP_S, TICK_S

TARGET = "on (job, instance)"
# A tick compares with the copy of the tick before; its own may be there already where rules run side by side.
SNAPSHOT_OFFSET_S = TICK_S // 2
TARGET_LABELS = frozenset({"job", "instance"})


def plain(text: str) -> str:
    """Return the samples as they are."""
    return text


@dataclass(frozen=True, slots=True)
class Counter:
    """One raw counter and how to read it.

    `collapsed` are labels whose spelling may change while the counter goes on (`le` in Prometheus 3, the
    `instance` that happens to expose a ledger): series that differ in them alone are one counter.
    `snapshot` is the recorded copy to compare with instead of the raw series' own past.
    `view` makes a number of each sample, where the samples are histograms; `size` is then the number that tells growth
    from a restart.
    """

    raw: Selector
    delay_s: int
    scope: Scope
    kind: CounterKind
    births: Births
    collapsed: tuple[str, ...] = ()
    snapshot: str | None = None
    view: Callable[[str], str] = plain
    size: Callable[[str], str] | None = None

    def read(self, offset_s: int) -> str:
        """Return the counter's value `offset_s` seconds ago."""
        return self.collapse(self.view(offset(selector(self.raw), offset_s)))

    @property
    def now(self) -> str:
        """Return the value at this tick's reading; nothing where the series is gone."""
        return self.read(self.delay_s)

    @property
    def latest(self) -> str:
        """Return the tick's last value, also of a series that ended within the tick: its last scrape counts too."""
        ended = self.collapse(self.view(over("last_over_time", selector(self.raw), TICK_S, self.delay_s)))
        return f"({self.now} or {ended})"

    @property
    def previous(self) -> str:
        """Return the value at the reading before; nothing where the series was gone."""
        raw = self.read(self.delay_s + TICK_S)
        if not self.snapshot:
            return raw
        recent = offset(self.snapshot, SNAPSHOT_OFFSET_S)
        # No copy at all of late: rules were not evaluated, and the reading before is an older one.
        return f"({recent} or {self._kept} unless on () {recent}\n       or {raw} unless on () {self._kept})"

    @property
    def last(self) -> str:
        """Return the last reading before this tick, over gaps of up to an hour."""
        old = self.collapse(self.view(over("last_over_time", selector(self.raw), GAP_S, self.delay_s + TICK_S)))
        if self.snapshot:
            return f"({self._kept} or {old} unless on () {self._kept})"
        # Of two spellings within the hour the one seen a tick ago is the counter; the other is its past.
        return f"({self.previous} or {old})" if "le" in self.collapsed else old

    @property
    def _kept(self) -> str:
        """Return the copy's last value; nothing where rules are loaded anew, or were not evaluated for an hour.

        Then the raw series' own past answers: all that it ever counted is no event of now.
        """
        assert self.snapshot is not None
        return over("last_over_time", self.snapshot, GAP_S, SNAPSHOT_OFFSET_S)

    @property
    def match(self) -> str:
        """Return the vector matching between the reading and its predecessor; a snapshot has labels of ours."""
        return f" {self.scope.ignoring}" if self.snapshot else ""

    def target(self, metric: str) -> str:
        """Return `up` or the like with the counter's own job and instance matchers."""
        return metric + braces(m for m in self.raw.matchers if m.label in TARGET_LABELS)

    def collapse(self, text: str) -> str:
        """Return `text` with those series as one that are one counter."""
        return f"max without ({', '.join(self.collapsed)}) ({text})" if self.collapsed else text


def counter(slo: Slo, raw: Selector, scope: Scope, delay_s: int, collapsed: tuple[str, ...] = ()) -> Counter:
    """Return how `slo` reads the raw counter `raw`."""
    ledger = slo.counter is CounterKind.LEDGER
    read = Counter(
        raw=raw,
        delay_s=delay_s,
        scope=scope,
        kind=slo.counter,
        births=slo.births,
        collapsed=(("instance",) if ledger else ()) + collapsed,
    )
    return replace(read, snapshot=_snapshot_series(read, slo)) if slo.snapshots else read


def snapshot_name(metric: str) -> str:
    """Return the recorded name of a raw metric's copy."""
    return f"{v.SNAPSHOT_PREFIX}:{metric}:tick1m"


def _snapshot_series(of: Counter, slo: Slo) -> str:
    """The recorded copy of a counter; collapsed labels are gone from it."""
    kept = (m for m in of.raw.matchers if m.label not in of.collapsed)
    return snapshot_name(of.raw.metric) + braces((*kept, *of.scope.matchers(slo.id)))


def tick(of: Counter) -> str:
    """Return the events of one tick, one sample for each raw series.

    The branches, of which the first that has a sample counts: in a process started since the last reading; born again
    in a restarted process; grown since the last reading; restarted, so counted from zero; born on a target that was
    scraped before; born in a young process.
    """
    branches = _ledger_tick(of) if of.kind is CounterKind.LEDGER else _process_tick(of)
    return "\n".join(("or " if n else "   ") + branch for n, branch in enumerate(branches))


def _grown(of: Counter) -> str:
    grown = f"({of.latest} -{of.match} {of.last})"
    if of.size is None:
        return f"{grown} >= 0"
    sized = replace(of, view=of.size)
    return f"({grown} and ({sized.latest} - {sized.last} >= 0))"


def _ledger_tick(of: Counter) -> list[str]:
    """A ledger never resets: a decrease counts nothing, and who exposes it does not matter."""
    unseen = f"unless{of.match} {of.last}"
    match of.births:
        case Births.NEVER:
            return [_grown(of)]
        case Births.ALWAYS:
            return [_grown(of), f"({of.now} {unseen})"]
        case Births.UP:
            born = f"{_on_known_target(of)}\n     {unseen}\n     {_not_renamed(of, 'on ()')}"
            return [_grown(of), f"({born})"]


def _process_tick(of: Counter) -> list[str]:
    """A process starts at zero; a series of it may be born at any time, at any value."""
    since = [_grown(of), f"({of.latest} and{of.match} {of.last})"]
    match of.births:
        case Births.NEVER:
            return since
        case Births.ALWAYS:
            return [*since, of.now]
        case Births.UP:
            born = f"{_on_known_target(of)}\n     {_not_renamed(of, TARGET)}"
            # Gone a tick ago though its target was scraped, in a process of this hour: the last reading is of
            # the process before.
            again = f"{born}\n     unless{of.match} {of.previous} and {_started_within(of, GAP_S)}"
            fresh = f"({of.now} and {_restarted(of)})"
            young = f"({of.now} and {_newcomer(of)})"
            return [fresh, f"({again})", *since, f"({born})", young]


def _started_within(of: Counter, seconds: int) -> str:
    """Whether the process started after the reading before, or less than `seconds` before that."""
    started = offset(of.target("process_start_time_seconds"), of.delay_s)
    return f"{TARGET} ({started} > time() - {of.delay_s + TICK_S + seconds})"


def _newcomer(of: Counter) -> str:
    """Whether the process is young and was not seen at the reading before, whatever its name: a rename is no birth."""
    metric = of.target("process_start_time_seconds")
    started, seen = offset(metric, of.delay_s), offset(metric, of.delay_s + TICK_S)
    young = f"{started} > time() - {of.delay_s + 2 * TICK_S}"
    starts = 'count_values by (job, instance) ("start", {})'
    return f"{TARGET} ({starts.format(young)}\n     unless on (job, start) {starts.format(seen)})"


def _restarted(of: Counter) -> str:
    """Whether the process is another than at the reading before: every count is new, even one no lower than it was.

    Some exporters reckon their start from the uptime, so it wavers, and jumps when a clock is set: only a start that
    differs by seconds and lies within the hour is a new process.
    """
    metric = of.target("process_start_time_seconds")
    started, known = offset(metric, of.delay_s), over("last_over_time", metric, GAP_S, of.delay_s + TICK_S)
    return f"{TARGET} ({started} - {known} > 5 and {started} > time() - {of.delay_s + TICK_S + GAP_S})"


def _on_known_target(of: Counter) -> str:
    """Series whose target was scraped a tick ago under the labels it has now."""
    up = of.target("up")
    now, before = offset(up, of.delay_s), offset(up, of.delay_s + TICK_S)
    raw = of.view(offset(selector(of.raw), of.delay_s))
    known = f"{raw} and {TARGET} ({before} == 1)\n     unless {TARGET} ({now} unless {before})"
    return of.collapse(known)


def _not_renamed(of: Counter, on: str) -> str:
    """A series that vanished as another appeared was renamed: the newcomer's total is an old one."""
    return f"unless {on} ({of.previous} unless{of.match} {of.now})"


def tick_sum(counters: tuple[Counter, ...], by: tuple[str, ...] = (), minus: tuple[Counter, ...] = ()) -> str:
    """Return the events of one tick over several counters: an absent one is 0, all absent is no sample."""
    signs = [(1, c) for c in counters] + [(-1, c) for c in minus]
    return signed_sum([(sign, aggregate("sum", tick(c), by)) for sign, c in signs], by)


def signed_sum(parts: list[tuple[int, str]], by: tuple[str, ...]) -> str:
    """Return the sum of `parts`, each (sign, aggregated by `by`); equal labels are told apart, not lost in `or`."""
    signed = [text if sign > 0 else f"-1 * ({text})" for sign, text in parts]
    if len(signed) == 1:
        return signed[0]
    marked = [f'label_replace({text}, "__part", "{n}", "", "")' for n, text in enumerate(signed)]
    return aggregate("sum", "   " + "\nor ".join(marked), by)


def snapshot_rules(raws: tuple[Selector, ...], read: Callable[[Selector], Counter]) -> list[tuple[str, str]]:
    """Return (record, expr) of the copies that the next tick compares with: one for each raw metric."""
    widest: dict[str, list[Selector]] = {}
    for raw in raws:
        known = widest.setdefault(raw.metric, [])
        if not any(set(other.matchers) <= set(raw.matchers) for other in known):
            known[:] = [other for other in known if not set(raw.matchers) <= set(other.matchers)] + [raw]
    return [
        (snapshot_name(metric), "\nor ".join(read(raw).latest for raw in kept))
        for metric, kept in sorted(widest.items())
    ]


def present(slo: Slo, counters: tuple[Counter, ...]) -> str:
    """Return 1 while the SLO can be judged at all: some target of its job is up. Idle is present, gone is not."""
    if slo.births is not Births.UP:
        return aggregate("group", " or ".join(offset(selector(c.raw), c.delay_s) for c in counters))
    return aggregate("group", "\nor ".join(_target_up(c) for c in counters))


def _target_up(of: Counter) -> str:
    up = f"{offset(of.target('up'), of.delay_s)} == 1"
    if any(m.label == "job" for m in of.raw.matchers):
        return f"({up})"
    # No job in the selector: the jobs that expose the counter now, or did an hour or a day ago.
    raw = selector(of.raw)
    jobs = " or ".join(offset(raw, of.delay_s + age) for age in (0, 3600, 86400))
    return f"({up} and on (job) ({jobs}))"
