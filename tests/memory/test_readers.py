"""Each reader on small real files, on hostile ones, and on other people's where they are there."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import UnreadableSource
from learnctl.memory.readers import detect, read
from learnctl.memory.readers.archive import open_member, open_zip
from learnctl.memory.records import Conversation, Document, Section

DATA = Path(os.environ.get("LEARNCTL_TEST_DATA") or "no folder")
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="no folder of real files: set LEARNCTL_TEST_DATA"
)


def real(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not among the real files")
    return path


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def document(path: Path) -> Document:
    (item,) = read(path)
    assert isinstance(item, Document)
    return item


def conversations(path: Path) -> list[Conversation]:
    items = list(read(path))
    assert all(isinstance(item, Conversation) for item in items)
    return [item for item in items if isinstance(item, Conversation)]


def reason(path: Path) -> str:
    with pytest.raises(UnreadableSource) as caught:
        list(read(path))
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) not in text
    return text


# Finding the format


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("notes.md", "# A\n\nb", "markdown"),
        ("notes.txt", "# A\n\nb", "text"),
        ("README", "plain", "text"),
        ("page.html", "<p>hello</p>", "html"),
        ("page.txt", "\ufeff<!-- saved -->\n<!DOCTYPE HTML><p>hello", "html"),
        ("readme.md", "<h1 align=center>Hello</h1>", "markdown"),
        ("letter.md", b"%PDF-1.4\n", "pdf"),
        ("chat.txt", '{"messages": [{"role": "user", "content": "hi"}]}', "messages-jsonl"),
        ("chat.txt", '[{"title": "x", "mapping": {}}]', "chatgpt"),
        ("list.txt", "[1] a note in brackets", "text"),
    ],
)
def test_content_decides_before_the_name(
    tmp_path: Path, name: str, content: str | bytes, expected: str
) -> None:
    assert detect(write(tmp_path / name, content)) == expected


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "", "empty"),
        ("a.txt", " \n\t ", "empty"),
        ("a.md", b"\x89PNG\r\n\x1a\n\x00", "an image, not text"),
        ("a.txt", b"ab\x00\x01\x02\x03 cd ef", "a binary file, not text"),
        ("a.pdf", "words", "not a PDF, though its name says so"),
        ("a.zip", "words", "not a zip, though its name says so"),
        ("a.docx", "words", "not a Word document, though its name says so"),
        ("a.zip", b"PK\x03\x04 and then nothing", "not a readable zip: file is not a zip file"),
        ("a.json", '{"a": 1}', "JSON that is no chat export of a known form"),
        ("a.rtf", "words", "not rich text, though its name says so"),
        ("a.xml", "<?xml version='1.0'?><a/>", "XML of no known form"),
        ("a.pdf", b"%PDF-1.4\n1 0 obj", "not a readable PDF: Data format error"),
        ("a.md", "```\nonly code\n```\n", "no text in it"),
        ("a.html", "<html><body></body></html>", "no text in it"),
    ],
)
def test_one_plain_reason(tmp_path: Path, name: str, content: str | bytes, expected: str) -> None:
    assert reason(write(tmp_path / name, content)) == expected


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    assert reason(tmp_path / "gone.txt") == "no such file or directory"


def test_unknown_zips_are_named(tmp_path: Path) -> None:
    for member, expected in (
        ("photo.jpg", "a zip with nothing in it that can be read"),
        ("xl/workbook.bin", "a binary Excel workbook: save it as .xlsx"),
    ):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(member, "x")
        assert reason(tmp_path / "a.zip") == expected


# Text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_character_sets(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.txt", "Grüße aus Köln, Anna.".encode(encoding))
    assert document(path) == Document("a", (Section("", "Grüße aus Köln, Anna."),))


def test_an_old_character_set_is_guessed(tmp_path: Path) -> None:
    text = "Die schöne Frau trägt grüne Schuhe und geht über die Straße nach Hause. " * 5
    path = write(tmp_path / "a.txt", text.encode("latin-1"))
    assert document(path).sections[0].text == text.strip()


def test_only_forced_line_ends_are_joined(tmp_path: Path) -> None:
    wrapped = (
        "The committee met on Tuesday in the small hall to speak about\n"
        "the roof, which has leaked since March. The repair was given to\n"
        "Brandt and Sons, who will begin on the second of May and hope\n"
        "to be done by the end of that month. The cost is shared among\n"
        "all the members.\n"
        "\n"
        "Present:\n"
        "Anna\n"
        "Bert\n"
        "- the dog\n"
    )
    text = document(write(tmp_path / "a.txt", wrapped)).sections[0].text
    paragraph, listed = text.split("\n\n")
    assert "\n" not in paragraph
    assert "speak about the roof" in paragraph
    assert listed == "Present:\nAnna\nBert\n- the dog"


def test_notes_keep_their_lines(tmp_path: Path) -> None:
    notes = (
        "Buy the good bread at the corner shop\n"
        "Call the plumber about the kitchen tap today\n"
        "Ask Maria whether she comes on Sunday with the children\n"
    )
    assert document(write(tmp_path / "a.txt", notes)).sections[0].text == notes.strip()


def test_nothing_that_a_database_refuses(tmp_path: Path) -> None:
    text = document(write(tmp_path / "a.txt", "a\x0bb\u200e c\r\nd\x7f e")).sections[0].text
    assert text == "ab c\nd e"


# Markdown

MARKDOWN = """---
title: "The Handbook"
author: Ann Lee
date: 2024-03-01
tags: [a, b]
---

