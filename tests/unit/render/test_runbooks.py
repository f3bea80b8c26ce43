"""Every alert has a runbook that exists and names it; links lead somewhere; words of definitions format nothing."""

import re
from itertools import pairwise
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import promql_parser
import pytest
import yaml
from markdown_it import MarkdownIt

from sloforge.exporter.failures import FailureClass
from sloforge.parse.runbooks import FAILURES
from sloforge.pipeline import Compiled, compile_files, compile_text
from sloforge.render.runbooks import markdown

BASE = "https://git.example.com/ops/runbooks"
NASTY = '<img src=x onerror=alert(1)> ](javascript:x) `"*_| [[ slo ]] [% x %] { up } &lt; # \\'
DEFINITIONS = f"""\
apiVersion: sloforge/v1
service: shop
owner: '<b>web</b> | team'
runbooks: {BASE}/
slos:
  - id: checkout
    title: '{NASTY}'
    ref: '[x](y)'
    objective: 99.5
    traffic: 2000
    sli: {{ratio: {{total: requests_total, bad: failures_total}}}}
    by: {{labels: [client_id, kind]}}
    reasons: {{failed: failures_total, by: [reason]}}
    alerts: {{page: {{when: queue_length > 3}}}}
  - id: own
    title: Has its own
    class: trust
    objective: 99
    sli: {{ratio: {{total: attempts_total, bad: failures_total}}}}
    runbook: https://wiki.example.com/own
  - id: proofs
    title: Proofs are complete
    class: trust
    objective: 99.9
    hard_stop: true
    sli: {{ratio: {{total: sloforge_attempts_total, bad: failures_total}}}}
  - id: wrong
    title: Nothing wrong
    class: safety
    counter: ledger
    sli: {{hard: {{violations: wrong_total}}}}
"""

DOWNGRADED = {("SLOBurnPageFast", "ticket"), ("SLOBurnPageSlow", "ticket")}


def compiled(text: str = DEFINITIONS) -> Compiled:
    result = compile_text(text, "slo_definitions.yml")
    assert not result.checked.failed, result.diagnostics
    return result


def books(of: Compiled) -> dict[str, str]:
    return {artifact.path: artifact.text for artifact in of.artifacts if artifact.path.startswith("runbooks/")}


def alerts(of: Compiled) -> list[dict[str, dict[str, str]]]:
    [rules] = [artifact.text for artifact in of.artifacts if artifact.path.endswith("rules.yml")]
    return [rule for group in yaml.safe_load(rules)["groups"] for rule in group["rules"] if "alert" in rule]


def anchors(page: str) -> list[str]:
    """Return the anchors of a page, as GitHub makes them of headings: lower case, no punctuation, `-` for a space."""
    found: list[str] = []
    blocks = MarkdownIt().parse(page)
    for opening, inline in pairwise(blocks):
        if opening.type == "heading_open":
            name = re.sub(r"[^\w\- ]", "", inline.content.lower()).replace(" ", "-")
            found.append(name if name not in found else f"{name}-{found.count(name)}")
    return found


def test_every_alert_links_to_a_runbook_that_names_it() -> None:
    result = compiled()
    pages = books(result)
    for rule in alerts(result):
        url, name = rule["annotations"]["runbook_url"], str(rule["alert"])
        if rule["labels"].get("slo") == "own":
            assert url == "https://wiki.example.com/own"
            path = "runbooks/shop/own.md"
            assert f"<{url}>" in pages[path]
        else:
            assert url.startswith(f"{BASE}/shop/")
            path, _, anchor = ("runbooks" + url.removeprefix(BASE)).partition("#")
            assert anchors(pages[path]).count(anchor) == 1, url
            assert anchor.startswith(name.lower())
            assert anchor.endswith("-as-a-ticket") == ((name, rule["labels"]["severity"]) in DOWNGRADED)
        assert re.search(rf"^### {name}\b", pages[path], re.MULTILINE), (path, name)


def test_each_class_of_failures_has_its_steps() -> None:
    by_class = compiled(DEFINITIONS.replace("by: [reason]", "by: [failure_class, reason]"))
    told = anchors(books(by_class)["runbooks/shop/checkout.md"])
    assert [name.removeprefix("if-it-is-") for name in told if name.startswith("if-it-is-")] == list(FAILURES)
    assert set(FAILURES) == set(FailureClass)
    assert "if-it-is" not in "".join(anchors(books(compiled())["runbooks/shop/checkout.md"]))


