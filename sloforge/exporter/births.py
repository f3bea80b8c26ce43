"""When a total may show its value. What a series is born with is lost to the rules, so it is shown at 0 first.

A total outside the declared ones is held at 0 for a while after its birth, so that two scrapes see it. So is a total
that was born while nobody exposed the ledger, declared or not. Safety totals are never held: an alarm may not wait.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sloforge import vocabulary as v
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Change, Record, Ref, Total, key_hash
from sloforge.quantities import HOUR

NEVER_HELD = frozenset({v.WRONG_ACCOUNT, v.NEAR_MISSES, v.DUPLICATE_SIDE_EFFECTS, v.SPAM_LOOPS})
# The rules count over gaps of an hour. What was born in a longer one is history, and would burn as if it were news.
LONGEST_GAP_S = HOUR
SHOWN = Ref("exporter", key_hash("shown"))


@dataclass(frozen=True, slots=True)
class Births:
    """What one exporting process needs to know: since when it exposes, and since when nobody had done so before."""

    hold_s: float
    started_s: float
    gap_s: float  # the last time that totals were shown before; `started_s` where that makes no difference

    def holds(self, total: Total, declared: bool, now: float) -> bool:
        """Return whether `total` has to be shown as 0 at `now`."""
        if total.name in NEVER_HELD:
            return False
        if self.gap_s < total.born_s < self.started_s:
            return now < self.started_s + self.hold_s
        return not declared and now < total.born_s + self.hold_s


@dataclass(frozen=True, slots=True)
class Shown:
    """What the ledger remembers of the last time that totals were shown; `written_s` leaves this very note out."""

    at_s: float = 0.0
    written_s: float = 0.0


def begin(totals: Iterable[Total], last: Shown, hold_s: float, now: float) -> Births:
    """Return the births of a process that exposes `totals` from now on, after `last`."""
    before_s = last.at_s or min((total.born_s for total in totals), default=now) - 1
    return Births(hold_s, started_s=now, gap_s=before_s if now - before_s <= LONGEST_GAP_S else now)


def last_shown(ledger: Ledger) -> Shown:
    """Return what is remembered. Raises StoreUnavailable."""
    return ledger.transact(SHOWN, lambda record, now: Change(result=Shown(**record.body) if record else Shown()))


def remember(ledger: Ledger, written_s: float) -> Shown:
    """Remember that totals are shown now. Raises StoreUnavailable."""

    def decide(record: Record | None, now: float) -> Change[Shown]:
        return Change(result=Shown(now, written_s), record=Record(body={"at_s": now, "written_s": written_s}))

    return ledger.transact(SHOWN, decide)
