"""What MkDocs calls while it builds the site: reference pages get their content, linked files their pages."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from handbook import commands, findings, keys, metrics, series
from handbook.linked import DOCS, ROOT, linked, rewritten

# A page says where its content goes: <!-- made: commands -->
MADE: Final[Mapping[str, Callable[[], str]]] = {
    "commands": commands.page,
    "definitions": keys.definitions,
    "sli": keys.sli,
    "policy": keys.policy,
    "findings": findings.page,
    "metrics": metrics.page,
    "series": series.page,
}
MARK: Final = re.compile(r"^<!-- made: (\w+) -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every file of the repository that a page links to."""
    pages = [path.relative_to(ROOT).as_posix() for path in (ROOT / DOCS).rglob("*.md")]
    for place, text in linked(pages).items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in what is made of the code, and lead links to where things are on the site."""
    if page.file.generated_by:
        return markdown
    made = MARK.sub(lambda match: MADE[match[1]](), markdown)
    return rewritten(made, f"{DOCS}/{page.file.src_uri}")
