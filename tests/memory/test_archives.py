"""Zips and tars of files: read as a folder would be, and never more than they should."""

import bz2
import gzip
import io
import json
import lzma
import os
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.ingest import IngestReport, ingest, look
from learnctl.memory.store import Store

LAMP = "The lamp in the hall is green."
CHAIR = "The chair in the attic is red."
FILES = {"notes/a.md": f"# Hall\n\n{LAMP}\n", "b.txt": CHAIR}


def zipped(files: dict[str, Any], **how: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: dict[str, Any], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = content.encode() if isinstance(content, str) else content
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def lines(entries: list[dict[str, str]], folder: Path) -> dict[str, str]:
    return {e["path"].removeprefix(f"{folder}{os.sep}"): e["reason"] for e in entries}


@pytest.fixture
def taken(store: Store, folder: Path) -> Any:
    def take(name: str, content: bytes) -> IngestReport:
        (folder / name).write_bytes(content)
        return ingest(store, [folder])

    return take


@pytest.fixture(autouse=True)
def nothing_is_left_behind(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Any:
    own = tmp_path_factory.mktemp("unpacked")
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    yield
    assert [path for path in own.rglob("*") if path.is_file()] == []
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in own.iterdir())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", zipped(FILES)),
        ("a.tar", tarred(FILES, "w")),
        ("a.tar.gz", tarred(FILES)),
        ("a.tar.bz2", tarred(FILES, "w:bz2")),
        ("a.tar.xz", tarred(FILES, "w:xz")),
        ("a.bin", tarred(FILES)),
    ],
)
def test_files_of_an_archive(
    taken: Any, store: Store, folder: Path, name: str, content: bytes
) -> None:
    """They come in under one source, with their own names and headings; the same again is unchanged."""
    report = taken(name, content)
    assert (report.documents, report.chunks, report.refused, report.skipped) == (2, 2, [], [])
    (source,) = store.sources()
    assert (Path(source["path"]).name, source["format"], source["documents"]) == (
        name,
        "archive",
        2,
    )
    assert {row["title"] for row in store.rows("SELECT title FROM documents")} == {"Hall", "b"}
    assert lines(ingest(store, [folder]).skipped, folder) == {name: "unchanged"}
    shown = {
        file["path"].removeprefix(f"{folder}{os.sep}"): file["format"]
        for file in look([folder]).files
    }
    assert shown == {f"{name}!/notes/a.md": "markdown", f"{name}!/b.txt": "text"}


@pytest.mark.parametrize(
    ("letters", "shown"), [("ü".encode(), "ü"), (b"\x81", "ü"), (b"\xfe", "■")]
)
def test_names_in_a_zip_that_does_not_say_how_they_are_written(
    folder: Path, letters: bytes, shown: str
) -> None:
    """In UTF-8 where they are that, else in the letters of DOS."""
    placeholder = b"X" * len(letters)
    packed = zipped({f"M{placeholder.decode()}ller/b.txt": LAMP}).replace(placeholder, letters)
    (folder / "a.zip").write_bytes(packed)
    (file,) = look([folder]).files
    assert file["path"].endswith(f"a.zip!/M{shown}ller/b.txt")


def test_what_is_in_there_and_is_not_read(taken: Any, store: Store, folder: Path) -> None:
    """As in a folder: hidden files, tools' folders, pictures, and broken files, each with a line."""
    files = {
        **FILES,
        ".git/config": "x",
        ".git/head": "x",
        "p/node_modules/x/y.js": "x",
        "p/node_modules/z.js": "x",
        "photo.jpg": b"\xff\xd8\xff\xe0 and so on",
        "empty.txt": b"",
        "broken.pdf": b"%PDF-1.4\n1 0 obj",
        "../up.txt": LAMP,
        "/etc/abs.txt": LAMP,
    }
    report = taken("a.zip", zipped(files))
    assert lines(report.skipped, folder) == {
        "a.zip!/.git": "hidden",
        "a.zip!/p/node_modules": "made by tools, not by a person",
        "a.zip!/photo.jpg": "an image, not text",
        "a.zip!/empty.txt": "empty",
    }
    assert lines(report.refused, folder) == {
        "a.zip!/broken.pdf": "not a readable PDF: Data format error",
        "a.zip!/../up.txt": "a name that leads out of the archive",
        "a.zip!/etc/abs.txt": "a name that leads out of the archive",
    }
    assert store.counts()["documents"] == 2
    assert not (folder.parent / "up.txt").exists()


def test_links_and_devices_are_not_there(taken: Any, store: Store, folder: Path) -> None:
    (folder.parent / "secret.txt").write_text("The secret is Zyxqorvane.")
    special: dict[Any, bytes | str] = {}
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        info = tarfile.TarInfo(f"{kind!r}.txt")
        info.type, info.linkname = kind, str(folder.parent / "secret.txt")
        special[info] = b""
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert taken("a.tar", tarred({**special, **FILES}, "w")).documents == 2
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, str(folder.parent / "secret.txt"))
        archive.writestr("c.txt", "The table is blue.")
    assert taken("b.zip", buffer.getvalue()).documents == 1
    assert store.counts()["documents"] == 3


