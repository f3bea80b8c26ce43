"""The facts of a definition, frozen: defaults applied, units said, everything checked before it comes here."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from sloforge.diagnostics import Route
from sloforge.policy import BurnWindow

Pairs = tuple[tuple[str, str], ...]  # sorted by key; a dict would let a later stage edit the facts
Shares = tuple[tuple[str, Decimal], ...]  # likewise; 0.995, never per cent
Tiers = tuple[tuple[str, Decimal | None], ...]  # objectives by tier; None is the SLO's own


class SloClass(Enum):
    """The policy's order of reliability (section 1), worst first."""

    SAFETY = "safety"
    CORRECTNESS = "correctness"
    TIMELINESS = "timeliness"
    TRUST = "trust"


class CounterKind(Enum):
    """How a counter is born and reset: with its process, or kept for ever in a ledger."""

    PROCESS = "process"
    LEDGER = "ledger"


class Births(Enum):
    """How a series' first sample counts: judged by its target's `up`, always, or never."""

    UP = "up"
    ALWAYS = "always"
    NEVER = "never"


class Matcher(NamedTuple):
    """One label matcher; `op` is one of = != =~ !~."""

    label: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """An instant vector selector of one metric. Matchers keep no order of the input: they are sorted."""

    metric: str
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Counters of events. Exactly one of `good` and `bad` is non-empty; `excluded` needs `good`."""

    total: tuple[Selector, ...]
    good: tuple[Selector, ...] = ()
    bad: tuple[Selector, ...] = ()
    excluded: tuple[Selector, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """A histogram and the seconds within which an event is good. `histogram` has the base name, without _bucket."""

    histogram: Selector
    threshold_s: Decimal
    native: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A gauge judged once a tick and series. `good` is a comparison such as `== 1`."""

    metric: Selector
    good: str
    missing_is_bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Free PromQL with `{{window}}`, for what selectors cannot say: an estimate, and called so."""

    total: str
    bad: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hard:
    """Violations of which not one is allowed: no objective, no budget."""

    violations: tuple[Selector, ...]


Indicator = Ratio | Latency | Probe | Events | Hard


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """A budget for each combination of `labels` as well, for at most `limit` combinations.

    `objectives` are of values of a label: of a combination's objectives the strictest counts.
    """

    labels: tuple[str, ...]
    limit: int = 500
    alerts: bool = False
    objectives: tuple[tuple[str, Shares], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """The budget divided over the values of a label. `shares` add up to 1; that of `other` is for all other values."""

    label: str
    shares: Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Counters that say what the failures were, kept apart by the labels `by`."""

    failed: tuple[Selector, ...]
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One SLO, complete. (service, id) is its identity for ever; all else may change and keeps history.

    `objective` is a share (0.995), None for a hard SLO. `windows` are the burn alerts that are switched on.
    `page_when` is PromQL: pages only while it has a sample, else tickets. `origin` is its route in the input.
    """

    id: str
    ref: str
    title: str
    slo_class: SloClass
    objective: Decimal | None
    period_s: int
    indicator: Indicator
    origin: Route
    by: Grouping | None = None
    tiers: Tiers = ()  # the file's and its own; without `client_id` in `by` nothing comes of them
    partition: Partition | None = None
    reasons: Reasons | None = None
    counter: CounterKind = CounterKind.PROCESS
    births: Births = Births.UP
    snapshots: bool = False
    windows: tuple[BurnWindow, ...] = ()
    page_when: str | None = None
    owner: str = ""
    tier: str = "default"
    runbook: str = ""
    labels: Pairs = ()
    annotations: Pairs = ()
    hard_stop: bool = False  # missing the objective stops all shipping until somebody approves (policy, 7.2)
    traffic: Decimal | None = None  # events expected in one period, where the definition states it
    justification: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One definitions file, complete. `slos` are sorted by id; `digest` is of the canonical definitions.

    `people`: it says that it is about people, so that nobody may be named or ranked.
    """

    name: str
    slos: tuple[Slo, ...]
    path: str
    digest: str
    identity: Pairs = ()
    owner: str = ""
    labels: Pairs = ()
    severities: Pairs = (("page", "page"), ("ticket", "ticket"))
    sample_delay_s: int = 30
    runbook: str = ""  # the address of its own, about the rules as a whole
    metadata: Pairs = ()
    tiers: Tiers = ()
    clients: Pairs = ()  # client_id, tier
    people: bool = False
