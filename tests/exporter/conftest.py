"""What tests of the exporter share: a clock to turn, a real Redis, and each kind of store."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sloforge.exporter.records import Store
from sloforge.exporter.stores import open_store
from tests.exporter.redis_server import RedisServer

START_S = 1_800_000_000.0


class FakeClock:
    """A clock that stands until a test turns it."""

    def __init__(self, now: float = START_S) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="redis") as folder:  # pytest's own folders are too deep for a socket
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new ledger's URL, for each kind of store."""
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        return f"{server.url}#{tmp_path.name}"
    return "memory://" if request.param == "memory" else f"sqlite://{tmp_path}/ledger.db"


@pytest.fixture
def open_it(url: str, clock: FakeClock) -> Iterator[Callable[[], Store]]:
    """A function that opens the store; but for memory, each call is another worker on the same ledger."""
    opened: list[Store] = []

    def opening() -> Store:
        if not (opened and url == "memory://"):
            opened.append(open_store(url, clock))
        return opened[-1]

    yield opening
    for store in opened:
        store.close()


@pytest.fixture
def store(open_it: Callable[[], Store]) -> Store:
    return open_it()
