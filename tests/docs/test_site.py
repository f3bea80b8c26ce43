"""The docs site builds without a warning, shows everything that there is, and asks nobody else for anything."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from handbook import keys, linked, series, words
from sloforge.diagnostics import Code
from sloforge.exporter.families import FAMILIES
from tests.unit.test_cases import WITH_CASES

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
OUTSIDE = re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[\w.-]+")


class _Loaded(HTMLParser):
    """Notes what a browser fetches for a page, and the ids in it."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        if (address := given.get(LOADED.get(tag, ""))) and given.get("rel") != "canonical":
            self.addresses.append(address)


def _read(page: Path) -> _Loaded:
    parser = _Loaded()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 25
    loaded = [(page, one) for page in pages for one in _read(page).addresses]
    assert [(page.name, one) for page, one in loaded if OUTSIDE.match(one)] == []
    here = [(page, one) for page, one in loaded if not one.startswith(("/", "data:")) and page.name != "404.html"]
    assert [(page.parent.name, one) for page, one in here if not (page.parent / one.partition("?")[0]).exists()] == []
    for sheet in site.rglob("*.css"):
        fetched = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", sheet.read_text(encoding="utf-8"))
        assert [one for one in fetched if OUTSIDE.match(one)] == [], sheet


def test_every_finding_has_an_address(site: Path) -> None:
    page = site / "reference" / "findings" / "index.html"
    assert {code.number.lower() for code in Code} <= _read(page).ids
    text = page.read_text(encoding="utf-8")
    assert all(text.count(f"error {code.number} ") + text.count(f"warning {code.number} ") for code in WITH_CASES)


def test_every_command_key_metric_and_series_is_there(site: Path, root: Path) -> None:
    def page(name: str) -> str:
        return (site / "reference" / name / "index.html").read_text(encoding="utf-8")

    commands = _read(site / "reference" / "commands" / "index.html").ids
    assert {"generate", "gate", "approve-hard-stop", "exporter-record-attempt"} <= commands
    assert {"slos-sli-ratio", "alerts-page", "file"} <= _read(site / "reference" / "definitions" / "index.html").ids
    assert all(family.name in page("metrics") for family in FAMILIES)
    assert all(name in page("series") for name in words.ALERTS)
    readme = (root / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(slo\w*:\w+:\w+)`", readme)) - {"slo:sli_error:ratio5m", "slo:burn_rate:ratio5m"}
    assert [name for name in named if name not in page("series") and "burn_page_fast" not in name] == []


def test_what_has_no_words_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(words.ALERTS, "SLONobodyFires", "never")
        with pytest.raises(LookupError, match="SLONobodyFires"):
            series.page()
    with monkeypatch.context() as patch:
        found = series.recorded()
        patch.setattr(series, "recorded", lambda: (found[0] | {"slo:nobody:knows"}, found[1]))
        with pytest.raises(LookupError, match="slo:nobody:knows"):
            series.page()
    monkeypatch.setattr(keys, "json_schema", lambda kind: {"properties": {"mute": {"type": "string"}}})
    with pytest.raises(LookupError, match="mute has no description"):
        keys.definitions()


def _links(root: Path) -> Iterator[tuple[Path, str, str]]:
    for page in sorted((root / "docs").rglob("*.md")):
        text = linked.FENCED.sub("", page.read_text(encoding="utf-8"))
        for match in linked.LINK.finditer(text):
            yield page, match["target"], match["anchor"] or ""


def test_links_lead_somewhere_on_a_git_server_too(root: Path) -> None:
    links = list(_links(root))
    assert len(links) > 20
    assert [(page.name, target) for page, target, _ in links if not (page.parent / target).exists()] == []


def test_files_of_the_repository_are_pages_of_the_site(site: Path) -> None:
    base = site / "repository" / "deploy" / "alertmanager" / "base.yml" / "index.html"
    assert "receivers" in base.read_text(encoding="utf-8")
    back = (site / "repository" / "deploy" / "index.html").read_text(encoding="utf-8")
    assert 'href="../../alertmanager/"' in back  # what is ../docs/alertmanager.md on a Git server


def test_links_inside_of_code_stay_as_they_are() -> None:
    text = "[a]({0}#top) [c](gate.md)\n```\n[a](../README.md)\n```\n[b](#here)\n"
    assert linked.rewritten(text.format("../README.md"), "docs/policy.md") == text.format("repository/README.md")