WITH_ANNA = "25/12/2023, 18:05 - Anna: The bench is yellow.\n25/12/2023, 18:06 - Ed: So it is.\n"
WITH_BOB = WITH_ANNA.replace("Anna", "Bob")
CHATGPT = json.dumps(
    [
        {
            "title": "Bench",
            "mapping": {
                "1": {
                    "parent": None,
                    "message": {
                        "author": {"role": "user"},
                        "content": {"content_type": "text", "parts": ["Paint the bench yellow."]},
                    },
                }
            },
            "current_node": "1",
        }
    ]
)
CLAUDE = json.dumps(
    [{"name": "Shed", "chat_messages": [{"sender": "human", "text": "Paint the shed blue."}]}]
)
TELEGRAM = json.dumps(
    {
        "name": "Eve",
        "type": "personal_chat",
        "messages": [{"type": "message", "from": "Eve", "from_id": "user1", "text": "Come early."}],
    }
)
SLACK = {
    "users.json": json.dumps([{"id": "U1", "name": "ann"}]),
    "channels.json": json.dumps([{"id": "C1", "name": "plans"}]),
    "plans/2024-01-02.json": json.dumps(
        [{"type": "message", "user": "U1", "text": "Come late.", "ts": "1704189600.000000"}]
    ),
}
DISCORD = {
    "messages/c1/messages.json": json.dumps(
        [{"ID": "1", "Timestamp": "2021-01-02 10:00:00", "Contents": "Come now."}]
    )
}
META = {
    "your_facebook_activity/messages/inbox/jo_1/message_1.json": json.dumps(
        {
            "title": "Jo",
            "messages": [{"sender_name": "Jo", "timestamp_ms": 1704189600000, "content": "Come."}],
        }
    )
}
MAIL = "From: eve@example.org\nSubject: Lamp\n\nThe lamp is green.\n"


@pytest.mark.parametrize(
    ("files", "titles"),
    [
        (
            {"WhatsApp Chat with Anna.txt": WITH_ANNA, "WhatsApp Chat with Bob.txt": WITH_BOB},
            {"Anna", "Bob"},
        ),
        ({"Anna/_chat.txt": WITH_ANNA, "Bob/_chat.txt": WITH_BOB}, {"Anna", "Bob"}),
        ({"_chat.txt": WITH_ANNA, "diary.md": LAMP}, {"a", "diary"}),
        (
            {"WhatsApp Chat with Anna.txt": WITH_ANNA, "result.json": TELEGRAM, "lamp.eml": MAIL},
            {"Anna", "Eve", "Lamp"},
        ),
        (
            {"x/conversations.json": CHATGPT, "y/conversations.json": CLAUDE, "n/a.md": LAMP},
            {"Bench", "Shed", "a"},
        ),
        ({"conversations.json": CHATGPT, "y/conversations.json": CLAUDE}, {"Bench", "Shed"}),
        ({"conversations.json": CLAUDE, "diary.md": LAMP}, {"Shed", "diary"}),
        ({**SLACK, "diary.md": LAMP}, {"#plans", "diary"}),
        ({**DISCORD, "diary.md": LAMP}, {"c1", "diary"}),
        ({**META, "diary.md": LAMP}, {"Jo", "diary"}),
    ],
)
def test_an_export_with_other_things_beside_it(
    taken: Any, store: Store, files: dict[str, str], titles: set[str]
) -> None:
    """All of them come in, as from a folder, and chats are called by the folder that they lie in."""
    taken("a.zip", zipped(files))
    (source,) = store.sources()
    assert source["format"] == "archive"
    found = store.rows("SELECT title FROM documents UNION SELECT title FROM conversations")
    assert {row["title"] for row in found} == titles


@pytest.mark.parametrize(
    ("files", "form"),
    [
        ({"_chat.txt": WITH_ANNA + "plan.pdf (file attached)\n", "plan.pdf": b"%PDF"}, "whatsapp"),
        ({"__MACOSX/._x": b"", "x/conversations.json": CHATGPT, "x/chat.html": ""}, "chatgpt"),
        ({"conversations.json": CHATGPT, "file-1a-plan.pdf": b"%PDF"}, "chatgpt"),
        ({**DISCORD, "README.txt": "Hello", "account/user.json": "{}"}, "discord"),
        ({**META, "your_facebook_activity/messages/inbox/jo_1/files/a.txt": LAMP}, "messenger"),
    ],
)
def test_what_belongs_to_an_export_is_not_read_beside_it(
    taken: Any, store: Store, files: dict[str, str], form: str
) -> None:
    assert (taken("a.zip", zipped(files)).documents, store.sources()[0]["format"]) == (0, form)


