"""Whether published posts were seen in time (SLO-03): one result for each post, `in_time`, `late` or `unverifiable`.

The clock starts in the transaction that records the publishing (`seed_for_publish`), so no crash can lose it. A post
that is gone is late without waiting. What verifiers report comes in by verifiers.py.
"""

from collections.abc import Mapping
from dataclasses import replace

from sloforge.exporter.deadlines import Deadline, Facts
from sloforge.exporter.families import VISIBILITY, VISIBILITY_DELAY, VISIBILITY_OLDEST
from sloforge.exporter.records import Change, Record, Ref, Seed
from sloforge.exporter.settings import Settings

SCOPE = "visibility"
UNVERIFIABLE = "unverifiable"

POST = Deadline(VISIBILITY, VISIBILITY_DELAY, good="in_time", gauge=VISIBILITY_OLDEST)


def seed_for_publish(
    labels: Mapping[str, str], key: bytes, published_s: float, settings: Settings, *, seen_s: float | None = None
) -> Seed:
    """Return the clock that a publishing starts; `key` is that of the attempt's Ref.

    A post that was seen already (`seen_s`) is counted by the next sweep, as of that time.
    """
    facts = {
        "labels": {name: labels[name] for name in ("client_id", "platform", "lane")},
        "since": published_s,
        "deadline": published_s + settings.visible_within_s,
        "until": published_s + settings.verify_deadline_s,
    }
    record = POST.keep(facts, published_s)
    if seen_s is not None:
        record = replace(record, body={**facts, "met": max(seen_s, published_s)}, due_s=published_s, open=False)
    return Seed(Ref(SCOPE, key), record)


def judge(record: Record | None, now: float, *, told: Facts) -> Change[Facts]:
    """Judge a post by what verifiers have told and by the time that has passed."""
    return POST.decide(record, now, **told) if record else Change(result={})
