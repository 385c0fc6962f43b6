"""Office files, books, notebooks, tables and light markup: small ones made here, and hostile ones."""

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from learnctl.memory.errors import UnreadableSource
from learnctl.memory.readers import detect, read
from learnctl.memory.records import Document, Section


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zipped(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            stored = zipfile.ZIP_STORED if name == "mimetype" else None
            archive.writestr(name, text, compress_type=stored)
    return path


def document(path: Path) -> Document:
    (item,) = read(path)
    assert isinstance(item, Document)
    return item


def sections(path: Path) -> list[tuple[str, str]]:
    return [(section.heading, section.text) for section in document(path).sections]


def reason(path: Path) -> str:
    with pytest.raises(UnreadableSource) as caught:
        list(read(path))
    return str(caught.value)


RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>The Plan</dc:title>'
    "<dc:creator>Ann Lee</dc:creator><dcterms:created>2024-03-01T10:00:00Z</dcterms:created>"
    "</cp:coreProperties>"
)
FACTS = ("The Plan", "Ann Lee", "2024-03-01T10:00:00Z")


def facts(path: Path) -> tuple[str, str | None, str | None]:
    found = document(path)
    return found.title, found.author, found.date


def relations(*targets: tuple[str, str]) -> str:
    inner = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{RELATIONS}">{inner}</Relationships>'


# Excel

S = f'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{OFFICE}"'


def workbook(path: Path, rows: str, head: str = "") -> Path:
    sheets = (
        '<sheet name="Trips" sheetId="1" r:id="r1"/>'
        '<sheet name="Secret" sheetId="2" state="hidden" r:id="r2"/>'
    )
    styles = (
        '<numFmts><numFmt numFmtId="170" formatCode="d/m/yyyy\\ hh:mm"/></numFmts><cellXfs>'
        '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="9"/>'
        '<xf numFmtId="21"/></cellXfs>'
    )
    shared = (
        "<si><t>Place</t></si><si><r><t>Day </t></r><r><t>out</t></r></si>"
        "<si><t>東京</t><rPh><t>トウキョウ</t></rPh></si>"
    )
    return zipped(
        path,
        {
            "xl/workbook.xml": f"{head}<workbook {S}><sheets>{sheets}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": relations(
                ("worksheet", "worksheets/sheet1.xml"),
                ("worksheet", "/xl/worksheets/sheet1.xml"),
                ("sharedStrings", "sharedStrings.xml"),
                ("styles", "styles.xml"),
            ),
            "xl/sharedStrings.xml": f"<sst {S}>{shared}</sst>",
            "xl/styles.xml": f"<styleSheet {S}>{styles}</styleSheet>",
            "xl/worksheets/sheet1.xml": f"<worksheet {S}><sheetData>{rows}</sheetData></worksheet>",
            "docProps/core.xml": CORE,
        },
    )


def test_a_workbook(tmp_path: Path) -> None:
    rows = (
        '<row><c r="A1" t="inlineStr"><is><t>All trips</t></is></c></row>'
        '<row><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c>'
        '<c r="C2" t="inlineStr"><is><t>Cost</t></is></c><c r="D2" t="str"><v>Paid</v></c></row>'
        '<row><c r="A3" t="s"><v>2</v></c><c r="B3" s="1"><v>45415</v></c>'
        '<c r="C3"><v>0.30000000000000004</v></c><c r="D3" t="b"><v>1</v></c></row>'
        '<row><c r="B4" s="2"><v>45415.5</v></c><c r="C4" s="3"><v>0.25</v></c>'
        '<c r="D4" t="e"><v>#DIV/0!</v></c></row><row/>'
    )
    path = workbook(tmp_path / "a.xlsx", rows)
    assert detect(path) == "xlsx"
    assert facts(path) == FACTS
    assert sections(path) == [
        (
            "Trips",
            "All trips\n\nPlace: 東京; Day out: 2024-05-03; Cost: 0.3; Paid: yes\n\n"
            "Day out: 2024-05-03 12:00; Cost: 25%",
        )
    ]