# Handbook

Welcome to **our** [office](https://example.org "x")!
It is *small*.

## Travel

- Book by `train`.
- [x] Ask **Bob** first
  - he knows

1. One
2. Two

![a picture](x.png)

```python
secret = 1
```

| Name | Age |
|------|-----|
| Ann  | 41  |
| Bo   |     |

See [[Other Note|the other note]].[^1] And more.[^2]

# Rest

<div>Some <b>markup</b></div>

[^1]: A footnote.

[^2]: https://example.org/a
"""


def test_markdown(tmp_path: Path) -> None:
    assert document(write(tmp_path / "a.md", MARKDOWN)) == Document(
        title="The Handbook",
        author="Ann Lee",
        date="2024-03-01",
        sections=(
            Section("Handbook", "Welcome to our office! It is small."),
            Section(
                "Handbook › Travel",
                "Book by train.\nAsk Bob first\nhe knows\n\nOne\nTwo\n\n"
                "Name: Ann; Age: 41\nName: Bo\n\nSee the other note. And more.",
            ),
            Section("Rest", "Some markup\n\nA footnote.\n\nhttps://example.org/a"),
        ),
    )


def test_markdown_titles(tmp_path: Path) -> None:
    assert document(write(tmp_path / "a.md", "## Low\n\nx\n\n# High\n\ny")).title == "High"
    assert document(write(tmp_path / "a.md", "words")).title == "a"
    assert document(write(tmp_path / "a.md", "---\n\nA rule, no front matter\n")).title == "a"


@pytest.mark.parametrize(
    ("front_matter", "title", "date"),
    [
        (
            "---\ntitle: 'It''s Ann''s: a day'\ndate: 2024-03-05\n...\n",
            "It's Ann's: a day",
            "2024-03-05",
        ),
        (
            "---\ntitle: Ann's day # mine\ncreated: '[[2024-03-05]]'\n---\n",
            "Ann's day",
            "2024-03-05",
        ),
        ('---\n# a comment\n\ntitle: "Say \\"hi\\""\n---\n', 'Say "hi"', None),
        ("---\ntitle: >-\n  A folded\n  title\ntags: [a]\n---\n", "A folded title", None),
        ("---\nmodified: 2025-01-01\ncreated_at: 2024-03-05\n---\n", "a", "2024-03-05"),
        ('+++\ntitle="T"\ndate = 2024-03-05\n+++\n', "T", "2024-03-05"),
        ("---\ntags:\n- a\nauthors:\n- Bo\n---\n", "a", None),
        ('---\nog:type: x\ntitle: "[Solved] C#: how"\n---\n', "[Solved] C#: how", None),
    ],
)
def test_front_matter(tmp_path: Path, front_matter: str, title: str, date: str | None) -> None:
    found = document(write(tmp_path / "a.md", front_matter + "Text.\n"))
    assert (found.title, found.date) == (title, date)
    assert found.sections == (Section("", "Text."),)


@pytest.mark.parametrize(
    "text",
    ["\nWe met at 9:30, and ate.\n\n", "\nNote: we ate.\n\n", "Note: we ate.\n\nAnd drank.\n\n"],
)
def test_text_between_two_rules_is_no_front_matter(tmp_path: Path, text: str) -> None:
    found = document(write(tmp_path / "a.md", f"---\n{text}---\n\nText.\n"))
    assert found.sections == (Section("", f"{text.strip()}\n\nText."),)


def test_an_indented_paragraph_of_prose_is_no_code(tmp_path: Path) -> None:
    text = "Dear diary\n\n    docker build -t mine .\n\n\tToday I went out (at last). It was “nice.”\n\tReally.\n\n    x = go(1)\n    y.stop()\n"
    found = document(write(tmp_path / "a.md", text))
    assert found.sections == (
        Section("", "Dear diary\n\nToday I went out (at last). It was “nice.” Really."),
    )


# HTML

HTML = """<!DOCTYPE html><html><head><title>Garden &amp; House</title>
<meta name="author" content="Ann Lee"><meta name="date" content="2024-05-06">
<style>p { color: red }</style></head><body>
<nav><a href="/">Home</a><a href="/more">More</a></nav>
<main><h1>Garden</h1>
<p>The garden behind the house has two old apple trees and a pond with a small wooden bridge.</p>
<h2>Roses</h2>
<p>The roses were planted in 1987 by the grandmother, who liked the white ones most of all.</p>
<ul><li>Water them on Monday</li><li>Cut them in March</li></ul>
<table><tr><th>Plant</th><th>Height</th></tr><tr><td>Rose</td><td>2 m</td></tr></table>
<script>alert("no")</script></main>
<footer>Copyright nobody</footer></body></html>"""


def test_html(tmp_path: Path) -> None:
    page = document(write(tmp_path / "a.html", HTML))
    assert (page.title, page.author, page.date) == ("Garden & House", "Ann Lee", "2024-05-06")
    assert [section.heading for section in page.sections] == ["Garden", "Garden › Roses"]
    roses = page.sections[1].text
    assert roses.startswith("The roses were planted in 1987")
    assert "Water them on Monday\nCut them in March" in roses
    assert "Plant: Rose; Height: 2 m" in roses
    everything = "".join(section.text for section in page.sections)
    assert "alert" not in everything
    assert "color" not in everything


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.html", "<html><body>"),
        ("a.md", ""),
        (
            "a.eml",
            "From: a@example.org\nMessage-ID: <1@x>\nContent-Type: text/html; charset=utf-8\n\n",
        ),
    ],
)
def test_how_letters_are_read_does_not_stand_in_the_sentence(
    tmp_path: Path, name: str, head: str
) -> None:
    text = "<p>これは<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>です。<ruby>東京<rt>とうきょう</rt></ruby>へ。</p>"
    (section,) = document(write(tmp_path / name, head + text)).sections
    assert section.text == "これは漢字です。東京へ。"


def test_markdown_that_tells_of_ruby_loses_nothing(tmp_path: Path) -> None:
    text = "The `<ruby>` element and `<rt>` in it.\n\nMore words.\n\nThen `<b>`.\n"
    (section,) = document(write(tmp_path / "a.md", text)).sections
    assert section.text == text.replace("`", "").strip()


def test_html_in_its_declared_character_set(tmp_path: Path) -> None:
    markup = '<html><head><meta charset="iso-8859-2"></head><body><p>Příliš žluťoučký kůň.</p>'
    page = document(write(tmp_path / "a.html", markup.encode("iso-8859-2")))
    assert page.sections[0].text == "Příliš žluťoučký kůň."


def test_deeply_nested_html_ends_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.html", "<html>" + "<div>" * 50_000 + "x")
    try:
        list(read(path))
    except UnreadableSource as error:
        assert "\n" not in str(error)  # noqa: PT017 (either outcome is fine, a long one is not)


# Word

WORD_NAMES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>The Plan</dc:title>'
    "<dc:creator>Ann Lee</dc:creator><dcterms:created>2024-03-01T10:00:00Z</dcterms:created>"
    "</cp:coreProperties>"
)
STYLES = f"""<w:styles {WORD_NAMES}>
<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style></w:styles>"""


def word_paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def word_file(
    path: Path, body: str, head: str = "", core: str = CORE, notes: str = "", styles: str = STYLES
) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        xml = f"<w:document {WORD_NAMES}><w:body>{body}</w:body></w:document>"
        archive.writestr("word/document.xml", head + xml)
        archive.writestr("word/styles.xml", styles)
        if notes:
            archive.writestr("word/footnotes.xml", notes)
        if core:
            archive.writestr("docProps/core.xml", core)
    return path


def test_word(tmp_path: Path) -> None:
    cells = "".join(f"<w:tc>{word_paragraph(x)}</w:tc>" for x in ("Name", "Age"))
    values = "".join(f"<w:tc>{word_paragraph(x)}</w:tc>" for x in ("Ann", "41"))
    body = (
        word_paragraph("Plan", '<w:pStyle w:val="berschrift1"/>')
        + "<w:p><w:r><w:t>We go </w:t></w:r><w:del><w:r><w:delText>by car</w:delText></w:r>"
        "</w:del><w:ins><w:r><w:t>by train.</w:t></w:r></w:ins></w:p>"
        + word_paragraph("Costs", '<w:pStyle w:val="berschrift2"/>')
        + word_paragraph("Tickets", "<w:numPr/>")
        + word_paragraph("Food", "<w:numPr/>")
        + f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{values}</w:tr></w:tbl>"
        + "<w:p><mc:AlternateContent><mc:Choice><w:r><w:t>Once.</w:t></w:r></mc:Choice>"
        "<mc:Fallback><w:r><w:t>Twice.</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>"
    )
    path = word_file(tmp_path / "a.docx", body)
    assert detect(path) == "docx"
    assert document(path) == Document(
        title="The Plan",
        author="Ann Lee",
        date="2024-03-01T10:00:00Z",
        sections=(
            Section("Plan", "We go by train."),
            Section("Plan › Costs", "Tickets\nFood\n\nName: Ann; Age: 41\n\nOnce."),
        ),
    )


def test_word_without_properties_takes_its_first_heading(tmp_path: Path) -> None:
    body = word_paragraph("Plan", '<w:pStyle w:val="berschrift1"/>') + word_paragraph("x")
    assert document(word_file(tmp_path / "a.docx", body, core="")).title == "Plan"


def test_word_with_contents_outline_and_notes(tmp_path: Path) -> None:
    styles = STYLES.replace(
        "</w:styles>",
        '<w:style w:styleId="Verzeichnis1"><w:name w:val="toc 1"/></w:style>'
        '<w:style w:styleId="a"><w:name w:val="TOC Heading"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr>'
        "</w:style></w:styles>",
    )
    notes = (
        f'<w:footnotes {WORD_NAMES}><w:footnote w:type="separator" w:id="-1">'
        '<w:p><w:r><w:separator/></w:r></w:p></w:footnote><w:footnote w:id="2">'
        "<w:p><w:r><w:footnoteRef/></w:r><w:r><w:t> by rail</w:t></w:r></w:p></w:footnote>"
        "</w:footnotes>"
    )
    body = (
        word_paragraph("Contents", '<w:pStyle w:val="a"/>')
        + word_paragraph("Plan 1", '<w:pStyle w:val="Verzeichnis1"/>')
        + word_paragraph("Plan", '<w:outlineLvl w:val="0"/>')
        + '<w:p><w:r><w:t>We go</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r>'
        "<w:r><w:t>.</w:t></w:r></w:p>"
        + word_paragraph("Costs", '<w:outlineLvl w:val="1"/>')
        + word_paragraph("Much.", '<w:outlineLvl w:val="9"/>')
    )
    path = word_file(tmp_path / "a.docx", body, notes=notes, styles=styles)
    assert document(path).sections == (
        Section("Plan", "We go (by rail)."),
        Section("Plan › Costs", "Much."),
    )


def test_hostile_word_files(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    path = word_file(tmp_path / "a.docx", word_paragraph("&b;"), head=bomb)
    assert reason(path) == "XML in it that is not safe to read"
    path = word_file(tmp_path / "b.docx", "<w:p>")
    assert reason(path).startswith("broken XML in it: mismatched tag")
    path = word_file(tmp_path / "c.docx", word_paragraph("a" * 20 * 2**20))
    assert "times its size" in reason(path)
    path = word_file(tmp_path / "d.docx", "<w:sdt>" * 20_000 + "</w:sdt>" * 20_000)
    assert reason(path) == "no text in it"


def test_a_damaged_member(tmp_path: Path) -> None:
    path = word_file(tmp_path / "a.docx", word_paragraph("some words " * 50))
    data = bytearray(path.read_bytes())
    data[60:80] = bytes(20)
    assert reason(write(path, bytes(data))).startswith("not a readable zip")


def test_members_are_capped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", "x" * 1000)
    with open_zip(tmp_path / "a.zip") as archive, pytest.raises(UnreadableSource):
        open_member(archive, "a", largest_bytes=999)


# PDF


def pdf_bytes(pages: list[list[str]], title: str = "", large: tuple[str, ...] = ()) -> bytes:
    """A PDF written by hand: one font, and a line of text every 14 points."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (len(pages), b" ".join(b"%d 0 R" % (5 + 2 * i) for i in range(len(pages)))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (%s) /CreationDate (D:20240301120000Z) >>" % title.encode(),
    ]
    for i, lines in enumerate(pages):
        shown = b" ".join(
            b"/F1 %d Tf (%s) Tj T*" % (16 if line in large else 10, line.encode()) for line in lines
        )
        stream = b"BT 14 TL 50 780 Td %s ET" % shown
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (6 + 2 * i)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    trailer = b"trailer << /Size %d /Root 1 0 R /Info 4 0 R >>" % count
    start = len(out)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s%s\nstartxref\n%d\n%%%%EOF" % (
        count,
        table,
        trailer,
        start,
    )


