"""What an engine is to the compiler: how rules are cut for it and written, and what it bears."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sloforge.model.complaint import Complaint
from sloforge.plan.ir import RuleFile
from sloforge.render.artifacts import Artifact, Layout

Cut = Callable[[RuleFile], RuleFile]


def as_planned(file: RuleFile) -> RuleFile:
    """Return the plan as it is: one group for each interval, all arithmetic at one moment."""
    return file


def no_limits(file: RuleFile, artifacts: Sequence[Artifact]) -> Iterator[Complaint]:
    """Yield nothing: the engine bears whatever the plan asks of it."""
    yield from ()


def no_hints(files: Sequence[RuleFile]) -> list[str]:
    """Return nothing to be said."""
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine. All functions are pure.

    `cut` puts a plan's rules into the groups that the engine runs, `lay_out` writes what came of that. `limits` yields
    what of a service's cut plan, and of its files, goes beyond what the engine bears. `hints` says what users of the
    engine have to know about a run. `plain` files are what Prometheus reads, so that promtool checks them as they are
    and the generated tests are about them; else promtool checks the same groups in the form that it knows.
    """

    name: str
    lay_out: Callable[[RuleFile], Sequence[Layout]]
    cut: Cut = as_planned
    limits: Callable[[RuleFile, Sequence[Artifact]], Iterator[Complaint]] = no_limits
    hints: Callable[[Sequence[RuleFile]], list[str]] = no_hints
    plain: bool = False
