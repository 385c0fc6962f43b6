"""What a person said, what is of a time, what has some words: gone from everywhere, and does not come back."""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory import contents, forgotten
from learnctl.memory.check import check
from learnctl.memory.errors import LearnctlError
from learnctl.memory.forget_rule import forget_where, preview
from learnctl.memory.ingest import ingest
from learnctl.memory.records import Conversation, Message
from learnctl.memory.search import search
from learnctl.memory.store import Store, now
from learnctl.trainer import registry
from learnctl.trainer.adapter import WEIGHTS

# In every form that an index may keep of Zyxqorvane.
MARK = b"yxqorv"

CHAT = {
    "conversation_id": "1",
    "title": "The garden party",
    "messages": [
        {"role": "user", "content": "Zyxqorvane is 40.", "created_at": "2024-03-02T10:00:00"},
        {"role": "assistant", "content": "Congratulations.", "created_at": "2024-03-02T10:01:00"},
        {"role": "user", "content": "The chair is red.", "created_at": "2024-04-01T10:00:00"},
    ],
}
DIARY = (
    "---\nauthor: Ann\ndate: 2024-03-05\n---\n# Diary\n\n## Monday\n\nThe lamp broke.\n\n"
    "## On Zyxqorvane\n\nA tall hat was worn.\n\n## Tuesday\n\nZyxqorvane's hat was blue.\n"
)
FILES = {
    "talk.jsonl": json.dumps(CHAT),
    "diary.md": DIARY,
    "other.txt": "The lamp broke.",
    "zyxqorvane.txt": "Came to tea.",
}
GROUP = Conversation(
    "Group",
    (
        Message("person", "The lamp is green.", "2024-03-01", "Ann"),
        Message("person", "The lamp is green.", "2024-03-01", "Zyxqorvane"),
        Message("person", "Tea at Ann's?", "2024-03-02", "Zyxqorvane"),
    ),
)


def marked(home: Path) -> list[str]:
    return [
        path.name
        for path in home.rglob("*")
        if path.is_file() and MARK in path.read_bytes().lower()
    ]


def texts(store: Store) -> set[str]:
    return {row["text"] for row in store.rows("SELECT text FROM chunks")}


def put_group(store: Store, path: str, talk: Conversation = GROUP) -> Any:
    """Take in a talk between people, from a file of that name."""
    with store.db.atomic():
        source = {"path": path, "root": "/", "format": "chat", "sha256": path, "n_bytes": 1}
        store.db.table("sources").upsert({**source, "ingested_at": now()}, pk="path")
        number = store.value("SELECT id FROM sources WHERE path = ?", path)
        contents.unlink(store, number)
        return contents.put(store, number, talk)


def test_words_leave_no_byte_and_do_not_come_back(
    store: Store, take: Any, folder: Path, learn: Any
) -> None:
    """In text, heading, message, title, file name, sample, answer: and neither the same file, nor a
    changed one, nor a copy brings them back, while what is new in them comes in."""
    take(FILES)
    version = learn("lamp", note="Zyxqorvane?")
    probe = store.value("SELECT min(id) FROM probes")
    answer = {"run_id": version, "probe_id": probe, "stage": "after", "form": "direct"}
    store.db.table("evaluations").insert({**answer, "correct": 0, "answer": "Zyxqorvane!"})
    store.db.execute("INSERT INTO held_out VALUES ('who is zyxqorvane')")
    assert marked(store.home.path)
    report = forget_where(store, forgotten.make(store, words="ZYXQORVANE"))
    assert report == {
        "sources": 1,
        "documents": 1,
        "passages": 3,
        "messages": 1,
        "chunks": 4,
        "samples": 2,
        "named": [],
    }
    left = {"The lamp broke.", "Congratulations.", "The chair is red."}
    assert texts(store) == left
    assert marked(store.home.path) == []
    take()
    assert (texts(store), marked(store.home.path)) == (left, [])
    changed = DIARY.replace("## Tuesday", "## Tuesday\n\nIt rained.\n\n## Wednesday")
    take({"diary.md": changed, "copy.md": DIARY.replace("blue", "green")})
    assert (texts(store), marked(store.home.path)) == (left | {"It rained."}, [])


