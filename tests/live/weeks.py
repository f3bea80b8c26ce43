"""Four weeks of an agency that are over, minute by minute, as its rules had recorded them: they end on a Monday.

Nothing runs rules here: what they would have recorded is written down, so that what reports say can be reckoned.
"""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sloforge import vocabulary as v
from sloforge.plan.groups import GROUP_FAILED_DELTA5M, GROUP_TOTAL_DELTA5M, REASON_TICK
from sloforge.quantities import DAY, HOUR, MINUTE, format_time, parse_time
from tests.live.kept import Series
from tests.live.paging import give_past
from tests.live.servers import Prometheus, free_port, prometheus

END_S = parse_time("2025-11-03T00:00:00Z")
WEEKS_S = 28 * DAY
LAST_DAYS = range(21, 29)  # of which what is left is recorded at midnight
MINUTES = range(WEEKS_S // MINUTE)
START_S = END_S - WEEKS_S
AFTER_S = 17  # a rule's evaluations are at some second of the minute
SERVICE = "raize-the-vibe"

Points = list[tuple[float, float]]
Spell = tuple[int, int]  # the second after START_S at which it begins, and how many minutes it lasts


@dataclass(frozen=True)
class Outage:
    """One event fails in each of so many minutes, `every` minutes apart, for a reason and of a client."""

    begins_s: int
    failures: int
    reason: tuple[str, str]
    client: tuple[str, str] = ("cafe-luna", "instagram")
    every: int = 4

    @property
    def minutes(self) -> range:
        first = self.begins_s // MINUTE
        return range(first, first + self.failures * self.every, self.every)


@dataclass(frozen=True, kw_only=True)
class Slo:
    """One SLO with an event in every so many minutes. `bands` hold from their second on."""

    name: str
    title: str
    objective: float
    every: int = 4
    outages: Sequence[Outage] = ()
    kind: str = "correctness"
    bands: Sequence[tuple[int, int]] = ((0, 0),)
    pages: Sequence[Spell] = ()
    tickets: Sequence[Spell] = ()
    excluded: tuple[int, int] = (0, 0)  # of an approved exclusion: its bounds, as seconds
    grouped: bool = False
    begins_s: int = 0

    @property
    def minutes(self) -> range:
        return MINUTES[self.begins_s // MINUTE :]

    @property
    def total(self) -> int:
        return sum(minute % self.every == 0 for minute in self.minutes)

    @property
    def failed(self) -> list[int]:
        """Return the minutes in which one event failed."""
        return sorted(minute for outage in self.outages for minute in outage.minutes)

    def failed_by(self, days: int) -> int:
        """Return how many events had failed by then."""
        return sum(minute < days * DAY // MINUTE for minute in self.failed)

    @property
    def excused(self) -> int:
        return sum(self.excluded[0] <= minute * MINUTE < self.excluded[1] for minute in self.failed)

    @property
    def allowed(self) -> float:
        return self.total * (1 - self.objective)


def at(minute: int) -> float:
    """Return when a minute was recorded."""
    return float(START_S + minute * MINUTE + AFTER_S)


@dataclass
class Weeks:
    """The samples of one service."""

    service: str = SERVICE
    past: dict[Series, Points] = field(default_factory=dict)

    def add(self, name: str, points: Points, **labels: str) -> None:
        """Add one series."""
        self.past[name, tuple(sorted({v.SERVICE: self.service, **labels}.items()))] = points

    def slo(self, slo: Slo) -> None:
        """Add one SLO that has a budget."""
        failed = set(slo.failed)
        assert len(failed) == len(slo.failed)
        own = {v.SLO: slo.name}
        self.add(v.TOTAL_TICK, [(at(n), float(n % slo.every == 0)) for n in slo.minutes], **own)
        self.add(v.FAILED_TICK, [(at(n), float(n in failed)) for n in slo.minutes], **own)
        self.add(v.TICK_PRESENT, [(at(n), 1.0) for n in slo.minutes], **own)
        for failure_class, reason in {outage.reason for outage in slo.outages}:
            ours = sorted(n for one in slo.outages if one.reason == (failure_class, reason) for n in one.minutes)
            self.add(REASON_TICK, [(at(n), 1.0) for n in ours], **own, failure_class=failure_class, reason=reason)
        for client, platform in {outage.client for outage in slo.outages} if slo.grouped else ():
            hit = [n for one in slo.outages if one.client == (client, platform) for n in one.minutes]
            by = {**own, "client_id": client, "platform": platform}
            self.add(GROUP_TOTAL_DELTA5M, [(at(n), 1.0) for n in slo.minutes[5::60]], **by)
            fives = {n: float(sum(n - 5 <= minute < n for minute in hit)) for n in slo.minutes[5::5]}
            self.add(GROUP_FAILED_DELTA5M, [(at(n), value) for n, value in fives.items() if value], **by)
            self.add(v.GROUP_FAILED_PERIOD, at_end(len(hit)), **by)
        for name, spells in (
            (v.PAGE_BURN, slo.pages),
            (v.burn_active("page_fast"), slo.pages),
            (v.burn_active("ticket_fast"), slo.tickets),
        ):
            self.add(name, spelled(spells), **own)
        self._state(slo, own)

    def _state(self, slo: Slo, own: Mapping[str, str]) -> None:
        for suffix, excused in (("", 0), (v.WITH_EXCLUSIONS, slo.excused)):
            failed = [slo.failed_by(days) - excused for days in LAST_DAYS]
            self.add(v.SLI_PERIOD + suffix, nightly(*(1 - bad / slo.total for bad in failed)), **own)
            self.add(v.REMAINING_RATIO + suffix, nightly(*(1 - bad / slo.allowed for bad in failed)), **own)
            self.add(v.REMAINING_EVENTS + suffix, nightly(*(slo.allowed - bad for bad in failed)), **own)
            self.add(v.TOTAL_PERIOD + suffix, lately(slo.total), **own)
        self.add(v.ERROR_BUDGET, lately(1 - slo.objective), **own)
        figures = {v.OBJECTIVE: slo.objective, v.PERIOD: WEEKS_S, v.COVERAGE: 1.0}
        for name, value in figures.items():
            self.add(name, nightly(value), **own)
        self.add(v.INFO, nightly(1), **own, title=slo.title, **{"class": slo.kind})
        self.add(v.BAND, stepped(slo.bands), **own)
        if slo.bands[-1][1]:
            self.add(v.BAND_REASON, nightly(1 - (len(slo.failed) - slo.excused) / slo.allowed), **own, reason="budget")

    def hard(self, name: str, title: str, stopped: Spell) -> None:
        """Add an SLO of which not one violation is allowed."""
        begins_s, minutes = stopped
        self.add(v.HARD_STOP, spelled([stopped]), slo=name, rule=name)
        self.add(v.BAND, stepped(((0, 0), (begins_s, 2), (begins_s + minutes * MINUTE, 0))), slo=name)
        self.add(v.INFO, nightly(1), slo=name, title=title, **{"class": "safety"})

    def whole(self, bands: Sequence[tuple[int, int]], freezes: Sequence[Spell]) -> None:
        """Add what is recorded of the service as a whole."""
        self.add(v.SERVICE_BAND, stepped(bands))
        self.add(v.FREEZE, spelled(freezes))


def around(at_s: int, value: float) -> Points:
    """Return what is recorded in the minutes before a moment."""
    return [(float(at_s - minutes * MINUTE + AFTER_S), value) for minutes in (3, 2, 1)]


def at_end(value: float) -> Points:
    """Return what is recorded at the end of all."""
    return around(END_S, value)


def nightly(*values: float) -> Points:
    """Return what is recorded at the last midnights: a value for each of them, or for all."""
    each = values if len(values) == len(LAST_DAYS) else values * len(LAST_DAYS)
    return [point for days, value in zip(LAST_DAYS, each, strict=True) for point in around(START_S + days * DAY, value)]


def lately(value: float) -> Points:
    """Return what is recorded all through the last week: of this, incidents ask in between."""
    return [(at(n), value) for n in MINUTES[LAST_DAYS[0] * DAY // MINUTE - 3 :: 4]] + at_end(value)[2:]


def stepped(states: Sequence[tuple[int, int]]) -> Points:
    """Return states that hold from their second on."""
    each_five = MINUTES[4::5]
    return [(at(n), float([state for begins_s, state in states if begins_s <= n * MINUTE][-1])) for n in each_five]


def spelled(spells: Sequence[Spell]) -> Points:
    """Return a condition that is 1 in its spells: each minute of these, else every five."""
    on = {n for begins_s, minutes in spells for n in range(begins_s // MINUTE, begins_s // MINUTE + minutes)}
    ends = {begins_s // MINUTE + minutes for begins_s, minutes in spells}
    return [(at(n), float(n in on)) for n in sorted((on | ends | set(MINUTES[4::5])) & set(MINUTES))]


def day(number: int, hour: float = 0) -> int:
    """Return the second at which an hour of a day begins; day 21 is the Monday of the last week."""
    return number * DAY + int(hour * HOUR)


TIMEOUTS = (Outage(day(n, 9), 1, ("runner_failure", "timeout"), ("acme", "linkedin")) for n in range(1, 27, 2))
API = Slo(
    name="publish-api",
    title="Publish success, API lane",
    objective=0.995,
    outages=(
        *TIMEOUTS,
        Outage(day(8, 14.1), 6, ("platform_rejected", "outage"), ("bits-and-bolts", "tiktok")),
        Outage(day(22, 10.5), 21, ("platform_rejected", "rate_limited")),
        Outage(day(24, 16), 9, ("platform_rejected", "auth_expired"), ("dots", "x")),
    ),
    bands=((0, 0), (day(22, 12), 1), (day(24, 17), 2)),
    pages=((day(22, 10.7), 90), (day(24, 16.2), 20)),
    tickets=((day(22, 12), 600),),
    excluded=(day(8, 14), day(8, 15)),
    grouped=True,
)
BROWSER = Slo(
    name="publish-browser",
    title="Publish success, browser lane",
    objective=0.985,
    outages=[Outage(day(n, 11), 2 + n % 3, ("tool_failure", "selector_gone")) for n in range(2, 28)],
    tickets=((day(25, 8), 200),),
    bands=((0, 0), (day(25, 9), 1)),
)
VISIBLE = Slo(
    name="time-to-visible",
    title="Posts verified visible within 10 minutes",
    objective=0.99,
    kind="trust",
    outages=[Outage(day(n, 3), 6, ("verification_failed", "late")) for n in range(6, 26)],
    bands=((0, 0), (day(10), 1), (day(23, 12), 2)),
    tickets=((day(12, 8), 900), (day(20, 8), 900)),
)
QUEUE = Slo(
    name="queue-publishing",
    title="Publishing jobs start within 2 minutes",
    objective=0.99,
    kind="timeliness",
    outages=(Outage(day(23, 3), 12, ("late", "worker_busy")),),
)
YOUNG = Slo(
    name="reply-timeliness",
    title="Automatic replies within 10 minutes",
    objective=0.95,
    kind="timeliness",
    outages=(Outage(day(26, 5), 30, ("runner_failure", "queue_full")),),
    begins_s=day(18),
)
STOPPED: Spell = (day(23, 7), 95)
SLOS = (API, BROWSER, VISIBLE, QUEUE, YOUNG)


WORK = {"instance": "worker:9464", "lane": "api", "action_type": "publish", "platform": "instagram"}
EXPORTED = (  # what the exporter's ledger had counted two weeks and one week ago, and in the end
    (v.ATTEMPTS, {**WORK, "channel": "stable"}, (4_000, 6_500, 8_900)),
    (v.FAILURES, {**WORK, "channel": "stable", "reason": "timeout"}, (40, 60, 90)),
    (v.RECOVERIES, {**WORK, "channel": "stable"}, (10, 12, 18)),
    (v.ATTEMPTS, {**WORK, "channel": "canary"}, (None, None, 120)),
    (v.FAILURES, {**WORK, "channel": "canary", "reason": "timeout"}, (None, None, 6)),
    (v.INTERVENTIONS, {"instance": "worker:9464", "client_id": "acme", "kind": "captcha"}, (5, 9, 14)),
    (v.INTERVENTIONS, {"instance": "worker:9464", "client_id": "dots", "kind": "captcha"}, (0, 0, 2)),
    (v.INTERVENTIONS, {"instance": "worker:9464", "client_id": "dots", "kind": "login"}, (None, 3, 3)),
)


def agency() -> Weeks:
    """Return the agency: RED since a Wednesday, one SLO that is ten days old, a hard stop that was ended."""
    weeks = Weeks()
    for slo in SLOS:
        weeks.slo(slo)
    weeks.hard("wrong-account", "No action on a wrong account", STOPPED)
    weeks.whole(((0, 0), (day(10), 1), (day(23, 7), 2)), (STOPPED, (day(23, 12), 10_000)))
    for name, labels, counts in EXPORTED:
        known = [(END_S - (2 - n) * 7 * DAY, count) for n, count in enumerate(counts) if count is not None]
        key = name, tuple(sorted(labels.items()))
        weeks.past[key] = [point for at_s, count in known for point in around(at_s, float(count))]
    return weeks


def shop() -> Weeks:
    """Return a service that is a day old, of two copies."""
    weeks = Weeks("shop")
    weeks.slo(Slo(name="checkout", title="Checkouts succeed", objective=0.99, begins_s=day(27)))
    weeks.whole(((0, 0),), ())
    return weeks


def many(slos: int) -> Weeks:
    """Return a service of many SLOs, each with failures on most days, a few of them with alerts and groups."""
    weeks = Weeks("many")
    reasons = [("runner_failure", "timeout"), ("platform_rejected", "rate_limited"), ("tool_failure", "gone")]
    for n in range(slos):
        outages = [
            Outage(day(d, 8 + d % 5), 1 + (n + d) % 4, reasons[d % 3], (f"client-{d % 9}", "x"))
            for d in range(n % 4, 28)
        ]
        rang = ((day(3 + n % 20, 9), 60), (day(24), 30)) if n % 5 == 0 else ()
        weeks.slo(
            Slo(
                name=f"slo-{n:03}",
                title=f"Requests of part {n} succeed",
                objective=0.99,
                outages=outages,
                pages=rang,
                tickets=rang,
                grouped=n % 5 == 0,
            )
        )
    weeks.whole(((0, 0), (day(20), 1)), ((day(23, 7), 95),))
    return weeks


ROTA = """\
apiVersion: sloforge-policy/v1
rota:
  - {person: ada, from: 2025-01-01T00:00:00Z, to: 2036-01-01T00:00:00Z}
"""
INCIDENTS = """\
apiVersion: sloforge-policy/v1
incidents:
  - id: inc-7
    service: raize-the-vibe
    title: One platform limits our rate
    slos: [publish-api]
    opened: TUE_10
    opened_by: ada
  - id: inc-7
    closed: TUE_13
    closed_by: ada
    shares: {publish-api: 41.67}
    postmortem: https://postmortems.example.com/7
    action: {what: Ask for a higher limit and slow down before it, owner: bob}
  - id: inc-8
    service: raize-the-vibe
    title: Post on a wrong account
    slos: [wrong-account]
    opened: WED_7
    opened_by: ada
  - {id: inc-8, closed: WED_9, closed_by: ada}
  - id: inc-9
    service: raize-the-vibe
    title: Opened after the week
    slos: [publish-api]
    opened: AFTER
    opened_by: ada
"""
EXCLUSIONS = """\
apiVersion: sloforge-policy/v1
exclusions:
  - id: dep-1
    service: raize-the-vibe
    slos: [publish-api]
    from: OUT_14
    to: OUT_15
    cause: provider_outage
    by: ada
    at: OUT_16
    reason: their status page says so
    approved_by: ada
"""
APPROVALS = """\
apiVersion: sloforge-policy/v1
approvals:
  - kind: hard_stop
    service: raize-the-vibe
    slo: wrong-account
    by: ada
    at: WED_8
    reason: the token was mixed up and is gone
  - kind: change
    service: raize-the-vibe
    change_type: feature
    scope: new-inbox
    by: ada
    at: TUE_13
    expires: WED_9
    reason: one client waits for it
"""


def decisions(folder: Path) -> None:
    """Write the policy folder of the agency. One entry is younger than the weeks."""
    folder.mkdir()
    moments = {
        "TUE_10": day(22, 10.5) - MINUTE,
        "TUE_13": day(22, 13),
        "WED_7": day(23, 7),
        "WED_8": day(23, 8.5),
        "WED_9": day(23, 9),
        "OUT_14": API.excluded[0],
        "OUT_15": API.excluded[1],
        "OUT_16": day(8, 16),
        "AFTER": day(29),
    }
    files = {"rota": ROTA, "incidents": INCIDENTS, "exclusions": EXCLUSIONS, "approvals": APPROVALS}
    for name, text in files.items():
        dated = re.sub("|".join(moments), lambda word: format_time(START_S + moments[word[0]]), text)
        (folder / f"{name}.yml").write_text(dated, encoding="utf-8")


@contextmanager
def remembering(folder: Path, *services: Weeks) -> Iterator[Prometheus]:
    """Run a Prometheus that remembers all this."""
    assert shutil.which("promtool")
    folder.mkdir(parents=True, exist_ok=True)
    give_past({key: points for service in services for key, points in service.past.items()}, folder / "data")
    config = folder / "prometheus.yml"
    config.write_text("global: {}\n", encoding="utf-8")
    with prometheus(config, free_port(), folder, "--storage.tsdb.retention.time=50y") as server:
        yield server
