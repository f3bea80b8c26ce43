"""Flags as an application reads them: by the real OpenFeature provider of flagd, from the file, over time."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext

from sloforge.files import replace_file
from sloforge.gate.flags import BAND, FROZEN, allow_flag, flags
from sloforge.model.governance import Governance
from sloforge.policy import CHANGES, Band
from sloforge.query.snapshot import Snapshot
from sloforge.render.serialize import to_json
from tests.unit.gate.states import NOW_S, approval, governance, state

POLL_MS = 50
X = EvaluationContext(attributes={"scope": "x"})
FIXES = {"reliability_fix", "performance_fix", "safety_policy", "security_patch", "rollback", "config_revert"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "flags.json"


@pytest.fixture
def client(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenFeatureClient]:
    """The client of an application that has started with a file of a GREEN service."""
    put(file, state(Band.GREEN))
    monkeypatch.setenv("FLAGD_OFFLINE_POLL_MS", str(POLL_MS))
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(file))
    api.set_provider_and_wait(provider)
    yield api.get_client()
    api.shutdown()
    api.clear_providers()


def put(file: Path, snapshot: Snapshot, decided: Governance | None = None, valid_s: int = 60) -> None:
    replace_file(file, to_json(flags(snapshot, decided or Governance(), int(time.time()) + valid_s)).encode())


def settle(client: OpenFeatureClient, band: str) -> None:
    """Wait until the provider has seen a file of that band."""
    end = time.monotonic() + 10
    while client.get_string_value(BAND, "") != band:
        assert time.monotonic() < end, f"never saw {band}"
        time.sleep(POLL_MS / 1000)


def allowed(client: OpenFeatureClient, context: EvaluationContext | None = None) -> set[str]:
    """Return the change types whose flags are on. Their default is the opposite of what is asked, so absence shows."""
    return {name for name in CHANGES if client.get_boolean_value(allow_flag(name), False, context)}


def test_bands_and_freeze_reach_the_application(client: OpenFeatureClient, file: Path) -> None:
    assert allowed(client) == set(CHANGES)
    assert client.get_boolean_value(FROZEN, True) is False
    put(file, state(Band.YELLOW))
    settle(client, "YELLOW")
    assert allowed(client) == FIXES
    put(file, state(Band.RED, frozen=True))
    settle(client, "RED")
    assert allowed(client) == FIXES
    assert client.get_boolean_value(FROZEN, False) is True


def test_approved_scope_is_let_through_until_the_approval_ends(client: OpenFeatureClient, file: Path) -> None:
    soon = int(time.time()) - NOW_S + 2
    put(file, state(Band.YELLOW), governance(approval(until=soon), approval("enable_flag", "", until=None)))
    settle(client, "YELLOW")
    assert allowed(client, X) == {*FIXES, "feature"}
    assert allowed(client) == {*FIXES, "enable_flag"}
    time.sleep(2.5)
    assert allowed(client, X) == FIXES


def test_stale_signal_fails_closed_though_the_file_is_gone(client: OpenFeatureClient, file: Path) -> None:
    put(file, state(Band.YELLOW), governance(approval(until=None)), valid_s=3)
    settle(client, "YELLOW")
    assert "feature" in allowed(client, X)
    file.unlink()
    time.sleep(3.5)
    assert allowed(client, X) == FIXES
    assert client.get_string_value(BAND, "") == "UNKNOWN"
    assert client.get_boolean_value(FROZEN, False) is True


def test_flag_tells_why(client: OpenFeatureClient, file: Path) -> None:
    put(file, state(Band.YELLOW))
    settle(client, "YELLOW")
    metadata = client.get_boolean_details(allow_flag("feature"), True).flag_metadata
    assert (metadata["verdict"], metadata["behindFlag"], metadata["flagSetId"]) == ("approval", True, "shop")


def test_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "flags.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "flags.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["flags.json"]
