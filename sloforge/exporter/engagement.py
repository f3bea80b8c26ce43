"""Whether inbound events reach the inbox (SLO-06 A) and get their automatic reply (B) in time: one result each.

Both clocks run from the event's creation. B runs only for events that are configured for an automatic reply, and
stops uncounted when people or a policy take the reply over in time.
"""

from collections.abc import Mapping
from functools import partial

from sloforge.exporter.deadlines import Deadline, Facts, Labelling, moment
from sloforge.exporter.families import AUTO_REPLIES, AUTO_REPLY_DELAY, INBOUND, INBOUND_DELAY
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.quiet import quietly
from sloforge.exporter.records import Change, Decide, Record, Ref, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import step

INBOX = "inbound"
REPLY = "reply"

CLOCKS = {
    INBOX: Deadline(INBOUND, INBOUND_DELAY, good="in_time", waived="skipped", silent=True),
    REPLY: Deadline(AUTO_REPLIES, AUTO_REPLY_DELAY, good="in_time", waived="skipped", silent=True),
}


def expire(record: Record | None, now: float, *, scope: str) -> Change[Facts]:
    """Judge an event by the time that has passed."""
    return CLOCKS[scope].decide(record, now) if record else Change(result={})


def settle(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    """Judge the event of `ref` by the time that has passed."""
    ledger.transact(ref, partial(expire, scope=ref.scope))


@step("engagement.arrived")
def arrived(scope: str, labels: Mapping[str, str], created_s: float, within_s: float) -> Decide[Facts]:
    """Start a clock of an event; again changes nothing."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        since = moment(created_s, now)
        return CLOCKS[scope].start(record, now, labels=labels, since=since, deadline=since + within_s)

    return decide


@step("engagement.happened")
def happened(scope: str, fact: str, at: float | None) -> Decide[Facts]:
    """Judge an event by what has happened: `met`, or `waived`."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        return CLOCKS[scope].decide(record, now, **{fact: moment(at, now)})

    return decide


class Engagement:
    """Makes the clocks of inbound events."""

    def __init__(self, ledger: Ledger, settings: Settings, labels: Labelling) -> None:
        self._ledger = ledger
        self._settings = settings
        self._labels = labels

    def inbound(
        self, event: str, *, created: float, client_id: str, platform: str, auto_reply: str | None = None
    ) -> "Inbound":
        """Tell that an event is known, and return it. Whoever meets the event may tell so again.

        `event` is the platform's id for it, `created` when it came about, in seconds since 1970. `auto_reply` is the
        action type (comment, dm) of the reply that is configured for it. Old events that are imported belong in no
        SLO: do not tell them.
        """
        key, labels = key_hash(f"{platform}/{event}"), {"client_id": client_id, "platform": platform}
        self._begin(Ref(INBOX, key), labels, created, self._settings.inbound_within_s)
        if auto_reply:
            labels["action_type"] = auto_reply
            self._begin(Ref(REPLY, key), labels, created, self._settings.reply_within_s)
        return Inbound(self._ledger, key, automatic=bool(auto_reply))

    @quietly
    def _begin(self, ref: Ref, labels: Mapping[str, str], created: float, within_s: float) -> None:
        self._ledger.record(ref, arrived, ref.scope, dict(self._labels(labels)), created, within_s)


class Inbound:
    """One inbound event. None of the calls raises; each may be repeated; `at` defaults to now."""

    def __init__(self, ledger: Ledger, key: bytes, *, automatic: bool) -> None:
        self._ledger = ledger
        self._key = key
        self._automatic = automatic

    def visible(self, *, at: float | None = None) -> None:
        """Tell that the event is in the inbox for operators to see."""
        self._tell(INBOX, "met", at)

    def replied(self, *, at: float | None = None) -> None:
        """Tell that the automatic reply was sent; without a configured one, this counts nowhere."""
        if self._automatic:
            self._tell(REPLY, "met", at)

    def skip_auto(self, *, at: float | None = None) -> None:
        """Tell that no automatic reply will come and none is owed; one that is late already stays late."""
        if self._automatic:
            self._tell(REPLY, "waived", at)

    @quietly
    def _tell(self, scope: str, fact: str, at: float | None) -> None:
        self._ledger.record(Ref(scope, self._key), happened, scope, fact, at)
