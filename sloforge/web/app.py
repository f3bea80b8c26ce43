"""The pages over HTTP. Every answer is made by one function of the site; what goes wrong is a page as well."""

import functools
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from sloforge.gate import words
from sloforge.gate.status import data
from sloforge.model.objects import Pairs
from sloforge.policy import Band
from sloforge.query.replicas import Agreed
from sloforge.query.services import Heard
from sloforge.render.pages import page
from sloforge.web import headers as h
from sloforge.web.assets import assets
from sloforge.web.banner import banner, unknown
from sloforge.web.by_label import FIND, IS, label_page, value_page
from sloforge.web.links import service_path
from sloforge.web.site import Site, governance_of
from sloforge.web.slo_page import slo_page
from sloforge.web.views import missing, overview, service_page

HTML: Final = "text/html; charset=utf-8"
SVG: Final = "image/svg+xml"
PAGE: Final = ".page"
KNOWN: Final = 50  # services that a page which is not there points to
DEBUG: Final = "SLOFORGE_DEBUG"
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,127}", re.ASCII)

View = Callable[[Site, Request], Response]


class UnheardError(Exception):
    """No Prometheus could say how the service is; `heard` says why."""

    def __init__(self, heard: Heard) -> None:
        super().__init__()
        self.heard = heard


def app(site: Site) -> Starlette:
    """Return the application that serves a site."""
    table: tuple[tuple[str, View], ...] = (
        ("/", _overview),
        ("/status.json", _all_status),
        ("/services/{service}", _service),
        ("/services/{service}/slos/{slo}", _slo),
        ("/services/{service}/by/{label}", _by_label),
        ("/services/{service}/banner", _banner),
        ("/services/{service}/badge.svg", _badge),
        ("/services/{service}/status.json", _status),
    )
    routes = [Route(path, _endpoint(site, view), methods=["GET"]) for path, view in table]
    # This waits for nothing, and not for a thread either while a slow Prometheus holds them all. Nor does `_healthz`,
    # which answers under any name: whoever probes knows the address.
    routes.append(Route("/static/{name}", _static, methods=["GET"]))
    named = Middleware(TrustedHostMiddleware, allowed_hosts=site.hosts, www_redirect=False)
    failing = {HTTPException: functools.partial(_refused, site)}
    return Starlette(
        routes=[Route("/healthz", _healthz, methods=["GET"]), Mount("/", routes=routes, middleware=[named])],
        exception_handlers=failing,
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)],
    )


def _endpoint(site: Site, view: View) -> Callable[[Request], Response]:
    """Return what Starlette calls, in a thread of its own: waiting for a Prometheus holds up nobody else."""

    def endpoint(request: Request) -> Response:
        try:
            return view(site, request)
        except HTTPException:
            raise
        except UnheardError as nobody:
            facts = {"unknown": unknown(nobody.heard.failures), "title": request.path_params.get("service", "")}
            return _html(site, "unknown.html", facts, 503)
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            fault = f"a fault of sloforge itself, {type(error).__name__}"
            print(f"sloforge: {fault}: {error} ({request.url.path}); {DEBUG}=1 shows where.", file=sys.stderr)
            facts = {"title": "This page failed", "message": f"It was {fault}.", "links": ()}
            return _html(site, "message.html", facts, 500)

    return endpoint


def _html(
    site: Site, name: str, facts: Mapping[str, Any], status: int = 200, embed_in: tuple[str, ...] = ()
) -> Response:
    links = {asset: f"{site.base}/static/{asset}?{one.digest}" for asset, one in assets().items()}
    told_of = {"base": site.base, "assets": links, "failures": (), **facts}
    body = page(name, told_of, phrases=site.phrases(str(facts.get("service", ""))))
    told = {**h.COMMON, **h.LIVE, **h.OWN, **h.policy(embed_in)}
    return Response(body, status, told, HTML)


