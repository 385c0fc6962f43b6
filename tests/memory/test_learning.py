"""What a source may teach: said by source, and what was made of it before is made again."""

import io
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.forget import forget_sources
from learnctl.memory.ingest import ingest
from learnctl.memory.learning import set_learn
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.piped import piped
from learnctl.memory.store import Store


def meant(store: Store, name: str) -> list[int]:
    return [source["id"] for source in store.find_sources(name)]


def test_only_the_sources_that_are_named_change(store: Store, take: Any, folder: Path) -> None:
    """And only once."""
    take({"mail.txt": "Dear Ms. Bell, the heating is off.", "notes.txt": "The lamp is green."})
    assert set_learn(store, meant(store, "mail.txt"), "voice") == 1
    assert set_learn(store, meant(store, "mail.txt"), "voice") == 0
    learn = {Path(chunk["path"]).name: chunk["learn"] for chunk in studied_chunks(store)}
    assert learn == {"mail.txt": "voice", "notes.txt": "facts"}
    assert set_learn(store, meant(store, str(folder)), "both") == 2


def taken_as(store: Store) -> dict[str, tuple[str, str]]:
    rows = store.rows("SELECT path, trust, learn FROM sources")
    return {Path(row["path"]).name: (row["trust"], row["learn"]) for row in rows}


def test_said_while_taking_in_it_holds_for_all_that_was_met(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a path with .., by a pattern, through a pipe; for what is new, unchanged, and moved."""
    (folder / "sub").mkdir()
    (folder / "a.txt").write_text("The lamp is green.")
    (folder / "b.md").write_text("The chair is red.")
    ingest(store, [folder])
    (folder / "a.txt").rename(folder / "sub/a.txt")
    (folder / "b.md").rename(folder / "c.md")
    (folder / "d.txt").write_text("The table is blue.")
    monkeypatch.chdir(folder / "sub")
    as_others = ("untrusted", "voice")
    ingest(store, [Path("../sub")], trust="untrusted", learn="voice")
    assert taken_as(store)["a.txt"] == as_others
    ingest(store, [folder / "*.md"], trust="untrusted", learn="voice")
    assert taken_as(store)["c.md"] == as_others
    with piped(io.BytesIO(b"A letter to Anna."), "letter") as entry:
        ingest(store, [], trust="untrusted", learn="voice", piped=[entry])
    assert taken_as(store)["stdin:letter"] == as_others
    ingest(store, [folder])
    assert taken_as(store)["d.txt"] == ("own", "facts")
    ingest(store, [folder / "d.txt"], learn="both")
    assert taken_as(store)["d.txt"] == ("own", "both")
    assert taken_as(store)["a.txt"] == as_others


def test_what_was_learned_otherwise_is_learned_again(store: Store, take: Any, learn: Any) -> None:
    """The samples of the old kind go and the version that saw them is stale; other sources keep theirs."""
    take({"mail.txt": "Dear Ms. Bell, the heating is off.", "notes.txt": "The lamp is green."})
    first, second = learn("lamp"), learn("heating")
    set_learn(store, meant(store, "mail.txt"), "voice")
    states = {row["version"]: row["state"] for row in store.rows("SELECT * FROM adapters")}
    assert states == {first: "ok", second: "stale"}
    texts = [row["answer"] for row in store.rows("SELECT answer FROM samples")]
    assert texts == ["The lamp is green."] * 2


def test_what_was_learned_otherwise_is_forgotten(
    store: Store, take: Any, learn: Any, states: Any
) -> None:
    """A version that learned from a source goes with it, also where its samples went before; and so it
    does with another source that says the same."""
    lamp = "The lamp is green."
    take({"a.md": f"# A\n\n{lamp}\n", "b.md": f"# B\n\n{lamp}\n", "c.txt": "A red chair."})
    first, second, third = learn("chair"), learn("lamp"), learn("chair")
    set_learn(store, meant(store, "a.md"), "voice")
    forget_sources(store, [row["id"] for row in store.find_sources("b.md")])
    assert states() == {first: "ok", second: "deleted", third: "ok"}


def test_no_such_thing_to_learn(store: Store) -> None:
    with pytest.raises(LearnctlError, match="poetry"):
        set_learn(store, [], "poetry")
