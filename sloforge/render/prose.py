"""Words for people, from templates/: annotations of alerts, postmortems.

Two template languages meet here. Ours ([[ fact ]], [% if %]) is settled when files are generated; Prometheus'
({{ query … }}) is left in the text and runs when the alert fires. Whatever a person wrote into the definitions
crosses that border as inert text.

A template is rendered once per *shape* (which facts are empty, and `by`), with a mark in the place of each fact, and
cut at the marks; an alert is then one join. 25,000 alerts cost a fraction of a second.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from sloforge.files import template_folder
from sloforge.model.objects import Pairs
from sloforge.parse.runbooks import INCIDENT_FACTS, INCIDENT_PARTS, PLACEHOLDER
from sloforge.plan.ir import AlertRule
from sloforge.wording import Phrases, reword

if TYPE_CHECKING:
    from jinja2 import Environment

_SECTION: Final = re.compile(r"^== (\w+)\n", re.MULTILINE)
_MARK: Final = re.compile("\0(\\w+)\0")
# Facts whose content, not only its absence, steers a template: it loops over them.
_STEERING: Final = frozenset({"by"})
# PromQL: it stands inside Prometheus' raw strings, `…`, where nothing but a backquote needs care.
_PROMQL: Final = frozenset({"selector"})

Parts = tuple[str, ...]  # text, name of a fact, text, …, text


def annotations(rule: AlertRule) -> Pairs:
    """Return the annotations of `rule`, sorted; the user's own replace ours of the same name."""
    facts = dict(rule.facts)
    shape = tuple((name, value if name in _STEERING else "x" if value else "") for name, value in rule.facts)
    values = _insertable(facts)
    ours = {name: _fill(parts, values) for name, parts in _sections(rule.words, shape, rule.phrases)}
    merged = {name: text for name, text in ours.items() if text} | dict(rule.annotations)
    return tuple(sorted(merged.items()))


def postmortem(facts: Mapping[str, object], phrases: Phrases = (), own: str = "") -> str:
    """Return the postmortem of an incident, filled in as far as `facts` go; `own` is a template of the user's."""
    environment = _environment(phrases)
    if not own:
        return environment.get_template("postmortem.md").render(facts)
    parts = {name: environment.get_template(f"postmortem/{name}.md").render(facts).strip() for name in INCIDENT_PARTS}
    told = {name: str(facts[name]) for name in INCIDENT_FACTS} | parts
    return PLACEHOLDER.sub(lambda found: told[found[1]], own)


def blank_postmortem(phrases: Phrases = (), own: str = "") -> str:
    """Return a postmortem of which nothing is known yet."""
    row = [dict.fromkeys(("slo", "failed", "share", "words", "at"), "…")]
    rows = dict.fromkeys(("impact", "reasons", "groups", "timeline"), row)
    words = dict.fromkeys(("title", "id", "service", "opened", "opened_by", "closed", "closed_by"), "…")
    nothing = dict.fromkeys(("action", "action_done", "action_owner"), "")
    return postmortem({**rows, **words, **nothing, "slos": ["…"]}, phrases, own)


def runbook_page(name: str, facts: Mapping[str, object], phrases: Phrases = ()) -> str:
    """Return the page of runbooks called `name`, made of `facts`, which are ready to stand in Markdown."""
    return _environment(phrases).get_template(f"runbooks/{name}.md").render(facts)


def _fill(parts: Parts, values: Mapping[str, str]) -> str:
    texts = list(parts)
    texts[1::2] = [values[name] for name in parts[1::2]]
    return "".join(texts)


def _insertable(facts: Mapping[str, str]) -> dict[str, str]:
    """Return the facts ready to stand in a Prometheus template, where none of them can execute."""
    values = {name: value.replace("{", '{{ "{" }}') for name, value in facts.items() if name not in _PROMQL}
    for name in _PROMQL & facts.keys():
        values[name] = facts[name].replace("`", r"\x60")
        values[f"{name}_url"] = _quoted(facts[name])
    return values


_quoted = lru_cache(maxsize=4096)(quote)


@cache
def _sections(words: str, shape: Pairs, phrases: Phrases) -> tuple[tuple[str, Parts], ...]:
    """Return each annotation of template `words`, cut at the places where facts go."""
    facts = {name: value if name in _STEERING or not value else f"\0{name}\0" for name, value in shape}
    facts |= {f"{name}_url": f"\0{name}_url\0" for name in _PROMQL & facts.keys()}
    text = _environment(phrases).get_template(f"annotations/{words}.txt").render(facts)
    _, *sections = _SECTION.split(text)
    pairs = zip(sections[::2], sections[1::2], strict=True)
    return tuple((name, tuple(_MARK.split(body.strip()))) for name, body in pairs)


@cache
def _environment(phrases: Phrases) -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # 0.1 s: only when words are needed

    folder = template_folder()
    return Environment(
        loader=FunctionLoader(lambda name: reword((folder / name).read_text(encoding="utf-8"), phrases)),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
    )
