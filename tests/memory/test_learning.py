"""What a source may teach: said by path, and what was made of it before is made again."""

from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.forget import forget_sources
from learnctl.memory.learning import set_learn
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.store import Store


def test_by_path(store: Store, take: Any, folder: Path) -> None:
    """Only the sources at or under the path change, and only once."""
    take({"mail.txt": "Dear Ms. Bell, the heating is off.", "notes.txt": "The lamp is green."})
    assert set_learn(store, [folder / "mail.txt"], "voice") == 1
    assert set_learn(store, [folder / "mail.txt"], "voice") == 0
    learn = {Path(chunk["path"]).name: chunk["learn"] for chunk in studied_chunks(store)}
    assert learn == {"mail.txt": "voice", "notes.txt": "facts"}
    assert set_learn(store, [folder], "both") == 2


def test_what_was_learned_otherwise_is_learned_again(
    store: Store, take: Any, learn: Any, folder: Path
) -> None:
    """The samples of the old kind go and the version that saw them is stale; other sources keep theirs."""
    take({"mail.txt": "Dear Ms. Bell, the heating is off.", "notes.txt": "The lamp is green."})
    first, second = learn("lamp"), learn("heating")
    set_learn(store, [folder / "mail.txt"], "voice")
    states = {row["version"]: row["state"] for row in store.rows("SELECT * FROM adapters")}
    assert states == {first: "ok", second: "stale"}
    texts = [row["answer"] for row in store.rows("SELECT answer FROM samples")]
    assert texts == ["The lamp is green."] * 2


def test_what_was_learned_otherwise_is_forgotten(
    store: Store, take: Any, learn: Any, folder: Path, states: Any
) -> None:
    """A version that learned from a source goes with it, also where its samples went before; and so it
    does with another source that says the same."""
    lamp = "The lamp is green."
    take({"a.md": f"# A\n\n{lamp}\n", "b.md": f"# B\n\n{lamp}\n", "c.txt": "A red chair."})
    first, second, third = learn("chair"), learn("lamp"), learn("chair")
    set_learn(store, [folder / "a.md"], "voice")
    forget_sources(store, [row["id"] for row in store.find_sources("b.md")])
    assert states() == {first: "ok", second: "deleted", third: "ok"}


def test_no_such_thing_to_learn(store: Store, folder: Path) -> None:
    with pytest.raises(LearnctlError, match="poetry"):
        set_learn(store, [folder], "poetry")
