"""What must never happen (SLO-07, policy §7.2): actions on a wrong account, and floods of actions on one target.

All of it is counted in totals that only grow. Nothing here releases anything: approvals stand in Git.
"""

import logging
from collections.abc import Mapping
from functools import partial

from sloforge.exporter.deadlines import Labelling
from sloforge.exporter.failures import SpamLoop
from sloforge.exporter.families import NEAR_MISSES, SPAM_LOOPS, WRONG_ACCOUNT, Family
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.quiet import quietly
from sloforge.exporter.records import Change, Decide, Record, Ref, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import step

SPAM = "spam"

FAMILIES: Mapping[str, Family] = {"wrong_account": WRONG_ACCOUNT, "near_miss": NEAR_MISSES}  # by scope

log = logging.getLogger(__name__)


@step("safety.happened", durable=True)
def happened(scope: str, labels: Mapping[str, str], trace_id: str = "") -> Decide[bool]:
    """Count a wrong account, or one barely avoided, once for each key and lane. True: it was new."""

    def decide(record: Record | None, now: float) -> Change[bool]:
        if record is not None:
            return Change(result=False)
        count = FAMILIES[scope].count(labels, trace_id=trace_id)
        return Change(result=True, record=Record({"at": now}), counts=(count,))

    return decide


def act(record: Record | None, now: float, *, labels: Mapping[str, str], limit: int, window_s: float) -> Change[bool]:
    """Let an action on a target happen, unless `limit` of them have within `window_s`: that is a flood.

    A flood is counted once. It lasts as long as actions are tried, and ends with a window in which none was.
    """
    times = [at for at in (record.body["times"] if record else ()) if now - at < window_s]
    flooding = bool(times) and record is not None and record.body["flood"]
    refused = flooding or len(times) >= limit
    kept = Record({"times": [*times, now][-limit:], "flood": refused})
    counts = (SPAM_LOOPS.count(labels),) if refused and not flooding else ()
    return Change(result=not refused, record=kept, counts=counts)


class Safety:
    """Tells of wrong accounts. Neither call raises, or stops anything: that is the caller's part."""

    def __init__(self, ledger: Ledger, labels: Labelling | None = None) -> None:
        self._ledger = ledger
        self._labels = labels

    def wrong_account(self, *, intended: str, actual: str, key: str, labels: Mapping[str, str]) -> bool:
        """Tell on which account an action was carried out; on a wrong one it is a violation, once for each key.

        An attempt that is told its `author_id` does this by itself, and both count as one. `labels` are those of
        `families.L`. Returns whether the account was wrong.
        """
        return self._compare("wrong_account", intended, actual, key, labels)

    def near_miss(self, *, intended: str, actual: str, key: str, labels: Mapping[str, str]) -> bool:
        """Tell of a wrong account that was noticed before any effect; an attempt's `acting_as` does it by itself."""
        return self._compare("near_miss", intended, actual, key, labels)

    def _compare(self, scope: str, intended: str, actual: str, key: str, labels: Mapping[str, str]) -> bool:
        if intended != actual:
            self._tell(scope, key, labels)
        return intended != actual

    @quietly
    def _tell(self, scope: str, key: str, labels: Mapping[str, str]) -> None:
        self.tell(scope, key_hash(key), dict(self._labels(labels)) if self._labels else labels)

    @quietly
    def tell(self, scope: str, key: bytes, labels: Mapping[str, str], trace_id: str = "") -> None:
        """Count what happened once for each key and lane, whoever tells it: an attempt, a verifier, a person.

        `scope` is one of FAMILIES, `key` that of the attempt's Ref.
        """
        # Account ids may be personal data: the log says whose, and the client's own records say which.
        log.error("%s: client %s on %s", scope.replace("_", " "), labels["client_id"], labels["platform"])
        self._ledger.record(Ref(f"{scope}/{labels['lane']}", key), happened, scope, dict(labels), trace_id)


class Spam:
    """Stops floods of actions on one target before they happen."""

    def __init__(self, ledger: Ledger, settings: Settings, labels: Labelling) -> None:
        self._ledger = ledger
        self._settings = settings
        self._labels = labels

    def check(self, client_id: str, platform: str, action_type: str, target: str) -> None:
        """Call before each dm, comment or like. Raises SpamLoop if too many went to `target`, which is kept hashed.

        Raises StoreUnavailable where that cannot be known, except for the action types that may run unprotected.
        """
        ref = Ref(SPAM, key_hash(f"{client_id}\n{platform}\n{action_type}\n{target}"))
        labels = dict(self._labels({"client_id": client_id, "platform": platform, "action_type": action_type}))
        settings = self._settings
        decide = partial(act, labels=labels, limit=settings.spam_limit, window_s=settings.spam_window_s)
        if self._ledger.claim(ref, decide, action_type=action_type) is False:
            raise SpamLoop(
                f"more than {settings.spam_limit} {action_type} actions on one target "
                f"within {settings.spam_window_s:g} seconds"
            )
