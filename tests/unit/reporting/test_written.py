"""How a report is written: whole, harmless, and small enough for mail programs."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from sloforge.policy import Band
from sloforge.query.impact import Channel, Hit
from sloforge.query.past import While
from sloforge.render.serialize import to_json
from sloforge.reporting.cadence import Cadence
from sloforge.reporting.data import data
from sloforge.reporting.facts import Report
from sloforge.reporting.html import html
from sloforge.reporting.markdown import markdown
from sloforge.reporting.sections import document
from tests.unit.reporting import told as t

HOSTILE = "<script>alert(1)</script>|`*_[x](javascript:y)\n# @all {{7*7}} \x1b[31m\u202e"
CLIPPED = 102_000  # Gmail cuts longer mails


class Tags(HTMLParser):
    """Collects tags and attributes, and whether each tag that has to be is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def hostile() -> Report:
    one = t.slo(
        "checkout", -179, Band.RED, [900, 3], HOSTILE, title=HOSTILE, reasons=(("budget", -179.0), (HOSTILE, 3.0))
    )
    rang = (While(t.END_S - 600, t.END_S),)
    hits = (Hit("checkout", (("client_id", HOSTILE), ("channel", "canary")), 9.0, 10.0),)
    named = replace(one, pages=rang, tickets=rang, state=replace(one.state, burning=("page_fast",)))
    service = t.service(named, band=Band.RED, frozen=True, freezes=rang, hits=hits, canary=("checkout", 0.02))
    return t.report(replace(service, channels=(Channel(HOSTILE, "stable", 1.0, 100.0),)))


def large(cadence: Cadence = Cadence.MONTHLY) -> Report:
    failed = [float(n % 7) for n in range(28)]
    slos = [t.slo(f"slo-{n:03}", 1 - n / 150, Band.YELLOW, failed, f"reason-{n % 9}", t.MONTH) for n in range(200)]
    long = "a-client-with-a-long-name-" * 3
    hits = tuple(Hit("slo-000", (("client_id", f"{long}{n}"),), float(n), 1e4) for n in range(1000))
    return t.report(t.service(*slos, span=t.MONTH, band=Band.YELLOW, hits=hits), cadence=cadence)


@pytest.mark.parametrize("made", [hostile, large])
def test_html_is_whole_and_loads_nothing(made: object) -> None:
    assert callable(made)
    text = html(document(made()))
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert not tags.seen & {"script", "img", "svg", "link", "iframe", "form", "input", "a", "object"}
    assert not [name for name in tags.attributes if name in {"src", "href", "action"} or name.startswith("on")]
    assert not re.findall(r"url\(|@import", text)
    assert len(text.encode()) < CLIPPED


def test_names_are_only_text() -> None:
    report = hostile()
    page, text = html(document(report)), markdown(document(report))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{7*7}}" in page
    assert "\x1b" not in page + text
    assert "<script" not in text.replace("\\<", "")
    assert not re.search(r"(?<!\\)\[x\]\(|^# @", text, re.MULTILINE)
    assert "@all" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    for line in tables:
        assert len(re.findall(r"(?<!\\)\|", line)) in {4, 5, 6}, line


def test_the_same_facts_give_the_same_bytes() -> None:
    assert html(document(large())) == html(document(large()))
    assert markdown(document(large())) == markdown(document(large()))


def test_two_hundred_slos_are_summed_up() -> None:
    text = markdown(document(large(Cadence.WEEKLY)))
    assert text.count("▲ YELLOW slo-") == 25
    assert "and 175 more, none of them worse" in text
    assert "and 188 more SLOs that spent less" in text


def test_cadences_differ_as_the_policy_says() -> None:
    """Section 9.2: daily burn alerts and canaries come first; only the monthly report reconsiders objectives."""
    heads = {cadence: re.findall(r"^### (.*)", markdown(document(large(cadence))), re.MULTILINE) for cadence in Cadence}
    assert heads[Cadence.DAILY][0] == "Burn alerts"
    assert heads[Cadence.WEEKLY][0] == "Objectives"
    assert [cadence for cadence in Cadence if "Objectives to reconsider" in heads[cadence]] == [Cadence.MONTHLY]


def test_the_words_of_a_domain() -> None:
    """Headings and the first paragraph; what people wrote stays."""
    words = (("What waits", "What is asked of us"), ("is RED", "needs us"), ("postmortem", "circle"))
    service = t.service(t.slo(title="Our postmortem tool", owes_postmortem=True), band=Band.RED)
    text = markdown(document(t.report(replace(service, governance=replace(service.governance, words=words)))))
    assert "shop needs us." in text
    assert "A circle is owed for checkout." in text
    assert "### What is asked of us" in text
    assert "Our postmortem tool" in text


def test_canaries_stand_beside_what_is_stable() -> None:
    text = markdown(document(hostile()))
    assert "| checkout | canary | 90.00 % (9 of 10) |" in text
    assert "| stable | 1.00 % (1 of 100) |" in text
    assert "A canary may have 2.0 % of the traffic at most: checkout is the tightest." in text


def test_data_for_programs() -> None:
    report = json.loads(to_json(data(large())))
    assert (report["cadence"], report["from"], report["to"]) == (
        "monthly", "2025-10-06T00:00:00Z", "2025-11-03T00:00:00Z",
    )  # fmt: skip
    assert len(report["services"][0]["slos"]) == 200
    first = report["services"][0]["slos"][0]
    assert first["failed"] == sum(piece["failed"] for piece in first["slices"]) == sum(first["reasons"].values())
