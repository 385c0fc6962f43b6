"""What is forgotten is nowhere, nothing else is lost, and no version that saw it is left."""

import json
import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory import contents, forgotten
from learnctl.memory.forget import forget_sources
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import in_service, learned_chunks, new_chunks
from learnctl.memory.records import Conversation, Message
from learnctl.memory.search import search
from learnctl.memory.store import TRACES, Store
from learnctl.trainer import adapter, chats, registry

LAMP = "The lamp in the hall is green."
CHAIR = "The chair in the attic is red."
TABLE = "The table in the kitchen is blue."
# In every form that an index may keep of the name Zyxqorvane: in lower case, stemmed, its first letter
# shared with the word before.
MARK = b"yxqorv"


def with_mark(home: Path) -> list[str]:
    """The files of a home folder that hold the mark, in their bytes or their names."""
    return [
        path.name
        for path in home.rglob("*")
        if MARK in path.name.lower().encode()
        or (path.is_file() and MARK in path.read_bytes().lower())
    ]


def ids(store: Store, *names: str) -> list[int]:
    return [source["id"] for name in names for source in store.find_sources(name)]


def found(store: Store, query: str) -> list[str]:
    return [hit.text for hit in search(store, query)]


@pytest.fixture
def marked(store: Store, take: Any) -> None:
    """Sources that hold the mark in every place there is, among many that do not."""
    talk = {
        "conversation_id": "zyxqorvane-1",
        "title": "Zyxqorvane's birthday",
        "messages": [
            {"role": "user", "content": "Zyxqorvane is 40. When is Zyxqorvane's party?"},
            {"role": "assistant", "content": "Ask Zyxqorvane."},
        ],
    }
    secret = [f"Day {n}. Zyxqorvane wore hat {n}, which was {'very ' * n}tall." for n in range(60)]
    take(
        {f"{n}.txt": f"Other note {n}. " + f"It is about the number {n}. " * 9 for n in range(60)}
        | {
            "zyxqorvane.txt": "A file whose name alone says it.",
            "diary.md": "---\nauthor: Ann Zyxqorvane\n---\n# Zyxqorvane\n\n## On Zyxqorvane\n\n"
            + "\n\n".join(secret)
            + f"\n\n## Key\n\nzyxqorvane {secrets.token_hex(400)}\n",
            "talk.jsonl": json.dumps(talk),
        }
    )
    again = (Message("assistant", "Zyxqorvane came, I think."),)
    asked = (Message("user", "Who came to tea?"),)
    chats.put_own(store, "chat", lambda number: Conversation("Tea", asked, alternatives=again))
    for table, column in (("left_out", "beginning"), ("alternatives", "text")):
        rows = store.rows(f"SELECT {column} AS text FROM {table}")
        assert [row for row in rows if MARK.decode() in row["text"].lower()], table


MARKED = ("zyxqorvane.txt", "diary.md", "talk.jsonl", "chat:1")


def test_no_byte_is_left(store: Store, marked: None, learn: Any) -> None:
    """In text, title, heading, author, message, answer made again, what was left out, sample, probe, answer, file
    name: no file of the home folder holds it any more, while the store is open and after."""
    version = learn("Zyxqorvane", note="Zyxqorvane?")
    probe = store.value("SELECT min(id) FROM probes")
    answer = {"run_id": version, "probe_id": probe, "stage": "after", "form": "direct"}
    store.db.table("evaluations").insert({**answer, "correct": 0, "answer": "Zyxqorvane!"})
    assert with_mark(store.home.path)
    report = forget_sources(store, ids(store, *MARKED))
    assert report["sources"] == 4
    assert report["documents"] == 4
    # Nothing was learned of the file so named, nor of the chat.
    assert report["chunks"] == report["samples"] / 2 + 2
    assert with_mark(store.home.path) == []
    assert found(store, "Zyxqorvane") == []
    assert len(found(store, "other note number")) == 10
    store.close()
    assert with_mark(store.home.path) == []


