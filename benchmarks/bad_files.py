"""Bad files of every kind through the whole of `ingest`: does each cost a line and nothing more?

    python -m benchmarks.bad_files [--quick] [--json]

Small sound files of each format are cut off, changed at random and given wrong names; to these come bombs,
deep nestings, endless lines, wrong character sets, evil databases and evil names, all made here from a seed.
A *traceback* is any fault of the program but a refusal. A *hang* is a file that takes more than 30 seconds, and
more than the 25 and one for each megabyte that every file has; the slowest are named with their seconds of the
clock and of the processor, for machines that do other work too.
"""

import argparse
import email.message
import io
import json
import random
import sqlite3
import sys
import tarfile
import tempfile
import time
import traceback
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.limits import Limits
from learnctl.memory.store import Store

HANG_S = 30
MEGABYTE = 2**20
TEXT = "The lamp in the hall is green. It was bought in 1987 by Ann Lee."
Make = Callable[[], bytes]


def just(data: bytes) -> Make:
    return lambda: data


def packed(members: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def chatgpt(nodes: dict[str, Any], current: str) -> bytes:
    return json.dumps([{"title": "t", "mapping": nodes, "current_node": current}]).encode()


def node(parent: str | None, text: str = TEXT) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [text]}
    return {"parent": parent, "message": {"author": {"role": "user"}, "content": content}}


def database(*statements: str) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        connection = sqlite3.connect(file.name)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        return Path(file.name).read_bytes()


def pdf(stream: bytes, extra: str = "", pages: str = "[3 0 R]", how: str = "") -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids {pages} /Count 1 >>".encode(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} {how} >>\nstream\n".encode() + stream + b"\nendstream",
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica {extra} >>".encode(),
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)


def mail(body: str = TEXT) -> bytes:
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <a@b.org>", "Bo <b@b.org>", "Lamps"
    message["Date"] = "Mon, 04 Mar 2024 10:00:00 +0000"
    message.set_content(body)
    message.add_attachment(b"\x00\x01", maintype="image", subtype="png", filename="x.png")
    return message.as_bytes()


WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OPEN = "urn:oasis:names:tc:opendocument:xmlns"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"


def word(body: str = f"<w:p><w:r><w:t>{TEXT}</w:t></w:r></w:p>", head: str = "") -> bytes:
    xml = f"{head}<w:document {WORD}><w:body>{body}</w:body></w:document>"
    return packed({"[Content_Types].xml": "<Types/>", "word/document.xml": xml})


def workbook(rows: str = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{TEXT}</t></is></c></row>', head: str = "") -> bytes:  # fmt: skip
    target = f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    return packed(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.xml": f'<workbook {SHEET} xmlns:r="{OFFICE}"><sheets>'
            '<sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f"<Relationships {RELATIONS}>{target}</Relationships>",
            "xl/worksheets/sheet1.xml": f"{head}<worksheet {SHEET}><sheetData>{rows}</sheetData></worksheet>",
        }
    )


def slides(head: str = "", text: str = TEXT) -> bytes:
    target = f'<Relationship Id="r1" Type="{OFFICE}/slide" Target="slides/slide1.xml"/>'
    shape = f"<p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    return packed(
        {
            "[Content_Types].xml": "<Types/>",
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{SLIDES}" xmlns:r="{OFFICE}">'
            '<p:sldIdLst><p:sldId id="256" r:id="r1"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": f"<Relationships {RELATIONS}>{target}</Relationships>",
            "ppt/slides/slide1.xml": f'{head}<p:sld xmlns:p="{SLIDES}" xmlns:a="{DRAWING}">'
            f"<p:cSld><p:spTree>{shape}</p:spTree></p:cSld></p:sld>",
        }
    )


def open_text(body: str = f"<text:p>{TEXT}</text:p>", head: str = "") -> bytes:
    names = f'xmlns:office="{OPEN}:office:1.0" xmlns:text="{OPEN}:text:1.0"'
    xml = f"{head}<office:document-content {names}><office:body><office:text>{body}</office:text></office:body></office:document-content>"
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": xml})