BODY = [
    "The ship left the harbour of Lisbon on the ninth of June with a crew of forty and a re-",
    "markable load of cork, which was meant for the wine makers of the northern coast. It was",
    "late.",
]


def test_pdf(tmp_path: Path) -> None:
    endings = (BODY[1:], ["No one was", "ill."], ["They", "came home."])
    pages = [["The Voyage", BODY[0], *end, f"Page {n}"] for n, end in enumerate(endings)]
    pages[1][1:2], pages[2][1:2] = ["The sea was calm and"], ["In August"]
    path = write(tmp_path / "a.pdf", pdf_bytes(pages, title="A Voyage"))
    voyage = document(path)
    assert (voyage.title, voyage.date) == ("A Voyage", "2024-03-01")
    text = voyage.sections[0].text
    assert "The Voyage" not in text
    assert "Page" not in text
    assert "a remarkable load of cork" in text
    assert "northern coast. It was late." in text


def test_larger_lines_of_a_pdf_are_headings(tmp_path: Path) -> None:
    lines = ["The Voyage", *BODY, "The Way Home", "They came home.", *BODY]
    plain = pdf_bytes([lines], large=("The Voyage", "The Way Home"))
    sections = document(write(tmp_path / "a.pdf", plain)).sections
    assert [section.heading for section in sections] == ["The Voyage", "The Way Home"]
    assert sections[1].text.startswith("They came home.")


