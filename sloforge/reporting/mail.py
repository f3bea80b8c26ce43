"""A report as a message, for whatever sends mail: Markdown for those who read text, and HTML."""

from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from sloforge.query.snapshot import worst
from sloforge.reporting.cadence import moment_of
from sloforge.reporting.document import Document
from sloforge.reporting.facts import Report
from sloforge.reporting.html import html
from sloforge.reporting.markdown import markdown

BOUNDARY: Final = "sloforge-"


def mail(report: Report, told: Document, to: Sequence[str] = (), sender: str = "") -> str:
    """Return the message, in ASCII. Raises ValueError on what is no address."""
    message = EmailMessage()
    band = worst(*(one.state.band for one in report.services)).name
    message["Subject"] = " ".join(f"[{band}] {told.title}, {told.when}".split())
    for name, addresses in (("From", [sender] if sender else []), ("To", to)):
        if addresses:
            message[name] = ", ".join(addresses)
            _check(message, name)
    message["Date"] = format_datetime(moment_of(report.span.end_s))  # its own, so that the bytes stay the same
    message["Auto-Submitted"] = "auto-generated"
    text, page = markdown(told), html(told)
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    message.set_boundary(BOUNDARY + sha256(page.encode()).hexdigest()[:32])
    return message.as_string()


def _check(message: EmailMessage, name: str) -> None:
    header = message[name]
    if header.defects or not header.addresses or not all("@" in address.addr_spec for address in header.addresses):
        raise ValueError(f"{header} is no address; write it like team@example.com")