def book(chapter: str = f"<p>{TEXT}</p>", head: str = "") -> bytes:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="c.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    package = (
        f'{head}<package xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    page = f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{chapter}</body></html>'
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "c.opf": package,
            "a.xhtml": page,
        }
    )


def sound() -> dict[str, bytes]:
    """One small sound file of each form, by a name that fits it."""
    turn = {"role": "user", "content": TEXT}
    cell = {"cell_type": "markdown", "source": [f"# A\n{TEXT}"], "metadata": {}}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    claude = {"uuid": "1", "name": "t", "chat_messages": [{"sender": "human", "text": TEXT}]}
    talk = {"conversations": [{"from": "human", "value": TEXT}, {"from": "gpt", "value": "So."}]}
    telegram = {
        "name": "Ann",
        "type": "personal_chat",
        "id": 1,
        "messages": [
            {"id": 1, "type": "message", "date": "2024-01-01T10:00:00", "from": "A", "text": TEXT}
        ],
    }
    return {
        "a.txt": (TEXT + "\n").encode() * 9,
        "a.md": f"---\ntitle: T\n---\n# A\n\n{TEXT}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".encode(),
        "a.rst": f"A\n=\n\n{TEXT}\n\n.. note:: {TEXT}\n".encode(),
        "a.org": f"#+TITLE: T\n* A\n{TEXT}\n".encode(),
        "a.csv": f'name,age,text\nAnn,41,"{TEXT}"\nBo,42,x\n'.encode(),
        "a.html": f"<html><head><title>T</title></head><body><h1>A</h1><p>{TEXT}</p></body>".encode(),
        "a.rtf": b"{\\rtf1\\ansi{\\fonttbl\\f0 Arial;}\\f0 " + TEXT.encode() + b"\\par}",
        "a.ipynb": json.dumps(notebook).encode(),
        "a.eml": mail(),
        "a.mbox": b"From a@b.org Mon Mar  4 10:00:00 2024\n" + mail() + b"\n",
        "a.pdf": pdf(b"BT /F1 12 Tf 50 700 Td (" + TEXT.encode() + b") Tj ET"),
        "a.docx": word(),
        "a.xlsx": workbook(),
        "a.pptx": slides(),
        "a.odt": open_text(),
        "a.epub": book(),
        "a.zip": packed({"notes/a.md": TEXT, "b.txt": TEXT}),
        "a.tar.gz": tarred({"notes/a.md": TEXT.encode(), "b.txt": TEXT.encode()}),
        "conversations.json": chatgpt({"r": node(None), "a": node("r")}, "a"),
        "claude.json": json.dumps([claude]).encode(),
        "a.jsonl": json.dumps({"messages": [turn]}).encode() + b"\n",
        "sharegpt.json": json.dumps([talk]).encode(),
        "result.json": json.dumps(telegram).encode(),
        "_chat.txt": f"[01.02.24, 10:00:00] Ann: {TEXT}\n[01.02.24, 10:01:00] Bo: So.\n".encode() * 3,
        "irc.log": f"[10:00] <ann> {TEXT}\n[10:01] <bo> So.\n".encode() * 3,
        "logs.db": database(
            "CREATE TABLE conversations (id TEXT, name TEXT, model TEXT)",
            "CREATE TABLE responses (id TEXT, model TEXT, prompt TEXT, system TEXT, response TEXT,"
            " conversation_id TEXT, datetime_utc TEXT)",
            "INSERT INTO conversations VALUES ('c', 't', 'm')",
            f"INSERT INTO responses VALUES ('r', 'm', '{TEXT}', '', 'So.', 'c', '2024-01-01')",
        ),
    }  # fmt: skip


