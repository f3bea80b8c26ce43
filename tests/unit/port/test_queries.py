"""PromQL that other tools were given becomes selectors where it is nothing else, and counts events where it is not."""

from typing import Any

import pytest

from sloforge.diagnostics import Code
from sloforge.port.queries import QueryError, Sli, of_error_ratio, of_gauges, of_ratio, of_threshold

BAD, TOTAL = 'x_total{code=~"5.."}', "x_total"
COUNT, BUCKET = 'h_count{job="a"}', 'h_bucket{job="a",le="0.4"}'


def rate(selector: str) -> str:
    return f"sum(rate({selector}[{{{{.window}}}}]))"


@pytest.mark.parametrize(
    "query",
    [
        rate(BAD),
        f"sum by (code) (sum by (code, job) (increase({BAD}[{{{{ .window }}}}])))".replace(
            "sum by (code) (", "sum(", 1
        ),
        f"({rate(BAD)}) or on() vector(0)",
        f"clamp_min({rate(TOTAL)} - {rate('x_total{code!~`5..`}')}, 0)".replace("`", '"'),
    ],
)
def test_failures_of_counters_are_a_ratio(query: str) -> None:
    data = of_ratio(rate(TOTAL), bad=query).data["ratio"]
    assert data in ({"total": TOTAL, "bad": BAD}, {"total": TOTAL, "good": 'x_total{code!~"5.."}'})


CASES: list[tuple[Sli, dict[str, Any]]] = [
    (of_ratio(rate(TOTAL), good=rate("ok_total")), {"ratio": {"total": TOTAL, "good": "ok_total"}}),
    (of_ratio(f"{rate('a')} + {rate('b')}", bad=rate("c")), {"ratio": {"total": ["a", "b"], "bad": "c"}}),
    (
        of_ratio(f"{rate(TOTAL)} - {rate('skipped')}", good=rate("ok")),
        {"ratio": {"total": TOTAL, "good": "ok", "excluded": "skipped"}},
    ),
    (
        of_ratio(rate(COUNT), bad=f"{rate(COUNT)} - {rate(BUCKET)}"),
        {"latency": {"histogram": 'h{job="a"}', "threshold": "0.4"}},
    ),
    (of_ratio(COUNT, good=BUCKET, bare=True), {"latency": {"histogram": 'h{job="a"}', "threshold": "0.4"}}),
    (
        of_ratio(rate('h_bucket{job="a",le="+Inf"}'), good=rate(BUCKET)),
        {"latency": {"histogram": 'h{job="a"}', "threshold": "0.4"}},
    ),
    (  # the bucket is of other requests than those counted: two selectors, which say what they are
        of_ratio(rate("h_count"), good=rate(BUCKET)),
        {"ratio": {"total": "h_count", "good": BUCKET}},
    ),
    (of_error_ratio(f"{rate(BAD)} / {rate(TOTAL)}"), {"ratio": {"total": TOTAL, "bad": BAD}}),
    (of_error_ratio(f"1 - ({rate('ok')} / {rate(TOTAL)})"), {"ratio": {"total": TOTAL, "good": "ok"}}),
    (of_error_ratio(f"{rate('ok')} / {rate(TOTAL)}", success=True), {"ratio": {"total": TOTAL, "good": "ok"}}),
    (of_threshold("probe_success", ">= 1", "< 1"), {"probe": {"metric": "probe_success", "good": ">= 1"}}),
]


@pytest.mark.parametrize(("sli", "wanted"), CASES, ids=lambda value: "")
def test_queries_become(sli: Sli, wanted: dict[str, Any]) -> None:
    assert sli.data == wanted


def test_labels_that_both_sides_keep_apart_are_told() -> None:
    total, bad = (f"sum by (path, pod) (rate({name}[{{{{.window}}}}]))" for name in ("t", "b"))
    assert of_ratio(total, bad=bad).by == ("path", "pod")
    assert of_ratio(f"sum({total})", bad=bad).by == ()


def test_what_is_no_sum_of_counters_counts_events_and_not_events_per_second() -> None:
    data: Any = of_ratio("sum(rate(t[{{.window}}] offset 1m))", bad=f"max({rate('b')})").data["events"]
    assert data["total"] == "sum(increase(t[{{window}}] offset 1m))"
    assert data["bad"] == "max(sum(increase(b[{{window}}])))"


def test_a_rate_that_is_compared_keeps_its_value() -> None:
    """increase over five minutes, by 300 seconds, is what the rate was; the window of a tick's estimate is 5m."""
    data: Any = of_ratio("count(rate(t[{{.window}}]) > 0.5)", bad="count(rate(b[{{.window}}]) > 0.5)").data["events"]
    assert " ".join(data["bad"].split()) == "count((increase(b[{{window}}]) / 300) > 0.5)"


def test_both_queries_count_or_none_does() -> None:
    """Their ratio is what it was: a count above a rate would be 300 times too high."""
    data: Any = of_ratio("sum(rate(t[{{.window}}])) * scalar(x)", bad=rate("b")).data["events"]
    assert data["total"].count("/ 300") == data["bad"].count("/ 300") == 1
    guarded: Any = of_ratio(f"{rate('t')} > 0", bad=rate("b")).data["events"]
    assert "/ 300" not in str(guarded)


def test_a_share_without_events_is_averaged_over_time() -> None:
    data: Any = of_error_ratio("avg(error_ratio)").data["events"]
    assert data == {
        "total": "count_over_time(((avg(error_ratio)) >= 0)[{{window}}:1m])",
        "bad": "sum_over_time(((avg(error_ratio)) >= 0)[{{window}}:1m])",
    }
    gauges: Any = of_gauges("t", bad="b").data["events"]
    assert gauges["bad"] == "sum_over_time((b)[{{window}}:1m])"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ('sum(rate(x{job="{{.job}}"}[{{.window}}]))', Code.IMPORT_TEMPLATE),
        ("sum(rate(x[{{.window}}])", Code.IMPORT_QUERY),
        ("histogram_share(0.2, x[{{.window}}])", Code.IMPORT_QUERY),
        ("max(x)", Code.IMPORT_QUERY),
    ],
)
def test_what_cannot_be_read_is_told(query: str, code: Code) -> None:
    with pytest.raises(QueryError) as error:
        of_ratio(rate(TOTAL), bad=query)
    assert error.value.code is code
