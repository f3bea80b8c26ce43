"""What a worker asks for when it takes up a key, and what an attempt needs to carry that out."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Literal, NamedTuple, Protocol

from sloforge.exporter.failures import Failure, FailureClass
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.outcomes import Follow
from sloforge.exporter.records import Ref
from sloforge.exporter.settings import Settings
from sloforge.exporter.tally import Tally

OnConflict = Literal["raise", "wait", "skip"]
Verdict = Failure | FailureClass | Literal["policy_blocked"]
Classify = Callable[[BaseException], Verdict | None]


class Proof(NamedTuple):
    """What shows that a browser has done it: where the screenshot is, and what else there is."""

    screenshot: str
    url: str = ""
    note: str = ""


class Renewable(Protocol):
    """Something with a lease."""

    def renew(self) -> bool:
        """Renew the lease; False: it is lost or not needed any more."""
        ...


class Desk(Protocol):
    """What an attempt needs of the exporter."""

    ledger: Ledger
    settings: Settings
    follow: Mapping[str, Follow]  # by fact

    def keep_alive(self, attempt: "Renewable", lease_s: float) -> None:
        """Renew the attempt's lease until `let_go`."""
        ...

    def let_go(self, attempt: "Renewable") -> None:
        """Stop renewing."""
        ...


class Order(NamedTuple):
    """What a worker asked for, in the words of the ledger."""

    ref: Ref
    tally: Tally
    identity: str
    lease_s: float
    needs_proof: bool
    account_id: str | None
    on_conflict: OnConflict
    force: bool
    heartbeat: bool
    classify: Classify | None
    trace_id: str


def fingerprint(data: object) -> str:
    """Return a few bytes that stand for `data` in the ledger, as text; the same for equal JSON data."""
    if isinstance(data, Mapping | list | tuple):
        import json

        data = json.dumps(data, sort_keys=True, default=str)
    raw = data if isinstance(data, bytes) else str(data).encode("utf-8", "surrogatepass")
    return blake2b(raw, digest_size=8).hexdigest()
