import pytest

from openm3w.filters.quality.pii import EMAILS, IPS, Pii
from openm3w.shards.document import Text


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("Write to jo.doe+news@mail.example.co.uk.", "Write to email@example.com."),
        ("<a_b@x-y.org>", "<email@example.com>"),
        ("jo@[192.0.2.1]", "email@example.com"),
        ("jo@localhost", None),
        ("@jo and jo@ and a@b", None),
        ("Server 93.184.216.34, port 80", "Server 22.214.171.124, port 80"),
        ("at 8.8.8.8.", "at 22.214.171.124."),
        ("192.168.0.1 10.0.0.1 127.0.0.1 172.16.5.4", None),
        ("256.1.1.1 1.2.3 1.2.3.4.5 v1.2.3.4567", None),
        ("08.08.08.08", None),
    ],
)
def test_addresses_of_people_and_machines_are_replaced(text, replaced, document):
    page = document(text)
    cut = Pii().apply(page)
    assert cut.document.texts == (replaced or text,)
    if replaced is None:
        assert cut.document == page


def test_replacements_are_taken_in_turn_over_all_texts_and_counted(document, picture):
    a = picture("a")
    page = document("a@example.de b@example.de", a, "c@example.de 9.9.9.9")
    cut = Pii().apply(page)
    assert cut.document.spans == (
        Text(text=" ".join(EMAILS)),
        a,
        Text(text=f"{EMAILS[0]} {IPS[0]}"),
    )
    assert cut.kept == (0,)
    assert cut.document.scores == {"pii_emails": 3, "pii_ips": 1}
    assert Pii().apply(page) == cut


def test_either_kind_may_stay(document):
    page = document("a@example.de 9.9.9.9")
    assert Pii(emails=()).apply(page).document.texts == (f"a@example.de {IPS[0]}",)
    assert Pii(ips=()).apply(page).document.texts == (f"{EMAILS[0]} 9.9.9.9",)


@pytest.mark.parametrize("part", ["a", "a.", "1.", "a@", "a@b.", "-", "1.1.1.1"])
def test_a_long_run_of_signs_costs_no_more_than_its_length(part, document):
    text = f"{part * 200_000}@ 1.1.1."
    Pii().apply(document(text))  # in the time of a test, where each start read on would take hours