def test_bookmarks_of_a_pdf_are_headings(tmp_path: Path) -> None:
    plain = pdf_bytes([["Part", "The Voyage", *BODY], ["The Way Home", *BODY]])
    root = b"<< /Type /Catalog /Outlines 20 0 R"
    marks = (
        b"20 0 obj << /First 21 0 R /Last 21 0 R >> endobj "
        b"21 0 obj << /Title (Part) /Parent 20 0 R /Dest [5 0 R /Fit] /First 22 0 R /Last 23 0 R "
        b"/Count 2 >> endobj "
        b"22 0 obj << /Title (The Voyage) /Parent 21 0 R /Dest [5 0 R /Fit] /Next 23 0 R >> endobj "
        b"23 0 obj << /Title (The Way Home) /Parent 21 0 R /Dest [7 0 R /Fit] >> endobj "
    )
    # Without its table a PDF is searched for its objects.
    body = plain.replace(b"<< /Type /Catalog", root).partition(b"xref\n")[0]
    path = write(tmp_path / "a.pdf", body + marks + b"trailer << /Root 1 0 R >>")
    headings = [section.heading for section in document(path).sections]
    assert headings == ["Part › The Voyage", "Part › The Way Home"]


def test_page_numbers_and_headers_of_left_and_right_pages(tmp_path: Path) -> None:
    seen = ["land", "birds", "a sail", "ice", "whales", "nothing"]
    pages = [
        [
            "A Book of Ships" if n % 2 else "The Northern Coast",
            f"The watch saw {what} in the morning and the captain wrote it down.",
            f"In the evening nobody spoke of {what} any more, for the wind had turned.",
            f"So they forgot {what}.",
            f"Seite {n} von 6",
        ]
        for n, what in enumerate(seen, 1)
    ]
    (section,) = document(write(tmp_path / "a.pdf", pdf_bytes(pages))).sections
    assert all(f"So they forgot {what}." in section.text for what in seen)
    for gone in ("Book of Ships", "The Northern Coast", "Seite"):
        assert gone not in section.text