def test_no_byte_is_left_while_somebody_else_reads(store: Store, marked: None) -> None:
    """Another process that has the store open, as a chat does, keeps nothing alive."""
    with Store.open(store.home) as other:
        assert found(other, "Zyxqorvane")
        forget_sources(store, ids(store, *MARKED))
        assert with_mark(store.home.path) == []
        assert found(other, "Zyxqorvane") == []


def test_what_somebody_still_reads_is_erased_next_time(store: Store, marked: None) -> None:
    """A reader in the middle of a query keeps the log; what is in it goes with the next ingest, of anything."""
    store.db.execute("PRAGMA busy_timeout = 50")
    reader = sqlite3.connect(store.home.database)
    reading = reader.execute("SELECT text FROM chunks")
    assert reading.fetchone()
    forget_sources(store, ids(store, *MARKED))
    assert store.setting(TRACES) == "1"
    assert with_mark(store.home.path)
    reading.close()
    reader.close()
    ingest(store, [])
    assert store.setting(TRACES) == ""
    assert with_mark(store.home.path) == []


KILLED = """
import os, sys
from learnctl.memory.forget import forget_sources
from learnctl.memory.home import find_home
from learnctl.memory.store import TRACES, Store
with Store.open(find_home()) as store:
    store.db.conn.set_trace_callback(lambda sql: os._exit(9) if sql == "VACUUM" else None)
    forget_sources(store, [int(number) for number in sys.argv[1:]])
"""


