"""Dashboards as Grafana reads them: its own schema, the rules of its linter, and a layout without overlaps."""

import json
import re
import warnings
from collections.abc import Iterator
from enum import Enum
from itertools import combinations
from typing import Any, get_args, get_type_hints

import promql_parser
import pytest
import yaml

from sloforge import vocabulary as v
from sloforge.pipeline import Compiled, compile_text
from sloforge.plan.dashboard_ir import ROW_WIDTH
from sloforge.plan.ir import RecordingRule

with warnings.catch_warnings():  # they recommend a newer schema, which Grafana 12 and older cannot read
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard as Model

Json = dict[str, Any]

DEFINITIONS = """\
apiVersion: sloforge/v1
service: shop
identity: {cluster: eu1}
tiers: {premium: {objective: 99.9}}
runbook: https://runbooks.example.com/shop
slos:
  - id: checkout
    title: Checkout <b>works</b> ${slo} [[x]]
    objective: 99.5
    sli: {ratio: {total: requests_total, bad: failures_total}}
    by: {labels: [client_id, kind], objectives: {kind: {ad: 99.8}}}
    reasons: {failed: failures_total, by: [reason]}
    partition: {by: kind, shares: {ad: 50, other: 50}}
  - id: search
    title: Search
    objective: 99
    sli: {ratio: {total: searches_total, bad: searches_failed_total}}
    alerts: {page: false, ticket: {fast: {long: 2d, budget: 8}}}
  - id: wrong
    title: Nothing wrong
    class: safety
    counter: ledger
    sli: {hard: {violations: wrong_total}}
"""
BARE = """\
apiVersion: sloforge/v1
service: bare
slos: [{id: one, objective: 99, runbook: "https://runbooks.example.com/one",
        sli: {ratio: {total: requests_total, bad: failures_total}}}]
"""
UNITS = {"none", "short", "percentunit", "s"}  # of those that the linter knows


def compiled(text: str = DEFINITIONS) -> Compiled:
    result = compile_text(text, "slo_definitions.yml")
    assert not result.checked.failed, result.diagnostics
    return result


def boards(text: str = DEFINITIONS) -> dict[str, Json]:
    files = {artifact.path: artifact.text for artifact in compiled(text).artifacts}
    return {path: json.loads(files[path]) for path in files if re.fullmatch(r"grafana/.*\.json", path)}


BOARDS = [board for text in (DEFINITIONS, BARE) for board in boards(text).values()]
every_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])


def panels(board: Json) -> list[Json]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board: Json) -> Iterator[str]:
    yield from (target["expr"] for panel in panels(board) for target in panel["targets"])
    yield from (annotation["expr"] for annotation in board["annotations"]["list"])
    for variable in board["templating"]["list"][1:]:
        found = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"])
        assert found
        yield found[1]


# --- Grafana's schema ------------------------------------------------------------


def lost(told: object, understood: object, at: str = "") -> Iterator[str]:
    """Yield what is not the same in the model that Grafana's own kit made of it; it may add defaults."""
    if isinstance(told, dict) and isinstance(understood, dict):
        for key, value in told.items():
            yield from lost(value, understood[key], f"{at}/{key}") if key in understood else [f"{at}/{key}"]
    elif isinstance(told, list) and isinstance(understood, list) and len(told) == len(understood):
        for index, (one, other) in enumerate(zip(told, understood, strict=True)):
            yield from lost(one, other, f"{at}/{index}")
    elif told != understood:
        yield f"{at}: {told!r} became {understood!r}"


def foreign(model: object, at: str = "") -> Iterator[str]:
    """Yield the values that are none of those that their field may have."""
    for item in model if isinstance(model, list) else ():
        yield from foreign(item, at)
    if not type(model).__module__.startswith("grafana_foundation_sdk") or isinstance(model, Enum):
        return
    hints = get_type_hints(type(model))
    for name, value in vars(model).items():
        kinds = [kind for kind in get_args(hints.get(name)) or (hints.get(name),) if isinstance(kind, type)]
        enums = [kind for kind in kinds if issubclass(kind, Enum)]
        if enums and value is not None and value not in [member.value for kind in enums for member in kind]:
            yield f"{at}.{name}: {value!r}"
        yield from foreign(value, f"{at}.{name}")


def model_of(board: Json) -> Model:
    register_default_plugins()
    return Model.from_json(board)


@every_board
def test_grafana_understands_all_of_it(board: Json) -> None:
    model = model_of(board)
    assert list(lost(board, json.loads(JSONEncoder(sort_keys=True).encode(model)))) == []
    assert list(foreign(model)) == []
    assert model.schema_version == Model().schema_version


def test_the_schema_can_say_no() -> None:
    board = json.loads(json.dumps(BOARDS[1]))
    figure = panels(board)[0]
    figure["options"]["colorMode"] = "purple"
    figure["option"] = {}
    model = model_of(board)
    assert list(foreign(model)) == [".panels.options.color_mode: 'purple'"]
    assert list(lost(board, json.loads(JSONEncoder(sort_keys=True).encode(model)))) == ["/panels/1/option"]


@every_board
def test_installs_anywhere(board: Json) -> None:
    assert "id" not in board
    assert board["editable"] is False
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", board["uid"])
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@every_board
def test_panels_neither_overlap_nor_stick_out(board: Json) -> None:
    cells = []
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= ROW_WIDTH
        rows, columns = range(place["y"], place["y"] + place["h"]), range(place["x"], place["x"] + place["w"])
        cells.append({(x, y) for x in columns for y in rows})
    assert all(one.isdisjoint(other) for one, other in combinations(cells, 2))