def test_a_pdf_without_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", pdf_bytes([[]]))
    assert reason(path) == "no text in the PDF: probably pictures of scanned pages"


def test_a_truncated_pdf(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", pdf_bytes([BODY])[:300])
    assert reason(path).startswith("not a readable PDF")


def test_a_title_that_a_program_made_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "trip.pdf", pdf_bytes([BODY], title="Microsoft Word - x.doc"))
    assert document(path).title == "trip"


# ChatGPT


def node(name: str, parent: str | None, message: dict[str, Any] | None) -> dict[str, Any]:
    return {"id": name, "parent": parent, "children": [], "message": message}


def said(role: str, text: str | list[Any], **more: Any) -> dict[str, Any]:
    return {
        "author": {"role": role},
        "create_time": 1700000000.5,
        "recipient": "all",
        "metadata": {},
        "content": {"content_type": "text", "parts": [text] if isinstance(text, str) else text},
        **more,
    }


def conversation(title: str = "Trip") -> dict[str, Any]:
    code = {"content_type": "code", "text": "search()"}
    thoughts = {"content_type": "thoughts", "thoughts": []}
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}
    aloud = {"content_type": "audio_transcription", "text": "What is this?", "direction": "in"}
    seen = {"content_type": "multimodal_text", "parts": [picture, aloud]}
    chain = [
        ("root", None),
        ("system", said("system", "Be kind.")),
        ("hidden", said("user", "x", metadata={"is_visually_hidden_from_conversation": True})),
        ("q1", said("user", "Where is Oslo?")),
        ("call", said("assistant", "", content=code, recipient="web")),
        ("to_tool", said("assistant", "{}", recipient="dalle.text2im")),
        ("tool", said("tool", "results")),
        ("thinks", said("assistant", "", content=thoughts)),
        ("analysis", said("assistant", "They ask for a city.", channel="analysis")),
        ("about", said("user", "I am Ann.", metadata={"is_user_system_message": True})),
        ("a1", said("assistant", "\ue203In Norway.\ue204 \ue200cite\ue202turn0search1\ue201")),
        ("q2", said("user", "", content=seen)),
        ("a2", said("assistant", "A fish.", create_time=None)),
    ]
    mapping = {}
    parent = None
    for name, message in chain:
        mapping[name] = node(name, parent, message)
        if parent:
            mapping[parent]["children"].append(name)
        parent = name
    mapping["other"] = node("other", "q1", said("assistant", "In Sweden.", create_time=1.8e9))
    mapping["q1"]["children"].append("other")
    return {
        "title": title,
        "create_time": 1700000000.123,
        "mapping": mapping,
        "current_node": "a2",
        "conversation_id": "abc-1",
    }


