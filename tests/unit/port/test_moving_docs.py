"""The page about moving tells the truth: its example becomes what it shows."""

import re
from pathlib import Path

from sloforge.parse.text import parse_yaml
from sloforge.port.importing import import_files


def test_example_becomes_what_the_page_shows(root: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "moving.md").read_text(encoding="utf-8")
    foreign, ours = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "sloth.yml").write_text(foreign)
    found = import_files([tmp_path / "sloth.yml"])
    assert parse_yaml(found.files["shop.yml"], "").tree == parse_yaml(ours, "").tree
