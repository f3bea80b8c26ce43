"""The SLI library in words: a list of it, one SLI as `sloforge sli` tells it, and all of it as a page of Markdown."""

from collections.abc import Sequence
from textwrap import fill
from typing import Final

from sloforge.parse.library import LibrarySli
from sloforge.parse.sli_shapes import ParameterShape

WIDTH: Final = 100  # columns of text for a terminal


def listed(slis: Sequence[LibrarySli]) -> str:
    """Return a line for each SLI: its name and its title."""
    width = max(len(sli.name) for sli in slis)
    return "\n".join(f"{sli.name:{width}}  {sli.file.title}" for sli in slis)


def described(sli: LibrarySli) -> str:
    """Return all that somebody has to know to use an SLI, for a terminal."""
    file = sli.file
    told = (f"{word} {text}" for word, text in _facts(sli))
    names = file.parameters
    width = max((len(name) for name in names), default=0)
    parameters = (
        fill(f"{name:{width}}  {_meaning(shape)}", WIDTH, initial_indent="  ", subsequent_indent=" " * (width + 4))
        for name, shape in names.items()
    )
    paragraphs = (fill(text, WIDTH, subsequent_indent="  ") for text in told)
    return "\n".join(
        [file.title, "", *paragraphs, "", "Parameters:", *parameters, "", "Example:", f"  {_example(sli)}"]
    )


def page(slis: Sequence[LibrarySli]) -> str:
    """Return a section of Markdown for each SLI."""
    return "\n".join(map(_section, slis))


def _section(sli: LibrarySli) -> str:
    facts = (f"- **{word}** {text}" for word, text in _facts(sli))
    rows = (f"| `{name}` | {_cell(_meaning(shape))} |" for name, shape in sli.file.parameters.items())
    head = ("| parameter | |", "|---|---|")
    example = ("```yaml", _example(sli), "```")
    return "\n".join([f"## {sli.name}", "", f"{sli.file.title}.", "", *facts, "", *head, *rows, "", *example, ""])


def _facts(sli: LibrarySli) -> list[tuple[str, str]]:
    return [("Counts:", sli.file.counts), ("Leaves out:", sli.file.leaves_out), ("Source:", sli.file.source)]


def _meaning(shape: ParameterShape) -> str:
    kind = f"A {shape.type}." if shape.type != "label" else ""
    values = f"One of {', '.join(shape.values)}." if shape.values else ""
    default = f"{shape.default} if not given." if shape.default is not None else ""
    given = "Optional." if shape.optional else default
    return " ".join(part for part in (shape.description, kind, values, given) if part)


def _example(sli: LibrarySli) -> str:
    given = ", ".join(f"{name}: {_scalar(value)}" for name, value in sli.file.example.items())
    return f"sli: {{uses: {sli.name}, with: {{{given}}}}}"


def _scalar(value: str) -> str:
    """Return a value as it is written inside braces in YAML: between quotes, where YAML would see more than a word."""
    plain = value.replace("-", "").replace("_", "").replace("/", "").replace(".", "").isalnum()
    return value if plain else "'" + value.replace("'", "''") + "'"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
