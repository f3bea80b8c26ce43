import pytest

from tests.exporter.clocks.bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
