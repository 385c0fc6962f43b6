"""Files into the store: what is new comes in, what vanished goes out on demand, what is broken costs a line."""

import json
import os
import random
import secrets
import string
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from learnctl.memory.check import check
from learnctl.memory.home import Home
from learnctl.memory.ingest import IGNORED_NOW, PRUNED, VANISHED, IngestReport, ingest, look
from learnctl.memory.left_out import listed
from learnctl.memory.store import Store

LAMP = "The lamp in the hall is green."
CHAIR = "The chair in the attic is red."
TABLE = "The table in the kitchen is blue."
COUNTS = ("documents", "conversations", "messages", "chunks")


def counts(report: IngestReport) -> dict[str, int]:
    return {name: getattr(report, name) for name in COUNTS}


def reasons(entries: list[dict[str, str]]) -> dict[str, str]:
    return {Path(entry["path"]).name: entry["reason"] for entry in entries}


def texts(store: Store) -> list[str]:
    return [row["text"] for row in store.rows("SELECT text FROM chunks ORDER BY id")]


def note(*paragraphs: str) -> str:
    """A note whose paragraphs are chunks of their own, each under its heading."""
    return "\n\n".join(f"## Part {n}\n\n{text}" for n, text in enumerate(paragraphs))


def chat(*turns: str, title: str = "About lamps") -> str:
    """A ChatGPT export of one conversation, the person's turn first."""
    nodes: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None}}
    parent = "root"
    for number, text in enumerate(turns):
        author = {"role": "assistant" if number % 2 else "user"}
        content = {"content_type": "text", "parts": [text]}
        nodes[f"m{number}"] = {
            "id": f"m{number}",
            "parent": parent,
            "message": {"author": author, "create_time": 1.7e9 + number, "content": content},
        }
        parent = f"m{number}"
    return json.dumps([{"title": title, "mapping": nodes, "current_node": parent}])


