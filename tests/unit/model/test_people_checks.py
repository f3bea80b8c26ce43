"""What definitions about people may not do, wherever a person could come in; and what goes on being allowed."""

from typing import Any

import pytest
import yaml

from sloforge.checking import check_definitions, check_texts
from sloforge.diagnostics import Code, Diagnostic
from sloforge.model.people import is_person

RATIO = {"total": 'threads_total{forum="agora"}', "bad": 'threads_flagged_total{forum="agora"}'}


def definitions(slo: dict[str, Any], **more: Any) -> str:
    whole = {"id": "talk", "objective": 95, "sli": {"ratio": RATIO}, "runbook": "https://example.org/r"} | slo
    whole = {key: value for key, value in whole.items() if value is not None}
    return yaml.safe_dump(
        {"apiVersion": "sloforge/v1", "service": "agora", "subject": "people", **more, "slos": [whole]}
    )


def found(text: str) -> list[Diagnostic]:
    return list(check_definitions({"agora.yml": text}, {}).diagnostics)


@pytest.mark.parametrize(
    "label",
    [
        "user", "user_id", "userId", "UserName", "username", "member", "member_id", "author", "email", "account_id",
        "pseudonym", "nick", "reporter", "moderator_name", "discord_user", "handle", "person",
    ],
)  # fmt: skip
def test_labels_of_single_persons_are_known(label: str) -> None:
    assert is_person(label)


@pytest.mark.parametrize(
    "label",
    ["member_group", "member_groups", "space", "reason", "client_id", "platform", "user_role", "kind", "channel",
     "authority", "username_type", "account_tier", "memberships"],
)  # fmt: skip
def test_labels_of_many_are_not(label: str) -> None:
    assert not is_person(label)


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "by": ({"by": {"labels": ["author"]}}, {}, "by 'author' would rank single persons"),
    "reasons": (
        {"reasons": {"failed": RATIO["bad"], "by": ["reported_user"]}},
        {},
        "by 'reported_user' would rank single persons",
    ),
    "partition": (
        {"by": {"labels": ["member"]}, "partition": {"by": "member", "shares": {"a": 50, "other": 50}}},
        {},
        "by 'member' would rank",
    ),
    "a matcher": ({"sli": {"ratio": RATIO | {"bad": 'flags_total{author="otter"}'}}}, {}, "'author' chooses single"),
    "a reason's matcher": (
        {"reasons": {"failed": 'flags_total{user_id="7"}', "by": ["reason"]}},
        {},
        "'user_id' chooses single persons",
    ),
    "a hard SLO": (
        {"objective": None, "sli": {"hard": {"violations": 'reports_late_total{member!="x"}'}}, "counter": "ledger"},
        {},
        "'member' chooses",
    ),
    "free PromQL": (
        {
            "sli": {
                "events": {
                    "total": "sum(increase(x_total[{{window}}]))",
                    "bad": "sum(sum by (user) (increase(x_total[{{window}}])) > 9)",
                }
            }
        },
        {},
        "'user' chooses single persons",
    ),
    "when to page": (
        {"alerts": {"page": {"when": 'online{nick="otter"} > 0'}}},
        {},
        "'nick' chooses single persons",
    ),
    "a label": ({"labels": {"moderator": "otter"}}, {}, "label 'moderator' would name a person"),
    "a label of the file": ({}, {"labels": {"author": "otter"}}, "label 'author' would name a person"),
    "the identity": ({}, {"identity": {"owner_name": "otter"}}, "label 'owner_name' would name a person"),
    "a title": ({"title": "Talk with @otter goes well"}, {}, "'@otter' names somebody"),
    "an address": ({"title": "Answers to otter@example.org"}, {}, "'otter@example.org' names somebody"),
    "a value": ({"sli": {"ratio": RATIO | {"bad": 'flags_total{space="@otter"}'}}}, {}, "'@otter' names somebody"),
    "two labels": ({"by": {"labels": ["member_group", "space"]}}, {}, "member_group and space together can point"),
}


@pytest.mark.parametrize("name", CASES)
def test_nobody_is_ranked_or_named(name: str) -> None:
    slo, file, message = CASES[name]
    complaints = [one for one in found(definitions(slo, **file)) if one.code.number in ("SF351", "SF352", "SF353")]
    assert complaints
    assert any(message in one.message for one in complaints), complaints
    assert all(one.span.line > 1 for one in complaints)
    unmarked = definitions(slo, **file).replace("subject: people\n", "")
    assert not [one for one in found(unmarked) if one.code.number in ("SF351", "SF352", "SF353")]


def test_what_counts_by_groups_is_in_order() -> None:
    sound = {
        "by": {"labels": ["member_group"]},
        "reasons": {"failed": RATIO["bad"], "by": ["reason"]},
        "title": "Conversations go well",
        "owner": "hosts@example.org",
        "annotations": {"contact": "hosts@example.org"},
        "alerts": {"page": {"when": "sum without (user) (online) > 0"}},
    }
    assert found(definitions(sound)) == []


def test_decisions_leave_names_out() -> None:
    text = definitions({})
    incidents = """
apiVersion: sloforge-policy/v1
incidents:
  - {id: INC-1, title: '@otter was rude', slos: [talk], opened: 2026-11-21T09:10:00Z, opened_by: host}
"""
    approvals = """
apiVersion: sloforge-policy/v1
approvals:
  - {kind: change, change_type: feature, scope: '@otter', by: host, at: 2026-11-21T09:10:00Z,
     expires: 2026-11-22T09:10:00Z, reason: otter@example.org asked}
"""
    files = {"incidents.yml": incidents, "approvals.yml": approvals}
    policy = {name: (f"policy/{name}", content) for name, content in files.items()}
    errors = [one for one in check_texts({"agora.yml": text}, policy).diagnostics if one.is_error]
    assert {one.code for one in errors} == {Code.PERSON_NAMED}
    assert sorted(one.span.path for one in errors) == ["policy/approvals.yml"] * 2 + ["policy/incidents.yml"]
    assert not check_texts({"agora.yml": text.replace("subject: people\n", "")}, policy).failed
