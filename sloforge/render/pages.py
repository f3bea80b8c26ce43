"""HTML pages and SVG pictures, from templates/. Whatever a template is given is escaped: text, never markup."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from sloforge.files import template_folder

if TYPE_CHECKING:
    from jinja2 import Environment


def page(name: str, facts: Mapping[str, object], folder: str = "web") -> str:
    """Return the page that template `name` of a folder makes of `facts`; one that is missing is a fault of ours."""
    return _environment(folder).get_template(name).render(facts)


@cache
def _environment(folder: str) -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Ordinary delimiters, other than in prose.py: no Prometheus reads these texts.
    return Environment(
        loader=FileSystemLoader(template_folder() / folder),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