def test_hostile_workbooks(tmp_path: Path) -> None:
    entity = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    assert "not safe to read" in reason(workbook(tmp_path / "a.xlsx", "<row/>", head=entity))
    assert "broken XML" in reason(workbook(tmp_path / "b.xlsx", "<row>"))
    far = '<row><c r="ZZZZZZZZZZ1"><v>1</v></c><c r="B1" t="s"><v>99999999999</v></c></row>'
    assert sections(workbook(tmp_path / "c.xlsx", far)) == [("Trips", "1")]
    assert (
        reason(write(tmp_path / "d.xlsx", "words"))
        == "not an Excel workbook, though its name says so"
    )


# Tables as text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Name,Age\nAnn,41\nBo,7\n", "Name: Ann; Age: 41\n\nName: Bo; Age: 7"),
        ('Name;Note\nAnn;"a; b\nc"\n', "Name: Ann; Note: a; b c"),
        ("Name\tAge\nAnn\t41\n", "Name: Ann; Age: 41"),
        ("sep=|\nName|Age\nAnn|41\n", "Name: Ann; Age: 41"),
        ("All of us,,\nName,Age,\nAnn,41,\n", "All of us\n\nName: Ann; Age: 41"),
        ("Item,2023,2024\nRent,500,510\n", "Item: Rent; 2023: 500; 2024: 510"),
        ("Ann,41,2024-05-03\nBo,7,2024-05-04\n", "Ann; 41; 2024-05-03\n\nBo; 7; 2024-05-04"),
        ("Milk\nBread, dark\nTea\n", "Milk\n\nBread, dark\n\nTea"),
        ("Name,Age\n", "Name; Age"),
        (
            "Name,Age\nAnn\n,,\nCy,8\nBo,7,tall\n",
            "Name: Ann\n\nName: Cy; Age: 8\n\nName: Bo; Age: 7; tall",
        ),
        ('Name,Note\nAnn,"never closed\nBo,x\n', "Name: Ann; Note: never closed Bo,x"),
    ],
)
def test_csv(tmp_path: Path, content: str, expected: str) -> None:
    path = write(tmp_path / "a.csv", content)
    assert detect(path) == "csv"
    assert document(path) == Document("a", (Section("", expected),))


def test_csv_whose_quote_is_never_closed(tmp_path: Path) -> None:
    lines = "".join(f"Ann{n},{n}\n" for n in range(3000))
    found = document(write(tmp_path / "a.csv", 'Name,Age\n"Bo,7\n' + lines)).sections[0].text
    assert found.endswith("Name: Ann2999; Age: 2999")


# PowerPoint

P = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    f'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="{OFFICE}"'
)


def shape(text: str, kind: str = "") -> str:
    placeholder = f'<p:nvPr><p:ph type="{kind}"/></p:nvPr>' if kind else "<p:nvPr/>"
    paragraphs = "".join(f"<a:p><a:r><a:t>{x}</a:t></a:r></a:p>" for x in text.split("|"))
    return f"<p:sp><p:nvSpPr>{placeholder}</p:nvSpPr><p:txBody>{paragraphs}</p:txBody></p:sp>"


def test_slides(tmp_path: Path) -> None:
    table = "".join(
        "<a:tr>"
        + "".join(f"<a:tc><a:p><a:r><a:t>{x}</a:t></a:r></a:p></a:tc>" for x in row)
        + "</a:tr>"
        for row in ("AB", "12")
    )
    frame = f"<p:graphicFrame><a:graphic><a:tbl>{table}</a:tbl></a:graphic></p:graphicFrame>"
    slides = {
        "slide1": shape("Trains", "title") + shape("They leave|at nine") + shape("3", "sldNum"),
        "slide2": f"<p:grpSp>{shape('Grouped')}</p:grpSp>{frame}" + shape("Ann Lee", "ftr"),
    }
    members = {
        f"ppt/slides/{name}.xml": f"<p:sld {P}>{inner}</p:sld>" for name, inner in slides.items()
    }
    members |= {
        "ppt/presentation.xml": f'<p:presentation {P}><p:sldIdLst><p:sldId r:id="r2"/>'
        '<p:sldId r:id="r1"/></p:sldIdLst></p:presentation>',
        "ppt/_rels/presentation.xml.rels": relations(
            ("slide", "slides/slide2.xml"), ("slide", "slides/slide1.xml")
        ),
        "ppt/slides/_rels/slide1.xml.rels": relations(("notesSlide", "../notesSlides/n.xml")),
        "ppt/notesSlides/n.xml": f"<p:notes {P}>{shape('Speak slowly', 'body')}</p:notes>",
        "docProps/core.xml": CORE,
    }
    path = zipped(tmp_path / "a.pptx", members)
    assert detect(path) == "pptx"
    assert facts(path) == FACTS
    assert sections(path) == [
        ("Trains", "They leave\nat nine\n\nSpeak slowly"),
        ("Slide 2", "Grouped\n\nA: 1; B: 2"),
    ]


