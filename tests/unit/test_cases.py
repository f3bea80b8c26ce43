"""Every finding is explained, and shown by input that has it and by input that has not: tests/cases/<number>/.

`bad*.yml` and `good*.yml` are definitions. Where the finding is about policy files, `bad/` and `good/` are policy
folders, for the definitions beside them or else those of tests/cases/slo_definitions.yml. `base/bad.yml` and
`base/good.yml` are Alertmanager configurations, for `policy/` beside `base/` if there is one.
"""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from sloforge.checking import check_files
from sloforge.diagnostics import Code, Diagnostic, SpanMap
from sloforge.findings_text import FORMATS, render
from sloforge.model.bind import bind
from sloforge.model.checks import check, check_all, check_history
from sloforge.model.library import expand, used
from sloforge.model.objects import Service
from sloforge.parse.document import read_document
from sloforge.parse.library import read_library
from sloforge.parse.text import parse_yaml, read_text

CASES = Path(__file__).parent.parent / "cases"
SHOP = CASES / "slo_definitions.yml"

# Findings that no definitions file can hold, and the test that meets them.
ELSEWHERE = {
    Code.FILE_UNREADABLE: "tests/unit/parse/test_text.py",  # a folder, a pipe, a path that does not exist
    Code.FILE_TOO_LARGE: "tests/unit/parse/test_text.py",  # 17 MiB do not belong into Git
    Code.NO_DEFINITIONS: "tests/unit/parse/test_find.py",  # a folder without definitions
    Code.PROMQL_VERSION: "tests/unit/verify/test_promql.py",  # hangs on --prometheus-version
    Code.OUTPUT_UNWRITABLE: "tests/unit/cli/test_cli.py",  # the output folder's state
    Code.OUTPUT_PATH: "tests/unit/store/test_store.py",
    Code.OUTPUT_DRIFT: "tests/unit/cli/test_cli.py",
    Code.OUTPUT_FOREIGN: "tests/unit/store/test_store.py",
    Code.OUTPUT_LOCKED: "tests/unit/store/test_store.py",
    Code.OUTPUT_EXISTS: "tests/unit/cli/test_editor.py",
    Code.TOOL_COMPLAINT: "tests/unit/verify/test_promtool.py",  # promtool's verdict
    Code.TOOL_FAILED: "tests/unit/verify/test_promtool.py",
    Code.TOOL_MISSING: "tests/unit/cli/test_cli.py",
    **dict.fromkeys(
        [Code.GROUP_RULES, Code.RESOURCE_SIZE, Code.TENANT_GROUPS, Code.SERIES_LABELS],
        "tests/unit/targets/test_targets.py",  # hangs on --target
    ),
    Code.VMALERT_NATIVE: "tests/unit/targets/test_vmalert.py",  # hangs on --target
    Code.VMALERT_LONG_QUERY: "tests/unit/targets/test_vmalert.py",
    Code.COST: "tests/unit/plan/test_bill.py",  # hangs on --max-samples-per-second
    Code.BASE_MISSING: "tests/unit/cli/test_routing.py",  # a file that is not there
    Code.BASE_REFUSED: "tests/unit/verify/test_amtool.py",  # amtool's verdict
    Code.ROUTE_LOST: "tests/unit/verify/test_amtool.py",  # only a fault of ours could lead to it
    Code.REF_UNKNOWN: "tests/unit/review/test_diff.py",  # a repository's state
    Code.REF_NO_REPOSITORY: "tests/unit/review/test_diff.py",
    Code.REF_OUTSIDE: "tests/unit/review/test_diff.py",
    Code.PAST_BROKEN: "tests/unit/review/test_diff.py",
    Code.PAST_LINK: "tests/unit/review/test_diff.py",
    Code.SLO_UNKNOWN: "tests/unit/review/test_explain.py",  # an argument
    **dict.fromkeys([code for code in Code if code.name.startswith("IMPORT_")], "tests/unit/port/test_import.py"),
    Code.RUNBOOK_PLACEHOLDER: "tests/unit/parse/test_runbooks.py",  # a template
    Code.RUNBOOK_PATH: "tests/unit/parse/test_runbooks.py",  # a link
    Code.POLICY_FILE: "tests/unit/parse/test_policy_document.py",  # a file, and no place in it
}
WITH_CASES = [code for code in Code if code not in ELSEWHERE]


def findings(folder: Path, kind: str) -> tuple[list[Diagnostic], dict[str, str]]:
    """All findings of a case (`bad*.yml`, `bad/` or `base/bad.yml`), read as the program reads them, and the texts."""
    if (folder / kind).is_dir():
        own = folder / SHOP.name
        others = [path for path in folder.glob("*.yml") if path != own]
        checked = check_files([own if own.exists() else SHOP, *others], policy=folder / kind)
        return list(checked.diagnostics), dict(checked.sources)
    if (folder / "base").is_dir():
        policy = folder / "policy"
        checked = check_files([SHOP], policy=policy if policy.is_dir() else None, base=folder / "base" / f"{kind}.yml")
        return list(checked.diagnostics), dict(checked.sources)
    found: list[Diagnostic] = []
    services: list[Service] = []
    spans: dict[str, SpanMap] = {}
    texts: dict[str, str] = {}
    history = folder / "previous.json"
    previous = json.loads(history.read_text()) if history.exists() else {}
    for path in sorted(folder.glob(f"{kind}*.yml")):
        text, complaints = read_text(path)
        found += complaints
        if text is None:
            continue
        parsed = parse_yaml(text, str(path))
        document, complaints = read_document(parsed, str(path))
        found += [*parsed.diagnostics, *complaints]
        spans[str(path)], texts[str(path)] = parsed.spans, text
        if document is None:
            continue
        expanded = expand(document, parsed.spans, read_library(used(document), folder))
        found += expanded.diagnostics
        service, complaints = bind(expanded.document, expanded.spans, str(path))
        found += complaints
        if service is not None:
            services.append(service)
            found += check(service, expanded.spans)
            found += check_history(service, expanded.spans, {name: Decimal(share) for name, share in previous.items()})
    return found + check_all(services, spans), texts


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.name)
def test_code_says_what_is_wrong_and_what_to_do(code: Code) -> None:
    assert code.title
    assert code.help_text.endswith((".", "?"))
    assert [other for other in Code if other.number == code.number] == [code]


@pytest.mark.parametrize("code", WITH_CASES, ids=lambda code: code.name)
def test_bad_case_has_this_finding_alone_at_a_place_and_good_case_has_no_error(code: Code) -> None:
    folder = CASES / code.number
    bad, texts = findings(folder, "bad")
    assert {finding.code for finding in bad} == {code}
    places = [finding.span for finding in bad if finding.span.path in texts]  # or the file is no text
    assert all(0 < span.line <= texts[span.path].count("\n") + 1 for span in places)
    assert all(render(bad, form, texts) for form in FORMATS)
    good, _ = findings(folder, "good")
    assert not [finding for finding in good if finding.code is code or finding.is_error]


def test_no_case_is_without_its_code() -> None:
    assert {path.name for path in CASES.iterdir() if path.is_dir()} == {code.number for code in WITH_CASES}


@pytest.mark.parametrize("code", list(ELSEWHERE), ids=lambda code: code.name)
def test_findings_without_a_case_are_met_by_a_test_that_names_them(code: Code, root: Path) -> None:
    text = (root / ELSEWHERE[code]).read_text()
    assert f"Code.{code.name}" in text or code.number in text
