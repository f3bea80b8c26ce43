"""Steps: transitions with a name and JSON arguments, so that they can wait in the spool while the store is down."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

from sloforge.exporter.records import Decide

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step(Generic[P, T]):
    """A function from JSON data (text, numbers, lists, dictionaries) to the decision that they ask for."""

    name: str
    make: Callable[P, Decide[T]]
    durable: bool

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Decide[T]:
        """Return the decision, for a store to carry out."""
        return self.make(*args, **kwargs)


STEPS: dict[str, Step[..., Any]] = {}


def step(name: str, *, durable: bool = False) -> Callable[[Callable[P, Decide[T]]], Step[P, T]]:
    """Name a function that makes decisions. The name is written to spool files, so it is for ever."""

    def register(make: Callable[P, Decide[T]]) -> Step[P, T]:
        if name in STEPS:
            raise ValueError(f"two steps are named {name!r}")
        made = Step(name, make, durable)
        STEPS[name] = made
        return made

    return register