# OpenDocument

ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "meta", "style", "manifest")
)


def odt(path: Path, body: str, manifest: str = "") -> Path:
    members = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": f"<office:document-content {ODF}><office:automatic-styles><style:style "
        'style:name="P1" style:parent-style-name="Title"/></office:automatic-styles>'
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>",
        "meta.xml": f'<office:document-meta {ODF} xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<office:meta><meta:initial-creator>Ann Lee</meta:initial-creator><dc:creator>Bo</dc:creator>"
        "<meta:creation-date>2024-03-01T10:00:00Z</meta:creation-date></office:meta>"
        "</office:document-meta>",
    }
    if manifest:
        members["META-INF/manifest.xml"] = (
            f"<manifest:manifest {ODF}>{manifest}</manifest:manifest>"
        )
    return zipped(path, members)


def test_open_document(tmp_path: Path) -> None:
    def row(*cells: str) -> str:
        inner = "".join(f"<table:table-cell><text:p>{x}</text:p></table:table-cell>" for x in cells)
        return f"<table:table-row>{inner}</table:table-row>"

    body = (
        '<text:p text:style-name="P1">The Plan</text:p>'
        "<text:table-of-content><text:p>Travel 1</text:p></text:table-of-content>"
        '<text:h text:outline-level="1">Travel</text:h>'
        '<text:p>We<text:s text:c="2"/>go <text:span>by</text:span> train'
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>slow</text:p>"
        "</text:note-body></text:note>.<office:annotation><text:p>no!</text:p></office:annotation>"
        '</text:p><text:h text:outline-level="2">Costs</text:h>'
        "<text:list><text:list-item><text:p>Tickets</text:p></text:list-item>"
        "<text:list-item><text:p>Food</text:p></text:list-item></text:list>"
        f"<table:table><table:table-header-rows>{row('Name', 'Age')}</table:table-header-rows>"
        f"{row('Ann', '41')}</table:table>"
    )
    path = odt(tmp_path / "a.odt", body)
    assert detect(path) == "odt"
    assert facts(path) == FACTS
    assert sections(path) == [
        ("Travel", "We go by train (slow)."),
        ("Travel › Costs", "Tickets\nFood\n\nName: Ann; Age: 41"),
    ]


def test_open_document_with_a_password(tmp_path: Path) -> None:
    entry = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    path = odt(tmp_path / "a.odt", "<text:p>x</text:p>", manifest=entry)
    assert reason(path) == "an OpenDocument file protected by a password"


# Merged cells: `Score` stands over two columns, `Ann` beside two rows, `5` reaches over both scores.

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def _word_table(path: Path) -> Path:
    def row(*cells: tuple[str, str]) -> str:
        inner = "".join(
            f"<w:tc><w:tcPr>{merge}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"
            for text, merge in cells
        )
        return f"<w:tr>{inner}</w:tr>"

    wide, begins, goes_on = (
        '<w:gridSpan w:val="2"/>',
        '<w:vMerge w:val="restart"/>',
        "<w:vMerge/>",
    )
    body = (
        row(("Name", ""), ("Score", wide), ("City", ""))
        + row(("Ann", begins), ("1", ""), ("2", ""), ("Rome", ""))
        + row(("", goes_on), ("3", ""), ("4", ""), ("Bonn", ""))
        + row(("Bo", ""), ("5", wide), ("Oslo", ""))
        + row(("6", ""), ("7", ""), ("Kiel", "")).replace(
            "<w:tr>", '<w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>'
        )
    )
    document_xml = f'<w:document xmlns:w="{W}"><w:body><w:tbl>{body}</w:tbl></w:body></w:document>'
    return zipped(path.with_suffix(".docx"), {"word/document.xml": document_xml})