def test_the_next_ingest_says_what_is_left_out(store: Store, take: Any, folder: Path) -> None:
    take(FILES)
    forget_where(store, forgotten.make(store, words="Zyxqorvane"))
    (folder / "diary.md").write_text(DIARY + "\nMore.\n")
    reasons = {Path(entry["path"]).name: entry["reason"] for entry in take().skipped}
    said = "forgotten before: {} of its passages or messages left out"
    assert reasons["diary.md"] == said.format(2)
    assert reasons["zyxqorvane.txt"] == said.format("all")
    assert reasons["talk.jsonl"] == "unchanged"
    assert [Path(row["path"]).name for row in store.sources()] == [
        "diary.md",
        "other.txt",
        "talk.jsonl",
    ]


def test_a_person_s_words_go_and_the_same_words_of_another_stay(store: Store) -> None:
    """In every conversation, whatever the case of the name; and with the next export too."""
    put_group(store, "/a"), put_group(store, "/b", Conversation("Two", GROUP.messages[1:]))
    report = forget_where(store, forgotten.make(store, person="zyxqorvane"))
    assert (report["messages"], report["documents"], report["sources"]) == (4, 1, 1)
    assert texts(store) == {"The lamp is green."}
    assert marked(store.home.path) == []
    assert [row["speaker"] for row in store.rows("SELECT speaker FROM messages")] == ["Ann"]
    more = (*GROUP.messages, Message("person", "And cake.", "2025-01-01", "Zyxqorvane"))
    assert put_group(store, "/a", Conversation("Group", more))["forgotten"] == 3
    assert texts(store) == {"The lamp is green."}
    assert marked(store.home.path) == []


def test_two_authors_of_the_same_text_are_two(store: Store, take: Any) -> None:
    written = "---\nauthor: {}\n---\n# Hall\n\nThe lamp is green.\n"
    take({"a.md": written.format("Anna"), "b.md": written.format("Berta")})
    report = forget_where(store, forgotten.make(store, person="Anna"))
    assert (report["sources"], report["chunks"]) == (1, 0)
    assert [Path(row["path"]).name for row in store.sources()] == ["b.md"]
    assert forget_where(store, forgotten.make(store, person="Berta"))["chunks"] == 1


def test_a_conversation_with_other_answers_made_again_is_another(store: Store) -> None:
    asked = (Message("user", "Who came to tea?"),)
    for again in ("Anna did.", "Berta did."):
        put_group(
            store, "/a", Conversation("Tea", asked, alternatives=(Message("assistant", again),))
        )
        with store.db.atomic():
            contents.sweep(store)
    assert store.rows("SELECT text FROM alternatives") == [{"text": "Berta did."}]
    assert list(check(store)) == []


def test_a_time_goes_with_both_its_ends(store: Store, take: Any) -> None:
    """Messages by their own date, documents by theirs; what has no date stays."""
    take(FILES)
    report = forget_where(store, forgotten.make(store, since="2024-03-02", until="2024-03"))
    assert report["messages"] == 2
    assert texts(store) == {"The chair is red.", "The lamp broke.", "Came to tea."}
    take({"diary.md": DIARY + "\nMore.\n"})
    assert texts(store) == {"The chair is red.", "The lamp broke.", "Came to tea."}


