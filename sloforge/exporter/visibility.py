"""Whether published posts were seen in time (SLO-03): one result for each post, `in_time`, `late` or `unverifiable`.

The clock starts in the transaction that records the publishing (`seed_for_publish`), so no crash can lose it. A post
that is gone is late without waiting. What verifiers report comes in by verifiers.py.
"""

from collections.abc import Mapping
from typing import Any

from sloforge.exporter.deadlines import Deadline, Facts
from sloforge.exporter.families import VISIBILITY, VISIBILITY_DELAY, VISIBILITY_OLDEST
from sloforge.exporter.records import Change, Record, Seed

SCOPE = "visibility"

POST = Deadline(VISIBILITY, VISIBILITY_DELAY, good="in_time", waived="unverifiable", gauge=VISIBILITY_OLDEST)


def seed_for_publish(
    labels: Mapping[str, str],
    published_s: float,
    *,
    visible_within_s: float,
    verify_deadline_s: float,
    fact: str = "",
) -> Seed:
    """Return the clock that a publishing starts.

    `fact` is `met` for a post that was seen at once, `waived` for one that nobody can verify: the next sweep counts it.
    """
    facts: dict[str, Any] = {
        "labels": {name: labels[name] for name in ("client_id", "platform", "lane")},
        "since": published_s,
        "deadline": published_s + visible_within_s,
        "until": published_s + verify_deadline_s,
    }
    if fact:
        facts[fact] = published_s
        return Seed(SCOPE, Record(facts, due_s=published_s))
    return Seed(SCOPE, POST.keep(facts, published_s))


def judge(record: Record | None, now: float, *, told: Facts) -> Change[Facts]:
    """Judge a post by what verifiers have told and by the time that has passed."""
    return POST.decide(record, now, **told) if record else Change(result={})