def _open_table(path: Path) -> Path:
    def row(*cells: str) -> str:
        inner = "".join(
            "<table:covered-table-cell/>"
            if cell == "covered"
            else f"<table:table-cell {cell.partition('>')[0]}><text:p>{cell.partition('>')[2]}"
            "</text:p></table:table-cell>"
            for cell in cells
        )
        return f"<table:table-row>{inner}</table:table-row>"

    wide, high = 'table:number-columns-spanned="2"', 'table:number-rows-spanned="2"'
    body = (
        row(">Name", f"{wide}>Score", "covered", ">City")
        + row(f"{high}>Ann", ">1", ">2", ">Rome")
        + row("covered", ">3", ">4", ">Bonn")
        + row(">Bo", f"{wide}>5", "covered", ">Oslo")
        + row(">", ">6", ">7", ">Kiel")
    )
    return odt(path.with_suffix(".odt"), f"<table:table>{body}</table:table>")


def _slide_table(path: Path) -> Path:
    def row(*cells: str) -> str:
        inner = "".join(
            f"<a:tc {cell.partition('>')[0]}><a:p><a:r><a:t>{cell.partition('>')[2]}"
            "</a:t></a:r></a:p></a:tc>"
            for cell in cells
        )
        return f"<a:tr>{inner}</a:tr>"

    wide, covered = 'gridSpan="2"', 'hMerge="1">'
    table = (
        row(">Name", f"{wide}>Score", covered, ">City")
        + row('rowSpan="2">Ann', ">1", ">2", ">Rome")
        + row('vMerge="1">', ">3", ">4", ">Bonn")
        + row(">Bo", f"{wide}>5", covered, ">Oslo")
        + row(">", ">6", ">7", ">Kiel")
    )
    frame = f"<p:graphicFrame><a:graphic><a:tbl>{table}</a:tbl></a:graphic></p:graphicFrame>"
    members = {
        "ppt/presentation.xml": f'<p:presentation {P}><p:sldIdLst><p:sldId r:id="r1"/></p:sldIdLst>'
        "</p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(("slide", "slides/slide1.xml")),
        "ppt/slides/slide1.xml": f"<p:sld {P}>{frame}</p:sld>",
    }
    return zipped(path.with_suffix(".pptx"), members)


def _mail_table(path: Path) -> Path:
    table = (
        "<table><tr><th>Name</th><th colspan=2>Score</th><th>City</th></tr>"
        "<tr><td rowspan=2>Ann</td><td>1</td><td>2</td><td>Rome</td></tr>"
        "<tr><td>3</td><td>4</td><td>Bonn</td></tr>"
        "<tr><td>Bo</td><td colspan=2>5</td><td>Oslo</td></tr>"
        "<tr><td></td><td>6</td><td>7</td><td>Kiel</td></tr></table>"
    )
    head = "From: a@example.org\nSubject: s\nMessage-ID: <1@x>\nContent-Type: text/html\n\n"
    return write(path.with_suffix(".eml"), head + table)


@pytest.mark.parametrize("table", [_word_table, _open_table, _slide_table, _mail_table])
def test_merged_cells_leave_the_others_in_their_columns(
    tmp_path: Path, table: Callable[[Path], Path]
) -> None:
    ((_, text),) = sections(table(tmp_path / "a"))
    assert text.split("\n") == [
        "Name: Ann; Score: 1; Score: 2; City: Rome",
        "Name: Ann; Score: 3; Score: 4; City: Bonn",
        "Name: Bo; Score: 5; City: Oslo",
        "Score: 6; Score: 7; City: Kiel",
    ]


def test_a_cell_that_reaches_over_a_million_columns(tmp_path: Path) -> None:
    table = "<table><tr><th>A</th><th colspan=99999999999>B</th></tr><tr><td>1</td><td>2</td></tr></table>"
    head = "From: a@example.org\nSubject: s\nMessage-ID: <1@x>\nContent-Type: text/html\n\n"
    assert sections(write(tmp_path / "a.eml", head + table)) == [("", "A: 1; B: 2")]


