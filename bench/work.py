"""The attempts that benchmarks of the exporter make, and what the same counts are elsewhere."""

from collections.abc import Callable
from itertools import count

from prometheus_client import CollectorRegistry, Counter, Histogram

from sloforge.exporter import Exporter
from sloforge.exporter import families as f
from sloforge.exporter.universe import parse_universe

UNIVERSE = parse_universe(
    {
        "clients": [f"client-{number}" for number in range(50)],
        "work": [{"platform": ["instagram", "youtube"], "lane": ["api", "browser"], "action_type": "publish"}],
    }
)
LABELS = ("acme", "instagram", "api", "publish", "stable")
KEYS = count()


def attempt(exporter: Exporter) -> None:
    """Count an attempt with a new key: claim and success, six counts, the clocks of audit and visibility."""
    client_id, platform, lane, action_type, _ = LABELS
    key = f"key-{next(KEYS)}"
    trying = exporter.lane(lane).attempt(client_id=client_id, platform=platform, action_type=action_type, key=key)
    with trying:
        trying.succeed(post_id="1", verified=True)


def one_inc() -> Callable[[], None]:
    """Return a call that adds 1 to one counter of prometheus_client."""
    counter = Counter("attempts", "Attempts", [*f.L, "channel"], registry=CollectorRegistry())
    return lambda: counter.labels(*LABELS).inc()


def same_counts() -> Callable[[], None]:
    """Return a call that adds to metrics of prometheus_client what an attempt adds to ours, but knows no keys."""
    registry = CollectorRegistry()
    attempts = Counter("attempts", "Attempts", [*f.L, "channel"], registry=registry)
    successes = Counter("successes", "Successes", [*f.L, "channel", "evidence"], registry=registry)
    effects = Counter("effects", "Effects", f.L, registry=registry)
    tries = Counter("tries", "Tries", [*f.L[1:], "outcome"], registry=registry)
    duration = Histogram("duration", "Duration", f.L[1:], registry=registry, buckets=f.DURATION.buckets)

    def once() -> None:
        attempts.labels(*LABELS).inc()
        successes.labels(*LABELS, "verified").inc()
        effects.labels(*LABELS[:4]).inc()
        tries.labels(*LABELS[1:4], "succeeded").inc()
        duration.labels(*LABELS[1:4]).observe(0.1)

    return once
