"""The pure parts of `sloforge demo`: its day, and what the phone shows."""

from sloforge.demo.day import BREAKS_S, RECOVERS_S, write_day
from sloforge.demo.phone import Call, shown
from sloforge.demo.stack import base_yml, prometheus_yml
from sloforge.parse.text import parse_yaml

LABELS = {"alertname": "SLOBurnPageFast", "slo": "publish-api", "slo_service": "demo", "owner": "ada"}
WORDS = {"summary": "burns 11x too fast", "description": "Budget left: 40%\nOwner: ada.", "runbook_url": "https://r/1"}


def call(kind: str, status: str, *names: str) -> Call:
    alerts = [{"labels": {**LABELS, "alertname": name}, "annotations": WORDS} for name in names]
    group = {"slo": "publish-api", "slo_service": "demo"}
    return Call(0, kind, {"status": status, "groupLabels": group, "alerts": alerts})


def test_a_page_says_what_burns_and_where_to_look() -> None:
    assert shown(call("page", "firing", "SLOBurnPageFast", "SLOBurnPageSlow")) == [
        "PAGE  publish-api  (SLOBurnPageFast, SLOBurnPageSlow, for ada)",
        "burns 11x too fast",
        "Budget left: 40%",
        "Owner: ada.",
        "Runbook: https://r/1",
    ]


def test_an_end_is_two_lines() -> None:
    lines = shown(call("page", "resolved", "SLOBurnPageFast"))
    assert lines == ["PAGE IS OVER  publish-api  (SLOBurnPageFast, for ada)", "burns 11x too fast"]


def test_the_day_fails_as_long_as_the_platform_does() -> None:
    day = write_day()
    failing = [job.at_s for job in day if job.story == "hopeless"]
    assert (failing[0], failing[-1]) == (BREAKS_S, RECOVERS_S - 0.5)
    assert [job.key for job in day if job.story not in ("hopeless", "verified")] == ["wrong-account"]
    assert len({job.key for job in day}) == len(day)


def test_configurations_are_yaml() -> None:
    for text in (base_yml(1234), prometheus_yml({"exporter": 1, "prometheus": 2, "alertmanager": 3})):
        assert not parse_yaml(text, "made.yml").diagnostics
