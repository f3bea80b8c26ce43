"""What the pages read: Prometheus, the policy folder and definitions, each asked once for all who look."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import Final, TypeVar

from sloforge.governing import Governed, read_governance
from sloforge.model.governance import Governance
from sloforge.model.objects import Pairs
from sloforge.plan.promql import Scope
from sloforge.policy import PERIOD_S
from sloforge.query.answers import Failure, Sample
from sloforge.query.client import TOTAL_S, Vector, ask
from sloforge.query.endpoints import Endpoint
from sloforge.query.history import History, history
from sloforge.query.recovery import back_in
from sloforge.query.services import Heard, hear
from sloforge.query.snapshot import SloState, Snapshot
from sloforge.web.forecast import Known
from sloforge.web.fresh import Fresh
from sloforge.wording import Phrases

# Beside the state, all else is an ornament of the page: it may be missing, and no one waits long for it.
MORE_S: Final = 5.0
ANY_SERVICE: Final = "-"  # where only that is read of a policy folder which is about no service

Asked = TypeVar("Asked")
States = tuple[tuple[str, int, int, int], ...]  # of files: name, inode, nanoseconds of the last change, size


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the pages have their figures from, and where they are served.

    `services` are those that should be there, by name. `base` is the path before all of ours behind a proxy: empty, or
    like `/slo`. `embed_in` are origins of pages that may show the banner in a frame. `hosts` are the
    names under which it is asked for, like `slo.example.com`, `*.example.com` or `*` for any.
    """

    places: Sequence[Endpoint]
    policy: Path | None = None
    known: Known = field(default_factory=Known)
    services: Sequence[str] = ()
    timeout_s: float = TOTAL_S
    base: str = ""
    embed_in: Sequence[str] = ()
    hosts: Sequence[str] = ("*",)
    fresh: Fresh = field(default_factory=Fresh)

    def heard(self, service: str = "", identity: Pairs = ()) -> Heard:
        """Return what is heard of a service, or of all."""
        asked = (self.places, service, identity, self.timeout_s)
        return self.fresh.get(("state", service, identity), lambda: hear(*asked))

    def governed(self, service: str) -> Governed | None:
        """Return what was decided about a service; None where there is no policy folder."""
        folder = self.policy
        if folder is None:
            return None
        return self.fresh.get(("policy", service), lambda: _governed(folder, service, _states(folder)))

    def phrases(self, service: str = "") -> Phrases:
        """Return what is said instead of phrases of ours: the same for all services of the policy folder."""
        return governance_of(self.governed(service or ANY_SERVICE)).words

    def ask(self, state: Snapshot, *queries: str) -> "Told":
        """Put instant queries to the server that a snapshot is of, at the same time."""
        place, wait_s = self._place(state), min(self.timeout_s, MORE_S)
        answers = together([partial(self._answer, place, query, wait_s) for query in queries])
        return Told(
            tuple(() if isinstance(answer, Failure) else answer for answer in answers),
            tuple(answer for answer in answers if isinstance(answer, Failure)),
        )

    def history(self, state: Snapshot, slo: SloState) -> History | Failure:
        """Return what was left of an SLO's budget over its period."""
        period_s, scope = int(slo.period_s or PERIOD_S), Scope(state.service, state.identity)
        asked = (self._place(state), scope, slo.slo, period_s, int(state.recorded_s), min(self.timeout_s, MORE_S))
        return self.fresh.get(("history", scope, slo.slo), lambda: history(*asked))

    def back_in(self, state: Snapshot, floor: Decimal, limit: int) -> Mapping[str, int]:
        """Return, by SLO, in how many seconds the first `limit` budgets below `floor` (0..1) may be above it again."""
        short = state.short_of_budget(floor)[:limit]
        scope, wait_s = Scope(state.service, state.identity), min(self.timeout_s, MORE_S)
        asked = (self._place(state), scope, short, floor, wait_s)
        return self.fresh.get(("back", scope, floor), lambda: back_in(*asked)) if short else {}

    def _answer(self, place: Endpoint, query: str, wait_s: float) -> Vector | Failure:
        return self.fresh.get((place.url, query), lambda: ask([place], query, wait_s)[0])

    def _place(self, state: Snapshot) -> Endpoint:
        return next(place for place in self.places if place.url == state.url)


@lru_cache(maxsize=256)  # services of a folder; one that has grown for years takes long to read, and changes seldom
def _governed(folder: Path, service: str, _: States) -> Governed:
    return read_governance(folder, service)


def _states(folder: Path) -> States:
    """Return what changes with each file of a folder; nothing for one that cannot be read, which is a finding."""
    try:
        stats = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
    except OSError:
        return ()
    return tuple((name, stat.st_ino, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


@dataclass(frozen=True, slots=True)
class Told:
    """The samples of each query, none where it was not answered; and why."""

    vectors: tuple[tuple[Sample, ...], ...]
    failures: tuple[Failure, ...]


def together(works: Sequence[Callable[[], Asked]]) -> list[Asked]:
    """Return what each work returns, done at the same time; waiting for a server is most of it."""
    if len(works) < 2:
        return [work() for work in works]
    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        return [future.result() for future in [pool.submit(work) for work in works]]


def governance_of(governed: Governed | None) -> Governance:
    """Return what was decided: nothing where there is no folder, or one with errors."""
    return Governance() if governed is None or governed.failed else governed.governance
