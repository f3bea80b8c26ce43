"""The exporter as a worker meets it: an Exporter, its lanes, and the clocks that hang on it."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from sloforge.exporter import outcomes, tally
from sloforge.exporter.attempts import ref
from sloforge.exporter.audits import Audits
from sloforge.exporter.definitions import compare
from sloforge.exporter.dependencies import Dependency
from sloforge.exporter.disabled import NO_ATTEMPT, NoStore
from sloforge.exporter.engagement import Engagement
from sloforge.exporter.episodes import Episode, Episodes
from sloforge.exporter.failures import KeyConflict
from sloforge.exporter.families import CLASS, TRACE_LENGTH
from sloforge.exporter.guard import Guard, clean
from sloforge.exporter.handle import Attempt
from sloforge.exporter.heartbeat import Heartbeat
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.orders import Classify, OnConflict, Order, Renewable, fingerprint
from sloforge.exporter.people import People
from sloforge.exporter.queues import Queue
from sloforge.exporter.safety import Safety, Spam
from sloforge.exporter.settings import Settings
from sloforge.exporter.tracked import track
from sloforge.exporter.universe import Universe, read_universe
from sloforge.exporter.verifiers import Visibility

P = ParamSpec("P")
R = TypeVar("R")

SWITCH = "SLOFORGE_EXPORTER"  # `off` in the environment switches off every exporter made from then on
MOST_LABELS = 4096  # label sets that a lane remembers


class Exporter:
    """Counts what workers do, in a ledger. One per process is enough; safe in threads, asyncio and after a fork.

    `ledger` is a Ledger or its URL. `universe` declares clients and their work (a file, or what it says), so that
    their series exist before anything happens. `definitions` is your slo_definitions.yml: metrics that it asks for and
    the exporter does not have are logged. `settings` are numbers of yours, or the file where they stand, which the
    process that exposes the ledger should read too. `classify` says what your exceptions count as, where it knows
    better.
    """

    def __init__(
        self,
        ledger: Ledger | str,
        *,
        definitions: str | Path | None = None,
        universe: Universe | str | Path | None = None,
        settings: Settings | str | Path | None = None,
        classify: Classify | None = None,
    ) -> None:
        self.enabled = os.environ.get(SWITCH, "").lower() != "off"
        if not self.enabled:
            ledger = Ledger(NoStore())
        self.ledger = Ledger(ledger) if isinstance(ledger, str) else ledger
        self.settings = _settings(settings)
        self.follow: Mapping[str, outcomes.Follow] = {
            fact: outcomes.follow(self.settings, fact) for fact in outcomes.FACTS
        }
        self.classify = classify
        self.universe = read_universe(universe) if isinstance(universe, str | Path) else universe or Universe()
        self._guard = Guard(self.ledger, self.universe, self.settings.limits)
        self.labels = self._guard.labels
        self._heartbeat = Heartbeat()
        self._lanes = {name: Lane(self, name) for name in self.settings.leases_s}
        if definitions is not None:
            compare(Path(definitions))

    @classmethod
    def disabled(cls) -> "Exporter":
        """Return an exporter that takes every call and keeps nothing."""
        exporter = cls(Ledger(NoStore()))
        exporter.enabled = False
        return exporter

    def lane(self, name: str) -> "Lane":
        """Return a lane of the settings: `api` or `browser`. Raises ValueError for another one."""
        try:
            return self._lanes[name]
        except KeyError:
            raise ValueError(f"no lane {name!r} in leases_s; there are {', '.join(self._lanes)}") from None

    # --- the other clocks ---

    @cached_property
    def visibility(self) -> Visibility:
        """What verifiers report about published posts (SLO-03)."""
        return Visibility(self.ledger, self.settings)

    @cached_property
    def episodes(self) -> Episodes:
        """Episodes, and people's work outside of them (SLO-05)."""
        return Episodes(self.ledger, self.settings, self.labels)

    @cached_property
    def engagement(self) -> Engagement:
        """Inbound events and automatic replies (SLO-06)."""
        return Engagement(self.ledger, self.settings, self.labels)

    @cached_property
    def safety(self) -> Safety:
        """Actions on wrong accounts, where no attempt tells of them (SLO-07)."""
        return Safety(self.ledger, self.labels)

    @cached_property
    def audit(self) -> Audits:
        """Audit events and proofs of side effects (SLO-08)."""
        return Audits(self.ledger, self.settings)

    @cached_property
    def spam(self) -> Spam:
        """Stops floods of actions on one target."""
        return Spam(self.ledger, self.settings, self.labels)

    @cached_property
    def people(self) -> People:
        """What happens between members of a community, and promises to them."""
        return People(self.ledger, self.universe.members)

    def queue(self, name: str) -> Queue:
        """Return a queue of the settings: `publishing` or `engagement_ingest` (SLO-04). Raises ValueError."""
        return Queue(self.ledger, self.settings, self.labels, name)

    def episode(
        self, *, client_id: str, side_effects: bool, key: str | None = None, lease_s: float | None = None
    ) -> Episode:
        """Return an episode to be entered by `with` or `async with` (SLO-05)."""
        return self.episodes.episode(client_id=client_id, side_effects=side_effects, key=key, lease_s=lease_s)

    def dependency(self, name: str, platform: str) -> Dependency:
        """Return a provider's service that attempts on `platform` depend on, to tell of its incidents."""
        return Dependency(self.ledger, self.labels, name, platform)

    # --- afterwards ---

    def exclude(self, key: str, *, lane: str, reason: str) -> bool:
        """Take a failure that was not made good out of the budget; `reason`: dependency_incident or exempt_class.

        Returns whether there was one. Raises ValueError for another reason.
        """
        if reason not in tally.FORGIVEN:
            raise ValueError(f"{reason!r} excludes nothing afterwards; there are {', '.join(tally.FORGIVEN)}")
        excluded = self.ledger.record(ref(key), outcomes.EXCLUDE, lane=lane, reason=reason)
        return excluded is True

    def close(self) -> None:
        """Let go of the ledger's files and connections."""
        self.ledger.close()

    # --- for attempts ---

    def keep_alive(self, attempt: Renewable, lease_s: float) -> None:
        """Renew the attempt's lease until `let_go`."""
        self._heartbeat.keep(attempt, lease_s)

    def let_go(self, attempt: Renewable) -> None:
        """Stop renewing."""
        self._heartbeat.drop(attempt)