EXPECTED = [
    ("user", "Where is Oslo?"),
    ("assistant", "In Norway."),
    ("user", "What is this?"),
    ("assistant", "A fish."),
]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("In Norway.【12†source】【5:0†a.pdf】【turn0search0】", "In Norway."),
        ("In Norway \ue200cite\ue202turn0search1\ue202turn0news2", "In Norway"),
        ("In Norway:contentReference[oaicite:0]{index=0}.", "In Norway."),
        ("【重要】見てください", "【重要】見てください"),
    ],
)
def test_references_of_chatgpt_go_and_brackets_stay(
    tmp_path: Path, written: str, shown: str
) -> None:
    content = {"content_type": "text", "parts": [written]}
    message = {"author": {"role": "assistant"}, "content": content}
    talk = {"title": "T", "current_node": "a", "mapping": {"a": {"message": message}}}
    (found,) = conversations(write(tmp_path / "conversations.json", json.dumps([talk])))
    assert found.messages[0].text == shown


@pytest.mark.parametrize("form", ["array", "one", "zip", "numbered zip", "mark"])
def test_chatgpt(tmp_path: Path, form: str) -> None:
    raw = json.dumps(conversation() if form == "one" else [conversation()])
    path = tmp_path / ("export.zip" if "zip" in form else "conversations.json")
    if "zip" in form:
        folder, number = ("", "") if form == "zip" else ("export/", "-000")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{folder}chat.html", "<html>")
            archive.writestr(f"{folder}conversations{number}.json", raw)
    else:
        write(path, ("\ufeff" if form == "mark" else "") + raw)
    assert detect(path) == "chatgpt"
    (talk,) = conversations(path)
    assert (talk.title, talk.external_id) == ("Trip", "abc-1")
    assert talk.started_at == "2023-11-14T22:13:20+00:00"
    assert [(m.role, m.text) for m in talk.messages] == EXPECTED
    assert [(m.role, m.text) for m in talk.alternatives] == [("assistant", "In Sweden.")]
    assert talk.messages[0].created_at == "2023-11-14T22:13:20+00:00"
    assert talk.messages[-1].created_at is None