def test_what_was_not_erased_is_erased_next_time(store: Store, marked: None) -> None:
    """A process that is killed while it erases has forgotten, and the next ingest, of anything,
    erases."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, ids(store, *MARKED))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 9
    assert found(store, "Zyxqorvane") == []
    assert with_mark(store.home.path)
    ingest(store, [])
    assert with_mark(store.home.path) == []


def test_text_that_another_source_holds_stays(store: Store, take: Any, learn: Any) -> None:
    """It stays searchable, for that source; what was made of it may name the other, and goes."""
    take({"a.md": f"# A\n\n{LAMP}\n\n## B\n\n{CHAIR}", "b.txt": LAMP})
    learn("lamp")
    report = forget_sources(store, ids(store, "a.md"))
    assert report == {"sources": 1, "documents": 1, "chunks": 1, "samples": 2}
    (hit,) = search(store, "lamp")
    assert (hit.text, Path(hit.source).name, hit.heading) == (LAMP, "b.txt", "")
    assert found(store, "chair") == []
    assert store.value("SELECT count(*) FROM samples") == 0
    assert [chunk["text"] for chunk in new_chunks(store)] == [LAMP]  # to be learned anew


def test_a_copy_keeps_what_the_other_lost(store: Store, take: Any) -> None:
    """Forgetting one of two equal files leaves the document, forgetting both takes it."""
    text = f"# Hall\n\n{LAMP}\n"
    take({"a.md": text, "b.md": text})
    assert forget_sources(store, ids(store, "a.md"))["documents"] == 0
    assert found(store, "lamp") == [LAMP]
    assert forget_sources(store, ids(store, "b.md"))["documents"] == 1
    assert store.counts() == dict.fromkeys(store.counts(), 0)


def test_versions_that_saw_it_are_deleted_with_their_descendants(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    """Others stay as they were."""
    take({"a.txt": LAMP, "b.txt": CHAIR, "c.txt": TABLE})
    learn("chair")
    learn("lamp", parent=1)
    learn("table", parent=2)
    learn("chair", parent=1)
    learn("table")
    forget_sources(store, ids(store, "a.txt"))
    assert states() == {1: "ok", 2: "deleted", 3: "deleted", 4: "ok", 5: "ok"}


def test_what_a_source_held_once_counts_too(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    """A version that learned a paragraph which was edited out since has seen the source."""
    take({"a.txt": LAMP, "b.txt": TABLE})
    learn("lamp")
    learn("table")
    take({"a.txt": CHAIR})
    assert states() == {1: "stale", 2: "ok"}
    forget_sources(store, ids(store, "a.txt"))
    assert states() == {1: "deleted", 2: "ok"}


def test_a_stale_version_of_another_source_stays(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    """What changed elsewhere is not deleted along."""
    take({"a.txt": LAMP, "b.txt": TABLE})
    learn("lamp")
    take({"a.txt": CHAIR})
    forget_sources(store, ids(store, "b.txt"))
    assert states() == {1: "stale"}


def test_numbers_are_never_used_again(store: Store, take: Any, learn: Any) -> None:
    """A run keeps the numbers of its samples, so no later sample may take them."""
    take({"a.txt": LAMP})
    learn("lamp")
    forget_sources(store, ids(store, "a.txt"))
    take({"a.txt": LAMP})
    learn("lamp")
    rows = store.rows("SELECT run_id, sample_id FROM run_samples ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [(1, 1), (1, 2), (2, 3), (2, 4)]


def test_nothing_is_forgotten_for_no_source(store: Store, take: Any) -> None:
    """An empty list and a number that is not there take nothing."""
    take({"a.txt": LAMP})
    for none in ([], [99]):
        assert forget_sources(store, none)["chunks"] == 0
    assert found(store, "lamp") == [LAMP]


def test_a_chat_is_forgotten_like_a_file(store: Store, take: Any) -> None:
    """What was said in a chat of ours leaves with it."""
    from learnctl.trainer.chats import log_turn, start_chat

    take({"a.txt": LAMP})
    number = start_chat(store, "Evening")
    log_turn(store, number, "user", "Zyxqorvane came to tea.")
    assert found(store, "tea") == ["Zyxqorvane came to tea."]
    assert forget_sources(store, ids(store, f"chat:{number}"))["chunks"] == 1
    assert with_mark(store.home.path) == []


# The weights, which are trainer.registry's


@pytest.fixture
def publish(store: Store) -> Any:
    """Give versions a folder with weights in it."""

    def write(versions: Iterable[int]) -> None:
        for version in versions:
            weights = store.home.versions / str(version) / adapter.WEIGHTS
            weights.parent.mkdir(parents=True)
            weights.write_bytes(b"weights that know of Zyxqorvane")

    return write


def folders(path: Path) -> list[str]:
    return sorted(child.name for child in path.iterdir()) if path.exists() else []


def test_the_newest_version_that_never_saw_it_serves(
    store: Store, take: Any, learn: Any, publish: Any
) -> None:
    """Weights are deleted from the disk, and the next night begins at the base."""
    take({"a.txt": LAMP, "b.txt": CHAIR})
    learn("chair")
    learn("lamp", parent=1)
    learn("chair", parent=2)
    publish([1, 2, 3])
    report = registry.forget(store, ids(store, "a.txt"))
    assert report["versions_deleted"] == [2, 3]
    assert report["version"] == in_service(store) == 1
    assert report["samples"] == 2
    assert folders(store.home.versions) == ["1"]
    assert [row["version"] for row in registry.history(store)] == [1]
    assert store.setting(registry.SLOW_DUE)


def test_else_the_base_serves(store: Store, take: Any, learn: Any, publish: Any) -> None:
    """Where every version saw it, none is left."""
    take({"a.txt": LAMP})
    learn("lamp")
    publish([1])
    report = registry.forget(store, ids(store, "a.txt"))
    assert report["versions_deleted"] == [1]
    assert report["version"] == in_service(store) == 0
    assert folders(store.home.versions) == []
    assert with_mark(store.home.path) == []


def test_weights_go_too_where_erasing_fails(
    store: Store, take: Any, learn: Any, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What saw it is deleted from the disk all the same, and the next night begins at the base."""
    take({"a.txt": LAMP, "b.txt": CHAIR})
    learn("chair")
    learn("lamp", parent=1)
    publish([1, 2])

    def fail(store: Store) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Store, "erase_traces", fail)
    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        registry.forget(store, ids(store, "a.txt"))
    assert folders(store.home.versions) == ["1"]
    assert in_service(store) == 1
    assert store.setting(registry.SLOW_DUE)


