"""What an engine is to the compiler: how rules are cut for it and written, and what it bears."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sloforge import vocabulary as v
from sloforge.model.complaint import Complaint
from sloforge.plan.ir import RuleFile
from sloforge.render.artifacts import Layout

SNAPSHOTS_HINT = (
    "A minute in which rules are not evaluated is a minute uncounted, and {engine} is evaluated over a network: "
    "`snapshots: true` on an SLO makes the next minute count what was missed, for one more series per raw series."
)


def as_planned(file: RuleFile) -> RuleFile:
    """Return the plan as it is: one group for each interval, all arithmetic at one moment."""
    return file


def runs_all(file: RuleFile) -> Iterator[Complaint]:
    """Yield nothing: the engine can run every rule."""
    yield from ()


def no_hints(files: Sequence[RuleFile]) -> list[str]:
    """Return nothing to be said."""
    return []


def snapshots_hint(engine: str, files: Sequence[RuleFile]) -> list[str]:
    """Return what missed evaluations cost, unless the run has SLOs that take snapshots."""
    recorded = (getattr(rule, "record", "") for file in files for group in file.groups for rule in group.rules)
    taken = any(name.startswith(v.SNAPSHOT_PREFIX) for name in recorded)
    return [] if taken else [SNAPSHOTS_HINT.format(engine=engine)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that an engine bears as it is set up by default; None for any number.

    Rules of a group, groups of a tenant, names of labels on a series, bytes of a file.
    """

    rules: int | None = None
    groups: int | None = None
    labels: int | None = None
    file_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine. All functions are pure.

    `cut` puts a plan's rules into the groups that the engine runs, `lay_out` writes what came of that. `refuse` yields
    what of a cut plan the engine cannot run. `hints` says what users of the engine have to know about a run. `plain`
    files are what Prometheus reads, so that promtool checks them as they are and the generated tests are about them;
    else promtool checks the same groups in the form that it knows.
    """

    name: str
    lay_out: Callable[[RuleFile], Sequence[Layout]]
    cut: Callable[[RuleFile], RuleFile] = as_planned
    limits: Limits = Limits()
    refuse: Callable[[RuleFile], Iterator[Complaint]] = runs_all
    hints: Callable[[Sequence[RuleFile]], list[str]] = no_hints
    plain: bool = False