# --- the rules of dashboard-linter ----------------------------------------------


@every_board
def test_linter_data_source_is_a_variable_that_all_use(board: Json) -> None:
    first, *others = board["templating"]["list"]
    assert (first["type"], first["name"], first["label"], first["query"]) == (
        "datasource", "datasource", "Data source", "prometheus",
    )  # fmt: skip
    users = [*panels(board), *board["annotations"]["list"], *others]
    assert all(user["datasource"] == {"type": "prometheus", "uid": "${datasource}"} for user in users)


@every_board
def test_linter_variables_are_read_anew_when_the_time_range_changes(board: Json) -> None:
    assert all(variable["refresh"] == 2 for variable in board["templating"]["list"][1:])


@every_board
def test_linter_variables_are_used(board: Json) -> None:
    text = "".join(queries(board))
    assert all("${" + variable["name"] + "}" in text for variable in board["templating"]["list"][1:])


@every_board
def test_linter_panels_say_what_they_are(board: Json) -> None:
    titles = [panel["title"] for panel in panels(board)]
    assert len(set(titles)) == len(titles)
    for panel in panels(board):
        assert panel["title"]
        assert panel["description"]
        assert panel["targets"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS


def selectors(promql: str) -> Iterator[Any]:
    """Yield every instant selector of an expression."""
    found: list[Any] = []

    def collect(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(promql), collect)
    yield from found


@every_board
def test_linter_queries_parse_and_read_no_counter(board: Json) -> None:
    for expr in queries(board):
        names = [node.name for node in selectors(re.sub(r"\$\{\w+\}", "x", expr))]
        assert names
        assert not [name for name in names if name.endswith("_total")]
        assert "rate(" not in expr
        assert "increase(" not in expr


def test_linter_exclusions_have_reasons() -> None:
    files = {artifact.path: artifact.text for artifact in compiled().artifacts}
    exclusions = yaml.safe_load(files[v.LINT_FILE])["exclusions"]
    assert exclusions.keys() == {
        f"{where}-{what}-rule" for where in ("template", "target") for what in ("job", "instance")
    }
    assert all(rule["reason"] for rule in exclusions.values())


# --- what they show --------------------------------------------------------------


def test_recorded_series_only() -> None:
    rules = [rule for plan in compiled().plans for group in plan.groups for rule in group.rules]
    recorded = {rule.record for rule in rules if isinstance(rule, RecordingRule)}
    for board in boards().values():
        for expr in queries(board):
            names = {node.name for node in selectors(re.sub(r"\$\{\w+\}", "x", expr))}
            assert names <= recorded, names - recorded


def test_nothing_is_shown_that_no_slo_has() -> None:
    bare = boards(BARE)["grafana/bare.json"]
    titles = {panel["title"] for panel in panels(bare)}
    whole = {panel["title"] for panel in panels(boards()["grafana/shop.json"])}
    assert whole - titles == {
        "Hard stops", "Top reasons", "Most affected", "Tiers of clients", "Values with objectives of their own",
        "Shares of the budget",
    }  # fmt: skip
    assert titles < whole


def test_alerts_are_drawn_for_the_slos_that_have_them() -> None:
    shop = boards()["grafana/shop.json"]
    burn = next(panel for panel in panels(shop) if panel["title"].startswith("Burn rate"))
    lines = {
        target["legendFormat"]: target["expr"] for target in burn["targets"] if target["legendFormat"][:3] == "SLO"
    }
    own = '"${slo}",slo_service="shop",cluster="${identity_cluster}"'
    assert lines["SLOBurnPageFast"] == f"13.44 + 0 * slo:burn_page_fast:active{{slo={own}}}"
    assert lines["SLOBurnTicketFast"].splitlines() == [
        f'1.12 + 0 * slo:burn_ticket_fast:active{{slo={own},slo="search"}}',
        f'or 2.8 + 0 * slo:burn_ticket_fast:active{{slo={own},slo="checkout"}}',
    ]
    assert "last 2d" in [target["legendFormat"] for target in burn["targets"]]


def test_no_text_of_a_definition_and_no_copy_of_a_service_is_in_them() -> None:
    text = json.dumps(list(boards().values()))
    assert "works" not in text
    assert "eu1" not in text


def test_a_click_leads_on_to_what_is_there() -> None:
    found = boards()
    overview, shop = found["grafana/overview.json"], found["grafana/shop.json"]
    links = re.findall(r'"/d/([^"?]+)', json.dumps(overview))
    assert {re.sub(r"\$\{.+?\}", "shop", link) for link in links} == {shop["uid"]}
    assert set(re.findall(r'"/d/([^"?]+)', json.dumps(shop))) == {shop["uid"], overview["uid"]}


def test_names_that_are_long_or_ours() -> None:
    long, other = "a" * 63, "a" * 62 + "b"
    uids = {v.dashboard_uid(name) for name in (long, other, "a" * 36, "overview")} | {v.OVERVIEW_UID}
    assert len(uids) == 5
    assert all(len(uid) <= v.MAX_UID for uid in uids)
    assert boards(BARE.replace("bare", "overview")).keys() == {"grafana/overview.json", "grafana/overview_.json"}


def test_the_overview_is_the_same_whatever_is_defined() -> None:
    assert boards()["grafana/overview.json"] == boards(BARE)["grafana/overview.json"]
