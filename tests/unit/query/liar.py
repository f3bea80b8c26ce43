"""A server that lies: a real one, on loopback, that gives to every request the bytes that it was told to give."""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sloforge import vocabulary as v
from sloforge.query.answers import NAME
from sloforge.query.state import READING, RECORDED

Behaviour = Callable[[socket.socket], None]


def says(status: str, kind: str, body: bytes, *headers: str) -> Behaviour:
    """Return the behaviour of a whole HTTP answer."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return lambda peer: peer.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def says_json(body: str, status: str = "200 OK") -> Behaviour:
    """Return the behaviour of an answer that calls itself JSON."""
    return says(status, "application/json", body.encode())


def says_vector(*samples: str) -> Behaviour:
    """Return the behaviour of a well-formed instant query's answer."""
    return says_json('{"status":"success","data":{"resultType":"vector","result":[' + ",".join(samples) + "]}}")


def says_state(band: float, *, slo: str = "x", age_s: float = 10, ahead_s: float = 0) -> Behaviour:
    """Return the behaviour of a Prometheus that has recorded one service, so long ago, by a clock so far ahead."""

    def state(peer: socket.socket) -> None:
        now_s = time.time() + ahead_s  # that of the question: tests run minutes after they are collected
        own = {v.SERVICE: "shop"}
        series: Sequence[tuple[dict[str, str], float]] = (
            ({NAME: v.FREEZE, **own}, 0),
            ({NAME: v.SERVICE_BAND, **own}, band),
            ({NAME: v.BAND, v.SLO: slo, **own}, band),
            ({READING: RECORDED, **own}, now_s - age_s),
        )
        samples = (json.dumps({"metric": labels, "value": [now_s, str(value)]}) for labels, value in series)
        says_vector(*samples)(peer)

    return state


def drips(head: bytes, every_s: float = 0.2) -> Behaviour:
    """Return the behaviour of sending `head`, and then a byte at a time for ever: no single wait is long."""

    def drip(peer: socket.socket) -> None:
        peer.sendall(head)
        while True:
            time.sleep(every_s)
            peer.sendall(b" ")

    return drip


def floods(peer: socket.socket) -> None:
    """Send JSON without end, as fast as it is taken."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[")
    while True:
        peer.sendall(b"0," * 65536)


def whole_request(peer: socket.socket) -> bytes:
    """Return head and body: whoever closes with a part unread resets the connection, and the answer may be lost."""
    head, body = b"", b""
    while b"\r\n\r\n" not in head and (part := peer.recv(65536)):
        head += part
    head, end, body = head.partition(b"\r\n\r\n")
    told = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
    while told and len(body) < int(told[1]) and (part := peer.recv(65536)):
        body += part
    return head + end + body


@contextmanager
def lying(behaviour: Behaviour, heard: list[bytes] | None = None, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run the server for as long as the block lasts; yield its address. What it is told goes to `heard`."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(peer,), daemon=True).start()

        def answer(peer: socket.socket) -> None:
            with peer:
                try:
                    peer = tls.wrap_socket(peer, server_side=True) if tls else peer
                    request = whole_request(peer)
                    if heard is not None:
                        heard.append(request)
                    behaviour(peer)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