def test_half_a_letter_does_not_reach_the_database(tmp_path: Path) -> None:
    raw = conversation("Half \ud83e")
    raw["mapping"]["a2"]["message"] = said("assistant", "Half \ud83e.")
    (talk,) = conversations(write(tmp_path / "a.json", json.dumps([raw])))
    assert talk.title.encode().startswith(b"Half")
    assert talk.messages[-1].text.encode().startswith(b"Half")


def test_chatgpt_without_current_node_takes_the_newest_end(tmp_path: Path) -> None:
    raw = conversation()
    del raw["current_node"]
    (talk,) = conversations(write(tmp_path / "a.json", json.dumps([raw])))
    assert talk.messages[-1].text == "In Sweden."


def test_chatgpt_with_damage_inside(tmp_path: Path) -> None:
    loop = conversation("Loop")
    loop["mapping"]["root"]["parent"] = "a2"
    odd = conversation("Odd")
    odd["mapping"]["a1"]["message"] = {"author": None, "content": "x"}
    odd["mapping"]["q2"] = None
    bad = {"title": 3, "mapping": {"a": {"message": said("user", "hi")}}, "current_node": "a"}
    path = write(tmp_path / "a.json", json.dumps([loop, odd, bad, "x", None]))
    titles = [talk.title for talk in conversations(path)]
    assert titles == ["Loop", "Odd", "Untitled conversation"]


def test_chatgpt_that_was_cut_off_says_where(tmp_path: Path) -> None:
    raw = json.dumps([conversation(), conversation("Second")], indent=1)
    path = write(tmp_path / "conversations.json", raw[:-40])
    items = read(path)
    assert getattr(next(items), "title", None) == "Trip"
    assert "broken JSON" in reason(path)
    assert f"at line {raw[:-40].count(chr(10)) + 1} column" in reason(path)


def test_a_large_export_is_streamed(tmp_path: Path) -> None:
    raw = json.dumps(conversation())
    path = write(tmp_path / "conversations.json", "[" + ",".join([raw] * 3000) + ", broken")
    items = read(path)
    for _ in range(2000):
        next(items)
    with pytest.raises(UnreadableSource):
        list(items)


# Messages, one chat a line


