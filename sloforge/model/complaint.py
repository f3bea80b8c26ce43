"""A complaint before it has a place: what the functions of checks.py yield."""

from typing import NamedTuple

from sloforge.diagnostics import Code, Diagnostic, Route, SpanMap, locate
from sloforge.model.promql_text import within


class Complaint(NamedTuple):
    """A fault at `route` below the SLO (or the file). `fallback` is a route in the file, for what its defaults say.

    `inside` is an expression that stands at `route`, and which of its characters is at fault.
    """

    code: Code
    route: Route
    message: str
    hint: str = ""
    fallback: Route | None = None
    inside: tuple[str, int] | None = None

    def at(self, spans: SpanMap, origin: Route) -> Diagnostic:
        """Return the finding: at its own key if the SLO has it, else at the file's, else at the nearest parent."""
        route = (*origin, *self.route)
        if self.fallback is not None and route[: len(origin) + 1] not in spans:
            inherited = self.fallback
            route = inherited if inherited[:1] in spans else (*origin, *inherited)
        span = locate(spans, route)
        if self.inside is not None:
            span = within(span, *self.inside)
        return Diagnostic(code=self.code, span=span, message=self.message, hint=self.hint)
