"""SLIs of the library in the place of `uses`: no value becomes more than its type says, each fault has its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloforge.checking import Checked, check_files
from sloforge.diagnostics import Code, Diagnostic
from sloforge.model.library import check_sli, fill, judged
from sloforge.model.objects import Births, Matcher, Ratio, Selector
from sloforge.model.selectors import parse_selector
from sloforge.parse.library import LibrarySli, read_sli

SLI = """apiVersion: sloforge-sli/v1
title: Orders are accepted
counts: Orders that were decided on.
leaves_out: Orders in progress.
source: our own metrics
parameters:
  job: {description: The scrape job.}
  lane: {description: One lane., optional: true}
  except: {description: Lanes that do not count., type: pattern, optional: true}
sli:
  ratio:
    total: orders_total{job=[[ job ]], lane=[[ lane ]], lane!~[[ except ]]}
    bad: orders_failed_total{lane=[[lane]],job=[[ job ]],lane!~[[ except ]]}
births: always
example: {job: shop}
"""


def sli(text: str = SLI) -> LibrarySli:
    read, complaints = read_sli("./sli/orders.yml", text, "orders.yml")
    assert read is not None, complaints
    return read


def typed(kind: str) -> LibrarySli:
    return sli(SLI.replace("job: {", f"job: {{type: {kind}, "))


def check(folder: Path, slis: dict[str, str], *used: str) -> Checked:
    """Check definitions with an SLO for each of `used`, the inside of its `sli`, and SLI files beside them."""
    (folder / "sli").mkdir(exist_ok=True)
    for name, text in slis.items():
        (folder / "sli" / name).write_text(text)
    slos = [
        f"- {{id: slo-{n}, objective: 99, runbook: 'https://x.example.com', sli: {{{text}}}}}\n"
        for n, text in enumerate(used)
    ]
    (folder / "slo_definitions.yml").write_text("apiVersion: sloforge/v1\nservice: shop\nslos:\n" + "".join(slos))
    return check_files([folder / "slo_definitions.yml"])


def orders(folder: Path, text: str = SLI, more: str = "") -> Checked:
    return check(folder, {"orders.yml": text}, f"uses: ./sli/orders.yml, with: {{job: shop{more}}}")


def found(checked: Checked) -> list[tuple[Code, str, int]]:
    return [(one.code, Path(one.span.path).name, one.span.line) for one in checked.diagnostics]


# --- values -----------------------------------------------------------------


@given(st.text())
def test_a_label_value_stays_one_matcher(text: str) -> None:
    values, complaints = judged(sli(), {"job": text}, ())
    if not complaints:
        selector = parse_selector(fill('x{job=[[ job ]],a="b"}', values))
        assert selector == Selector("x", (Matcher("a", "=", "b"), Matcher("job", "=", text)))


@given(st.text())
def test_a_pattern_stays_one_matcher(text: str) -> None:
    values, complaints = judged(sli(), {"job": "shop", "except": text}, ())
    if not complaints:
        selector = parse_selector(fill('x{job!~[[ except ]],a="b"}', values))
        assert selector == Selector("x", (Matcher("a", "=", "b"), Matcher("job", "!~", text)))


@pytest.mark.parametrize(
    "text", ['shop"} or x{a="b', "shop\\", "[[ lane ]]", "{{window}}", "`", "a,b", "#", "/users/{id}"]
)
def test_hostile_label_values_are_values(tmp_path: Path, text: str) -> None:
    checked = check(tmp_path, {"orders.yml": SLI}, f"uses: ./sli/orders.yml, with: {{job: '{text}'}}")
    assert found(checked) == []
    total = Selector("orders_total", (Matcher("job", "=", text),))
    assert checked.services[0].slos[0].indicator == Ratio(
        total=(total,), bad=(Selector("orders_failed_total", total.matchers),)
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("label", ""),
        ("label", "two\nlines"),
        ("label", "x" * 2049),
        ("pattern", "("),
        ("pattern", "a["),
        ("name", 'code="200"} or x{a'),
        ("name", "5xx"),
        ("name", "http.route"),
        ("duration", "5m] or x["),
        ("duration", "soon"),
        ("duration", "0s"),
        ("number", "1 or vector(1)"),
        ("number", "1e3"),
    ],
)
def test_values_that_are_not_of_their_type_are_refused(kind: str, text: str) -> None:
    _, complaints = judged(typed(kind), {"job": text}, ("with",))
    assert [(one.code, one.route) for one in complaints] == [(Code.PARAMETER_VALUE, ("with", "job"))]


@pytest.mark.parametrize(
    ("kind", "text", "inserted"),
    [
        ("label", 'say "hi"', r'"say \"hi\""'),
        ("pattern", "5..|429", '"5..|429"'),
        ("name", "http_status", "http_status"),
        ("duration", "250ms", "250ms"),
        ("number", "0.5", "0.5"),
    ],
)
def test_values_are_inserted_by_their_type(kind: str, text: str, inserted: str) -> None:
    values, complaints = judged(typed(kind), {"job": text}, ())
    assert (values["job"], complaints) == (inserted, [])


def test_only_listed_values_fit() -> None:
    of = sli(SLI.replace("One lane.,", "One lane., values: [fast, slow],"))
    assert judged(of, {"job": "x", "lane": "slow"}, ())[1] == []
    [complaint] = judged(of, {"job": "x", "lane": "slwo"}, ())[1]
    assert complaint.message == "lane: 'slwo' is not one of fast, slow"


@pytest.mark.parametrize(
    ("given", "matchers"),
    [
        ({}, 'job="shop"'),
        ({"lane": "fast"}, 'job="shop",lane="fast"'),
        ({"except": "slow|test"}, 'job="shop",lane!~"slow|test"'),
        ({"lane": "fast", "except": "test"}, 'job="shop",lane!~"test",lane="fast"'),
    ],
)
def test_what_is_not_given_leaves_no_matcher(given: dict[str, str], matchers: str) -> None:
    values, _ = judged(sli(), {"job": "shop", **given}, ())
    ratio = sli().file.sli.ratio
    assert ratio
    assert ratio.bad
    for text in (*ratio.total, *ratio.bad):
        selector = parse_selector(fill(text, values))
        assert isinstance(selector, Selector)
        assert ",".join(f'{m.label}{m.op}"{m.value}"' for m in sorted(selector.matchers)) == matchers


# --- places -----------------------------------------------------------------


def test_an_sli_file_at_work(tmp_path: Path) -> None:
    checked = orders(tmp_path)
    assert found(checked) == []
    [slo] = checked.services[0].slos
    assert slo.births is Births.ALWAYS


def test_the_slo_s_own_births_win(tmp_path: Path) -> None:
    (tmp_path / "sli").mkdir()
    (tmp_path / "sli" / "orders.yml").write_text(SLI)
    file = tmp_path / "slo_definitions.yml"
    file.write_text(
        "apiVersion: sloforge/v1\nservice: shop\nslos:\n- id: a\n  objective: 99\n  births: up\n"
        "  runbook: https://x.example.com\n  sli: {uses: ./sli/orders.yml, with: {job: shop}}\n"
    )
    checked = check_files([file])
    assert found(checked) == []
    assert checked.services[0].slos[0].births is Births.UP


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("uses: ./sli/orders.yml, ratio: {total: a, bad: b}", Code.SLI_KIND),
        ("ratio: {total: a, bad: b}, with: {job: shop}", Code.SLI_KIND),
        ("with: {job: shop}", Code.SLI_KIND),
        ("uses: orders.yml", Code.SLI_UNKNOWN),
        ("uses: ./sli/order.yml", Code.SLI_UNKNOWN),
        ("uses: ./sli", Code.SLI_UNKNOWN),
        ("uses: ./sli/../../orders.yml", Code.SLI_PATH),
        ('uses: "./a\\0b"', Code.SLI_PATH),
        ("uses: /etc/passwd", Code.SLI_UNKNOWN),
        ("uses: ./sli/orders.yml", Code.PARAMETER_MISSING),
        ("uses: ./sli/orders.yml, with: {job: a, lan: b}", Code.PARAMETER_UNKNOWN),
        ("uses: ./sli/orders.yml, with: {job: a, except: (}", Code.PARAMETER_VALUE),
        ("uses: ./sli/orders.yml, with: [job]", Code.WRONG_TYPE),
        ("uses: ./sli/orders.yml, with: {job: [a]}", Code.WRONG_TYPE),
    ],
)
def test_what_the_user_got_wrong_is_blamed_on_the_definitions(tmp_path: Path, inside: str, code: Code) -> None:
    assert found(check(tmp_path, {"orders.yml": SLI}, inside)) == [(code, "slo_definitions.yml", 4)]


def test_the_value_at_fault_is_pointed_at(tmp_path: Path) -> None:
    checked = orders(tmp_path, more=", except: (")
    [one] = checked.diagnostics
    line = (tmp_path / "slo_definitions.yml").read_text().splitlines()[one.span.line - 1]
    assert line[one.span.column - 1] == "("


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("title: Orders are accepted\n", "", Code.MISSING_KEY, 1),
        ("source:", "sources: [", Code.YAML_SYNTAX, 6),
        ("births: always", "births: sometimes", Code.BAD_WORD, 14),
        ("One lane., optional", "One lane., optinal", Code.UNKNOWN_KEY, 8),
        ("bad:", "good: orders_total\n    bad:", Code.GOOD_OR_BAD, 14),
        ("orders_failed_total", "orders_total", Code.GOOD_IS_TOTAL, 13),
        ("{lane=[[lane]],", "[5m]{lane=[[lane]],", Code.PROMQL_SYNTAX, 13),
        ("orders_failed_total{", 'orders_failed_total{lane="[[ job ]]",', Code.PARAMETER_USE, 13),
        ("orders_failed_total{", "orders_failed_total{lane=[[ other ]],", Code.PARAMETER_USE, 13),
        ("orders_failed_total{", "x[[ lane ]]{", Code.PARAMETER_USE, 13),
        ("lane=[[lane]]", "lane=~[[lane]]", Code.PARAMETER_USE, 13),
        ("optional: true}\n  except", "optional: true, default: fast}\n  except", Code.PARAMETER_USE, 8),
        ("type: pattern, optional: true", "type: pattern, default: (", Code.PARAMETER_VALUE, 9),
        ("example: {job: shop}", "example: {}", Code.PARAMETER_MISSING, 15),
        ("example: {job: shop}", "example: {job: shop, lan: x}", Code.PARAMETER_UNKNOWN, 15),
        ("  ratio:", "  uses: http/availability\n  ratio:", Code.UNKNOWN_KEY, 11),
    ],
)
def test_what_an_sli_file_got_wrong_is_blamed_on_it(tmp_path: Path, old: str, new: str, code: Code, line: int) -> None:
    assert old in SLI
    assert found(orders(tmp_path, SLI.replace(old, new))) == [(code, "orders.yml", line)]


def test_a_probe_has_no_births_and_the_sli_file_hears_of_it(tmp_path: Path) -> None:
    head, _, _ = SLI.partition("  ratio:")
    text = head + "  probe: {metric: 'x{job=[[ job ]],lane=[[ lane ]],lane!~[[ except ]]}', good: == 1}\n"
    checked = orders(tmp_path, text + "births: always\nexample: {job: shop}\n")
    assert found(checked) == [(Code.COUNTER_KIND, "orders.yml", 12)]


def test_one_fault_is_told_once_and_every_sound_slo_is_judged(tmp_path: Path) -> None:
    bad = "uses: ./sli/orders.yml, with: {job: shop}"
    checked = check(tmp_path, {"orders.yml": SLI.replace("births", "birth")}, bad, bad, "ratio: {total: a, bad: a}")
    assert found(checked) == [
        (Code.UNKNOWN_KEY, "orders.yml", 14),
        (Code.GOOD_IS_TOTAL, "slo_definitions.yml", 6),
    ]
    assert str(tmp_path / "sli" / "orders.yml") in checked.sources


def test_links_are_followed_within_the_folder_only(tmp_path: Path) -> None:
    inside, outside = tmp_path / "definitions", tmp_path / "elsewhere.yml"
    outside.write_text(SLI)
    (inside / "sli").mkdir(parents=True)
    (inside / "sli" / "out.yml").symlink_to(outside)
    (inside / "sli" / "in.yml").symlink_to("orders.yml")
    (inside / "sli" / "loop.yml").symlink_to("loop.yml")
    used = [f"uses: ./sli/{name}.yml, with: {{job: shop}}" for name in ("out", "in", "loop")]
    places = found(check(inside, {"orders.yml": SLI}, *used))
    assert (Code.SLI_PATH, "slo_definitions.yml", 4) in places
    assert len(places) == 2
    assert {line for _, _, line in places} == {4, 6}


def test_the_digest_follows_the_sli_file(tmp_path: Path) -> None:
    before = orders(tmp_path).services[0].digest
    assert orders(tmp_path, SLI.replace("Orders in progress.", "All else.")).services[0].digest == before
    assert orders(tmp_path, SLI.replace("orders_failed", "orders_lost")).services[0].digest != before
    assert orders(tmp_path, SLI.replace("births: always", "births: never")).services[0].digest != before


def test_faults_of_a_file_by_itself() -> None:
    faults: list[Diagnostic] = check_sli(sli(SLI.replace("lane=[[lane]],", "").replace("lane=[[ lane ]], ", "")))
    assert [(one.code, one.span.line) for one in faults] == [(Code.PARAMETER_USE, 8)]
