"""Generated texts in a domain's own words: every kind of text has them, and no name or command changed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from sloforge.checking import check_texts
from sloforge.parse.runbooks import shipped
from sloforge.pipeline import Compiled, compile_checked
from sloforge.render.prose import blank_postmortem

DEFINITIONS = """
apiVersion: sloforge/v1
service: shop
runbook: https://example.com/freeze
slos:
  - {id: a, title: The freeze and its postmortem, objective: 99, sli: {ratio: {total: a_total, bad: b_total}}}
  - {id: b, class: safety, counter: ledger, sli: {hard: {violations: c_total}}}
"""
WORDS = """
apiVersion: sloforge-policy/v1
words: {error budget: forgiveness budget, are frozen: cool down, postmortem: circle, Postmortems owed: Circles owed,
        incident: conflict, Owner: Host,
        Silence or see all: See all}
"""


@pytest.fixture(scope="module")
def compiled() -> dict[str, Compiled]:
    return {name: _compiled(text) for name, text in (("ours", None), ("theirs", WORDS))}


def _compiled(words: str | None) -> Compiled:
    policy = {} if words is None else {"words.yml": ("policy/words.yml", words)}
    made = compile_checked(check_texts({"slo_definitions.yml": DEFINITIONS}, policy))
    assert made.diagnostics == ()
    return made


def _panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def test_every_kind_of_text_has_the_words(compiled: dict[str, Compiled]) -> None:
    texts = {artifact.path: artifact.text for artifact in compiled["theirs"].artifacts}
    rules = texts["prometheus/shop.rules.yml"]
    assert "forgiveness budget burns" in rules
    assert "error budget burns" not in rules
    assert "Changes of shop cool down" in rules
    assert "Host: nobody is named" in rules
    assert "See all" in texts["alertmanager/templates/sloforge.tmpl"]
    assert texts["runbooks/incident-checklist.md"].splitlines()[1] == "# Conflict checklist"
    assert texts["runbooks/postmortem.md"].splitlines()[1].startswith("# Circle: ")
    assert "[circle](../postmortem.md)" in texts["runbooks/shop/a.md"]
    assert "## When it is an conflict" in texts["runbooks/shop/a.md"]
    dashboard = json.loads(texts["grafana/shop.json"])
    assert {"Circles owed", "Hard stops"} <= {panel["title"] for panel in _panels(dashboard)}
    assert any("forgiveness budget" in panel.get("description", "") for panel in _panels(dashboard))


def test_of_a_dashboard_nothing_but_words_changes(compiled: dict[str, Compiled]) -> None:
    ours, theirs = ({one.path: one.text for one in compiled[name].artifacts} for name in ("ours", "theirs"))
    for path in ("grafana/shop.json", "grafana/overview.json"):
        for asked in (r'"expr": ".*"', r'"uid": ".*"', r'"url": ".*"', r'"query": ".*"'):
            assert re.findall(asked, ours[path]) == re.findall(asked, theirs[path]), (path, asked)
        same = [one["title"] for one in map(json.loads, (ours[path], theirs[path]))]
        assert same[0] == same[1]


def test_names_commands_and_what_people_wrote_stay(compiled: dict[str, Compiled]) -> None:
    ours, theirs = ({one.path: one.text for one in compiled[name].artifacts} for name in ("ours", "theirs"))
    assert ours.keys() == theirs.keys()
    rules = theirs["prometheus/shop.rules.yml"]
    assert "The freeze and its postmortem (service shop)" in rules
    assert "https://example.com/freeze" in rules
    for path in ours:
        for kept in (r"`[^`]*`", r"\bslo\w*:[\w:]+", r"(?:alert|record|expr): .*"):
            assert re.findall(kept, ours[path]) == re.findall(kept, theirs[path]), path


def test_a_postmortem_of_ones_own_gets_facts_and_parts() -> None:
    text = blank_postmortem(
        (("failed", "went amiss"),), "# [[ title ]]\n\n[[ impact ]]\n\nWho was hurt?\n\n[[ action ]]\n"
    )
    assert text.startswith("# …\n\n| SLO | events went amiss |")
    assert "Who was hurt?" in text
    assert "`sloforge incident note … --action TEXT --owner NAME`" in text
    assert "postmortem" not in shipped()
