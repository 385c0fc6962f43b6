"""Who the owner is in chats between people, and what follows from it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory import people
from learnctl.memory.ingest import ingest, look
from learnctl.memory.store import Store

CHAT = "14/01/24, 09:00 - Ann: The dog is called Rex\n14/01/24, 09:01 - Bob: Mine is called Tom\n"


def kinds(store: Store) -> set[tuple[str, str]]:
    return {(row["kind"], row["text"]) for row in store.rows("SELECT kind, text FROM chunks")}


SAID = {("said", "The dog is called Rex"), ("said", "Mine is called Tom")}
TOLD_BY_ANN = {("told", "The dog is called Rex"), ("said", "Mine is called Tom")}


def test_owners_messages_are_the_user_s(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(CHAT)
    report = ingest(store, [path])
    assert report.strangers == [Counter(Ann=1, Bob=1)]
    assert kinds(store) == SAID

    people.remember(store, [" ANN "])
    assert not ingest(store, [path]).strangers  # the same bytes, read again
    assert kinds(store) == TOLD_BY_ANN
    spoke = store.rows("SELECT role, speaker FROM messages ORDER BY position")
    assert [(row["role"], row["speaker"]) for row in spoke] == [("user", "Ann"), ("person", "Bob")]
    assert [line["reason"] for line in ingest(store, [path]).skipped] == ["unchanged"]

    people.disown(store, ["ann"])
    ingest(store, [path])
    assert (people.known(store), kinds(store)) == ([], SAID)


def telegram(accounts: list[tuple[str, str]]) -> dict[str, Any]:
    messages = [
        {"id": n, "type": "message", "date": "2024-01-14T09:00:00", "from": shown}
        | {"from_id": account, "text": f"Number {n} is what I like."}
        for n, (shown, account) in enumerate(accounts)
    ]
    return {"name": "Group", "type": "private_group", "id": 1, "messages": messages}


def discord(accounts: list[tuple[str, str]]) -> dict[str, Any]:
    messages = [
        {"id": str(n), "type": "Default", "timestamp": "2024-01-14T09:00:00+00:00"}
        | {"content": f"Number {n} is what I like.", "author": {"id": account, "name": shown}}
        for n, (shown, account) in enumerate(accounts)
    ]
    return {"guild": {"id": "1", "name": "G"}, "channel": {"id": "2"}, "messages": messages}


@pytest.mark.parametrize("export", [telegram, discord])
def test_somebody_else_of_the_owner_s_name_is_not_the_owner(
    store: Store, tmp_path: Path, export: Any
) -> None:
    """Where the format knows accounts, people of one name are told apart, and it is said."""
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(export([("Ada", "user1"), ("ADA", "user2"), ("Bob", "user3")])))
    people.remember(store, ["Ada"])
    (note,) = ingest(store, [path]).notes
    assert "2 accounts are called ada" in note["note"]

    def spoke() -> list[tuple[str, str]]:
        rows = store.rows("SELECT role, speaker FROM messages ORDER BY position")
        return [(row["role"], row["speaker"]) for row in rows]

    people_of_it = ["Ada (user1)", "ADA (user2)", "Bob"]
    assert spoke() == [("person", shown) for shown in people_of_it]
    people.remember(store, ["ada (user1)"])
    ingest(store, [path])
    assert spoke()[0] == ("user", "Ada (user1)")
    assert spoke()[1] == ("person", "ADA (user2)")
    path.write_text(json.dumps(export([("Ada", "user1"), ("Bob", "user3"), ("Ada", "user1")])))
    assert ingest(store, [path]).notes == []
    assert [role for role, _ in spoke()] == ["user", "person", "user"]


def test_names_are_kept_once_as_they_were_given(store: Store) -> None:
    people.remember(store, ["Ann", "ann", "", "Ann Lee"])
    assert people.known(store) == ["Ann", "Ann Lee"]


def test_the_dry_run_knows_the_owner_too(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(CHAT)
    assert look([path]).strangers
    assert not look([path], ["ann"]).strangers


def test_a_guess_needs_one_name_common_to_several_chats() -> None:
    one, other, third = Counter(Ann=2, Bob=1), Counter(Ann=1, Cat=5), Counter(Dan=1)
    assert people.guess([one, other]) == "Ann"
    assert people.guess([one]) is None
    assert people.guess([one, one]) is None
    assert people.guess([one, other, third]) is None


def test_a_chat_of_two_is_called_by_the_other_s_name(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "WhatsApp Chat with Bob.txt"
    path.write_text(CHAT)
    for report in (look([path]), ingest(store, [path])):
        assert report.strangers == [Counter(Ann=1, Bob=1)]
        assert people.guess(report.strangers, report.others) == "Ann"
    path.write_text(CHAT + "14/01/24, 09:02 - Cat: I have none\n")
    assert look([path]).others == set()


def test_a_changed_export_folder_is_taken_in_again(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    (folder / "general").mkdir(parents=True)
    (folder / "users.json").write_text('[{"id": "U01", "name": "ann"}]')
    (folder / "channels.json").write_text("[]")
    day = '[{"type": "message", "user": "U01", "ts": "1704189600.000200", "text": "Day one"}]'
    (folder / "general" / "2024-01-02.json").write_text(day)
    assert ingest(store, [tmp_path]).conversations == 1
    assert [line["reason"] for line in ingest(store, [tmp_path]).skipped] == ["unchanged"]
    (folder / "general" / "2024-01-03.json").write_text(
        day.replace("one", "two").replace("600", "900")
    )
    assert ingest(store, [tmp_path]).messages == 2
    assert store.value("SELECT count(*) FROM conversations") == 1
    assert [source["path"] for source in store.sources()] == [str(folder)]