def test_a_version_that_knows_nothing_of_it_goes_on(
    store: Store, take: Any, learn: Any, publish: Any
) -> None:
    """Nothing is deleted, and no slow pass is due."""
    take({"a.txt": LAMP, "b.txt": CHAIR})
    learn("chair")
    publish([1])
    report = registry.forget(store, ids(store, "a.txt"))
    assert (report["versions_deleted"], report["version"]) == ([], 1)
    assert folders(store.home.versions) == ["1"]
    assert store.setting(registry.SLOW_DUE) == ""


def test_unfinished_runs_are_dropped(store: Store, take: Any, learn: Any) -> None:
    """A checkpoint may have seen it: it is deleted, and its run does not go on."""
    take({"a.txt": LAMP, "b.txt": CHAIR})
    learn("lamp")
    store.db.execute("UPDATE runs SET state = 'running'")
    (store.home.runs / "1").mkdir(parents=True)
    (store.home.runs / "1/checkpoint").write_bytes(b"Zyxqorvane")
    registry.forget(store, ids(store, "a.txt"))
    assert store.value("SELECT state FROM runs") == "dropped"
    assert with_mark(store.home.path) == []


def test_what_a_killed_run_has_half_published_goes_too(
    store: Store, take: Any, learn: Any, publish: Any
) -> None:
    """Also where it came to its place and had no row yet."""
    take({"a.txt": LAMP, "b.txt": CHAIR})
    learn("chair")
    publish([1, 2])
    (store.home.versions / "2").rename(store.home.versions / ".2.tmp")
    publish([3])
    registry.forget(store, ids(store, "a.txt"))
    assert folders(store.home.versions) == ["1"]


def test_notes_of_nights_go_too(store: Store, take: Any) -> None:
    """They quote what was learned, and the log names files."""
    take({"a.txt": LAMP})
    store.home.nights.mkdir(parents=True)
    (store.home.nights / "2026-11-20.md").write_text("learned: who came? Zyxqorvane")
    registry.forget(store, ids(store, "a.txt"))
    assert with_mark(store.home.path) == []


@pytest.mark.parametrize("told", ["set_aside", "not_taken_in"])
def test_reports_of_nights_name_it_no_more(store: Store, take: Any, diary: Any, told: str) -> None:
    """Neither as set aside nor as not taken in; what else they say stays."""
    take({"zyxqorvane.txt": LAMP, "b.txt": CHAIR})
    (source,) = store.find_sources("zyxqorvane.txt")
    diary(store).night([], {}, {}, promoted=False, **{told: [source["path"]]})
    assert with_mark(store.home.path)
    registry.forget(store, [source["id"]])
    assert with_mark(store.home.path) == []
    report = json.loads(store.value("SELECT report FROM runs"))
    assert told not in report
    assert report["reason"] == "told so"


def test_a_version_that_was_deleted_halfway_does_not_serve(
    store: Store, take: Any, learn: Any
) -> None:
    """A process that died between forgetting the source and choosing what serves leaves the store with
    a version in service that exists."""
    take({"a.txt": LAMP, "b.txt": CHAIR})
    learn("chair")
    learn("lamp")
    assert in_service(store) == 2
    forget_sources(store, ids(store, "a.txt"))
    assert in_service(store) == 1


def test_learned_chunks_are_those_of_the_whole_line(store: Store, take: Any, learn: Any) -> None:
    """A version knows what its ancestors learned, and what is new is the rest."""
    take({"a.txt": LAMP, "b.txt": CHAIR, "c.txt": TABLE})
    learn("chair")
    learn("lamp", parent=1)
    assert learned_chunks(store, 0) == set()
    assert len(learned_chunks(store, 1)) == 1
    assert len(learned_chunks(store, 2)) == 2
    assert [chunk["text"] for chunk in new_chunks(store)] == [TABLE]


