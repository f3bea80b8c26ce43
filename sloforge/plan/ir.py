"""The plan: rules as frozen data; every node remembers the definition it came from, so complaints find home."""

from dataclasses import dataclass
from itertools import chain

from sloforge.diagnostics import Route
from sloforge.model.objects import Pairs
from sloforge.wording import Phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule:
    """One recorded series (or family). `note` becomes a comment above the rule.

    `sparse` says that it has samples only in times of trouble: a long look back over it reads next to nothing.
    """

    record: str
    expr: str
    origin: Route
    labels: Pairs = ()
    note: str = ""
    sparse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One alert. `words` names the template that turns `facts` into annotations; the plan holds no prose."""

    alert: str
    expr: str
    origin: Route
    words: str
    facts: Pairs = ()
    for_s: int = 0
    labels: Pairs = ()
    annotations: Pairs = ()  # the user's own, which win over ours
    phrases: Phrases = ()  # of ours, and what is said instead
    note: str = ""


Rule = RecordingRule | AlertRule


@dataclass(frozen=True, slots=True)
class Stage:
    """Rules of a group that an engine with small groups runs together: see plan/cuts.py.

    `slo` is whose rules they are, "" for what the SLOs of a service share. Stages of one name and SLO belong together.
    The rules of a `divisible` one may be of several moments, in order.
    """

    name: str
    rules: tuple[Rule, ...]
    slo: str = ""
    divisible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """Rules that run one after another at the same timestamp, every `interval_s` seconds."""

    name: str
    interval_s: int
    stages: tuple[Stage, ...]
    note: str = ""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return the rules of all stages, in order."""
        return tuple(chain.from_iterable(stage.rules for stage in self.stages))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """What one service asks of a ruler: the file's path below the output folder, its header and its groups.

    `metadata` are the labels that an object in Kubernetes has.
    """

    path: str
    service: str
    digest: str
    groups: tuple[RuleGroup, ...]
    metadata: Pairs = ()