class Lane:
    """A way of acting on platforms, with attempts of its own: `api` or `browser`."""

    def __init__(self, exporter: Exporter, name: str) -> None:
        self.name = name
        self._exporter = exporter
        self._lease_s = exporter.settings.leases_s[name]
        self._needs_proof = name in exporter.settings.proof_lanes
        self._known: dict[tuple[str, ...], tuple[list[str], str]] = {}

    def attempt(
        self,
        *,
        client_id: str,
        platform: str,
        action_type: str,
        key: str,
        account_id: str | None = None,
        channel: str = "stable",
        workload_class: str = "",
        payload: object = None,
        synthetic: bool = False,
        on_conflict: OnConflict = "raise",
        force: bool = False,
        heartbeat: bool = False,
        classify: Classify | None = None,
        began: float | None = None,
        trace_id: str = "",
    ) -> Attempt:
        """Return one try of `key`, to be entered by `with` or `async with`.

        `key` names the one side effect that is wanted, for all its retries and whoever makes them. `account_id` and
        `payload` are kept as fingerprints: the same key with another one is a KeyConflict. `channel` tells canaries
        from `stable`; `workload_class` (organic, paid_ads, …) is for those who have a budget for each; `synthetic`
        marks probes, which are no part of any budget. `on_conflict`: what to do while another worker holds the key:
        raise AttemptInProgress, wait for it, or skip. `force` tries a key again that has failed for good; `heartbeat`
        renews the lease of long tries. `began`: when the work began, in seconds since 1970, where that is over.
        """
        exporter = self._exporter
        if not exporter.enabled:
            return NO_ATTEMPT
        if not key:
            raise KeyConflict("an attempt needs an idempotency key: without one, a retry would post twice")
        labels, identity = self._labels(client_id, platform, action_type, channel, workload_class)
        account = None if account_id is None else str(account_id)
        mine = tally.start(
            labels,
            began or 0.0,
            fingerprint(account) if account else "",
            "" if payload is None else fingerprint(payload),
            synthetic=synthetic,
        )
        order = Order(
            ref(str(key)),
            mine,
            identity,
            self._lease_s,
            self._needs_proof,
            account,
            on_conflict,
            force,
            heartbeat,
            classify or exporter.classify,
            _trace(trace_id),
        )
        return Attempt(exporter, order)

    def tracked(
        self,
        *,
        key: Callable[..., str],
        labels: Callable[..., Mapping[str, Any]],
        classify: Classify | None = None,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Return a decorator that makes each call of a function an attempt; types stay as they are.

        `key` and `labels` get the function's arguments; labels are those of `attempt`. What the function returns says
        how it went: a text is a post id, else `post_id`, `verified`, `proof`, `url` and `author_id` are looked for.
        A replayed call raises AttemptReplayed, without calling the function. Within, `current_attempt()` is the
        attempt. Raises TypeError for generators.
        """

        def begin(*args: Any, **kwargs: Any) -> Attempt:
            return self.attempt(key=key(*args, **kwargs), classify=classify, **labels(*args, **kwargs))

        return track(begin)

    def _labels(
        self, client_id: str, platform: str, action_type: str, channel: str, workload_class: str
    ) -> tuple[list[str], str]:
        """Return the values of tally.LABELS as the guard lets them pass, and the fingerprint of what was meant."""
        asked = (client_id, platform, action_type, channel, workload_class)
        if known := self._known.get(asked):
            return known
        said = {
            "client_id": str(client_id),
            "platform": str(platform),
            "lane": self.name,
            "action_type": str(action_type),
            "channel": str(channel),
        }
        if workload_class:
            said[CLASS] = str(workload_class)
        clean = dict(self._exporter.labels(said))
        answer = (
            [clean[name] for name in tally.LABELS if name in clean],
            fingerprint([client_id, platform, action_type]),
        )
        if clean == said and len(self._known) < MOST_LABELS:  # what the guard rewrites, it wants to count each time
            self._known[asked] = answer
        return answer


def _settings(told: Settings | str | Path | None) -> Settings:
    if isinstance(told, str | Path):
        from sloforge.exporter.settings_file import read_settings  # few have one

        return read_settings(told)
    return told or Settings()


def _trace(told: str) -> str:
    """Return the trace of an attempt, told or current, as an exemplar has room for it."""
    trace = told or _trace_id()
    return clean(str(trace))[:TRACE_LENGTH] if trace else ""


def _trace_id() -> str:
    """Return the trace that is current, if the worker uses OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return ""
    with suppress(Exception):
        context = trace.get_current_span().get_span_context()
        return f"{context.trace_id:032x}" if context.is_valid else ""
    return ""