def _mail(path: Path, table: str) -> Path:
    head = "From: a@example.org\nSubject: s\nMessage-ID: <1@x>\nContent-Type: text/html\n\n"
    return write(path / "a.eml", f"{head}<table><tr><th>A</th><th>B</th></tr>{table}</table>")


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ("<tbody><tr><td rowspan=5>1</td><td>2</td></tr></tbody><tbody>", "A: x; B: y"),
        ("<tr><td rowspan=3>1</td><td rowspan=3>2</td></tr><tr></tr><tr></tr>", "A: x; B: y"),
        ("<tr><td>1</td><td rowspan=2>2</td></tr><tr><td colspan=2>3</td></tr>", "A: x; B: y"),
    ],
)
def test_cells_reach_no_farther_than_they_should(tmp_path: Path, rows: str, last: str) -> None:
    ((_, text),) = sections(_mail(tmp_path, f"{rows}<tr><td>x</td><td>y</td></tr>"))
    first, *others = text.split("\n")
    assert first == "A: 1; B: 2"
    assert others[-1] == last
    assert others[:-1] in ([], ["A: 3"])


def test_a_small_table_does_not_grow_for_ever(tmp_path: Path) -> None:
    wide = "<td colspan=1000 rowspan=1000>x</td>" * 1000
    long = f"<td rowspan=1000>{'words ' * 1000}</td><td>1</td>"
    began = time.monotonic()
    for first in (wide, long):
        ((_, text),) = sections(_mail(tmp_path, f"<tr>{first}</tr>" + "<tr><td>2</td></tr>" * 999))
        assert len(text) < 200_000
    assert time.monotonic() - began < 20


# RTF


def test_rich_text(tmp_path: Path) -> None:
    rtf = (
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fnil Arial;}{\f1\fcharset204 Arial;}}"
        r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}{\s2\sbasedon1 heading 2;}}"
        r"{\info{\title The Pl\'e4n}{\author Ann Lee}{\creatim\yr2024\mo3\dy1\hr10}}"
        r"{\header Page header\par}{\*\unknown hidden}{\pict 89504e47}"
        "\n"
        r"\pard\s1 Travel\par\pard We go {\b by} train\emdash fast.\line Gr\'fc\u223 ?e {\v secret}"
        r"{\f1 \'cf\'f0}\u-10179 ?\u-8704 ?.\par"
        r"\pard\s2{Costs}\par\pard\plain{\listtext 1.}\ls1 Tickets\par\ls1 Food\par"
        r"\pard\trowd\intbl Name\cell Age\cell\row\intbl Ann\cell 41\cell\row\pard "
        r"{\field{\*\fldinst HYPERLINK x}{\fldrslt The end}}\par}"
    )
    path = write(tmp_path / "a.rtf", rtf)
    assert detect(path) == "rtf"
    assert facts(path) == ("The Plän", "Ann Lee", "2024-03-01")
    assert sections(path) == [
        ("Travel", "We go by train—fast.\nGrüße Пр😀."),
        ("Travel › Costs", "Tickets\nFood\n\nName: Ann; Age: 41\n\nThe end"),
    ]


@pytest.mark.parametrize(
    "rtf", [r"{\rtf1 words \u", r"{\rtf1" + "{" * 100_000 + "words", r"{\rtf1 words}}}}\bin99999 x"]
)
def test_broken_rich_text_gives_what_it_has(tmp_path: Path, rtf: str) -> None:
    assert "words" in document(write(tmp_path / "a.rtf", rtf)).sections[0].text


# EPUB

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>'
)
PACKAGE = (
    '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<metadata><dc:title>The Plan</dc:title><dc:creator>Ann Lee</dc:creator>"
    "<dc:date>2024-03-01T10:00:00Z</dc:date></metadata><manifest>"
    '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
    '<item id="one" href="text/a%20b.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="css" href="a.css" media-type="text/css"/></manifest>'
    '<spine><itemref idref="nav"/><itemref idref="two"/><itemref idref="one"/>'
    '<itemref idref="gone"/></spine></package>'
)
XHTML = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head>'


def book(path: Path, **more: str) -> Path:
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/content.opf": PACKAGE,
        "OEBPS/nav.xhtml": '<html><body><nav><a href="text/a%20b.xhtml#x">The way home</a></nav>',
        "OEBPS/text/a b.xhtml": XHTML + "<title/></head><body><p>They&nbsp;came home.</p></body>",
        "OEBPS/text/two.xhtml": XHTML
        + "<title>x</title></head><body><h1>Travel</h1><p>We go<br/>by train.</p>"
        "<h2>Costs</h2><ul><li>Tickets</li><li>Food</li></ul><script>no()</script></body></html>",
    }
    return zipped(path, members | more)


