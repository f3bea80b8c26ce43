"""Texts whose words can be replaced: what stands in no template has to be said somewhere in the program."""

from pathlib import Path

from sloforge.parse.words import SHOWN, SPOKEN


def test_what_is_listed_is_said_by_gate_or_page(root: Path) -> None:
    spoken = [
        path.read_text(encoding="utf-8")
        for folder in ("gate", "reporting", "web")
        for path in (root / "sloforge" / folder).glob("*.py")
    ]
    assert [phrase for phrase in SPOKEN if not any(phrase in text for text in spoken)] == []


def test_what_is_listed_is_shown_on_dashboards(root: Path) -> None:
    shown = [(root / "sloforge" / "plan" / name).read_text(encoding="utf-8") for name in ("dashboards.py", "panels.py")]
    assert [phrase for phrase in SHOWN if not any(phrase in text for text in shown)] == []
