"""Functions as attempts: what they return settles them, and their types stay as they are."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sloforge.exporter import AttemptReplayed, FailureClass, current_attempt
from sloforge.exporter import families as f
from tests.exporter.attempts.conftest import Shop

LABELS = {"client_id": "acme", "platform": "instagram", "action_type": "publish"}


@dataclass
class Receipt:
    post_id: str | None = None
    verified: bool | None = None


def test_what_a_function_returns_settles_its_attempt(small: Shop) -> None:
    @small.exporter.lane("api").tracked(key=lambda key, answer: key, labels=lambda key, answer: LABELS)
    def publish(key: str, answer: object) -> object:
        """Publish."""
        return answer

    assert publish.__doc__ == "Publish."
    for number, answer in enumerate(("p1", Receipt("p1", True), {"post_id": "p1", "verified": True}, None, Receipt())):
        assert publish(str(number), answer) is answer
    assert small.count(f.SUCCESSES, evidence="post_id") == 1
    assert small.count(f.SUCCESSES, evidence="verified") == 2
    assert small.count(f.FAILURES, reason="no_proof") == 2
    with pytest.raises(AttemptReplayed) as replayed:
        publish("0", "another")
    assert replayed.value.post_id == "p1"


def test_async_functions_are_awaited_before_they_count(small: Shop) -> None:
    @small.exporter.lane("api").tracked(key=str, labels=lambda number: LABELS)
    async def publish(number: int) -> Receipt:
        await asyncio.sleep(0.01)
        if number:
            raise TimeoutError
        return Receipt("p1")

    assert asyncio.run(publish(0)).post_id == "p1"
    with pytest.raises(TimeoutError):
        asyncio.run(publish(1))
    assert small.count(f.SUCCESSES) == small.count(f.FAILURES, reason="timeout") == 1


def test_within_the_attempt_can_be_had(small: Shop) -> None:
    @small.exporter.lane("api").tracked(key=str, labels=lambda number: LABELS)
    def publish(number: int) -> None:
        with current_attempt().side_effect():
            current_attempt().fail(FailureClass.PLATFORM_REJECTED, "auth")

    publish(1)
    assert small.count(f.FAILURES, reason="auth") == 1
    with pytest.raises(LookupError):
        current_attempt()


def test_generators_are_refused(small: Shop) -> None:
    tracked = small.exporter.lane("api").tracked(key=str, labels=lambda: LABELS)

    def some() -> Iterator[int]:
        yield 1

    async def later() -> AsyncIterator[int]:
        yield 1

    for function in (some, later):
        with pytest.raises(TypeError, match="generator"):
            tracked(function)


TYPED = """
from sloforge.exporter import Exporter, Ledger

api = Exporter(Ledger("memory://")).lane("api")
labels = {"client_id": "acme", "platform": "instagram", "action_type": "publish"}

@api.tracked(key=lambda text, number: text, labels=lambda text, number: labels)
def publish(text: str, *, number: int = 0) -> bytes:
    return b""

@api.tracked(key=lambda text, number: text, labels=lambda text, number: labels)
async def later(text: str, *, number: int = 0) -> bytes:
    return b""

async def main() -> None:
    reveal_type(publish)
    reveal_type(later)
    reveal_type(publish("x", number=1))
    reveal_type(await later("x"))
    publish(1)
    async with api.attempt(client_id="a", platform="p", action_type="dm", key="k", on_conflict="maybe") as a:
        reveal_type(a.post_id)
"""


def test_types_are_kept(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "typed.py"
    path.write_text(TYPED)
    argv = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", str(path)]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True)
    said = [line.partition(": ")[2] for line in done.stdout.splitlines()]
    assert [line.partition("note: Revealed type is ")[2].strip('"').replace("builtins.", "") for line in said][:4] == [
        "def (text: str, *, number: int =) -> bytes",
        "def (text: str, *, number: int =) -> typing.Coroutine[Any, Any, bytes]",
        "bytes",
        "bytes",
    ], done.stdout
    assert "incompatible type" in said[4]
    assert "on_conflict" in said[5]
    assert said[6].endswith('"str"')
    assert len(said) == 7


def test_threads_have_attempts_of_their_own(small: Shop) -> None:
    both = threading.Barrier(2)
    seen: dict[str, str] = {}

    @small.exporter.lane("api").tracked(key=lambda name: name, labels=lambda name: LABELS)
    def publish(name: str) -> str:
        both.wait(5)
        current_attempt().post_id = name
        both.wait(5)
        seen[name] = current_attempt().post_id
        return name

    threads = [threading.Thread(target=publish, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"a": "a", "b": "b"}