def test_a_book_in_the_order_of_its_spine(tmp_path: Path) -> None:
    path = book(tmp_path / "a.epub")
    assert detect(path) == "epub"
    assert facts(path) == FACTS
    assert sections(path) == [
        ("Travel", "We go\nby train."),
        ("Travel › Costs", "Tickets\nFood"),
        ("The way home", "They came home."),
    ]


def test_a_protected_book(tmp_path: Path) -> None:
    encryption = (
        '<encryption xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptedData>'
        '<e:EncryptionMethod Algorithm="{}"/></e:EncryptedData></encryption>'
    )
    locked = encryption.format("http://www.w3.org/2001/04/xmlenc#aes256-cbc")
    path = book(tmp_path / "a.epub", **{"META-INF/encryption.xml": locked})
    assert reason(path) == "a book protected against copying"
    fonts = encryption.format("http://www.idpf.org/2008/embedding")
    path = book(tmp_path / "b.epub", **{"META-INF/encryption.xml": fonts})
    assert document(path).title == "The Plan"


# Notebooks


def test_a_notebook(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Travel\n", "We go by *train*."]},
        {"cell_type": "code", "source": "fares = 3", "outputs": [{"text": "BLOB"}]},
        {"cell_type": "markdown", "source": "## Costs\n\n- Tickets"},
        {"cell_type": "raw", "source": "raw"},
        "odd",
    ]
    metadata = {"title": "The Plan", "authors": [{"name": "Ann Lee"}], "date": "2024-03-01"}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4}
    path = write(tmp_path / "a.json", json.dumps(notebook))
    assert detect(path) == "ipynb"
    assert facts(path) == ("The Plan", "Ann Lee", "2024-03-01")
    assert sections(path) == [
        ("Travel", "We go by train.\n\nfares = 3"),
        ("Travel › Costs", "Tickets"),
    ]
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x"]}]}], "nbformat": 3}
    assert sections(write(tmp_path / "b.ipynb", json.dumps(old))) == [("", "x")]
    assert "broken JSON" in reason(write(tmp_path / "c.ipynb", json.dumps(notebook)[:-5]))
    assert reason(write(tmp_path / "d.ipynb", '{"a": 1}')) == "JSON without a notebook in it"


# reStructuredText

RST = """\
==========
 The Plan
==========

:Author: Ann Lee
:Date: 2024-03-01

.. a comment
   of two lines

.. contents::

Travel
------

We go *by* **train**, see `the site <https://example.org>`_ and
:func:`~trains.Train.go` or ``leave_now_`` [1]_::

    code = 1

.. note:: It is slow.

   Very slow.

.. code-block:: python

   code = 2

.. versionadded:: 3.5
   New trains.

Costs
~~~~~

- Tickets for
  everybody
- Food

=====  ===
Name   Age
=====  ===
Ann    41
=====  ===

+------+-----+
| Name | Age |
+======+=====+
| Bo   | 7   |
+------+-----+

>>> code()
3

.. _target:

Rest
----

.. [1] A footnote.
.. image:: x.png

| One line
| another
"""


def test_restructured_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.rst", RST)
    assert detect(path) == "rst"
    assert facts(path) == ("The Plan", "Ann Lee", "2024-03-01")
    assert sections(path) == [
        (
            "The Plan › Travel",
            "We go by train, see the site and go or leave_now_:\n\nIt is slow.\n\nVery slow.\n\n"
            "New trains.",
        ),
        (
            "The Plan › Travel › Costs",
            "Tickets for everybody\nFood\n\nName: Ann; Age: 41\n\nName: Bo; Age: 7",
        ),
        ("The Plan › Rest", "A footnote.\n\nOne line\nanother"),
    ]


# Org

ORG = """\
#+TITLE: The Plan
#+AUTHOR: Ann Lee
#+DATE: <2024-03-01 Fri>
#+OPTIONS: toc:nil

* TODO [#A] Travel [1/2]                                  :work:trains:
SCHEDULED: <2024-05-03 Fri 10:00>
:PROPERTIES:
:ID: 1234
:END:

We go by *train*, see [[https://example.org][the /site/]] and
~leave_now~.[fn:1]

#+BEGIN_SRC python
* code = 1
#+END_SRC

#+begin_quote
It is slow.
#+end_quote
# a comment
** Costs
- [X] Tickets for
  everybody
- Food :: bread

| Name | Age |
|------+-----|
| Ann  |  41 |
: fixed
* Rest
[fn:1] A footnote.
"""


