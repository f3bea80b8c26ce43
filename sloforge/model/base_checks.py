"""What is wrong with the Alertmanager configuration that routes are grafted onto, as far as our routes depend on it.

All else is amtool's to judge. A secret that stands in it would be copied into a file that is committed: it is refused,
and no message repeats it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from sloforge import vocabulary as v
from sloforge.diagnostics import KEY, Code, Diagnostic, Route, SpanMap
from sloforge.model.complaint import Complaint
from sloforge.model.governance import Governance
from sloforge.model.routing import Base, front
from sloforge.parse.text import Parsed

# Keys whose value is a secret, in any Alertmanager up to 0.34; each has a twin that names a file, with few exceptions.
SECRETS: Final = frozenset(
    "slack_api_url slack_app_token smtp_auth_password smtp_auth_secret opsgenie_api_key wechat_api_secret "
    "victorops_api_key rocketchat_token rocketchat_token_id telegram_bot_token routing_key service_key auth_password "
    "auth_secret api_key api_secret bot_token user_key token token_id webhook_url app_token bearer_token password "
    "credentials client_secret secret_key access_key secret secrets alert_source_token".split()
)
_SLACK: Final = "slack_configs"  # `api_url` is a secret there, and an address anywhere else
# https://user:password@host, or ?token=…: what lets in whoever reads it.
_TELLING: Final = re.compile(
    r"://[^/?#@\s]*:[^/?#@\s]+@|[?&](?:access_)?(?:token|key|secret|password|sig)=", re.IGNORECASE
)
_LISTS: Final = ("receivers", "inhibit_rules", "time_intervals", "mute_time_intervals", "templates")
_ABOUT_US: Final = re.compile(rf'\s*"?(?:{v.SLO}|{v.SERVICE})"?\s*(?P<op>=~|!=|!~|=)\s*"?(?P<value>.*?)"?\s*')


def read_base(parsed: Parsed, path: str, text: str) -> tuple[Base | None, list[Diagnostic]]:
    """Return the configuration, or None and why nothing can be grafted onto it."""
    tree = parsed.tree
    if tree is None:
        return None, []
    faults = [complaint.at(parsed.spans, ()) for complaint in _shape(tree)]
    return (None, faults) if faults or not isinstance(tree, dict) else (Base(path=path, text=text, tree=tree), [])


def check_base(base: Base, governance: Governance, spans: SpanMap, places: SpanMap) -> list[Diagnostic]:
    """Return all that is wrong; `spans` are places in the base, `places` those in the policy folder."""
    found = [complaint.at(spans, ()) for check in CHECKS for complaint in check(base)]
    found += [complaint.at(spans, ()) for complaint in _names(base, governance)]
    for route, complaint in _absent(base, governance):
        found.append(complaint.at(places if route in places else spans, ()))
    return found


# --- shape ------------------------------------------------------------------


def _shape(tree: object) -> Iterator[Complaint]:
    if not isinstance(tree, dict):
        yield Complaint(Code.BASE_INVALID, (), "an Alertmanager configuration is a mapping", "start with `route:`")
        return
    for key in _LISTS:
        if not _is_list(tree.get(key, [])):
            yield Complaint(Code.BASE_INVALID, (key,), f"{key} is no list")
    root = tree.get("route")
    if not isinstance(root, dict) or not root.get("receiver") or not isinstance(root["receiver"], str):
        message = "there is no root route with a receiver, which gets whatever no other route takes"
        yield Complaint(Code.BASE_ROOT, ("route",), message, "write `route: {receiver: fallback}`")
        return
    if not _is_list(root.get("routes", [])):
        yield Complaint(Code.BASE_INVALID, ("route", "routes"), "routes is no list")
    for key in ("receivers", "time_intervals", "mute_time_intervals"):
        for n, item in enumerate(_items(tree.get(key))):
            if not isinstance(item, dict) or not isinstance(item.get("name"), str):
                yield Complaint(Code.BASE_INVALID, (key, n), f"one of {key} has no name")
    for route, node in _routes(root, ("route",)):
        if not isinstance(node, dict) or not _is_list(node.get("routes", [])):
            yield Complaint(Code.BASE_INVALID, route, "a route is a mapping, and its routes are a list")


def _is_list(value: object) -> bool:
    return isinstance(value, list) or value in ("", "~", "null")


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _routes(node: Any, at: Route) -> Iterator[tuple[Route, Any]]:
    """Yield every route below `node`, and where it stands."""
    for n, child in enumerate(_items(node.get("routes")) if isinstance(node, dict) else []):
        yield (*at, "routes", n), child
        yield from _routes(child, (*at, "routes", n))


# --- secrets and paths ------------------------------------------------------


def _scalars(value: object, at: Route = ()) -> Iterator[tuple[Route, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scalars(inner, (*at, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _scalars(inner, (*at, n))
    elif isinstance(value, str):
        yield at, value


def _key(route: Route) -> str:
    return next(part for part in reversed(route) if isinstance(part, str))


def secrets(base: Base) -> Iterator[Complaint]:
    """Secrets stand in files of their own, which this program never reads."""
    for route, value in _scalars(base.tree):
        key = _key(route)
        is_secret = key in SECRETS or (key == "api_url" and _SLACK in route)
        if value and (is_secret or _TELLING.search(value)):
            hint = "keep the address free of it: `http_config: {authorization: {credentials_file: ...}}`"
            if is_secret:
                hint = f"put it into a file and name that: `{key}_file: /etc/alertmanager/secrets/...`"
            yield Complaint(Code.BASE_SECRET, (*route, KEY), f"{key} holds a secret, which would be copied on", hint)


def relative_paths(base: Base) -> Iterator[Complaint]:
    """Paths are relative to the configuration, and the one that is written stands elsewhere."""
    for route, value in _scalars(base.tree):
        key = _key(route)
        named = key.endswith("_file") or (key == "templates" and value != v.TEMPLATES_GLOB)
        if named and value and not PurePosixPath(value).is_absolute():
            message = f"{value} is looked for beside the written {v.ALERTMANAGER_FILE}, not beside this file"
            yield Complaint(Code.BASE_PATH, route, message, "write the whole path")


# --- names ------------------------------------------------------------------


def receivers_twice(base: Base) -> Iterator[Complaint]:
    """A receiver is known by its name."""
    seen: set[str] = set()
    for n, receiver in enumerate(_items(base.tree.get("receivers"))):
        if receiver["name"] in seen:
            yield Complaint(
                Code.RECEIVER_TWICE, ("receivers", n, "name"), f"receiver {receiver['name']!r} is there twice"
            )
        seen.add(receiver["name"])


def receivers_absent(base: Base) -> Iterator[Complaint]:
    """The user's own routes go to receivers that exist."""
    known = set(_receivers(base))
    root = base.tree["route"]
    for route, node in [(("route",), root), *_routes(root, ("route",))]:
        name = node.get("receiver")
        if isinstance(name, str) and name and name not in known:
            yield Complaint(Code.RECEIVER_ABSENT, (*route, "receiver"), f"no receiver is called {name!r}", _near(known))


