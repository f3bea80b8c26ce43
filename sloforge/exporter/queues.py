"""Whether jobs start on time (SLO-04): one result for each job that came due, `on_time` or `late`.

A job is late when its queue's delay has passed and it has not started, so a queue that stands still spends budget
while it does. The schedule that stands when a job comes due is the one that counts: nobody makes a job punctual by
moving it afterwards. A job that is cancelled in time counts nowhere.
"""

from collections.abc import Mapping
from math import inf

from sloforge.exporter.deadlines import Deadline, Facts, Labelling, learn, moment, write
from sloforge.exporter.families import DUE_JOBS, QUEUE_JOBS, START_DELAY
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.quiet import quietly
from sloforge.exporter.records import Change, Decide, Record, Ref, key_hash
from sloforge.exporter.settings import Settings
from sloforge.exporter.steps import step
from sloforge.quantities import DAY

SCOPE = "queue"
FORGOTTEN_S = DAY  # a job that nobody starts, or whose end nobody reports, leaves the gauges after this time

JOB = Deadline(DUE_JOBS, START_DELAY, good="on_time", waived="cancelled", silent=True)


def judge(record: Record | None, facts: Facts, now: float) -> Change[Facts]:
    """Judge a job by `facts` and the time, and keep it where the gauges show it: scheduled, due or running."""
    facts, counts = JOB.settle(facts, now)
    return write(record, _keep(facts, now), counts)


def expire(record: Record | None, now: float) -> Change[Facts]:
    """Judge a job by the time that has passed."""
    return judge(record, record.body, now) if record else Change(result={})


def settle(ledger: Ledger, settings: Settings, ref: Ref) -> None:
    """Judge the job of `ref` by the time that has passed."""
    ledger.transact(ref, expire)


@step("queue.scheduled")
def schedule(labels: Mapping[str, str], due_s: float, delay_s: float) -> Decide[Facts]:
    """Start the clock of a job, or move one that is not due yet."""
    plan = {"labels": labels, "since": due_s, "deadline": due_s + delay_s}

    def decide(record: Record | None, now: float) -> Change[Facts]:
        facts = learn(record, **plan)
        if now < facts["since"] and not facts.keys() & {"met", "waived"}:
            facts = {**facts, **plan}
        facts, counts = JOB.settle(facts, -inf)  # that it is late by now is for the sweeper to say, see Deadline.start
        return write(record, _keep(facts, now), counts)

    return decide


@step("queue.happened")
def happened(fact: str, at: float | None) -> Decide[Facts]:
    """Judge a job that has `met` its start, `ended`, or was `waived`; also before its schedule is known."""

    def decide(record: Record | None, now: float) -> Change[Facts]:
        facts = {fact: moment(at, now)}
        if fact == "ended":
            facts["met"] = facts["ended"]  # it had started by then, though nobody may have said so
        return judge(record, learn(record, **facts), now)

    return decide


def _keep(facts: Facts, now: float) -> Record:
    """Return the record of a job, open until it has ended, or nothing was heard of it for too long."""
    if "deadline" not in facts or facts.keys() & {"ended", "waived"}:
        return Record(facts)
    if "met" in facts:
        state, since_s, due_s = "running", facts["met"], facts["met"] + FORGOTTEN_S
    elif "result" in facts:
        state, since_s, due_s = "due", facts["since"], facts["deadline"] + FORGOTTEN_S
    elif now >= facts["since"]:
        state, since_s, due_s = "due", facts["since"], facts["deadline"]
    else:
        state, since_s, due_s = "scheduled", facts["since"], facts["since"]
    if "result" in facts and now >= due_s:
        return Record(facts)
    group = QUEUE_JOBS.pick({**facts["labels"], "state": state})
    return Record(facts, due_s=due_s, open=True, group=group, since_s=since_s)


class Queue:
    """One queue of the settings, by its name. `job` is any text that names the job for good, retries included.

    None of the calls raises. All times are seconds since 1970; `at` defaults to now.
    """

    def __init__(self, ledger: Ledger, settings: Settings, labels: Labelling, name: str) -> None:
        """Raises ValueError for a queue that the settings do not know."""
        if name not in settings.queue_delays_s:
            raise ValueError(f"no queue {name!r} in queue_delays_s; there are {', '.join(settings.queue_delays_s)}")
        self._ledger = ledger
        self._labels = labels
        self._name = name
        self._delay_s = settings.queue_delays_s[name]

    @quietly
    def scheduled(self, job: str, *, due: float, client_id: str, lane: str) -> None:
        """Tell when the job is to start; again with another time before it is due to move it."""
        labels = dict(self._labels({"client_id": client_id, "queue": self._name, "lane": lane}))
        self._ledger.record(self._ref(job), schedule, labels, due, self._delay_s)

    @quietly
    def started(self, job: str, *, at: float | None = None) -> None:
        """Tell that the job has started. A retry of a job that had started before changes nothing."""
        self._ledger.record(self._ref(job), happened, "met", at)

    @quietly
    def finished(self, job: str, *, at: float | None = None) -> None:
        """Tell that the job has ended, well or not."""
        self._ledger.record(self._ref(job), happened, "ended", at)

    @quietly
    def cancelled(self, job: str, *, at: float | None = None) -> None:
        """Tell that the job is not wanted any more; one that is late already stays late."""
        self._ledger.record(self._ref(job), happened, "waived", at)

    def _ref(self, job: str) -> Ref:
        return Ref(f"{SCOPE}/{self._name}", key_hash(job))
