"""Paths below the site's base. Names come from labels: each is quoted, and none can leave its segment."""

from urllib.parse import quote, urlencode, urlsplit

from sloforge.model.objects import Pairs


def service_path(service: str, identity: Pairs, *below: str, **query: str) -> str:
    """Return the path of a service's page, or of one below it; identity labels tell copies of a service apart."""
    segments = "/".join(quote(segment, safe="") for segment in ("services", service, *below))
    pairs = urlencode([*identity, *sorted(query.items())])
    return f"/{segments}{'?' if pairs else ''}{pairs}"


def slo_path(service: str, identity: Pairs, slo: str) -> str:
    """Return the path of an SLO's page."""
    return service_path(service, identity, "slos", slo)


def outside(url: str) -> str:
    """Return a link to somebody else's page if it is one that a click may follow; '' otherwise."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.hostname else ""
