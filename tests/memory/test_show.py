"""Where things came from: source, chunk and sample, and searching in a part of the store."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory import show
from learnctl.memory.errors import LearnctlError
from learnctl.memory.ingest import ingest
from learnctl.memory.search import search
from learnctl.memory.store import Store
from learnctl.memory.within import Within, parse_date

NOTE = "---\nauthor: Ann\ndate: 2024-03-09\n---\n# House\n\n## Garden\n\nThe pear tree is tall.\n"
TALK = {
    "conversation_id": "1",
    "title": "Trees",
    "messages": [
        {"role": "user", "content": "We planted a plum tree.", "created_at": "2023-05-01T10:00:00"},
        {"role": "assistant", "content": "A plum tree it is.", "created_at": "2023-05-02T10:00:00"},
    ],
}


@pytest.fixture
def filled(take: Any) -> None:
    take({"house.md": NOTE, "copy.txt": "The pear tree is tall.", "talk.jsonl": json.dumps(TALK)})


def the_chunk(store: Store, text: str) -> int:
    return int(store.value("SELECT id FROM chunks WHERE text = ?", text))


def test_a_chunk_names_every_place_it_came_from(
    store: Store, filled: None, learn: Any, folder: Path
) -> None:
    """File, line, heading path, date; and what was made of it."""
    learn("pear")
    found = show.chunk(store, the_chunk(store, "The pear tree is tall."))
    places = {Path(origin["source"]).name: origin for origin in found["origins"]}
    assert set(places) == {"copy.txt", "house.md"}
    assert places["house.md"]["heading"] == "House › Garden"
    assert (places["house.md"]["line"], places["house.md"]["date"]) == (9, "2024-03-09")
    assert places["copy.txt"]["line"] == 1
    assert [len(found[name]) for name in ("samples", "probes")] == [2, 1]


def test_a_line_is_not_guessed(store: Store, filled: None, folder: Path) -> None:
    """Where the file is gone, no line is named, and nothing fails."""
    (folder / "copy.txt").unlink()
    found = show.chunk(store, the_chunk(store, "The pear tree is tall."))
    assert {Path(o["source"]).name: o["line"] for o in found["origins"]}["copy.txt"] is None


def test_an_archive_has_no_lines(store: Store, folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:  # stored as it is, not compressed
        archive.writestr("a.txt", "The pear tree is tall.")
    ingest(store, [folder])
    (origin,) = show.chunk(store, the_chunk(store, "The pear tree is tall."))["origins"]
    assert origin["line"] is None


def test_a_number_means_a_source_before_it_means_a_file(
    store: Store, filled: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "2").write_text("The plum is ripe.")
    ingest(store, [folder])
    monkeypatch.chdir(folder)
    assert [source["id"] for source in store.find_sources("2")] == [2]
    assert [Path(source["path"]).name for source in store.find_sources("./2")] == ["2"]
    with pytest.raises(LearnctlError, match="no source"):
        store.find_sources("~nobody-of-this-name")


def test_a_message_is_named_by_its_number(store: Store, filled: None) -> None:
    (origin,) = show.chunk(store, the_chunk(store, "A plum tree it is."))["origins"]
    named = {name: origin[name] for name in ("title", "message", "speaker")}
    assert named == {"title": "Trees", "message": 2, "speaker": "assistant"}


def test_a_source_shows_its_passages_and_messages(store: Store, filled: None) -> None:
    ids = {Path(row["path"]).name: row["id"] for row in store.sources()}
    (document,) = show.source(store, ids["house.md"])["documents"]
    assert (document["title"], document["author"]) == ("House", "Ann")
    assert [(p["heading"], p["text"]) for p in document["passages"]] == [
        ("House › Garden", "The pear tree is tall.")
    ]
    (talk,) = show.source(store, ids["talk.jsonl"])["conversations"]
    assert [(m["number"], m["speaker"]) for m in talk["messages"]] == [
        (1, "user"),
        (2, "assistant"),
    ]
    assert [len(m["chunks"]) for m in talk["messages"]] == [1, 1]


def test_a_sample_names_its_chunk_its_runs_and_versions(
    store: Store, filled: None, learn: Any
) -> None:
    """Also a version that was deleted since is no version any more."""
    learn("pear"), learn("pear")
    store.db.execute("UPDATE adapters SET state = 'deleted' WHERE version = 1")
    store.db.execute("UPDATE run_samples SET role = 'replay', why = 'surprise' WHERE run_id = 2")
    found = show.sample(store, 1)
    assert found["chunk"] == the_chunk(store, "The pear tree is tall.")
    assert [(run["run"], run["role"], run["why"], run["version"]) for run in found["runs"]] == [
        (1, "new", "", None),
        (2, "replay", "surprise", 2),
    ]


@pytest.mark.parametrize("look", [show.source, show.chunk, show.sample])
def test_what_is_not_there_is_said(store: Store, look: Any) -> None:
    with pytest.raises(LearnctlError, match=r"no .* 99"):
        look(store, 99)


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        (Within(), {"The pear tree is tall.", "We planted a plum tree.", "A plum tree it is."}),
        (Within(source_ids=(99,)), set()),
        (Within(since="2024"), {"The pear tree is tall."}),
        (Within(since="2023-05-02", until="2023"), {"A plum tree it is."}),
        (Within(until="2023-05-01"), {"We planted a plum tree."}),
        (Within(speaker="Anna"), set()),
        (Within(kinds=("reply",)), {"A plum tree it is."}),
    ],
)
def test_a_search_in_a_part(store: Store, filled: None, within: Within, expected: set[str]) -> None:
    assert {hit.text for hit in search(store, "tree", within=within)} == expected


def test_a_hit_names_the_origin_that_was_asked_for(store: Store, filled: None) -> None:
    """Of a text in two sources, the one in the part that is searched."""
    for source in store.sources()[:2]:
        (hit,) = search(store, "pear", within=Within(source_ids=(source["id"],)))
        assert hit.source_id == source["id"]


def test_dates() -> None:
    assert parse_date("2024-03-09 18:30") == "2024-03-09T18:30"
    assert parse_date("2024-02-29") == "2024-02-29"
    for wrong in ("", "yesterday", "2024-3", "24", "2024-13", "2023-02-29", "2024-03-09 25:00"):
        with pytest.raises(LearnctlError):
            parse_date(wrong)
