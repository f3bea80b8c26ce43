"""Every metric the exporter exposes: its name, type, labels and help. The names' one home is vocabulary.py."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from sloforge import vocabulary as v
from sloforge.exporter.members import GROUP, SPACE
from sloforge.exporter.records import Count, Labels

TRACE_LENGTH = 128 - len("trace_id")  # OpenMetrics: an exemplar's labels have 128 characters, names included


class Kind(Enum):
    """Prometheus metric types that the exporter uses."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, eq=False)  # each is the only one of its kind
class Family:
    """One metric family. `name` is what PromQL says, `_total` included; `buckets` are upper bounds in seconds.

    `optional` labels are there only where a worker tells them: for Prometheus, an empty label is none.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()
    optional: tuple[str, ...] = ()

    def pick(self, labels: Mapping[str, str]) -> Labels:
        """Return this family's own labels out of `labels`, sorted by name; KeyError where one is missing."""
        told = [name for name in self.optional if labels.get(name)]
        return tuple((name, labels[name]) for name in sorted((*self.labels, *told)))

    def count(self, labels: Mapping[str, str], amount: float = 1, *, trace_id: str = "", **more: str) -> Count:
        """Return the amount to add to this counter; of `labels` and `more` it takes what it knows."""
        return Count(self.name, self.pick({**labels, **more}), amount, trace_id, amount)

    def observe(self, labels: Mapping[str, str], seconds: float, *, trace_id: str = "") -> tuple[Count, Count]:
        """Return what one observation adds to this histogram: 1 to its own bucket only, and the seconds to the sum.

        The ledger's buckets are therefore not cumulative; the collector adds them up, and their sum is the count.
        Seconds below 0, which only skewed clocks make, are 0.
        """
        return self.observed(self.pick(labels), seconds, trace_id=trace_id)

    def observed(self, own: Labels, seconds: float, *, trace_id: str = "") -> tuple[Count, Count]:
        """Do the same for those who have picked the labels already."""
        seconds = max(seconds, 0.0)
        *buckets, total = _series(self, own)
        bucket = buckets[bisect_left(self.buckets, seconds)]
        if trace_id:
            bucket = bucket._replace(trace_id=trace_id, trace_value=seconds)
        return bucket, Count(total.name, own, seconds)


@lru_cache(maxsize=4096)
def _series(histogram: Family, own: Labels) -> tuple[Count, ...]:
    """Return one count for each bucket, and one for the sum."""
    bounds = (*(str(float(bound)) for bound in histogram.buckets), "+Inf")
    buckets = (Count(f"{histogram.name}_bucket", tuple(sorted((*own, ("le", bound))))) for bound in bounds)
    return (*buckets, Count(f"{histogram.name}_sum", own))


L = ("client_id", "platform", "lane", "action_type")
CLASS = "workload_class"  # organic, paid_ads, community_ops: for budgets of their own (policy §11)


def _counter(name: str, labels: tuple[str, ...], text: str, *, optional: tuple[str, ...] = ()) -> Family:
    return Family(name, Kind.COUNTER, labels, text, optional=optional)


def _classed(name: str, labels: tuple[str, ...], text: str) -> Family:
    return _counter(name, labels, text, optional=(CLASS,))


def _gauge(name: str, labels: tuple[str, ...], text: str) -> Family:
    return Family(name, Kind.GAUGE, labels, text)


def _histogram(name: str, labels: tuple[str, ...], text: str, *buckets: float) -> Family:
    return Family(name, Kind.HISTOGRAM, labels, text, buckets)


ATTEMPTS = _classed(v.ATTEMPTS, (*L, "channel"), "Idempotency keys that have an outcome.")
SUCCESSES = _classed(v.SUCCESSES, (*L, "channel", "evidence"), "Keys that met the success definition in time.")
FAILURES = _classed(
    v.FAILURES, (*L, "channel", "failure_class", "reason"), "Keys whose first failure had this class and reason."
)
RECOVERIES = _classed(v.RECOVERIES, (*L, "channel"), "Failed keys that succeeded within the recovery window.")
LATE_RECOVERIES = _classed(
    v.LATE_RECOVERIES, (*L, "channel"), "Failed keys that succeeded after it: budget stays spent."
)
EXCLUDED = _classed(v.EXCLUDED, (*L, "reason"), "Keys outside the error budget.")
TRIES = _counter(v.TRIES, ("platform", "lane", "action_type", "outcome"), "Physical tries, retries included.")
DUPLICATES = _counter(v.DUPLICATES, ("lane", "action_type", "resolution"), "Calls with a known key that were not new.")
DURATION = _histogram(
    v.DURATION, ("platform", "lane", "action_type"), "From the first start of a key to its first outcome.",
    1, 2, 5, 15, 30, 60, 120, 300, 900,
)  # fmt: skip
IN_FLIGHT = _gauge(v.IN_FLIGHT, ("lane", "platform"), "Keys leased to a worker now.")

VISIBILITY = _counter(
    v.VISIBILITY,
    ("client_id", "platform", "lane", "result"),
    "Published posts, each judged once: seen in time or late.",
)
VISIBILITY_DELAY = _histogram(
    v.VISIBILITY_DELAY, ("platform", "lane"), "From publishing to the first sight of the post.",
    15, 30, 60, 120, 300, 600, 900, 1800, 3600,
)  # fmt: skip
VISIBILITY_OLDEST = _gauge(
    v.VISIBILITY_OLDEST, ("platform", "lane"), "When the oldest unverified post was published; 0 for none."
)