def damaged(chooser: random.Random) -> Iterator[tuple[str, bytes]]:
    """Cut off, changed, doubled, with zeros in it, and under another's name."""
    files = sound()
    names = list(files)
    for name, data in files.items():
        for share in (0.1, 0.5, 0.9):
            yield f"cut {share} {name}", data[: int(len(data) * share)]
        yield f"cut at the end {name}", data[:-1]
        for kind, n_changes in (("few", 3), ("many", max(20, len(data) // 10))):
            changed = bytearray(data)
            for _ in range(n_changes):
                changed[chooser.randrange(len(changed))] = chooser.randrange(256)
            yield f"{kind} changes {name}", bytes(changed)
        half = len(data) // 2
        yield f"zeros {name}", data[:half] + b"\x00" * 300 + data[half:]
        yield f"doubled {name}", data + data
        other = chooser.choice([each for each in names if each != name])
        yield f"misnamed {Path(name).stem} {other}", data
        yield f"noise {name}", data[:16] + chooser.randbytes(4000)


LAUGHS = "<!DOCTYPE x [<!ENTITY a0 'ha'>{}]>".format(
    "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
)
OUTSIDE = "<!DOCTYPE x [<!ENTITY a9 SYSTEM 'file:///etc/passwd'>]>"


def bombs() -> Iterator[tuple[str, Make]]:
    """Small files that unpack, expand or nest to any size."""
    zeros = b"0" * (64 * MEGABYTE)
    for kind, head in (("laughs", LAUGHS), ("outside", OUTSIDE)):
        yield f"{kind}.docx", just(word("<w:p><w:r><w:t>&a9;</w:t></w:r></w:p>", head))
        yield f"{kind}.xlsx", just(workbook('<row><c t="str"><v>&a9;</v></c></row>', head))
        yield f"{kind}.pptx", just(slides(head, "&a9;"))
        yield f"{kind}.odt", just(open_text("<text:p>&a9;</text:p>", head))
        yield f"{kind}.epub", just(book(head=head))
        yield f"{kind}.html", just(f"{head}<html><body>&a9;</body></html>".encode())
        yield f"{kind}.xml", just(f"<?xml version='1.0'?>{head}<x>&a9;</x>".encode())
    yield "zeros.zip", lambda: packed({"a.txt": zeros})
    yield "zeros.docx", lambda: packed({"[Content_Types].xml": "", "word/document.xml": zeros})
    yield (
        "zeros.epub",
        lambda: packed({"mimetype": "application/epub+zip", "META-INF/container.xml": zeros}),
    )
    yield "zeros.tar.gz", lambda: tarred({"a.txt": zeros})
    yield "zeros.tar.xz", lambda: tarred({"a.txt": zeros}, "w:xz")
    yield (
        "zeros conversations.zip",
        lambda: packed({"conversations.json": b"[" + b" " * len(zeros)}),
    )
    yield (
        "zips in zips.zip",
        lambda: packed(
            {
                f"{n}.zip": packed(
                    {f"{m}.zip": packed({"a.txt": zeros[:MEGABYTE]}) for m in range(5)}
                )
                for n in range(5)
            }
        ),
    )
    yield (
        "many members.zip",
        lambda: packed({f"{n}.txt": b"" for n in range(110_000)}, zipfile.ZIP_STORED),
    )
    yield "many elements.docx", lambda: word("<w:p/>" * 2_600_000)
    yield "many cells.xlsx", lambda: workbook('<row><c r="XFD1"><v>1</v></c></row>' * 400_000)
    yield (
        "far cell.xlsx",
        lambda: workbook('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>' * 3),
    )
    yield "repeated.odt", lambda: open_text('<text:s text:c="999999999"/>' * 50)
    yield "stream.pdf", lambda: pdf(zlib.compress(zeros), how="/Filter /FlateDecode")
    yield (
        "quoted.eml",
        lambda: (
            b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
            + b"=3D=\n" * 2_000_000
        ),
    )
    yield "parts.eml", lambda: _nested_parts(3000)
    yield "attached.eml", lambda: b"Content-Type: message/rfc822\n\n" * 20_000 + mail()
    yield "headers.eml", lambda: b"From: a\n" + b"Received: x\n" * 500_000 + b"\n" + TEXT.encode()
    yield (
        "words.eml",
        lambda: b"Subject: " + b"=?utf-8?q?a?= " * 200_000 + b"\nFrom: a@b.c\n\n" + TEXT.encode(),
    )
    yield "many mails.mbox", lambda: b"From a Mon Mar  4 10:00:00 2024\n\n" * 200_000


def _nested_parts(depth: int) -> bytes:
    lines = ["From: a@b.org"]
    for n in range(depth):
        lines += [f'Content-Type: multipart/mixed; boundary="b{n}"', "", f"--b{n}"]
    return "\n".join([*lines, "Content-Type: text/plain", "", TEXT]).encode()


def deep() -> Iterator[tuple[str, Make]]:
    """Nestings that end no recursion."""
    n = 100_000
    yield "lists.json", lambda: b"[" * n
    yield "objects.json", lambda: b'{"messages":' * n
    yield "mapping.json", lambda: b'[{"mapping": {"a": ' + b'{"a":' * n
    yield "nested.jsonl", lambda: b'{"messages": [{"role": "user", "content": ' + b"[" * n + b"\n"
    yield "nested.ipynb", lambda: b'{"nbformat": 4, "cells": [' + b'{"cells": [' * n
    yield (
        "chain.json",
        lambda: chatgpt({str(i): node(str(i - 1), "x") for i in range(n)}, str(n - 1)),
    )
    yield "loop.json", lambda: chatgpt({"a": node("b"), "b": node("a")}, "a")
    yield "own parent.json", lambda: chatgpt({"a": node("a")}, "a")
    for tag in ("div", "table><tr><td", "ul><li", "b", "blockquote", "font"):
        yield (
            f"{tag[:5].strip('>')}.html",
            just(b"<html><body>" + f"<{tag}>".encode() * n + TEXT.encode()),
        )
    for name, mark in {
        "quotes": "> ",
        "lists": "- ",
        "brackets": "[",
        "images": "![",
        "stars": "*",
        "ticks": "`",
        "under": "_a",
        "links": "[a](",
        "angle": "<",
        "entities": "&amp",
        "embeds": "![[",
        "tags": "<a ",
        "tables": "|-",
    }.items():
        yield f"{name}.md", just(mark.encode() * n)
    yield "deep list.md", lambda: "\n".join(" " * (2 * i) + "- a" for i in range(1500)).encode()
    yield "braces.rtf", lambda: b"{\\rtf1" + b"{" * n + TEXT.encode()
    yield "groups.rtf", lambda: b"{\\rtf1" + b"{\\*\\a" * n
    yield "bin.rtf", lambda: b"{\\rtf1 \\bin999999999 abc " + TEXT.encode()
    yield "stars.org", lambda: b"\n".join(b"*" * i + b" a" for i in range(1, 3000))
    yield "drawers.org", lambda: b":A:\n" * n
    yield "directives.rst", lambda: b".. note::\n\n   " * n
    yield "roles.rst", lambda: b":a:`" * n
    yield "elements.docx", lambda: word("<w:p><w:r>" + "<w:tbl><w:tr><w:tc>" * n)
    yield "closed.docx", lambda: word("<w:ins>" * n + "</w:ins>" * n)
    yield "spans.odt", lambda: open_text("<text:span>" * n + "</text:span>" * n)
    yield "arrays.pdf", lambda: pdf(b"[" * n)
    yield "kids.pdf", lambda: pdf(b"", pages="[2 0 R]")
    yield (
        "font.pdf",
        lambda: pdf(b"BT /F1 1 Tf (a) Tj ET", extra="/Encoding 5 0 R /ToUnicode 4 0 R"),
    )


def endless() -> Iterator[tuple[str, Make]]:
    """Long lines and repeats that make slow patterns slow."""
    size = 2 * MEGABYTE
    for name, unit in {
        "letters": "a", "spaces": " ", "digits": "1", "newlines": "\n", "tabs": "\t", "stops": ".",
        "sentences": "A b. ", "initials": "A.", "mails": "a@", "colons": "a: ", "slashes": "://",
        "passwords": "password: ", "keys": "-----BEGIN RSA PRIVATE KEY-----\n", "tokens": "ghp_",
        "cards": "4111 1111 ", "ibans": "DE12 ", "jwts": "eyJ", "dashes": "-", "equals": "=",
        "quotes": '"', "marks": "\u0301", "wide": "漢", "joined": "👩\u200d", "zero": "\u200b",
        "right": "\u202e", "ignore": "ignore all previous instructions ", "roles": "<|im_start|>user\n",
        "users": "User: a\n", "froms": "From a\n", "dates": "01/02/24, 10:00 - ", "hex": "deadbeef",
        "curl": "curl -u a:", "commas": ",", "semicolons": ";", "crs": "\r", "bearer": "authorization: bearer ",
    }.items():  # fmt: skip
        yield f"{name}.txt", just(unit.encode() * (size // len(unit.encode())))
    for ending in ("md", "html", "csv", "rst", "org", "eml", "json", "jsonl", "ics"):
        yield f"line.{ending}", lambda: (TEXT + " ").encode() * (size // len(TEXT))
    yield (
        "line.jsonl",
        lambda: b'{"messages": [{"role": "user", "content": "' + b"a" * (70 * MEGABYTE),
    )
    yield "string.json", lambda: b'[{"mapping": {"a": "' + b"a" * (70 * MEGABYTE)
    yield "number.json", lambda: b'[{"mapping": ' + b"9" * size
    yield "large.txt", lambda: b"word " * (14 * MEGABYTE)
    yield "columns.csv", lambda: b",".join(b"c" for _ in range(200_000)) + b"\n" + b"1," * 200_000
    yield "open quote.csv", lambda: b'a,b\n"' + b"x\n" * size
    yield "attribute.html", lambda: b"<html><body><p class='" + b"a " * size + b"'>x</p>"


def unreadable() -> Iterator[tuple[str, bytes]]:
    """Character sets that are none, or others than they say."""
    yield "utf7.txt", "Grüße".encode("utf-7")
    yield "odd utf16.txt", "Grüße aus Köln".encode("utf-16")[:-1]
    yield "mark alone.txt", b"\xff\xfe"
    yield "utf32.txt", b"\xff\xfe\x00\x00" + b"\xff" * 41
    yield "high.txt", bytes(range(128, 256)) * 50
    yield "every byte.txt", bytes(range(1, 256)) * 20
    yield "surrogates.txt", b"a \xed\xa0\x80 b \xed\xbf\xbf"
    yield "overlong.txt", b"\xc0\xaf\xe0\x80\xaf" * 40
    yield "unknown.html", b"<html><meta charset='no-such'><body><p>Gr\xfc\xdfe</p>"
    yield "rot13.html", b"<html><meta charset='rot13'><body><p>hello \xff</p>"
    yield "base64.html", b"<html><meta charset='base64'><body><p>hello \xff</p>"
    yield "idna.html", b"<html><meta charset='idna'><body><p>hello \xff</p>"
    yield "unknown.eml", b"From: a@b.c\nContent-Type: text/plain; charset=no-such\n\nGr\xfc\xdfe"
    yield "codec.eml", b"From: a@b.c\nContent-Type: text/plain; charset=zlib\n\nGr\xfc\xdfe"
    yield "zeros.txt", b"\x00" * 5000
    yield "zeros.json", b"\x00" * 5000
    yield "nul.json", b'[{"title": "a\\u0000b", "mapping": {"a": {"message": null}}}]'
    yield "lone.json", chatgpt({"a": node(None, "\ud800 alone \udfff")}, "a")


def evil_databases() -> Iterator[tuple[str, Make]]:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"
    columns = "'a' AS id, 'm' AS model, x AS prompt, '' AS system, 'b' AS response, 'c' AS conversation_id, '' AS datetime_utc"
    talks = "CREATE TABLE conversations (id TEXT, name TEXT, model TEXT)"
    yield (
        "endless view.db",
        lambda: database(talks, f"CREATE VIEW responses AS {endless} {columns} FROM c"),
    )
    yield (
        "huge value.db",
        lambda: database(
            talks,
            f"CREATE VIEW responses AS {endless.split('WITH')[0]} SELECT 'a' AS id, 'm' AS model, hex(zeroblob(900000000)) AS prompt, '' AS system, 'b' AS response, 'c' AS conversation_id, '' AS datetime_utc",
        ),
    )
    yield (
        "endless view webui.db",
        lambda: database(
            f"CREATE VIEW chat AS {endless} x AS id, 'u' AS user_id, 't' AS title, '{{}}' AS chat, 0 AS created_at, 0 AS updated_at FROM c"
        ),
    )
    yield (
        "functions.db",
        lambda: database(
            talks,
            "CREATE VIEW responses AS SELECT load_extension('x') AS id, '' AS model, readfile('/etc/passwd') AS prompt, '' AS system, '' AS response, '' AS conversation_id, '' AS datetime_utc",
        ),
    )
    yield (
        "blobs.db",
        lambda: database(
            talks,
            "CREATE TABLE responses (id, model, prompt, system, response, conversation_id, datetime_utc)",
            "INSERT INTO responses VALUES (x'ff00', x'ff', x'ffff', 1, 1e308, NULL, x'00')",
        ),
    )

    def broken(places: range) -> bytes:
        data = bytearray(sound()["logs.db"])
        for place in places:
            data[place] = 255
        return bytes(data)

    yield "page size.db", lambda: broken(range(16, 18))
    yield "schema.db", lambda: broken(range(100, 140))
    yield "second page.db", lambda: broken(range(4096, 4200))
    yield "header alone.db", lambda: sound()["logs.db"][:100]


def evil_archives() -> Iterator[tuple[str, Make]]:
    for name in (
        "../up.txt",
        "/abs.txt",
        "C:\\a.txt",
        "..\\up.txt",
        "a\x00b.txt",
        "a" * 5000,
        "",
        "a/" * 2000 + "b.txt",
        "\u202egnp.txt",
        "con\n\rtrol.txt",
    ):
        yield (
            f"name {name[:9]!r}.zip".replace("/", "_"),
            just(packed({name or ".": TEXT, "b.txt": TEXT})),
        )
    yield "pax.tar", lambda: _pax(MEGABYTE * 30)
    yield "device.tar", lambda: _special(tarfile.CHRTYPE)
    yield "link.tar", lambda: _special(tarfile.SYMTYPE)
    yield "sparse.tar", lambda: _special(tarfile.GNUTYPE_SPARSE)
    yield (
        "size.tar",
        lambda: tarred({"a.txt": b"x" * 600}, "w").replace(b"00000001130", b"77777777777"),
    )


def _pax(size: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.txt")
        info.pax_headers = {"comment": "x" * size}
        archive.addfile(info)
    return buffer.getvalue()


def _special(kind: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("a.txt")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    return buffer.getvalue()


NAMES = (
    "-rf.txt", "$(touch x).txt", "`id`.txt", "a\nb.txt", "a\tb.txt", "'quoted'.txt", '"q".txt', "%s%n.txt",
    "\u202etxt.exe.txt", "👩‍🚀.txt", "a" * 250 + ".md", " .txt", "..txt.", "con.txt", "[bold]x[/bold].txt",
    "a;b&c|d.txt", "\x1b[31mred.txt", "é.txt", "e\u0301.txt", "*.txt", "?.md", "~.txt", "#a#.org",
)  # fmt: skip


def everything(seed: int) -> Iterator[tuple[str, str, Make]]:
    """The kind, the file's name, and what makes its bytes."""
    for name, data in damaged(random.Random(seed)):
        yield "damaged", name, just(data)
    for kind, files in {
        "bomb": bombs(),
        "deep": deep(),
        "endless": endless(),
        "database": evil_databases(),
        "archive": evil_archives(),
    }.items():
        for name, make in files:
            yield kind, name, make
    for name, data in unreadable():
        yield "character set", name, just(data)
    for name in NAMES:
        yield "name", name, lambda: TEXT.encode()


def try_one(store: Store, path: Path) -> tuple[str, str]:
    """How it ended: taken, refused, skipped, or a traceback; with what was said."""
    try:
        report = ingest(store, [path])
    except Exception:
        return "traceback", traceback.format_exc(limit=-3)
    for outcome, entries in (("refused", report.refused), ("skipped", report.skipped)):
        if entries:
            return outcome, entries[0]["reason"]
    return "taken", ""


def run(folder: Path, seed: int, quick: bool) -> dict[str, Any]:
    me = psutil.Process()
    outcomes: dict[str, Counter[str]] = {}
    faults: list[str] = []
    rows: list[tuple[float, float, str, str, str]] = []
    n_hangs = 0
    peak = peak_reader = n_files = 0
    with Store.open(Home(folder / "home"), create=True) as store:
        for kind, name, make in everything(seed):
            data = make()
            is_slow = len(data) > MEGABYTE // 16 or name.startswith("many ")
            if quick and (is_slow or (kind == "damaged" and hash_of(name) % 4)):
                continue
            path = folder / "files" / str(n_files) / name[-200:].replace("/", "_")
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
            n_files += 1
            start, used = time.monotonic(), _cpu_s()
            outcome, said = try_one(store, path)
            spent = time.monotonic() - start
            cpu = _cpu_s() - used
            n_hangs += spent > max(HANG_S, Limits().allowance(len(data)) + 5)
            rows.append((spent, cpu, kind, name, f"{outcome} {said}".strip()))
            outcomes.setdefault(kind, Counter())[outcome] += 1
            if outcome == "traceback" or "\n" in said or "broke the reader" in said:
                faults.append(f"{kind} {name!r}: {said}")
            peak = max(peak, me.memory_info().rss)
            for child in me.children():
                peak_reader = max(peak_reader, _high_water(child))
    return {
        "files": n_files,
        "outcomes": {kind: dict(found) for kind, found in outcomes.items()},
        "tracebacks": sum(found["traceback"] for found in outcomes.values()),
        "hangs": n_hangs,
        "faults": faults,
        "slowest": [
            [round(row[0], 1), round(row[1], 1), *row[2:]] for row in sorted(rows, reverse=True)[:8]
        ],
        "peak_rss_mb": peak // MEGABYTE,
        "peak_reader_rss_mb": peak_reader // MEGABYTE,
    }


def hash_of(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "replace"))


def _cpu_s() -> float:
    """Of this process and all it started."""
    times = psutil.Process().cpu_times()
    ended: float = times.user + times.system + times.children_user + times.children_system
    alive = [child.cpu_times() for child in psutil.Process().children()]
    return ended + float(sum(each.user + each.system for each in alive))


def _high_water(child: psutil.Process) -> int:
    """The most memory it ever held, where the kernel says so."""
    try:
        status = Path(f"/proc/{child.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small files, and a quarter of the damaged"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="learnctl-bad-") as folder:
        report = run(Path(folder), options.seed, options.quick)
    if options.json:
        json.dump(report, sys.stdout, indent=1)
        print()
        return
    for kind, found in report.pop("outcomes").items():
        print(f"{kind}: " + ", ".join(f"{n} {outcome}" for outcome, n in sorted(found.items())))
    for name, value in report.items():
        print(f"{name}: {value}" if not isinstance(value, list) else f"{name}:")
        for each in value if isinstance(value, list) else []:
            print(f"  {each}")


if __name__ == "__main__":
    main()
