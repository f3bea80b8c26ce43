"""HTML pages and SVG pictures, from templates/. Whatever a template is given is escaped: text, never markup."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from sloforge.files import template_folder
from sloforge.wording import Phrases, reword

if TYPE_CHECKING:
    from jinja2 import Environment


def page(name: str, facts: Mapping[str, object], folder: str = "web", phrases: Phrases = ()) -> str:
    """Return the page that template `name` of a folder makes of `facts`; one that is missing is a fault of ours.

    `phrases` are what is said instead of ours.
    """
    return _environment(folder, phrases).get_template(name).render(facts)


@cache
def _environment(folder: str, phrases: Phrases) -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    texts = template_folder() / folder

    # Ordinary delimiters, other than in prose.py: no Prometheus reads these texts.
    return Environment(
        loader=FunctionLoader(lambda name: reword((texts / name).read_text(encoding="utf-8"), phrases)),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
