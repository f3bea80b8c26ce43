"""docs/tiers.md shows what compiles, and names what is recorded."""

import re
from pathlib import Path

from sloforge.pipeline import compile_text


def test_the_example_compiles_and_records_what_the_page_names(root: Path) -> None:
    page = (root / "docs" / "tiers.md").read_text(encoding="utf-8")
    [definition] = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    compiled = compile_text(definition, "slo_definitions.yml")
    assert not compiled.diagnostics
    recorded = {getattr(rule, "record", "") for group in compiled.plans[0].groups for rule in group.rules}
    named = set(re.findall(r"`(slo_\w+:\w+:\w+)`", page))
    assert named
    assert named <= recorded
    prefixes = ("slo_tier:", "slo_partition:budget", "slo_partition:share", "slo_client:tier:info")
    told = {name for name in recorded if name.startswith(prefixes) and "error_budget" not in name}
    assert told <= named, "what the rules record, the page names"