def test_a_chat_that_is_in_there_thrice_is_read_once(taken: Any, folder: Path) -> None:
    entry = (
        '{"date": "2024-01-02T10:00:00", "sender": "Ann", "body": "The lamp is red.", "quote": ""}'
    )
    files = {
        "Ann/chat.md": "[2024-01-02 10:00:00] Ann: The lamp is red.  \n",
        "Ann/data.json": entry,
        "Ann/index.html": "<html></html>",
        "site/index.html": "<html><body><p>The chair is green.</p></body></html>",
    }
    report = taken("a.zip", zipped(files))
    assert (report.conversations, report.documents, report.refused) == (1, 1, [])
    assert lines(report.skipped, folder) == {
        f"a.zip!/Ann/{name}": "the same chat as data.json beside it"
        for name in ("chat.md", "index.html")
    }


def test_an_archive_in_an_archive(taken: Any, store: Store, folder: Path) -> None:
    """One level down is read, two are not."""
    deepest = zipped({"d.txt": "Too deep."})
    inner = tarred({"c.txt": CHAIR, "deepest.zip": deepest})
    report = taken("a.zip", zipped({"a.txt": LAMP, "inner.tar.gz": inner}))
    assert report.documents == 2
    assert lines(report.refused, folder) == {
        "a.zip!/inner.tar.gz!/deepest.zip": "an archive in an archive in an archive"
    }


def protected() -> bytes:
    """A zip whose files claim to be encrypted."""
    data = bytearray(zipped({"a.txt": LAMP}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (protected(), "a zip protected by a password"),
        (zipped({"zeros.txt": b"0" * (40 << 20)}), "zeros.txt in it unpacks to"),
        (
            tarred({f"{n}.txt": b"0" * (9 << 20) for n in range(3)}),
            "unpacks to more than 200 times",
        ),
        (tarred(FILES)[:-60], "not a readable tar: damaged in or after notes/a.md"),
        (
            tarred({"b.pdf": b"%PDF-1.4\n"}),
            "not a readable PDF: Data format error (b.pdf)",
        ),
        (zipped({"photo.jpg": b"\xff\xd8\xff"}), "no file in it can be read"),
        (zipped(FILES)[:-9], "not a readable zip"),
    ],
)
def test_one_line_and_nothing_in_the_store(
    taken: Any, store: Store, content: bytes, expected: str
) -> None:
    (line,) = taken("a.zip", content).refused
    assert line["reason"].startswith(expected)
    assert store.counts() == dict.fromkeys(store.counts(), 0)
    assert store.rows("SELECT * FROM sources") == []


def test_files_that_cannot_be_read_are_named_where_none_can(taken: Any, folder: Path) -> None:
    report = taken("a.tgz", tarred({"b.pdf": b"%PDF-1.4\n", "c.json": "{"}))
    assert lines(report.refused, folder) == {
        "a.tgz": "no file in it can be read",
        "a.tgz!/b.pdf": "not a readable PDF: Data format error",
        "a.tgz!/c.json": "JSON that is no chat export of a known form",
    }


@pytest.mark.parametrize(
    ("ending", "packed"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_a_file_that_is_compressed_alone(
    taken: Any, store: Store, folder: Path, ending: str, packed: Any
) -> None:
    report = taken(f"hall.md.{ending}", packed(f"# Hall\n\n{LAMP}\n".encode()))
    assert (report.documents, report.refused, report.skipped) == (1, [], [])
    assert store.value("SELECT title FROM documents") == "Hall"
    report = taken(f"photo.{ending}", packed(b"\xff\xd8\xff\xe0 and so on"))
    assert lines(report.skipped, folder)[f"photo.{ending}"] == "a compressed file, not text"
    report = taken(f"zeros.txt.{ending}", packed(b"0" * (60 << 20)))
    assert lines(report.refused, folder) == {
        f"zeros.txt.{ending}": "unpacks to more than 200 times its size"
    }
    words = " ".join(f"word{n * n}" for n in range(100_000)).encode()
    report = taken(f"cut.txt.{ending}", packed(words)[:-100_000])
    assert lines(report.refused, folder)[f"cut.txt.{ending}"].startswith("damaged in the archive")


def test_a_file_that_breaks_in_the_middle_leaves_nothing_of_itself(
    taken: Any, store: Store, folder: Path
) -> None:
    turn = '{"messages": [{"role": "user", "content": "My lamp is green."}]}'
    report = taken("a.zip", zipped({"chats.jsonl": f"{turn}\n{turn[:-4]}", "b.txt": CHAIR}))
    assert (report.documents, report.conversations) == (1, 0)
    assert list(lines(report.refused, folder)) == ["a.zip!/chats.jsonl"]
    assert store.counts()["conversations"] == 0


def test_documents_and_programs_that_are_zips_are_no_folders(taken: Any, folder: Path) -> None:
    report = taken("a.jar", zipped({"META-INF/MANIFEST.MF": "x", "a.txt": LAMP}))
    assert lines(report.refused, folder) == {"a.jar": "a zip with nothing in it that can be read"}
