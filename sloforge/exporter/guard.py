"""Keeps labels few and clean. Clients, platforms and workload classes are open; beyond their limit they are "other".

Nothing else about a count changes, so sums over clients stay exact whatever workers send. Who came first is kept in
the ledger, in one record for each label: all workers see the same names, also after a restart.
"""

import logging
from collections.abc import Mapping

from sloforge.exporter import families
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Change, Decide, Labels, Record, Ref, StoreUnavailable, key_hash
from sloforge.exporter.settings import LIMITS
from sloforge.exporter.universe import Universe

OTHER = "other"
LENGTH = 128
OPEN_LABELS = tuple(LIMITS)

log = logging.getLogger(__name__)


def clean(value: str) -> str:
    """Return `value` as a label may carry it: printable characters and spaces only, 128 of them at most."""
    value = value[: 8 * LENGTH]  # a megabyte is not worth reading
    if not value.isprintable():
        value = "".join(char for char in value if char.isprintable())
    return value[:LENGTH]


class Guard:
    """Cleans labels and admits new clients and platforms up to their limits. Safe in threads and after a fork."""

    def __init__(self, ledger: Ledger, universe: Universe, limits: Mapping[str, int]) -> None:
        self._ledger = ledger
        self._limits = {**LIMITS, **limits}
        self._declared = {label: universe.values(label) | {OTHER, ""} for label in OPEN_LABELS}
        self._admitted: dict[str, frozenset[str]] = dict.fromkeys(OPEN_LABELS, frozenset())
        self._full: set[str] = set()
        self._told: set[str] = set()

    def labels(self, mapping: Mapping[str, str]) -> Labels:
        """Return the labels to count under, sorted by name. Never raises, whatever the store does."""
        return tuple((name, self._value(name, clean(value))) for name, value in sorted(mapping.items()))

    def _value(self, label: str, value: str) -> str:
        if label not in self._declared or value in self._declared[label] or value in self._admitted[label]:
            return value
        if label not in self._full and self._admits(label, value):
            return value
        self._tell(label)
        return OTHER

    def _admits(self, label: str, value: str) -> bool:
        """Ask the ledger for room; it is the same for all workers. Take along what it knows."""
        limit = self._limits[label]
        try:
            known = self._ledger.transact(Ref("guard", key_hash(label)), self._admission(label, value, limit))
        except StoreUnavailable:  # better a client too many than its events under another name
            return len(self._admitted[label]) < limit
        # Threads that do this at once may lose a name, which is then asked for again.
        self._admitted[label] |= known
        if len(known) >= limit:
            self._full.add(label)
        return value in known

    def _admission(self, label: str, value: str, limit: int) -> Decide[frozenset[str]]:
        """Return the decision whether `value` is let in: it answers all names that are."""
        carried = frozenset(found for total in self._ledger.totals() for name, found in total.labels if name == label)
        carried -= self._declared[label]  # these names go on, also where their record was pruned

        def decide(record: Record | None, now: float) -> Change[frozenset[str]]:
            before = frozenset(record.body["known"]) if record else carried
            after = before | {value} if len(before) < limit else before
            return Change(result=after, record=Record(body={"known": sorted(after)}) if after != before else None)

        return decide

    def _tell(self, label: str) -> None:
        if label not in self._told:
            self._told.add(label)
            log.warning("more than %d values of %s: new ones count as %s", self._limits[label], label, OTHER)
        self._ledger.add([families.LABEL_OVERFLOW.count({"label": label})])
