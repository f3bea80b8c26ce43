"""Laws of the compiler: the order of the input never matters, and no SLO's rules depend on another's."""

import random
import re
from collections.abc import Iterable, Mapping

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sloforge.pipeline import compile_text

SLOS: tuple[Mapping[str, object], ...] = (
    {
        "id": "ratio",
        "objective": "99.9",
        "sli": {"ratio": {"total": ["a_total", 'b_total{lane="api"}'], "good": 'ok_total{lane="api",kind=~"x|y"}'}},
        "by": {"labels": ["client_id", "platform"], "limit": 50, "alerts": True},
        "reasons": {"failed": "failures_total", "by": ["reason"]},
        "labels": {"b": "2", "a": "1"},
    },
    {
        "id": "ledger",
        "objective": "99",
        "counter": "ledger",
        "sli": {"ratio": {"total": "attempts_total", "good": "good_total", "excluded": "excluded_total"}},
        "alerts": {"page": {"when": "blocked > 0", "fast": {"long": "2h", "budget": 3}}, "min_failures": 5},
    },
    {"id": "latency", "objective": "95", "sli": {"latency": {"histogram": "took_seconds", "threshold": "10m"}}},
    {"id": "probe", "objective": "99", "period": "7d", "sli": {"probe": {"metric": "probe_success", "good": "== 1"}}},
    {"id": "hard", "counter": "ledger", "sli": {"hard": {"violations": "violations_total"}}},
    {
        "id": "snapshots",
        "objective": "99.5",
        "snapshots": True,
        "births": "always",
        "sli": {"ratio": {"total": "pushed_total", "bad": "pushed_failures_total"}},
        "alerts": False,
    },
)
HEAD = {"apiVersion": "sloforge/v1", "service": "laws", "owner": "us", "labels": {"team": "x", "area": "y"}}


def document_of(slos: Iterable[Mapping[str, object]], seed: int | None = None) -> str:
    """Return the definitions file of `slos`, its keys shuffled by `seed`."""
    document = {**HEAD, "slos": [{"title": "t", "class": "trust", "ref": "R", **slo} for slo in slos]}
    return yaml.safe_dump(document if seed is None else shuffled(document, random.Random(seed)), sort_keys=False)


def compiled(slos: Iterable[Mapping[str, object]], seed: int | None = None) -> dict[str, str]:
    """Compile a file, its keys shuffled by `seed`, and return all artifacts, path -> text."""
    result = compile_text(document_of(slos, seed), "laws.yml")
    assert not [d for d in result.diagnostics if d.is_error], result.diagnostics
    return {artifact.path: artifact.text for artifact in result.artifacts}


def shuffled(node: object, dice: random.Random) -> object:
    """Return the same YAML with the keys of every mapping in another order."""
    if isinstance(node, dict):
        keys = list(node)
        dice.shuffle(keys)
        return {key: shuffled(node[key], dice) for key in keys}
    return [shuffled(item, dice) for item in node] if isinstance(node, list) else node


def rules_of(text: str) -> dict[str, list[str]]:
    """Return the lines of each SLO's own rules, behind their group's name; comments are left to the goldens."""
    own: dict[str, list[str]] = {}
    plain = "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#"))
    for group in plain.split("\n  - name: ")[1:]:
        head, *rules = group.split("\n      - ")
        for rule in rules:
            if slo := re.search(r"^ {10}slo: (\S+)$", rule, re.MULTILINE):
                own.setdefault(slo[1], []).append(f"{head}\n{rule.rstrip()}")
    return own


@settings(max_examples=15)
@given(order=st.permutations(SLOS), seed=st.integers(0, 10**6))
def test_order_of_slos_and_keys_never_reaches_the_output(order: list[Mapping[str, object]], seed: int) -> None:
    assert compiled(order, seed) == compiled(SLOS)


@settings(max_examples=15)
@given(chosen=st.lists(st.sampled_from(range(len(SLOS))), min_size=2, unique=True))
def test_adding_an_slo_leaves_the_rules_of_all_others(chosen: list[int]) -> None:
    *known, added = (SLOS[n] for n in chosen)
    path = "prometheus/laws.rules.yml"
    before, after = rules_of(compiled(known)[path]), rules_of(compiled([*known, added])[path])
    assert before.keys() == {slo["id"] for slo in known}
    assert {slo: rules for slo, rules in after.items() if slo != added["id"]} == before
