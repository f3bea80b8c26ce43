"""Somebody who looks at the pages without a browser or a network."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx


class Visitor:
    """Asks an application without a network."""

    def __init__(self, asgi: Any) -> None:
        self._transport = httpx.ASGITransport(asgi)

    def get(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://status") as asking:
                return await asking.request(method, path, headers=headers)

        with ThreadPoolExecutor(1) as aside:  # a browser beside it has a loop of its own in this thread
            return aside.submit(lambda: asyncio.run(ask())).result()