def test_messages_jsonl(tmp_path: Path) -> None:
    lines = [
        {
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "What is the capital of the far northern kingdom?"},
                {"role": "assistant", "content": [{"type": "text", "text": "Oslo."}]},
            ],
            "id": 7,
            "created_at": "2024-01-02T03:04:05Z",
        },
        {
            "title": "Second",
            "messages": [
                {"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "x"}]},
                {"role": "assistant", "content": None, "tool_calls": []},
                {"role": "tool", "content": "results"},
            ],
        },
        {"messages": []},
    ]
    path = write(tmp_path / "a.jsonl", "\n\n".join(map(json.dumps, lines)) + "\n")
    first, second = conversations(path)
    question = "What is the capital of the far northern kingdom?"
    assert (first.title, [m.text for m in first.messages]) == ("", [question, "Oslo."])
    assert (first.external_id, first.started_at) == ("7", "2024-01-02T03:04:05+00:00")
    assert (second.title, [m.text for m in second.messages]) == ("Second", ["x"])


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ('{"messages": [', "broken JSON: Expecting value at line 2 column 15"),
        ('{"other": 1}', "no messages at line 2"),
        ("[" * 100_000, "broken JSON at line 2"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, second: str, expected: str) -> None:
    good = '{"messages": [{"role": "user", "content": "hi"}]}'
    assert reason(write(tmp_path / "a.jsonl", f"{good}\n{second}\n")) == expected


# Other people's files


@needs_data
@pytest.mark.parametrize(
    ("name", "n_messages"),
    [
        ("amazon-nova-model-strengths", 2),
        ("csv-data-analysis-insights", 2),
        ("india-map-with-khargone", 14),
        ("karunanidhi-political-family-overview", 2),
        ("node-js-network-libraries", 4),
        ("seoul-weather-early-october", 2),
    ],
)
def test_real_chatgpt_conversations(name: str, n_messages: int) -> None:
    path = real(f"chat_exports/openai-conversations_MIT/samples/{name}.json")
    (talk,) = conversations(path)
    assert len(talk.messages) == n_messages
    assert {m.role for m in talk.messages} == {"user", "assistant"}
    assert not any("\ue200" <= letter <= "\ue20f" for m in talk.messages for letter in m.text)
    assert not any(m.text.startswith("{") for m in talk.messages)


@needs_data
@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("docling_MIT/docx/sources/word_sample.docx", "Let’s swim! › Let’s eat"),
        ("docling_MIT/docx/sources/word_tables.docx", "Header 0.0: Cell 1.0"),
        ("markitdown_MIT/test.docx", "AutoGen is an open-source framework"),
        ("docling_MIT/pdf/sources/multi_page.pdf", "Patented in 1868 by Christopher Latham"),
        ("markitdown_MIT/test.pdf", "becoming a crucial building block in developing powerful"),
        ("markitdown_MIT/test_blog.html", "Large language models (LLMs) are powerful tools"),
        ("docling_MIT/html/sources/wiki_duck.html", "common name for numerous species"),
        ("docling_MIT/md/sources/wiki.md", "nicknamed Big Blue"),
        ("unstructured_Apache/book-war-and-peace-1p.txt", "I warn you, if you don't tell me that"),
        ("unstructured_Apache/fake-text-utf-16-be.txt", "Hamburgers are delicious"),
        ("unstructured_Apache/umlauts-non-utf8.md", "äöüß"),
    ],
)
def test_real_documents(name: str, phrase: str) -> None:
    found = document(real(f"documents/formats/{name}"))
    assert phrase in "\n".join(f"{s.heading}\n{s.text}" for s in found.sections)


@needs_data
def test_a_real_copy_protected_pdf() -> None:
    path = real("documents/formats/unstructured_Apache/pdf/copy-protected.pdf")
    assert reason(path) == "a PDF protected against copying"


@needs_data
def test_headings_that_were_lost_are_found_again() -> None:
    headings = [s.heading for s in document(real("documents/sqlite/wal.html")).sections]
    assert "2. How WAL Works › 2.2. Concurrency" in headings


@needs_data
def test_every_real_file_is_read_or_refused_in_one_line() -> None:
    """Most are read; that a parser fails in a way that nobody listed is no refusal."""
    n_read, refused = 0, {}
    for folder in ("documents/formats", "chat_exports"):
        for path in sorted(p for p in (DATA / folder).rglob("*") if p.is_file()):
            try:
                list(read(path))
                n_read += 1
            except UnreadableSource as error:
                refused[path] = str(error)
    assert [path for path, why in refused.items() if "\n" in why or "broke the reader" in why] == []
    assert n_read >= 200
    assert len(refused) < 30