def _refused(site: Site, request: Request, error: HTTPException) -> Response:
    known = [agreed.snapshot for agreed in site.heard().services] if error.status_code == 404 else []
    facts = {
        "title": "There is no such page" if error.status_code == 404 else "This is not answered",
        "message": error.detail,
        "links": [(state.service, service_path(state.service, state.identity)) for state in known[:KNOWN]],
    }
    answer = _html(site, "message.html", facts, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def _overview(site: Site, request: Request) -> Response:
    facts = overview(site)
    return _html(site, "overview.html", facts, 200 if facts["services"] else 503)


def _service(site: Site, request: Request) -> Response:
    agreed, heard = _agreed(site, request)
    number = request.query_params.get(PAGE, "1")
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    return _html(site, "service.html", service_page(site, agreed, heard, wanted))


def _slo(site: Site, request: Request) -> Response:
    agreed, _ = _agreed(site, request)
    name = request.path_params["slo"]
    slo = next((one for one in agreed.snapshot.slos if one.slo == name), None)
    if slo is None:
        raise HTTPException(404, f"{agreed.snapshot.service} has no SLO of this name.")
    return _html(site, "slo.html", slo_page(site, agreed, slo))


def _by_label(site: Site, request: Request) -> Response:
    label = request.path_params["label"]
    if not _LABEL.fullmatch(label):
        raise HTTPException(404, "No label has such a name.")
    agreed, _ = _agreed(site, request)
    if IS in request.query_params:
        return _html(site, "value.html", value_page(site, agreed, label, request.query_params[IS]))
    return _html(site, "label.html", label_page(site, agreed, label, request.query_params.get(FIND, "")[:100]))


def _banner(site: Site, request: Request) -> Response:
    service = request.path_params["service"]
    try:
        agreed, heard = _agreed(site, request)
        shown = banner(agreed, governance_of(site.governed(service)), time.time() - heard.at_s)
    except UnheardError as nobody:
        shown = unknown(nobody.heard.failures)
    return _html(site, "banner.html", {"service": service, "banner": shown}, 200, ("'self'", *site.embed_in))


def _badge(site: Site, request: Request) -> Response:
    """Answer 200 whatever is known: a picture that does not load tells nothing, and this one says UNKNOWN."""
    service, word = request.path_params["service"], Band.UNKNOWN
    frozen = False
    try:
        agreed, _ = _agreed(site, request)
        word, frozen = agreed.snapshot.band, agreed.snapshot.frozen
    except UnheardError:
        pass
    text = f"{words.CHIPS[word].word}{', frozen' if frozen else ''}"
    facts = {"name": service if len(service) <= 40 else f"{service[:39]}…", "chip": words.CHIPS[word], "text": text}
    told = {
        **h.COMMON,
        **h.LIVE,
        **h.SHARED,
        "Content-Security-Policy": "default-src 'none'",
    }
    return Response(page("badge.svg", facts), 200, told, SVG)


def _status(site: Site, request: Request) -> Response:
    try:
        agreed, _ = _agreed(site, request)
    except UnheardError as nobody:
        return _json({"band": Band.UNKNOWN.name, "failures": list(map(str, nobody.heard.failures))}, 503)
    return _json(data(agreed, governance_of(site.governed(agreed.snapshot.service)).enforcement))


def _all_status(site: Site, request: Request) -> Response:
    heard = site.heard()
    services = [data(one, governance_of(site.governed(one.snapshot.service)).enforcement) for one in heard.services]
    told = {"services": services, "missing": missing(site, heard), "failures": list(map(str, heard.failures))}
    return _json(told, 200 if services else 503)


def _json(told: Any, status: int = 200) -> Response:
    return JSONResponse(told, status, {**h.COMMON, **h.LIVE, **h.SHARED})


async def _static(request: Request) -> Response:
    asset = assets().get(request.path_params["name"])
    if asset is None:
        raise HTTPException(404, "There is no such file.")
    return Response(asset.body, 200, {**h.COMMON, **h.ASSET, **h.OWN}, asset.kind)


async def _healthz(request: Request) -> Response:
    return Response("ok\n", 200, {**h.COMMON, **h.LIVE}, "text/plain; charset=utf-8")


def _agreed(site: Site, request: Request) -> tuple[Agreed, Heard]:
    """Return the service that a path names, and its copy that labels in the query name. Raises as endpoints may."""
    service = request.path_params["service"]
    identity = _identity(request)
    heard = site.heard(service, identity)
    if len(heard.services) == 1:
        return heard.services[0], heard
    if heard.services:
        exact = [one for one in heard.services if one.snapshot.identity == identity]
        if len(exact) == 1:
            return exact[0], heard
        raise HTTPException(404, f"There are several {service}; choose one of them.")
    all_of_them = site.heard()
    if all_of_them.failures or service in site.services or not all_of_them.services:
        raise UnheardError(heard)
    raise HTTPException(404, "No Prometheus knows a service of this name.")


def _identity(request: Request) -> Pairs:
    pairs = (pair for pair in request.query_params.multi_items() if _LABEL.fullmatch(pair[0]))
    return tuple(sorted(dict(pairs).items()))