DUE_JOBS = _counter(
    v.DUE_JOBS, ("client_id", "queue", "lane", "result"), "Scheduled jobs, each judged once: started on time or late."
)
START_DELAY = _histogram(
    v.START_DELAY, ("queue", "lane"), "From the scheduled time to the start.",
    5, 15, 30, 60, 120, 300, 600, 1800, 3600,
)  # fmt: skip
QUEUE_OLDEST = _gauge(v.QUEUE_OLDEST, ("queue", "lane"), "When the oldest unstarted job was due; 0 for none.")
QUEUE_JOBS = _gauge(v.QUEUE_JOBS, ("queue", "lane", "state"), "Jobs scheduled, due and running.")

EPISODES = _counter(v.EPISODES, ("client_id", "side_effects", "result"), "Episodes that ended or whose lease ran out.")
EPISODE_DURATION = _histogram(
    v.EPISODE_DURATION, ("side_effects",), "From the start of an episode to its end.",
    5, 15, 60, 300, 900, 1800, 3600,
)  # fmt: skip
EPISODES_RUNNING = _gauge(v.EPISODES_RUNNING, ("side_effects",), "Episodes running now.")
INTERVENTIONS = _counter(
    v.INTERVENTIONS, ("client_id", "kind"), "Times a person had to step in: toil, never error budget."
)

INBOUND = _counter(
    v.INBOUND, ("client_id", "platform", "result"), "Inbound events, visible in the inbox in time or late."
)
INBOUND_DELAY = _histogram(
    v.INBOUND_DELAY, ("platform",), "From the event to the inbox.", 10, 30, 60, 120, 300, 600, 1800
)
AUTO_REPLIES = _counter(
    v.AUTO_REPLIES, ("client_id", "platform", "action_type", "result"), "Automatic replies due, sent in time or late."
)
AUTO_REPLY_DELAY = _histogram(
    v.AUTO_REPLY_DELAY, ("platform", "action_type"), "From the event to the automatic reply.",
    30, 60, 120, 300, 600, 1200, 3600,
)  # fmt: skip

WRONG_ACCOUNT = _counter(
    v.WRONG_ACCOUNT, ("platform", "lane", "action_type"), "Actions that were carried out on a wrong account."
)
NEAR_MISSES = _counter(
    v.NEAR_MISSES, ("platform", "lane", "action_type"), "Wrong-account actions that were blocked before any effect."
)
SIDE_EFFECTS = _counter(v.SIDE_EFFECTS, L, "External effects.")
DUPLICATE_SIDE_EFFECTS = _counter(v.DUPLICATE_SIDE_EFFECTS, L, "Effects repeated for one key.")
AUDITS = _counter(v.AUDITS, (*L, "result"), "Side effects, each judged once: audit event and proof there or missing.")
SPAM_LOOPS = _counter(v.SPAM_LOOPS, ("client_id", "platform", "action_type"), "Floods of actions on one target.")

# What people tell. Of whom it was is known by group at most, and a group is of many: see members.py.
EVENTS = _counter(v.EVENTS, ("kind", GROUP, SPACE), "What happened between members, each key once.")
EVENT_FAILURES = _counter(
    v.EVENT_FAILURES, ("kind", GROUP, SPACE, "reason"), "What of it failed, by the reason that was told first."
)
PROMISES = _counter(
    v.PROMISES, ("kind", GROUP, "result"), "Promises to members, each judged once: kept in time or late."
)
PROMISE_DELAY = _histogram(
    v.PROMISE_DELAY, ("kind",), "From the making of a promise to its keeping.",
    *(hours * 3600 for hours in (1, 4, 12, 24, 48, 72, 168, 336)),
)  # fmt: skip

INCIDENT_ACTIVE = _gauge(
    v.INCIDENT_ACTIVE, ("dependency", "platform", "excluded"), "1 while a dependency incident is open."
)
INCIDENT_SECONDS = _counter(
    v.INCIDENT_SECONDS, ("dependency", "platform", "excluded"), "Seconds of dependency incidents."
)
CLIENT_INFO = _gauge(v.CLIENT_INFO, ("client_id", "tier"), "1 for each client, with its tier now.")

LABEL_OVERFLOW = _counter(v.LABEL_OVERFLOW, ("label",), "Label values that were rewritten to other.")
STORE_ERRORS = _counter(v.STORE_ERRORS, ("operation",), "Operations that the ledger's store refused or lost.")
UNPROTECTED = _counter(v.UNPROTECTED, ("action_type",), "Actions run without the ledger, which was out of reach.")
STORE_UP = _gauge(v.STORE_UP, (), "1 while the ledger's store answers.")
LEDGER_LAST_WRITE = _gauge(v.LEDGER_LAST_WRITE, (), "When the ledger was last written.")
LAST_UPDATE = _gauge(v.LAST_UPDATE, (), "When this page was made.")
BUILD_INFO = _gauge(v.BUILD_INFO, ("version",), "1, with the version of sloforge.")

FAMILIES: tuple[Family, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Family))


def with_classes() -> tuple[Family, ...]:
    """Return FAMILIES with `workload_class` on all that can have it."""
    return tuple(replace(family, labels=(*family.labels, *family.optional)) for family in FAMILIES)