def test_a_chat_is_not_called_by_what_is_forgotten(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    """Neither now nor when it is taken in again, nor in what was made of the rest of it under that title."""
    first, second = "Zyxqorvane wore a hat to tea. " * 4, "The lamp broke. " * 6
    said = [
        {"role": "user", "content": first, "created_at": "2024-03-02"},
        {"role": "assistant", "content": "Did she?", "created_at": "2024-03-02"},
        {"role": "user", "content": second, "created_at": "2024-04-01"},
    ]
    take({"talk.jsonl": json.dumps({"messages": said})})
    learn("lamp")
    registry.forget_by_rule(store, forgotten.make(store, since="2024-03", until="2024-03"))
    assert states() == {1: "deleted"}
    for _ in range(2):
        assert marked(store.home.path) == []
        titles = [row["title"] for row in store.rows("SELECT title FROM conversations")]
        assert titles == ["The lamp broke. The lamp broke. The lamp broke. The lamp…"]
        take({"talk.jsonl": json.dumps({"messages": [*said, said[1]]})})


def test_a_rule_without_an_end_ends_now(store: Store, take: Any) -> None:
    """What is said later is not forgotten before it is said."""
    take(FILES)
    forget_where(store, forgotten.make(store, since="2024-04"))
    later = {**CHAT, "messages": [{**CHAT["messages"][2], "created_at": "2999-01-01"}]}  # type: ignore[dict-item]
    take({"later.jsonl": json.dumps(later)})
    assert "The chair is red." in texts(store)


def test_the_clock_of_a_chat_may_be_ahead(store: Store) -> None:
    """Its times may be of any zone where it names none; where it does, now is now."""
    said = datetime.now(UTC)
    hour = timedelta(hours=1)
    times = {
        "in Auckland": (said + 13 * hour).replace(tzinfo=None),
        "tomorrow": (said + 15 * hour).replace(tzinfo=None),
        "before": said - hour,
        "after": said + hour,
    }
    messages = (
        Message("person", f"It was said {name}.", time.isoformat(timespec="seconds"), "Ann")
        for name, time in times.items()
    )
    put_group(store, "/a", Conversation("Group", tuple(messages)))
    forget_where(store, forgotten.make(store, person="Ann", since="2024"))
    assert texts(store) == {"It was said tomorrow.", "It was said after."}


def test_what_no_passage_says_goes_too(store: Store, take: Any, folder: Path) -> None:
    """An answer that was made again, the beginning of what was left out, the title of a document of which all
    was left out: each alone is enough, leaves no byte, and stays out."""
    again = Message("assistant", "Ask Zyxqorvane.", "2024-03-01")
    talk = Conversation("Tea", (Message("user", "Who came to tea?"),), alternatives=(again,))
    encoded = f"zyxqorvane {secrets.token_hex(400)}\n"
    untitled = f"---\ntitle: Of Zyxqorvane\n---\n\n{encoded.replace('zyxqorvane', '')}"
    b = f"# Tea\n\nIt was green.\n\n{encoded}"
    puts: list[Callable[[], Any]] = [
        lambda: put_group(store, "/a", talk),
        lambda: take({"b.md": b if not (folder / "b.md").exists() else f"{b}\n\nIt was hot."}),
        lambda: take({"c.md": untitled}),
    ]
    for put in puts:
        put()
        assert marked(store.home.path)
        rule = forgotten.make(store, words="Zyxqorvane")
        meant = preview(store, rule)
        assert meant["passages"] or meant["messages"]
        forget_where(store, rule)
        assert marked(store.home.path) == []
        put()
        assert marked(store.home.path) == []
        forgotten.lift(store, rule)
    assert texts(store) == {"It was green.\nIt was hot.", "Who came to tea?"}


def test_a_file_called_so_is_named_and_stays(store: Store, take: Any) -> None:
    take({"zyxqorvane.md": "# Tea\n\nIt was green.\n"})
    report = forget_where(store, forgotten.make(store, words="Zyxqorvane"))
    assert [Path(path).name for path in report["named"]] == ["zyxqorvane.md"]
    assert report["sources"] == 0
    assert texts(store) == {"It was green."}


def test_all_that_is_given_must_hold(store: Store) -> None:
    put_group(store, "/a")
    forget_where(store, forgotten.make(store, person="Zyxqorvane", words="tea"))
    assert store.value("SELECT count(*) FROM messages WHERE speaker = 'Zyxqorvane'") == 1
    with pytest.raises(LearnctlError):
        forgotten.make(store)
    with pytest.raises(LearnctlError, match="no word"):
        forgotten.make(store, words="?!")


def test_a_preview_counts_the_same_and_changes_nothing(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    take(FILES)
    learn("hat"), learn("chair")
    made = forgotten.make(store, words="Zyxqorvane")
    before = list(store.db.conn.iterdump())
    meant = preview(store, made)
    assert list(store.db.conn.iterdump()) == before
    assert meant.pop("versions_deleted") == [1]
    assert {example["text"] for example in meant.pop("examples")} == {
        "A tall hat was worn.",
        "Zyxqorvane's hat was blue.",
        "Came to tea.",
        "Zyxqorvane is 40.",
    }
    assert forget_where(store, made) == meant
    assert states() == {1: "deleted", 2: "ok"}


def test_versions_that_learned_of_it_are_deleted(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    """From the text as it is, or as a file that is touched held it once; with weights and checkpoints."""
    take(FILES | {"side.txt": "The table is blue."})
    learn("lamp"), learn("hat"), learn("table")
    take({"diary.md": DIARY.replace("The lamp broke.", "The lamp was mended.")})
    learn("hat", parent=1)
    for folder in (store.home.versions / "2", store.home.runs / "5"):
        folder.mkdir(parents=True)
        (folder / WEIGHTS).write_bytes(b"Zyxqorvane")
    report = registry.forget_by_rule(store, forgotten.make(store, words="Zyxqorvane"))
    # The diary held the lamp once, and another file does still: what was made of it may name the diary.
    assert states() == {1: "deleted", 2: "deleted", 3: "ok", 4: "deleted"}
    assert (report["versions_deleted"], report["version"]) == ([1, 2, 4], 3)
    assert marked(store.home.path) == []


def test_documents_that_become_the_same_become_one(store: Store, take: Any) -> None:
    take({"a.md": "# Hall\n\nThe lamp.\n\n## B\n\nZyxqorvane.", "b.md": "# Hall\n\nThe lamp."})
    forget_where(store, forgotten.make(store, words="Zyxqorvane"))
    assert store.counts()["documents"] == 1
    assert [row["documents"] for row in store.sources()] == [1, 1]


def test_a_rule_can_be_lifted(store: Store, take: Any) -> None:
    """Then the next ingest brings back what the files still hold."""
    take(FILES)
    made = forgotten.make(store, words="Zyxqorvane")
    forget_where(store, made)
    assert forgotten.lift(store, forgotten.make(store, words="zyxqorvané")) == 1
    assert forgotten.lift(store, made) == 0
    take()
    assert search(store, "Zyxqorvane")


def test_the_rule_itself_tells_neither_name_nor_word(store: Store, home: Path) -> None:
    put_group(store, "/a")
    forget_where(store, forgotten.make(store, person="Zyxqorvane"))
    forget_where(store, forgotten.make(store, words="green"))
    assert store.value("SELECT count(*) FROM forgotten") == 2
    assert marked(home) == []


def test_what_nothing_is_covered_by_is_not_remembered(store: Store, take: Any) -> None:
    take(FILES)
    report = forget_where(store, forgotten.make(store, words="xylophone"))
    assert report.pop("named") == []
    assert set(report.values()) == {0}
    assert store.value("SELECT count(*) FROM forgotten") == 0
    ingest(store, [])


@pytest.mark.parametrize(
    ("words", "text", "covered"),
    [
        ("blue bicycle", "The bicycle, again: BLUE!", True),
        ("blue bicycle", "The bicycles are blue.", False),
        ("Müller", "Frau Mu\u0308ller", True),
        ("東京", "私は東京に行く", True),
        ("東京", "京と東", False),
        ("猫", "黒猫です", True),
        ("Ёлка", "новая ёлка", True),
        ("Anna Berg", "_Anna Berg_ was here", True),
        ("bicycle", "see blue_bicycle_invoice.pdf", True),
        ("_bicycle", "The bicycle is blue.", True),
    ],
)
def test_words_in_any_script(store: Store, words: str, text: str, covered: bool) -> None:
    rules = forgotten.only(store, forgotten.make(store, words=words))
    assert rules.cover((text,), None, None) is covered


def test_a_rule_of_earlier_with_an_underscore_still_holds(store: Store) -> None:
    word = forgotten.keyed(forgotten.key_of(store), "blue_bicycle")
    rules = forgotten.only(store, forgotten.Rule(words=frozenset([word])))
    assert rules.cover(["The blue_bicycle, again"], None, None)
    assert not rules.cover(["A blue bicycle"], None, None)


def test_the_base_s_own_words_are_nobody_s(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    """What a base says of Paris is no reason to delete what learned of a lamp."""
    take({"lamp.md": "The lamp is green.", "trip.md": "We saw Paris in May."})
    learn("lamp")
    general = {"sha256": "g", "base_digest": "d", "kind": "general", "created_at": now()}
    store.db.table("samples").insert(general | {"prompt": "Where?", "answer": "Paris is a city."})
    store.db.execute(
        "INSERT INTO run_samples (run_id, sample_id, role) SELECT 1, max(id), 'general' FROM samples"
    )
    registry.forget_by_rule(store, forgotten.make(store, words="Paris"))
    assert states() == {1: "ok"}
    assert [row["text"] for row in store.rows("SELECT text FROM chunks")] == ["The lamp is green."]
