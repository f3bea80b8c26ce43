"""The exporter: workers count attempts in a ledger, and one process shows the totals to Prometheus.

Importing it loads prometheus_client and the standard library, nothing else of sloforge's dependencies.
"""

from sloforge.exporter.api import Exporter, Lane
from sloforge.exporter.failures import (
    AttemptFinished,
    AttemptInProgress,
    AttemptReplayed,
    DuplicateSideEffect,
    Failure,
    FailureClass,
    KeyConflict,
    OutcomeUnknown,
    PolicyBlocked,
    SpamLoop,
    WrongAccount,
    classify,
)
from sloforge.exporter.handle import Attempt
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.orders import Proof
from sloforge.exporter.records import StoreUnavailable
from sloforge.exporter.settings import Settings
from sloforge.exporter.tracked import current_attempt
from sloforge.exporter.universe import Universe, Work

__all__ = [
    "Attempt",
    "AttemptFinished",
    "AttemptInProgress",
    "AttemptReplayed",
    "DuplicateSideEffect",
    "Exporter",
    "Failure",
    "FailureClass",
    "KeyConflict",
    "Lane",
    "Ledger",
    "OutcomeUnknown",
    "PolicyBlocked",
    "Proof",
    "Settings",
    "SpamLoop",
    "StoreUnavailable",
    "Universe",
    "Work",
    "WrongAccount",
    "classify",
    "current_attempt",
]
