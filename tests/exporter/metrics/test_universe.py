"""The declaration: what can be written, what is refused in a sentence, and that the repository's own is in order."""

from pathlib import Path

import pytest

from sloforge.exporter.declared import DeclarationError
from sloforge.exporter.universe import Work, parse_universe, read_universe

GOOD = """
clients: {acme: gold, "on": , 1:30: silver}
work:
  - {platform: [instagram, youtube], lane: api, action_type: publish}
  - {platform: instagram, lane: api, action_type: publish}
channels: [stable, canary]
workload_classes: [organic, paid_ads]
"""


def test_scalars_stay_text_and_lists_mean_each(tmp_path: Path) -> None:
    path = tmp_path / "clients.yml"
    path.write_text(GOOD, encoding="utf-8")
    universe = read_universe(path)
    assert universe.clients == {"acme": "gold", "on": "default", "1:30": "silver"}
    assert universe.work == (Work("instagram", "api", "publish"), Work("youtube", "api", "publish"))
    assert len(list(universe.rows())) == 3 * 2 * 2 * 2
    assert universe.values("workload_class") == {"organic", "paid_ads"}


def test_clients_without_tiers_may_be_a_list() -> None:
    assert parse_universe({"clients": ["acme", "blend"]}).clients == {"acme": "default", "blend": "default"}


def test_members_are_groups_of_many() -> None:
    data = {
        "groups": {"newcomers": "40"},
        "spaces": ["help"],
        "events": {"conversation": ["heated"], "meetup": []},
        "promises": {"answered": "48h"},
    }
    members = parse_universe({"members": data}).members
    assert members.promises == {"answered": 172800}
    assert {row["member_group"] for row in members.event_rows()} == {"everyone", "newcomers"}
    assert len(list(members.event_rows())) == 2 * 2 * 2
    assert len(list(members.failure_rows())) == 2 * 2
    assert list(members.promise_rows())[1] == {"kind": "answered", "member_group": "newcomers"}


BAD = {
    "[]": "write a mapping",
    "": "write a mapping",
    "client: [a]": "client: unknown; is clients meant?",
    "a: [a]": "a: unknown; there are channels, clients, members, work and workload_classes",
    "workload_classes: [a, {}]": "workload_classes: {} is no name",
    "clients: {a: {b: c}}": "clients, a:",
    "clients: ['']": "clients: '' is no name",
    'clients: ["a\\nb"]': "is no name",
    "clients: {a: x, a: y}": "line 1: a stands there twice",
    "work: {}": "work: write a list",
    "work: [{platform: x, lane: api}]": "work, entry 1",
    'work: [{platform: x, lane: api, action_type: [publish, "a\\tb"]}]': r"action_type: 'a\tb' is no name",
    "clients: [a": "not YAML",
    "members: []": "members: write a mapping",
    "members: {group: {}}": "members, group: unknown; is groups meant?",
    "members: {groups: {founders: 2}}": "members, groups, founders: 2 of them are persons by another name",
    "members: {groups: {all: many}}": "write how many members it has",
    "members: {groups: {'@otter': 9}}": "members, groups: '@otter' is no name",
    "members: {groups: [a]}": "members, groups: write a mapping",
    "members: {groups: {a: 9}, spaces: [a]}": "a is both a group and a space",
    "members: {spaces: help}": "members, spaces: write a list",
    "members: {events: {talk: [a, 'b c']}}": "members, events, talk: 'b c' is no name",
    "members: {promises: {answer: soon}}": "members, promises, answer:",
    "members: {promises: {answer: 60d}}": "at most 28d",
    "a: &a [*a]": "no aliases",
    f"a: {'[' * 1000}": "not YAML",
}


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_be_used_is_refused_in_a_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "clients.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as raised:
        read_universe(path)
    assert BAD[text] in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "missing.yml", binary):
        with pytest.raises(DeclarationError):
            read_universe(path)