def shadowed(base: Base) -> Iterator[Complaint]:
    """A route of the user's for SLO alerts alone, which ours take before it is asked."""
    theirs = _items(base.tree["route"].get("routes"))
    for n, node in enumerate(theirs):
        if n >= front(theirs) and (key := _about_us(node)):
            message = "this route wants SLO alerts, which the generated routes in front of it take"
            hint = "name its receiver in policy/routing.yml, or put it first with `continue: true`"
            yield Complaint(Code.ROUTE_SHADOWED, ("route", "routes", n, key), message, hint)


def _about_us(node: Any) -> str:
    """Return the key of `node` by which it takes SLO alerts only, empty if there is none."""
    for text in _items(node.get("matchers")):
        match = _ABOUT_US.fullmatch(text) if isinstance(text, str) else None
        if match and (match["op"] in ("=", "=~")) == bool(match["value"]):
            return "matchers"
    for key in ("match", "match_re"):
        if isinstance(node.get(key), dict) and {v.SLO, v.SERVICE} & node[key].keys():
            return key
    return ""


def _names(base: Base, governance: Governance) -> Iterator[Complaint]:
    """Names that we give are free."""
    if governance.routing.office is None:
        return
    for key in ("time_intervals", "mute_time_intervals"):
        for n, interval in enumerate(_items(base.tree.get(key))):
            if interval["name"] == v.OFFICE_HOURS:
                message = f"{v.OFFICE_HOURS!r} is what the generated time interval is called"
                yield Complaint(Code.INTERVAL_TAKEN, (key, n, "name"), message)


def _absent(base: Base, governance: Governance) -> Iterator[tuple[Route, Complaint]]:
    """Our routes go to receivers that exist: blamed on routing.yml where it names them, else on the base."""
    known = set(_receivers(base))
    for name, route in sorted(governance.routing.named().items()):
        if name not in known:
            what = f"{' '.join(map(str, route))}: no receiver is called {name!r} in {base.path}"
            yield route, Complaint(Code.RECEIVER_ABSENT, route, what, _near(known), fallback=("receivers",))


def _receivers(base: Base) -> Iterable[str]:
    return (receiver["name"] for receiver in _items(base.tree.get("receivers")))


def _near(known: Iterable[str]) -> str:
    return f"add it to `receivers:`, or name one of {', '.join(sorted(known))}" if known else "add it to `receivers:`"


CHECKS: Final[tuple[Callable[[Base], Iterator[Complaint]], ...]] = (
    secrets,
    relative_paths,
    receivers_twice,
    receivers_absent,
    shadowed,
)
