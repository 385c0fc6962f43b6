"""Other people's documents and mails, as they are: the format, the count, and a phrase of each."""

import os
from pathlib import Path

import pytest

from learnctl.memory.errors import UnreadableSource
from learnctl.memory.readers import detect, read
from learnctl.memory.records import Document

DATA = Path(os.environ.get("LEARNCTL_TEST_DATA") or "no folder")
FORMATS = "documents/formats"
MAILS = "chat_exports/mail-parser_Apache/mails"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no folder of real files: set LEARNCTL_TEST_DATA"
)


def real(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not among the real files")
    return path


# Name, format, title, author, date, a heading path, a phrase under it.
DOCUMENTS = [
    (
        "markitdown_MIT/test.xlsx", "xlsx", "test", "Adam Fourney", "2015-06-05",
        "Sheet1", "Alpha: 76; Beta: 89; Gamma: 33; Delta: 42",
    ),
    (
        "markitdown_MIT/test.pptx", "pptx",
        "AutoGen: Enabling Next-Gen LLM Applications via Multi-Agent Conversation",
        "Adam Fourney", "2024-03-15", "A table to test parsing:", "ColA: 1; ColB: 2; ColC: 3",
    ),
    (
        "markitdown_MIT/test.epub", "epub", "Test EPUB Document", "Test Author", None,
        "Chapter 2: More Content", "a second chapter",
    ),
    (
        "unstructured_Apache/winter-sports.epub", "epub", "Winter Sports in Switzerland",
        "E. F. Benson", "2019-08-23",
        "WINTER SPORTS IN SWITZERLAND › CHAPTER I THE SUN-SEEKER", "amazingly silly proverb",
    ),
    (
        "markitdown_MIT/test_notebook.ipynb", "ipynb", "Test Notebook Title", None, None,
        "Test Notebook", 'print("markitdown")',
    ),
    (
        "markitdown_MIT/packages/markitdown-sample-plugin/tests/test_files/test.rtf", "rtf",
        "test", "Adam Fourney", "2025-02-09", "", "This is a Sample RTF File",
    ),
    (
        "unstructured_Apache/fake-doc.rtf", "rtf", "My First Heading", None, None,
        "My First Heading", "Column 1: Row 1, Cell 1; Column 2: Row 1, Cell 2",
    ),
    (
        "unstructured_Apache/fake.odt", "odt", "fake", None, "2023-05-04",
        "", "Header row: Color; Mon: Blue; Wed: Red; Fri: Green",
    ),
    (
        "docling_MIT/odf/sources/text_document_01.odt", "odt", "Title", None, "2026-06-23",
        "heading level 1.0 › Heading level 2: A", "Contrary to popular belief",
    ),
    (
        "unstructured_Apache/README.rst", "rst", "Example Docs", None, None,
        "Example Docs › XBRL 10-K", "using the following curl.",
    ),
    (
        "unstructured_Apache/README.org", "org", "Example Docs", None, None,
        "Example Docs › XBRL 10-K", "using the following curl.",
    ),
    (
        "unstructured_Apache/stanley-cups-utf-16.csv", "csv", "stanley-cups-utf-16", None, None,
        "", "Team: Maple Leafs; Location: TOR; Stanley Cups: 13",
    ),
    (
        "unstructured_Apache/stanley-cups.tsv", "csv", "stanley-cups", None, None,
        "", "Team: Blues; Location: STL; Stanley Cups: 1",
    ),
    (
        "markitdown_MIT/test_outlook_msg.msg", "msg", "Test Email Message", "M. C. Kurtuluş",
        "2024-12-22", "", "This is the body of the test email message",
    ),
    (
        "docling_MIT/email/sources/msg_with_attachment.msg", "msg", "Email with Attachment",
        "Alice Example", "2026-05-20", "", "This email contains an attachment.",
    ),
    (
        "unstructured_Apache/eml/fake-email-header.eml", "eml", "Test Email", "Matthew Robinson",
        "2022-12-16", "", "Roses are red",
    ),
    (
        "unstructured_Apache/eml/mime-different-plain-html.eml", "eml", "Example MIME Email",
        "sender@example.com", "2024-10-01", "", "This is the text/plain part.",
    ),
    (
        "unstructured_Apache/eml/mime-html-only.eml", "eml", "Example HTML Only MIME Email",
        "sender@example.com", "2024-10-01", "", "This is a text/html part.",
    ),
    (
        "unstructured_Apache/eml/email-no-utf8-2008-07-16.062410.eml", "eml", "RE: שלום",
        "Tamir Erez", "2008-07-16", "", "סלבה היקר",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "title", "author", "day", "heading", "phrase"),
    DOCUMENTS,
    ids=[row[0].rpartition("/")[2] for row in DOCUMENTS],
)
def test_a_real_document(
    name: str, kind: str, title: str, author: str | None, day: str | None, heading: str, phrase: str
) -> None:
    path = real(f"{FORMATS}/{name}")
    assert detect(path) == kind
    (document,) = read(path)
    assert isinstance(document, Document)
    assert (document.title, document.author) == (title, author)
    assert (document.date or "")[:10] == (day or "")
    found = [section.text for section in document.sections if section.heading == heading]
    assert phrase in "\n".join(found)


@pytest.mark.parametrize(
    ("name", "title", "author", "date"),
    [
        ("mail_test_12", "代开各地增值税发票", "张先生", "2018-05-13T04:32:22+00:00"),
        ("mail_test_7", "I: Ordine", "Mariachiara Geronazzo", "2017-06-09T15:56:00+00:00"),
        (
            "mail_test_18",
            "Test for Comma and Name Bugs",
            "LastßlName, FirstName",
            "2025-11-03T17:23:00+00:00",
        ),
    ],
)
def test_a_real_mail(name: str, title: str, author: str, date: str) -> None:
    path = real(f"{MAILS}/{name}")
    assert detect(path) == "eml"
    (mail,) = read(path)
    assert isinstance(mail, Document)
    assert (mail.title, mail.author, mail.date) == (title, author, date)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unstructured_Apache/pdf/copy-protected.pdf", "a PDF protected against copying"),
        ("markitdown_MIT/test_rss.xml", "XML of no known form"),
    ],
)
def test_a_real_document_that_is_refused(name: str, reason: str) -> None:
    with pytest.raises(UnreadableSource, match=reason):
        list(read(real(f"{FORMATS}/{name}")))


def test_every_real_mail_is_one_document() -> None:
    paths = [*real(MAILS).iterdir(), *real(f"{FORMATS}/unstructured_Apache/eml").iterdir()]
    mails = [path for path in paths if not path.name.startswith("_")]
    assert len(mails) > 20
    for path in mails:
        assert detect(path) == "eml", path.name
        assert len(list(read(path))) == 1, path.name