def everything(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


# The same again


def test_the_same_folder_twice_is_nothing_new(store: Store, take: Any) -> None:
    """The second time every file is skipped as unchanged, and the store stays as it is."""
    first = take({"a.md": note(LAMP, CHAIR), "b.txt": TABLE, "c.json": chat(LAMP, "I see.")})
    assert counts(first) == {"documents": 2, "conversations": 1, "messages": 2, "chunks": 5}
    dump = list(store.db.conn.iterdump())
    again = take()
    assert counts(again) == dict.fromkeys(COUNTS, 0)
    assert reasons(again.skipped) == dict.fromkeys(("a.md", "b.txt", "c.json"), "unchanged")
    assert list(store.db.conn.iterdump()) == dump


def test_one_file_has_one_name(store: Store, take: Any, folder: Path) -> None:
    """A detour in the path, or the way from another folder, is no second source."""
    take({"a.txt": LAMP})
    report = ingest(store, [folder / ".." / folder.name / "a.txt"])
    assert reasons(report.skipped) == {"a.txt": "unchanged"}
    assert store.counts()["sources"] == 1


def test_a_copy_is_stored_once_with_two_sources(store: Store, take: Any) -> None:
    """The same document in two files is one document; each source holds it."""
    text = f"# Hall\n\n{LAMP}\n"
    report = take({"a.md": text, "copy of a.md": text})
    assert counts(report) == {"documents": 1, "conversations": 0, "messages": 0, "chunks": 1}
    assert [row["documents"] for row in store.sources()] == [1, 1]
    assert len(store.rows("SELECT * FROM origins")) == 2


def test_the_same_paragraph_in_two_files_is_one_chunk(store: Store, take: Any) -> None:
    """A text is stored once, however many places hold it, and each place is known."""
    report = take({"a.md": note(LAMP, CHAIR), "b.md": note(TABLE, LAMP), "c.json": chat(LAMP)})
    assert report.chunks == 4  # what somebody said is of another kind than what is written
    origins = store.rows(
        "SELECT s.path, o.heading FROM origins o JOIN sources s ON s.id = o.source_id"
        " JOIN chunks c ON c.id = o.chunk_id WHERE c.kind = 'text' AND c.text = ? ORDER BY s.path",
        LAMP,
    )
    assert [(Path(row["path"]).name, row["heading"]) for row in origins] == [
        ("a.md", "Part 0"),
        ("b.md", "Part 1"),
    ]


def test_how_far_it_is(store: Store, folder: Path) -> None:
    """Before each file, the bytes done and the bytes of all; what is skipped counts as done."""
    for name, text in {"a.txt": LAMP, "b.txt": CHAIR, "empty.txt": ""}.items():
        (folder / name).write_text(text)
    seen: list[tuple[str, int, int]] = []
    for _ in range(2):
        ingest(store, [folder], lambda path, done, total: seen.append((path.name, done, total)))
    total = len(LAMP) + len(CHAIR)
    assert seen == [("a.txt", 0, total), ("b.txt", len(LAMP), total)] * 2


@pytest.mark.parametrize("is_packed", [False, True])
def test_how_far_it_is_within_a_large_file(store: Store, folder: Path, is_packed: bool) -> None:
    """The bytes of it that were read, also of a zip; a dry run says them too."""
    (folder / "a.txt").write_text(LAMP)
    path = folder / "conversations.json"
    text = "The lamp in the hall is green, as ever.\n\n" * 700
    talks = [json.loads(chat(text, title=f"{n}"))[0] for n in range(130)]
    path.write_text(json.dumps(talks))
    if is_packed:
        with ZipFile(folder / "export.zip", "w") as export:
            export.write(path, path.name)
        path.unlink()
        path = folder / "export.zip"
    total = len(LAMP) + path.stat().st_size
    for take_in in (look, partial(ingest, store)):
        seen: list[tuple[str, int, int]] = []
        report = take_in(
            [folder], on_file=lambda path, *sizes, seen=seen: seen.append((path.name, *sizes))
        )
        assert report.conversations == 130
        assert seen[:2] == [("a.txt", 0, total), (path.name, len(LAMP), total)]
        within = [done for _, done, _ in seen[2:]]
        assert len(within) >= 2
        assert len(LAMP) < within[0] < within[-1] <= total
        assert within == sorted(within)
        assert {(name, of_all) for name, _, of_all in seen[2:]} == {(path.name, total)}


def test_the_index_is_written_once_a_file(store: Store, take: Any) -> None:
    """Not after each chunk: a file leaves one segment, whatever the number of its chunks."""
    take({"a.md": "\n\n".join(f"# Part {n}\n\nIn part {n} the lamp is green." for n in range(300))})
    assert store.value("SELECT count(*) FROM chunks") == 300
    assert store.value("SELECT count(DISTINCT segid) FROM chunks_fts_idx") == 1


# What changed


def test_an_edited_paragraph(store: Store, take: Any, learn: Any, states: Any) -> None:
    """Only the new paragraph comes in; the old one leaves with its samples and probes, and what learned
    from it is stale, as is what was continued from that. The rest keeps its numbers."""
    take({"a.md": note(LAMP, CHAIR), "b.txt": TABLE})
    learn("table"), learn("chair"), learn("lamp", parent=2), learn("lamp")
    before = {row["text"]: row["id"] for row in store.rows("SELECT id, text FROM chunks")}
    edited = "The chair in the attic was painted white."
    assert counts(take({"a.md": note(LAMP, edited)})) == {
        "documents": 1,
        "conversations": 0,
        "messages": 0,
        "chunks": 1,
    }
    after = {row["text"]: row["id"] for row in store.rows("SELECT id, text FROM chunks")}
    assert set(after) == {LAMP, TABLE, edited}
    assert after[LAMP] == before[LAMP]
    for table in ("samples", "probes"):
        held = {row["chunk_id"] for row in store.rows(f"SELECT chunk_id FROM {table}")}
        assert held == {before[LAMP], before[TABLE]}
    assert store.rows("SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH 'chair AND red'") == []
    assert states() == {1: "ok", 2: "stale", 3: "stale", 4: "ok"}
    assert store.value("SELECT count(*) FROM run_samples WHERE run_id = 2") == 2  # provenance stays


def test_a_corrected_author_or_date_is_seen(store: Store, take: Any, learn: Any) -> None:
    """And what was learned of the text, which is the same, stays."""
    note_of = "---\nauthor: {}\ndate: {}\n---\n# Hall\n\n" + LAMP
    talk = '{{"title": "Tea", "messages": [{{"role": "user", "content": "' + CHAIR
    talk += '", "created_at": "{}"}}]}}'
    take({"a.md": note_of.format("Anna", "2024-01-01"), "b.jsonl": talk.format("2024-01-01")})
    learn("lamp")
    take({"a.md": note_of.format("Berta", "2024-02-01"), "b.jsonl": talk.format("2024-03-01")})
    assert store.rows("SELECT author, date FROM documents") == [
        {"author": "Berta", "date": "2024-02-01"}
    ]
    (said,) = store.rows("SELECT created_at FROM messages")
    assert said["created_at"].startswith("2024-03-01")
    assert store.value("SELECT count(*) FROM samples") == 2
    assert list(check(store)) == []


def test_what_left_a_file_leaves_the_disk(store: Store, take: Any) -> None:
    """A paragraph that was edited out is in no file of the home folder."""
    take({"a.md": note(LAMP, "Her name is Zyxqorvane.")})
    assert b"yxqorv" in everything(store.home.path)
    take({"a.md": note(LAMP, "Her name is not told.")})
    assert b"yxqorv" not in everything(store.home.path).lower()


def test_what_is_left_out_no_more_leaves_the_disk(store: Store, take: Any) -> None:
    """A key that made no chunk, under a heading that names somebody."""
    heading = f"Zyxqorvane\n\n{secrets.token_hex(400)}"
    take({"a.md": f"{note(LAMP)}\n\n## {heading}\n"})
    assert b"yxqorv" in everything(store.home.path)
    take({"a.md": f"{note(LAMP)}\n"})
    assert b"yxqorv" not in everything(store.home.path).lower()


def test_where_nothing_went_nothing_is_erased(store: Store, folder: Path) -> None:
    """The whole store is written anew to erase; an export that only grew costs no such thing."""
    said: list[str] = []
    store.db.conn.set_trace_callback(said.append)
    export = folder / "talks.jsonl"
    talks = [json.loads(chat(LAMP, title=f"{n}"))[0] | {"id": str(n)} for n in range(3)]
    talks[0]["mapping"]["m0"]["message"]["content"]["parts"].append("0f" * 400)
    for n_talks, erases in ((2, False), (3, False), (1, True), (1, False)):
        export.write_text("\n".join(map(json.dumps, talks[:n_talks])))
        said.clear()
        report = ingest(store, [folder])
        assert store.value("SELECT count(*) FROM conversations") == n_talks, report
        assert len(listed(store)) == 1
        assert ("VACUUM" in said) is erases, n_talks
    assert list(check(store)) == []


def test_a_paragraph_that_moved_to_another_file_stays(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    """As long as one source holds a text, nothing that was made of it goes."""
    take({"a.md": note(LAMP, CHAIR), "b.txt": CHAIR})
    learn("chair")
    take({"a.md": note(LAMP, TABLE)})
    assert set(texts(store)) == {LAMP, CHAIR, TABLE}
    assert states() == {1: "ok"}


def test_a_continued_conversation_brings_only_its_new_turns(store: Store, take: Any) -> None:
    """A newer export replaces the conversation; what was said before keeps its chunks."""
    take({"c.json": chat(LAMP, "I see.")})
    assert counts(take({"c.json": chat(LAMP, "I see.", CHAIR)})) == {
        "documents": 0,
        "conversations": 1,
        "messages": 3,
        "chunks": 1,
    }
    assert store.counts()["conversations"] == 1
    assert store.counts()["messages"] == 3


@pytest.mark.parametrize("content", [None, b""], ids=["deleted", "emptied"])
def test_a_file_that_is_gone_is_named_and_given_back_on_demand(
    store: Store, take: Any, folder: Path, learn: Any, states: Any, content: bytes | None
) -> None:
    """A file deleted from the folder, or emptied, is reported and kept; pruning takes its text, and leaves its name for `forget` while a
    version that learned from it is there."""
    take({"a.txt": LAMP, "b.txt": CHAIR})
    learn("lamp")
    (folder / "a.txt").unlink()
    if content is not None:
        (folder / "a.txt").write_bytes(content)
    for _ in range(2):
        assert {"path": str(folder / "a.txt"), "reason": VANISHED} in take().skipped
        assert texts(store) == [LAMP, CHAIR]
    assert states() == {1: "ok"}
    pruned = ingest(store, [folder], prune=True)
    assert {"path": str(folder / "a.txt"), "reason": PRUNED[VANISHED]} in pruned.skipped
    assert texts(store) == [CHAIR]
    left = [(Path(row["path"]).name, row["chunks"]) for row in store.sources()]
    assert left == [("a.txt", 0), ("b.txt", 1)]
    assert states() == {1: "stale"}


def test_a_file_that_became_a_folder_is_gone(store: Store, take: Any, folder: Path) -> None:
    """Not so an export that is a folder itself."""
    export = folder / "slack"
    export.mkdir()
    for name in ("users.json", "channels.json"):
        (export / name).write_text("[]")
    (export / "general").mkdir()
    said = {"type": "message", "user": "U1", "text": "The desk is blue.", "ts": "1700000000.000100"}
    (export / "general/2023-11-14.json").write_text(json.dumps([said]))
    take({"a.txt": LAMP})
    assert len(texts(store)) == 2
    (folder / "a.txt").unlink()
    (folder / "a.txt").mkdir()
    (folder / "a.txt/b.txt").write_text(CHAIR)
    assert reasons(take().skipped) == {"a.txt": VANISHED, "slack": "unchanged"}
    ingest(store, [folder], prune=True)
    assert LAMP not in texts(store)
    assert len(texts(store)) == 2


def test_notes_in_a_folder_that_is_one_export(store: Store, take: Any, folder: Path) -> None:
    """They are taken in as anywhere; of its other files nobody hears."""
    said = {"type": "message", "user": "U1", "text": "The desk is blue.", "ts": "1700000000.000100"}
    export = {"users": [], "channels": [], "integration_logs": [], "general/2023-11-14": [said]}
    files = {f"slack/{name}.json": json.dumps(held) for name, held in export.items()}
    (folder / "slack/general").mkdir(parents=True)
    report = take({**files, "slack/lamp.txt": LAMP, "slack/general/chair.md": CHAIR})
    assert sorted(texts(store)) == sorted([LAMP, CHAIR, "The desk is blue."])
    assert (report.skipped, report.refused) == ([], [])


def test_a_file_that_is_ignored_by_now_is_given_back_on_demand(
    store: Store, take: Any, folder: Path
) -> None:
    """By itself or with its folder; a file outside of the given folder stays."""
    (folder / "sub").mkdir()
    (folder / "other").mkdir()
    take({"a.txt": LAMP, "sub/b.txt": CHAIR, "other/a.txt": "The desk is blue."})
    for each in (folder, folder / "other"):
        (each / ".learnctlignore").write_text("/a.txt\nsub/\n")
    named = {str(folder / "a.txt"), str(folder / "sub/b.txt"), str(folder / "other/a.txt")}
    said = [line for line in take().skipped if line["reason"] == IGNORED_NOW]
    assert {line["path"] for line in said} == named
    assert len(texts(store)) == 3
    pruned = ingest(store, [folder / "other"], prune=True)
    assert {"path": str(folder / "other/a.txt"), "reason": PRUNED[IGNORED_NOW]} in pruned.skipped
    assert set(texts(store)) == {LAMP, CHAIR}
    ingest(store, [folder], prune=True)
    assert texts(store) == []


def test_a_file_that_moved_is_the_same_source(
    store: Store, take: Any, folder: Path, learn: Any, states: Any
) -> None:
    """Under another name or in another folder it keeps its number, its samples and what learned from it;
    only a title that was its name is another one now."""
    take({"a.txt": LAMP, "b.txt": CHAIR})
    learn("lamp"), learn("chair")
    before = store.rows("SELECT id, chunk_id, prompt FROM samples"), store.sources()
    (folder / "sub").mkdir()
    (folder / "a.txt").rename(folder / "sub/a.txt")
    (folder / "b.txt").rename(folder / "seat.txt")
    report = take()
    assert report.chunks == 0
    assert reasons(report.skipped) == {"a.txt": f"unchanged, moved from {folder / 'a.txt'}"}
    assert store.rows("SELECT id, chunk_id, prompt FROM samples") == before[0]
    assert {row["id"]: Path(row["path"]) for row in store.sources()} == {
        before[1][0]["id"]: folder / "sub/a.txt",
        before[1][1]["id"]: folder / "seat.txt",
    }
    assert states() == {1: "ok", 2: "ok"}
    assert [row["title"] for row in store.rows("SELECT title FROM documents ORDER BY 1")] == [
        "a",
        "seat",
    ]
    assert len(take().skipped) == 2


def test_a_copy_is_no_move(store: Store, take: Any, folder: Path) -> None:
    """While the first file is where it was, the second is a source of its own."""
    take({"a.txt": LAMP})
    take({"copy.txt": LAMP})
    assert store.counts()["sources"] == 2


def test_only_the_given_folder_is_looked_through(store: Store, take: Any, folder: Path) -> None:
    """What is gone elsewhere, or is gone with its whole folder, such as on a disk that is not there
    today, stays."""
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    take({"one/a.txt": LAMP, "two/b.txt": CHAIR})
    (folder / "one/a.txt").unlink()
    (folder / "one").rmdir()
    report = ingest(store, [folder / "two", folder / "one"])
    assert reasons(report.refused) == {"one": "there is no such file or folder"}
    assert VANISHED not in reasons(report.skipped).values()
    ingest(store, [folder / "two", folder / "one"], prune=True)
    assert set(texts(store)) == {LAMP, CHAIR}
    ingest(store, [folder], prune=True)
    assert texts(store) == [CHAIR]


def test_a_refused_new_version_keeps_the_old_content(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    """A file that broke keeps what it held, is tried again next time, and is taken once it is whole."""
    good = chat(LAMP, "I see.", CHAIR)
    take({"c.json": good})
    learn("lamp")

    def dumped() -> list[str]:
        return [line for line in store.db.conn.iterdump() if "passed_over" not in line]

    dump = dumped()
    second = good[1:-1].replace("lamps", "chairs")
    broken = f"[{second}, {second[:-9]}"  # one that is whole comes before the break
    for _ in range(2):
        report = take({"c.json": broken})
        assert list(reasons(report.refused)) == ["c.json"]
        assert counts(report) == dict.fromkeys(COUNTS, 0)
        assert dumped() == dump
    assert states() == {1: "ok"}
    assert reasons(take({"c.json": good}).skipped) == {"c.json": "unchanged"}


# What never comes in


def some(n: int) -> str:
    return "".join(random.Random(n).choices(string.ascii_letters + string.digits, k=n))


def test_secrets_never_reach_the_disk(store: Store, take: Any) -> None:
    """Wherever a secret stands, in a title, a heading, a text, a message, and where a chunk ends in
    the middle of it: no byte of it is in the home folder."""
    token = "ghp_" + some(36)
    lines = [some(64 + n)[n:] for n in range(50)]
    key = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----"])
    many_words = " ".join(["word"] * 110)
    report = take(
        {
            "a.md": f"# Token {token}\n\nIt is {token}.\n\n## And {token}\n\nAgain {token}.\n",
            "b.txt": f"{many_words}.\n{key}\nThat was it.",
            "c.json": chat(f"My key is {key}", f"So it is {token}", title=f"On {token}"),
        }
    )
    assert report.refused == []
    stored = everything(store.home.path)
    for secret in (token, *lines):
        assert secret.encode() not in stored
        assert secret.lower().encode() not in stored.lower()
    assert stored.count(b"[API TOKEN ") >= 4
    assert b"[PRIVATE KEY " in stored


def test_a_dry_run_writes_nothing(home: Path, folder: Path) -> None:
    """`look` tells what would be read, by file, and makes no store."""
    (folder / "a.md").write_text(f"---\ndate: 2024-03-01\n---\n# Hall\n\n{LAMP}\n")
    (folder / "c.json").write_text(chat(LAMP, "I see."))
    (folder / "broken.json").write_text('{"messages": [')
    (folder / "empty.txt").write_text("")
    report = look([folder])
    assert not home.exists()
    assert reasons(report.skipped) == {"empty.txt": "empty"}
    assert list(reasons(report.refused)) == ["broken.json"]
    assert {Path(file["path"]).name: file["format"] for file in report.files} == {
        "a.md": "markdown",
        "c.json": "chatgpt",
    }
    talk = report.files[1]
    assert (talk["conversations"], talk["messages"]) == (1, 2)
    assert talk["speakers"] == ["assistant", "user"]
    assert talk["first"] < talk["last"]
    assert (report.documents, report.conversations, report.messages) == (1, 1, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="file names must be text here")
def test_a_name_that_is_no_text_costs_one_line(take: Any, folder: Path) -> None:
    """Such a file is refused with a line that can be shown, and the others come in."""
    with open(os.fsencode(folder) + b"/caf\xe9.txt", "w") as file:
        file.write(LAMP)
    report = take({"z.txt": CHAIR})
    assert report.documents == 1
    (line,) = report.refused
    assert line == {
        "path": f"{folder}/caf\N{REPLACEMENT CHARACTER}.txt",
        "reason": "a name that is not UTF-8",
    }
    assert len(look([folder]).refused) == 1


CLOSED = """
import os, sys
from pathlib import Path
from learnctl.memory.home import Home, find_home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
folder = Path(sys.argv[1])
with Store.open(Home(folder.parent / "warm"), create=True) as store:
    ingest(store, [folder])  # imports all there is, for the new user may not read Python's own folder
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with Store.open(find_home(), create=True) as store:
    ingest(store, [folder])
    (folder / "closed").chmod(0)
    report = ingest(store, [folder])
    print(store.counts()["sources"], [entry["reason"] for entry in report.refused])
    (folder / "closed").chmod(0o700)
    print([entry["reason"] for entry in ingest(store, [Path("/root/any/thing"), folder]).skipped])
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
def test_a_folder_that_was_closed_is_not_given_back() -> None:
    """What cannot be looked at any more may still be there, so it stays."""
    with tempfile.TemporaryDirectory() as name:  # tmp_path is closed to the child's user
        folder = Path(name) / "notes"
        (folder / "closed").mkdir(parents=True)
        (folder / "closed/a.txt").write_text(LAMP)
        (folder / "b.txt").write_text(CHAIR)
        if os.getuid() == 0:
            for each in (Path(name), folder, folder / "closed"):
                os.chown(each, 65534, 65534)
        path = os.pathsep.join(filter(None, sys.path))
        done = subprocess.run(
            [sys.executable, "-c", CLOSED, str(folder)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "LEARNCTL_HOME": str(Path(name) / "home")},
        )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "2 ['no permission to read it']",
        "['unchanged', 'unchanged']",
    ]


# Large things

MEASURED = """
import os, resource, sys
from pathlib import Path
if os.fork():  # the peak of a process that was started is at first that of the one that started it
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
from learnctl.memory.home import find_home
from learnctl.memory.ingest import ingest, look
from learnctl.memory.store import Store
small, large = map(Path, sys.argv[1:])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Store.open(find_home(), create=True) as store:
    look([small])
    ingest(store, [small])  # everything is imported and every table was written to
    before = peak()
    looked = look([large])
    between = peak()
    report = ingest(store, [large])
    assert looked.conversations == report.conversations, report
    started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(report.conversations, started, between - before, peak() - between)
"""


@pytest.mark.skipif(os.name != "posix", reason="memory is measured in another way")
def test_a_large_export_takes_little_memory(tmp_path: Path) -> None:
    """20 MB of conversations are read one by one.

    Bound: one conversation is some 60 KB, SQLite keeps 2 MB of pages, and the rest is noise of the
    allocator; parsed at once, the objects alone would be larger than the file.
    """
    chooser = random.Random(1)
    words = [f"word{number}" for number in range(3000)]
    large, n_bytes, n = tmp_path / "conversations.json", 0, 0
    junk = "x" * 12000  # what tools put out, and is not kept
    with large.open("w") as file:
        while n_bytes < 20 * 2**20:
            turns = [" ".join(chooser.choices(words, k=60)) + "." for _ in range(8)]
            talk = json.loads(chat(*turns, title=f"Talk {n}"))[0]
            for node in talk["mapping"].values():
                node["metadata"] = {"output": junk}
            n_bytes += file.write(f"{',' if n else '['}{json.dumps(talk)}")
            n += 1
        file.write("]")
    small = tmp_path / "small.json"
    small.write_text(chat(LAMP, "I see."))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(small), str(large)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.stderr == ""
    found, started, *grown = map(int, done.stdout.split())
    assert found == n
    kilobytes = 1024 if sys.platform == "darwin" else 1
    assert max(grown) / kilobytes < 8 * 1024
    # The process that prepares: Python and its libraries are 45 MB.
    assert started / kilobytes < 100 * 1024


@pytest.fixture
def steps(store: Store) -> Iterator[Callable[[], int]]:
    """How many steps SQLite has taken, in tens."""
    n_steps = 0

    def count() -> int:
        nonlocal n_steps
        n_steps += 1
        return 0

    store.db.conn.set_progress_handler(count, 10)
    yield lambda: n_steps
    store.db.conn.set_progress_handler(None, 0)


def write_notes(folder: Path, numbers: range, colour: str) -> list[Path]:
    paths = [folder / f"{number}.txt" for number in numbers]
    for number, path in zip(numbers, paths, strict=True):
        path.write_text(f"Note {number}: the lamp of room {number} is {colour}.")
    return paths


def test_a_new_file_costs_the_same_in_a_full_store(
    store: Store, folder: Path, steps: Callable[[], int]
) -> None:
    """Taking in a file looks at that file alone: what is in the store already does not slow it down."""
    spent = []
    for part in (range(10), range(10, 210), range(210, 220)):
        paths = write_notes(folder, part, "green")
        before = steps()
        ingest(store, paths)
        spent.append(steps() - before)
    first, _, last = spent
    assert last < 2 * first


def test_a_changed_file_costs_the_same_in_a_full_store(
    store: Store, folder: Path, steps: Callable[[], int]
) -> None:
    """What erases is done once; beside that each changed file looks at what it held alone."""
    ingest(store, write_notes(folder, range(21), "green"))

    def cost(n_changed: int, colour: str) -> int:
        paths = write_notes(folder, range(n_changed), colour)
        before = steps()
        ingest(store, paths)
        return steps() - before

    in_small = cost(20, "red") - cost(1, "blue")
    (chunk,) = store.rows("SELECT * FROM chunks WHERE text LIKE '%room 20 %'")
    (place,) = store.rows("SELECT * FROM document_chunks WHERE chunk_id = ?", chunk["id"])
    with store.db.atomic():
        many = [{**chunk, "id": 1000 + n, "sha256": str(n)} for n in range(2000)]
        store.db.table("chunks").insert_all(many)
        places = [{**place, "chunk_id": 1000 + n, "position": 1 + n} for n in range(2000)]
        store.db.table("document_chunks").insert_all(places)
    in_full = cost(20, "yellow") - cost(1, "black")
    assert in_full < 2 * in_small


# Anything at all


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["a.txt", "a.md", "a.html", "a.json", "a.jsonl", "a.pdf", "a.docx", "a"]),
    content=st.one_of(
        st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=400),
        st.lists(
            st.sampled_from(["# ", "- ", "```\n", "|", "word ", "\n\n", "<p>", "&amp;", "1. "])
        )
        .map("".join)
        .map(str.encode),
    ),
)
@example("a.json", b'[{"mapping": {"a": {"message": {"author": {"role": "user"}}}}}]')
@example("a.txt", "\ud800 alone".encode("utf-8", "surrogatepass"))
def test_any_file_is_taken_or_refused_and_then_unchanged(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    """Whatever a file holds, ingest does not raise, counts it once, and the second time changes
    nothing."""
    folder = tmp_path_factory.mktemp("any")
    (folder / name).write_bytes(content)
    with Store.open(Home(folder.parent / "any_home"), create=True) as store:
        first = ingest(store, [folder])
        assert first.documents <= 1
        assert (
            len(first.skipped)
            + len(first.refused)
            + store.value("SELECT count(*) FROM sources WHERE root = ?", str(folder))
            == 1
        )
        before = store.rows("SELECT * FROM sources"), store.counts()
        again = ingest(store, [folder])
        assert counts(again) == dict.fromkeys(COUNTS, 0)
        assert again.refused == first.refused
        assert (store.rows("SELECT * FROM sources"), store.counts()) == before
        longest = store.value("SELECT coalesce(max(n_words), 0) FROM chunks")
        assert longest <= 150
