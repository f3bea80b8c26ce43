"""What verifiers report about published posts: it settles the post (SLO-03) and the attempt that waits for it.

A report is noted first, beside the post's record, for a verifier may be faster than the publisher's own transaction.
Then the post is judged: at once if its publishing is known, else when its time is up.
"""

from contextlib import suppress
from functools import partial

from sloforge.exporter import attempts, outcomes
from sloforge.exporter.deadlines import Facts, known, note, notes
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.quiet import quietly
from sloforge.exporter.records import Change, Decide, Record, Ref, StoreUnavailable, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.visibility import SCOPE, judge


def confirm(ref: Ref, told: Facts, settings: Settings) -> Decide[bool]:
    """Return what a report does to the attempt of the post, whose success may be waiting for it."""
    window_s = settings.recovery_window_s
    if "met" in told:
        return outcomes.SEEN(outcomes.follow(settings, "met"), window_s=window_s)
    if "lost" in told:
        return partial(attempts.gone, exempt=sorted(settings.exempt))

    def accept(record: Record | None, now: float) -> Change[bool]:
        """Accept the post id, where there is one, instead of a verification."""
        if record is None or record.body["state"] != "published" or not record.body["post_id"]:
            return Change(result=False)
        who = {name: record.body[name] for name in ("lane", "owner", "post_id")}
        return attempts.succeed(record, now, **who, evidence="post_id", window_s=window_s)

    return accept


def settle(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    """Judge a post by what is known of it now. The attempt comes first: if we die in between, the clock still runs."""
    told = ledger.transact(notes(ref), known)
    if not ledger.transact(ref, known):
        return
    if told:
        attempt = ref._replace(scope=attempts.SCOPE)
        ledger.transact(attempt, confirm(attempt, told, settings))
    ledger.transact(ref, partial(judge, told=told))


class Visibility:
    """What verifiers report about published posts. `key` is the idempotency key of the publishing.

    Each call may be repeated, and may come late: with `at`, the time of the observation in seconds since 1970, the
    post is judged by that. None of them raises.
    """

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings

    def seen(self, key: str, *, at: float | None = None) -> None:
        """Report that the post is there for the public to see."""
        self._tell(key, "met", at)

    def gone(self, key: str, *, at: float | None = None) -> None:
        """Report that the post is not there and will not come: it is late at once, unless it was seen before."""
        self._tell(key, "lost", at)

    def unverifiable(self, key: str, *, at: float | None = None) -> None:
        """Report that the platform cannot be asked about the post, which therefore is no part of SLO-03."""
        self._tell(key, "waived", at)

    @quietly
    def _tell(self, key: str, fact: str, at: float | None) -> None:
        ref = Ref(SCOPE, key_hash(key))
        noted = self._ledger.record(notes(ref), note, fact, at, {})
        if noted is not None:
            with suppress(StoreUnavailable):  # then the sweeper judges
                settle(self._ledger, self._settings, ref)
