"""A report as a message: what a mail program makes of it."""

from email import message_from_string
from email.message import EmailMessage
from email.policy import default

import pytest

from sloforge.policy import Band
from sloforge.reporting.html import html
from sloforge.reporting.mail import mail
from sloforge.reporting.markdown import markdown
from sloforge.reporting.sections import document
from tests.unit.reporting import told as t

REPORT = t.report(
    t.service(t.slo(left=-1, band=Band.RED), band=Band.RED), t.service(t.slo(title="Käse\r\nBcc: x@y.example"))
)
TOLD = document(REPORT)


def test_a_message_has_both_texts() -> None:
    text = mail(REPORT, TOLD, ["Team <team@example.com>", "b@example.com"], "slo@example.com")
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 998  # what SMTP bears
    message = message_from_string(text, policy=default)
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == (
        "[RED] Reliability of all services: weekly report, Mon 27 October to Sun 2 November 2025"
    )
    assert (message["From"], message["To"]) == ("slo@example.com", "Team <team@example.com>, b@example.com")
    assert message["Date"].datetime.timestamp() == t.END_S
    assert message["Bcc"] is None
    plain, page = (message.get_body([kind]) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    assert plain.get_content() == markdown(TOLD)
    assert page.get_content().splitlines() == html(TOLD).splitlines()
    assert mail(REPORT, TOLD, ["Team <team@example.com>", "b@example.com"], "slo@example.com") == text


@pytest.mark.parametrize("address", ["team", "", "a@b.example\nBcc: x@y.example", "a@b.example, team"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"address|linefeed"):
        mail(REPORT, TOLD, [address])
