"""Settles what time has decided: leases that ran out, deadlines that passed, incidents that go on.

Any number of sweepers may run, and at any time: each record is judged in a transaction of its own, by its own rule,
which counts nothing twice. After a pause the backlog is settled as of the moments at which it came due.
"""

import logging
import threading
from collections.abc import Callable, Mapping

from sloforge.exporter import (
    attempts,
    audits,
    dependencies,
    engagement,
    episodes,
    outcomes,
    people,
    queues,
    verifiers,
    visibility,
)
from sloforge.exporter.families import STORE_ERRORS
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Change, Record, Ref, StoreUnavailable
from sloforge.exporter.settings import Settings
from sloforge.quantities import HOUR

BATCH = 500
EVERY_S = 5.0
PRUNE_S = HOUR  # between two looks for keys whose time is over
RETRY_S = HOUR  # until a record that could not be settled is tried again

log = logging.getLogger(__name__)

Settler = Callable[[Ledger, Settings, Ref], object]


def _attempt(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    ledger.transact(ref, outcomes.EXPIRE(outcomes.follow(settings), exempt=sorted(settings.exempt)))


SETTLERS: Mapping[str, Settler] = {  # by the first part of the scope
    attempts.SCOPE: _attempt,
    visibility.SCOPE: verifiers.settle,
    queues.SCOPE: queues.settle,
    episodes.SCOPE: episodes.settle,
    engagement.INBOX: engagement.settle,
    engagement.REPLY: engagement.settle,
    audits.SCOPE: audits.settle,
    dependencies.SCOPE: dependencies.settle,
    people.PROMISE: people.settle,
}


def sweep(ledger: Ledger, settings: Settings, now: float | None = None) -> int:
    """Settle all that is due at `now` (by default the ledger's time); return how many records were looked at.

    Raises StoreUnavailable; what was settled until then stays so. A record that cannot be settled is logged, counted,
    and put off, so that it holds up no other.
    """
    now = ledger.now() if now is None else now
    done: set[Ref] = set()
    while batch := [ref for ref in ledger.due(now, BATCH) if ref not in done]:
        for ref in batch:
            _settle(ledger, settings, ref)
        done.update(batch)
    return len(done)


def _settle(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    try:
        SETTLERS[ref.scope.partition("/")[0]](ledger, settings, ref)
    except StoreUnavailable:
        raise
    except Exception:  # of a later version, or a fault of ours
        log.exception("a record of %r cannot be settled; tried again in an hour", ref.scope)
        ledger.transact(ref, _put_off)


def _put_off(record: Record | None, now: float) -> Change[None]:
    kept = record._replace(due_s=now + RETRY_S) if record else None
    return Change(result=None, record=kept, counts=(STORE_ERRORS.count({"operation": "sweep"}),))


class Sweeper:
    """Sweeps for the process that exposes the ledger: every EVERY_S seconds, and before each scrape."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._pruned_s = 0.0
        self._lock = threading.Lock()

    def sweep(self) -> int:
        """Settle what is due, and forget keys whose time is over; return how many records were looked at.

        Never raises, nor waits for a sweep that is under way: then, and while the store is down, it returns 0.
        """
        if not self._lock.acquire(blocking=False):
            return 0
        try:
            swept = sweep(self._ledger, self._settings)
            self._prune()
        except StoreUnavailable:
            return 0  # the ledger has told, and counted it
        finally:
            self._lock.release()
        return swept

    def _prune(self) -> None:
        now = self._ledger.now()
        if now - self._pruned_s >= PRUNE_S:
            self._ledger.prune(now - self._settings.retention_s)
            self._pruned_s = now
