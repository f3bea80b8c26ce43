"""Settings in a file: every field can be set, the rest is as usual, and what cannot work is refused in a sentence."""

from dataclasses import fields
from pathlib import Path

import pytest

from sloforge.exporter import Exporter, Settings
from sloforge.exporter.declared import DeclarationError
from sloforge.exporter.settings_file import PARSERS, parse_settings, read_settings

GOOD = """
leases: {api: 5m}
proof_lanes: [browser, api]
recovery_window: 10m
retention: 40d
queue_delays: {stories: 1h}
limits: {client_id: 500}
exempt: {platform_rejected: [rate_limit, auth], tool_failure: gateway}
scrape_interval: 15s
spam_limit: 9
allow_short_retention: false
"""


def test_what_is_left_out_is_as_usual(tmp_path: Path) -> None:
    path = tmp_path / "settings.yml"
    path.write_text(GOOD, encoding="utf-8")
    assert read_settings(path) == Settings(
        leases_s={"api": 300, "browser": 900},
        proof_lanes=frozenset({"browser", "api"}),
        recovery_window_s=600,
        retention_s=40 * 86400,
        queue_delays_s={"publishing": 120, "engagement_ingest": 300, "stories": 3600},
        limits={"client_id": 500, "platform": 12, "workload_class": 12},
        exempt=frozenset(
            {("platform_rejected", "rate_limit"), ("platform_rejected", "auth"), ("tool_failure", "gateway")}
        ),
        scrape_interval_s=15,
        birth_hold_s=30,
        spam_limit=9,
    )
    exporter = Exporter("memory://", settings=path)
    assert exporter.settings.recovery_window_s == 600
    assert exporter.queue("stories")


def test_every_field_has_a_key() -> None:
    assert {name for each in fields(Settings) for name in (each.name.removesuffix("_s"),)} == PARSERS.keys()
    assert parse_settings({}) == Settings()


BAD = {
    "[]": "write a mapping",
    "recovery_windw: 10m": "recovery_windw: unknown; is recovery_window meant?",
    "recovery_window_s: 600": "recovery_window_s: unknown; is recovery_window meant?",
    "recovery_window: soon": "recovery_window: 'soon' is not a duration; write it like 30s",
    "recovery_window: 600": "recovery_window: '600' is not a duration",
    "recovery_window: 0s": "recovery_window_s has to be more than 0 seconds",
    "recovery_window: [1m]": "recovery_window: ['1m'] stands where one value should",
    "retention: 7d": "shorter than the 28 days",
    "leases: 5m": "leases: write a mapping, such as {api: …}",
    "leases: {api: }": "leases, api: '' stands where",
    "limits: {client: 5}": "limits, client: unknown; is client_id meant?",
    "limits: {client_id: many}": "limits, client_id: 'many' is no whole number",
    "spam_limit: 0": "spam_limit has to be at least 1",
    "allow_short_retention: maybe": "write true or false, not 'maybe'",
    "exempt: [auth]": "write it like {platform_rejected: [rate_limit]}",
    "exempt: {platform_rejected: [weather]}": "there is no failure platform_rejected/weather",
    "a: {": "not YAML",
}


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_work_is_refused_in_a_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as raised:
        read_settings(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert BAD[text] in str(raised.value)
    assert "\n" not in str(raised.value)