def test_nobody_is_sent_anywhere_without_an_address() -> None:
    result = compiled(DEFINITIONS.replace(f"runbooks: {BASE}/\n", ""))
    linked = {rule["labels"].get("slo") for rule in alerts(result) if "runbook_url" in rule["annotations"]}
    assert linked == {"own"}
    assert books(result).keys() == books(compiled()).keys()


def hrefs(page: str) -> list[str]:
    tokens = [token for block in MarkdownIt().parse(page) for token in (*(block.children or ()), block)]
    return [str(token.attrs["href"]) for token in tokens if "href" in token.attrs]


def test_links_inside_lead_to_what_is_there() -> None:
    pages = books(compiled())
    assert len(pages) == 7
    for path, text in pages.items():
        for href in hrefs(text):
            if urlsplit(href).scheme:
                assert href == "https://wiki.example.com/own"
                continue
            parts: list[str] = []
            for part in PurePosixPath(path).parent.joinpath(href).parts:
                parts = parts[:-1] if part == ".." else [*parts, part]
            assert "/".join(parts) in pages, (path, href)
    assert {"own.md", "checkout.md", "../postmortem.md"} <= set(hrefs(pages["runbooks/shop/README.md"]))


def test_words_of_definitions_are_shown_as_they_are() -> None:
    page = books(compiled())["runbooks/shop/checkout.md"]
    tokens = MarkdownIt().parse(page)
    heading = next(token for token in tokens if token.type == "inline")
    assert "".join(child.content for child in heading.children or ()) == NASTY
    assert {child.type for child in heading.children or ()} <= {"text", "text_special"}
    assert [token.content.strip()[:4] for token in tokens if token.type == "html_block"] == ["<!--"]
    assert not [child for token in tokens for child in token.children or () if child.type == "html_inline"]
    assert markdown("a\nb\x00c") == "a b c"


@pytest.mark.parametrize("path", ["checkout", "own", "proofs", "wrong"])
def test_queries_can_be_copied(path: str) -> None:
    page = books(compiled())[f"runbooks/shop/{path}.md"]
    queries = re.findall(r"^```promql\n(.+)\n```$", page, re.MULTILINE)
    assert len(queries) >= 3
    for query in queries:
        promql_parser.parse(query)
        assert f'slo="{path}",slo_service="shop"' in query


def test_numbers_are_those_of_the_slo() -> None:
    pages = books(compiled())
    checkout = pages["runbooks/shop/checkout.md"]
    assert "99.5 % over 28d. Of 2000 events 10 may fail" in checkout
    assert "13.44 times too fast, over 1h and over 5m (6.72 % of events fail), with at least 3 failures" in checkout
    assert "even an outage brings too few failures" in checkout  # 2,000 in 28 days are 3 an hour: not 3 in time
    assert "the ticket in the place of a page" in checkout
    assert "client_id, kind" in checkout
    assert "one violation stops all shipping" in pages["runbooks/shop/wrong.md"]
    assert "sloforge approve hard-stop wrong" in pages["runbooks/shop/wrong.md"]
    assert "while the objective is missed" in pages["runbooks/shop/proofs.md"]
    assert "SLOLedgerInconsistent" in pages["runbooks/shop/README.md"]


def test_own_templates_replace_ours_by_name(tmp_path: Path) -> None:
    (tmp_path / "slo_definitions.yml").write_text(DEFINITIONS)
    (tmp_path / "runbooks").mkdir()
    own = {"trust": "Ring [[ owner ]] about [[ title ]].\n", "wrong": "Pull the plug: {[[ selector ]]}\n",
           "incident-checklist": "- [ ] Breathe.\n"}  # fmt: skip
    for name, text in own.items():
        (tmp_path / "runbooks" / f"{name}.md").write_text(text)
    result = compile_files([tmp_path / "slo_definitions.yml"])
    assert not result.checked.failed, result.diagnostics
    pages = books(result)
    assert r"Ring &lt;b\>web&lt;/b\> \| team about Has its own." in pages["runbooks/shop/own.md"]
    assert 'Pull the plug: {slo="wrong",slo_service="shop"}' in pages["runbooks/shop/wrong.md"]
    assert "Roll back" in pages["runbooks/shop/checkout.md"]
    assert pages["runbooks/incident-checklist.md"].endswith("# Incident checklist\n\n- [ ] Breathe.\n")
    (tmp_path / "runbooks" / "trust.md").write_text("[[ titel ]]\n")
    assert [
        one.code.number for one in compile_files([tmp_path / "slo_definitions.yml"]).diagnostics if one.is_error
    ] == ["SF347"]