def test_what_is_shared_is_studied_once_for_its_first_source(store: Store, take: Any) -> None:
    """A chunk in several sources is listed once, whichever came first; replies are not studied."""
    talk = {
        "messages": [{"role": "user", "content": LAMP}, {"role": "assistant", "content": TABLE}]
    }
    take(
        {
            "a.md": f"# A\n\n{CHAIR}\n\n## Later\n\n{LAMP}",
            "b.txt": LAMP,
            "c.jsonl": json.dumps(talk),
        }
    )
    listed = [(c["kind"], c["text"], c["source_id"], c["heading"]) for c in new_chunks(store)]
    assert listed == [
        ("text", CHAIR, 1, "A"),
        ("text", LAMP, 1, "A › Later"),
        ("told", LAMP, 3, ""),
    ]
    contents.put_message(store, 1, Message("assistant", "Nothing to learn."))
    assert len(new_chunks(store)) == 3


def test_a_file_that_is_to_be_read_anew_stays_out_by_its_bytes(
    store: Store, folder: Path, take: Any
) -> None:
    """Between lifting a rule and the next ingest no digest of it is in the store; no night takes a copy of it in all the same."""
    take({"a.txt": LAMP, "b.txt": CHAIR})
    rule = forgotten.make(store, words="Zyxqorvane")
    forgotten.remember(store, rule)
    forgotten.lift(store, rule)
    forget_sources(store, ids(store, "a.txt"))
    (folder / "copy.txt").write_text(LAMP)
    ingest(store, [folder], forgotten_too=False)
    assert found(store, "lamp") == []
    assert found(store, "chair") == [CHAIR]


def test_names_of_files_that_were_passed_over_go_too(store: Store, folder: Path, take: Any) -> None:
    """With the last source of their folder; and a forgotten file that is empty now is not named again."""
    (folder / "with-eve.bin").write_bytes(bytes(range(256)) * 8)
    take({"diary.md": "Eve came to tea on Sunday.", "house.md": "The lamp in the hall is green."})
    ingest(store, [folder])
    names = "SELECT count(*) FROM passed_over WHERE path LIKE ?"
    assert store.value(names, "%with-eve.bin") == 1
    forget_sources(store, ids(store, "diary.md"))
    assert store.value(names, "%with-eve.bin") == 1
    (folder / "diary.md").write_text("")
    ingest(store, [folder], forgotten_too=False)
    assert store.value(names, "%diary.md") == 0
    forget_sources(store, ids(store, "house.md"))
    assert store.value(names, "%") == 0


def test_an_answer_to_another_question_goes_too(
    store: Store, take: Any, learn: Any, diary: Any
) -> None:
    """Versions recite, and so do runs that were refused; what was answered by those that never saw it stays, and so does what was
    right."""
    take({"lamp.md": LAMP})
    first = learn("lamp")
    take({"chair.md": CHAIR})
    second = learn("chair", parent=first)
    take({"other.md": "The other note is about a cupboard that stands in the hall."})
    third = learn("cupboard")
    (probe,) = store.rows("SELECT id FROM probes WHERE question = ?", LAMP)
    for run, stage in ((first, "after"), (second, "after"), (third, "before"), (third, "after")):
        store.db.table("evaluations").insert(
            {
                "run_id": run,
                "probe_id": probe["id"],
                "stage": stage,
                "form": "direct",
                "correct": 1,
                "answer": f"{run} {stage}",
            }
        )
    both = [diary(store).chunk(name) for name in ("lamp.md", "chair.md")]
    diary(store).night(both, {}, {probe["id"]: True}, promoted=False)
    forget_sources(store, ids(store, "chair.md"))
    kept = store.rows("SELECT answer, correct FROM evaluations ORDER BY id")
    assert [row["answer"] for row in kept] == [f"{first} after", "", "", "", ""]
    assert [row["correct"] for row in kept] == [1] * 5


def test_more_sources_at_once_than_a_query_takes_values(store: Store, take: Any) -> None:
    """Of a folder with many files."""
    take({f"{number}.txt": f"{LAMP} That is number {number}." for number in range(1100)})
    every = [source["id"] for source in store.sources()]
    store.db.conn.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1050)
    assert forget_sources(store, every[1:])["sources"] == 1099
    assert [source["id"] for source in store.sources()] == every[:1]


