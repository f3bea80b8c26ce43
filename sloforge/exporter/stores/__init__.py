"""Where a ledger is kept, by its URL."""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from sloforge.exporter.records import Store

_log = logging.getLogger(__name__)


def open_store(url: str, clock: Callable[[], float] | None = None) -> Store:
    """Return the store at `url`: `sqlite:///var/lib/sloforge/ledger.db`, `redis://host:6379/0` or `memory://`.

    `clock` replaces the host's clock in tests. Raises ValueError for another URL, and nothing for a store that does
    not answer: each of its methods does.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "memory":
        from sloforge.exporter.stores.memory import MemoryStore

        _log.warning("the ledger is in memory: keys and counts end with this process")
        return MemoryStore(clock)
    if separator and scheme == "sqlite" and rest:
        from sloforge.exporter.stores.sqlite import SqliteStore

        return SqliteStore(rest, clock)
    if separator and scheme in ("redis", "rediss", "unix"):
        from sloforge.exporter.stores.redis import RedisStore

        return RedisStore(url, clock)
    raise ValueError(f"no ledger at {url!r}: write sqlite:///path/ledger.db, redis://host:6379/0 or memory://")


def default_spool(url: str) -> Path | None:
    """Return where to keep what a ledger cannot take for now: on a disk of this host. None: it is never down.

    Beside a sqlite ledger, so that all processes find it; else in the user's state folder, which is made.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "memory":
        return None
    if scheme == "sqlite":
        return Path(rest + ".spool")
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    folder = state / "sloforge"
    with suppress(OSError):  # told when something has to be written there
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{sha256(url.encode()).hexdigest()[:16]}.spool"
