"""Runs the pages until SIGTERM or SIGINT."""

import signal
import socket
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import uvicorn

from sloforge.web.app import app
from sloforge.web.site import Site

STOP_S: Final = 5
LIMIT: Final = 200  # requests at a time; each may wait for a Prometheus

Scope = MutableMapping[str, Any]


def serve(site: Site, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve a site on one address, and say where. Raises OSError where that cannot be listened on.

    Only the main thread can hear signals.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listening:
        bound = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        say(f"Serving the status page on http://{shown}:{bound}{site.base}/ (Ctrl-C stops it)")
        config = uvicorn.Config(
            below(site.base, app(site)),
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
            limit_concurrency=LIMIT,
            lifespan="off",
        )
        server = uvicorn.Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn has handlers of its own while it runs, and raises the signal again once it is done.
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        server.run(sockets=[listening])


def below(base: str, inner: Any) -> Any:
    """Return an ASGI application that serves `inner` below `base`, whether or not a proxy takes that off the path."""

    async def outer(scope: Scope, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if base and scope["type"] == "http" and (path == base or path.startswith(f"{base}/")):
            scope = {**scope, "path": path[len(base) :] or "/"}
        await inner(scope, receive, send)

    return outer