def test_org(tmp_path: Path) -> None:
    path = write(tmp_path / "a.org", ORG)
    assert detect(path) == "org"
    assert facts(path) == ("The Plan", "Ann Lee", "2024-03-01")
    assert sections(path) == [
        (
            "Travel",
            "SCHEDULED: 2024-05-03 10:00\n\n"
            "We go by train, see the site and leave_now.\n\nIt is slow.",
        ),
        ("Travel › Costs", "Tickets for everybody\nFood: bread\n\nName: Ann; Age: 41"),
        ("Rest", "A footnote."),
    ]


@pytest.mark.parametrize(
    "begin", [":PROPERTIES:", ":note:", "#+begin_src python", "#+BEGIN_COMMENT"]
)
@pytest.mark.parametrize("later", ["", ":LOGBOOK:\nx\n:END:\n#+begin_src\nx\n#+end_src\n"])
def test_org_that_forgets_to_end_a_block_loses_nothing(
    tmp_path: Path, begin: str, later: str
) -> None:
    text = f"* A\n{begin}\nMine.\n\n* B\nMore.\n{later}Last.\n"
    assert sections(write(tmp_path / "a.org", text)) == [
        ("A", "Mine."),
        ("B", "More.\n\nLast." if later else "More. Last."),
    ]


# Prose stays prose


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "From here we saw, and the date: unknown.\n\nTo: nobody.\n"),
        ("a.txt", "Name,Age\nAnn,41\n"),
        ("a.txt", "Title\n=====\n\n* one\n* two\n"),
        ("a.txt", "{\\rt is no rich text}"),
        ("a.txt", "#+TITLE: x\n\n* y\n"),
        ("letter", "Subject: trains\n\nDear Ann,\n"),
    ],
)
def test_prose_is_still_text(tmp_path: Path, name: str, text: str) -> None:
    assert detect(write(tmp_path / name, text)) == "text"


def test_markdown_is_still_markdown(tmp_path: Path) -> None:
    text = "From: Ann\nDate: today\n\n# Trains\n\nThey go.\n"
    assert detect(write(tmp_path / "a.md", text)) == "markdown"


@pytest.mark.parametrize("name", ["a.md", "a.org", "a.rst"])
def test_a_number_that_counts_no_items_is_part_of_the_text(tmp_path: Path, name: str) -> None:
    text = "24. Dezember war kalt.\n\n1984. Ein Jahr im Leben.\n\nText.\n\n1. one\n2. two\n\nEnd\n"
    ((_, read_text),) = sections(write(tmp_path / name, text))
    assert read_text.replace("\n\n", "\n").split("\n") == [
        "24. Dezember war kalt.",
        "1984. Ein Jahr im Leben.",
        "Text.",
        "one",
        "two",
        "End",
    ]


@pytest.mark.parametrize("name", ["a.md", "a.org", "a.rst"])
def test_numbers_go_on_after_what_stands_between(tmp_path: Path, name: str) -> None:
    gap = "\n" if name.endswith("rst") else ""
    text = f"1. one\n{gap}   1. a\n   2. b\n{gap}2. two\n\nText.\n\n3. three\n"
    ((_, read_text),) = sections(write(tmp_path / name, text))
    assert read_text.split() == ["one", "a", "b", "two", "Text.", "three"]


def test_an_item_of_code_alone_is_counted(tmp_path: Path) -> None:
    text = "1. ```\n   code\n   ```\n2. two\n"
    assert sections(write(tmp_path / "a.md", text)) == [("", "two")]


def test_org_lists_that_begin_with_another_number(tmp_path: Path) -> None:
    text = "5. [@5] five\n6. six\n\nText.\n\n3. three\n4. four\n\nIn the year\n1984. After that\n"
    assert sections(write(tmp_path / "a.org", text)) == [
        ("", "five\nsix\n\nText.\n\n3. three\n\n4. four\n\nIn the year 1984. After that"),
    ]


def test_rst_item_before_code(tmp_path: Path) -> None:
    text = "1. Do this::\n\n    code\n\n2. And that\n"
    assert sections(write(tmp_path / "a.rst", text)) == [("", "Do this:\nAnd that")]