@pytest.mark.parametrize("edited", ["a.txt", "b.txt"])
def test_who_learned_from_two_sources_at_once_has_seen_both(
    store: Store, take: Any, learn: Any, states: Any, edited: str
) -> None:
    """Also when one of them no longer says it: the sample is gone, and not what it taught of the other."""
    take({"a.txt": LAMP, "b.txt": TABLE})
    learn("lamp")
    table = store.value("SELECT id FROM chunks WHERE text = ?", TABLE)
    store.db.execute("UPDATE samples SET second_chunk_id = ?", [table])
    take({edited: CHAIR})
    assert states() == {1: "stale"}
    forget_sources(store, ids(store, "b.txt" if edited == "a.txt" else "a.txt"))
    assert states() == {1: "deleted"}


@pytest.mark.parametrize("file", ["a.md", "b.md"])
def test_a_passage_that_moved_to_another_file(
    store: Store, take: Any, learn: Any, states: Any, file: str
) -> None:
    """What was made of it where it stood first may name that; it is learned anew, and who learned it so is deleted with that file."""
    take({"a.md": f"# Zyxqorvane\n\n{LAMP}\n", "b.md": CHAIR})
    learn("lamp", note="Under Zyxqorvane?")
    take({"b.md": f"{CHAIR}\n\n## B\n\n{LAMP}"})
    assert store.value("SELECT count(*) FROM samples") == 2  # it is where it was, too
    take({"a.md": "# Zyxqorvane\n\nNothing of the kind is left here."})
    assert store.value("SELECT count(*) FROM samples") == 0
    assert states() == {1: "ok"}
    assert LAMP in [chunk["text"] for chunk in new_chunks(store)]
    if file == "b.md":
        forget_sources(store, ids(store, "b.md"))
        assert states() == {1: "deleted"}
        assert found(store, "lamp") == []
        return
    forget_sources(store, ids(store, "a.md"))
    assert states() == {1: "deleted"}
    assert found(store, "lamp") == [LAMP]
    assert with_mark(store.home.path) == []


def test_what_was_given_back_can_still_be_forgotten(
    store: Store, folder: Path, take: Any, learn: Any, states: Any
) -> None:
    """Pruning names the versions that learned from a file which is gone; its name stays for `forget` while one of them, or one continued
    from them, is there. Nothing else of it does, and it is not told of again."""
    take({"zyxqorvane.md": f"# Zyxqorvane\n\nZyxqorvane is 40. {LAMP}", "b.txt": CHAIR})
    learn("chair")
    learn("lamp")
    learn("chair", parent=2)
    store.db.execute("UPDATE adapters SET state = 'deleted' WHERE version = 2")  # to save room
    gone = folder / "zyxqorvane.md"
    gone.unlink()
    (note,) = ingest(store, [folder], prune=True).notes
    assert note["path"] == str(gone)
    assert note["note"].startswith("version 3 learned from it")
    assert found(store, "lamp") == []
    assert store.value("SELECT count(*) FROM documents") == 1
    assert str(gone) not in [e["path"] for e in ingest(store, [folder], prune=True).skipped]
    registry.forget(store, ids(store, str(gone)))
    assert states() == {1: "ok", 2: "deleted", 3: "deleted"}
    assert with_mark(store.home.path) == []


def test_what_was_given_back_and_is_in_no_version_leaves_no_name(
    store: Store, folder: Path, take: Any, learn: Any
) -> None:
    """Once the versions are gone, the next pruning takes the name, too; and a file that is there again is taken in."""
    take({"zyxqorvane.md": LAMP, "b.txt": CHAIR})
    learn("lamp")
    (folder / "zyxqorvane.md").unlink()
    ingest(store, [folder], prune=True)
    take({"zyxqorvane.md": LAMP})
    assert found(store, "lamp") == [LAMP]
    (folder / "zyxqorvane.md").unlink()
    ingest(store, [folder], prune=True)
    store.db.execute("UPDATE adapters SET state = 'deleted'")
    ingest(store, [folder], prune=True)
    assert store.counts()["sources"] == 1
    assert with_mark(store.home.path) == []
