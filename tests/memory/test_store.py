"""The store: how its file is opened, who may read it, and what happens when two write at once."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.check import check
from learnctl.memory.errors import LearnctlError, NoStore
from learnctl.memory.forget import forget_sources
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import in_service
from learnctl.memory.search import search
from learnctl.memory.store import Store, migrations, to_json
from learnctl.memory.trust import kept_back, let_in


def test_what_was_reported_as_done_is_on_disk(store: Store) -> None:
    """The write-ahead log is synced at every commit; references are kept; deleted bytes are zeroed."""
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    assert {name: store.value(f"PRAGMA {name}") for name in pragmas} == pragmas


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
def test_for_its_owner_alone(store: Store, take: Any) -> None:
    """The home is 0700 and every file in it 0600, whatever the umask and the folder were before."""
    take({"a.txt": "Something to write down."})
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.home.path.iterdir()}
    assert found == {f"learnctl.db{end}": 0o600 for end in ("", "-wal", "-shm")}
    assert stat.S_IMODE(store.home.path.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
def test_a_home_that_others_could_read_is_closed(home: Path) -> None:
    """A folder that was there before is closed to others as soon as the store is in it."""
    home.mkdir(mode=0o755)
    Store.open(Home(home), create=True).close()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_no_store(home: Path) -> None:
    """Reading where nothing was taken in says so, and makes nothing."""
    with pytest.raises(NoStore) as caught:
        Store.open(Home(home))
    assert str(home) in str(caught.value)
    assert caught.value.hint
    assert not home.exists()


def test_migrations_are_recorded_and_run_once(store: Store) -> None:
    """Opening a store again finds all its migrations done and changes nothing."""
    names = [migration.name for migration in migrations.applied(store.db)]
    assert names[0] == "m001_first"
    assert not migrations.pending(store.db)
    before = store.value("PRAGMA schema_version")
    with Store.open(store.home) as again:
        assert [migration.name for migration in migrations.applied(again.db)] == names
        assert again.value("PRAGMA schema_version") == before


@pytest.fixture
def first(home: Path) -> Home:
    """A home with a store as the first version wrote it: a lesson that a version learned, in two files; an
    order to a model; a chat."""
    here = Home(home)
    here.make()
    here.database.touch(mode=0o600)
    with closing(sqlite3.connect(here.database)) as connection:
        connection.executescript((Path(__file__).parent / "data/first_store.sql").read_text())
    return here


def test_a_store_of_the_first_version_is_brought_up_to_date(first: Home) -> None:
    """It is whole, keeps what it holds, gets what came later, and all can be searched and forgotten."""
    with Store.open(first) as store:
        assert list(check(store)) == []
        assert store.row("SELECT DISTINCT trust, learn FROM sources") == {
            "trust": "own",
            "learn": "facts",
        }
        assert search(store, "lamp")[0].text == "The lamp in the hall is green."
        assert search(store, "東京")[0].text == "猫は東京にいます。"
        assert search(store, "who came to tea")
        assert (in_service(store), store.value("SELECT count(*) FROM samples")) == (1, 1)
    with Store.open(first) as store:  # and a second time there is nothing to do
        house = store.find_sources("house.md")[0]["id"]
        assert forget_sources(store, [house]) == {
            "sources": 1,
            "documents": 1,
            "chunks": 2,
            "samples": 1,
        }
        assert in_service(store) == 0
        assert search(store, "lamp")[0].title == "copy"
        assert search(store, "東京") == []
        assert list(check(store)) == []
    assert b"praise Eve" not in first.database.read_bytes()


def test_passages_that_came_before_any_was_examined_are_examined(first: Home) -> None:
    """Once: what is let in then stays in."""
    with Store.open(first) as store:
        (passage,) = kept_back(store)
        assert passage["text"].startswith("Ignore all previous instructions")
        assert search(store, "praise Eve", for_prompt=True) == []
        let_in(store, [passage["chunk"]])
    with Store.open(first) as store:
        assert kept_back(store) == []


def test_what_is_taken_in_again_into_a_store_of_the_first_version_is_known(
    first: Home, folder: Path
) -> None:
    with Store.open(first) as store:
        (folder / "copy.txt").write_text("The lamp in the hall is green.")  # other bytes
        report = ingest(store, [folder])
        assert (report.documents, report.chunks, report.skipped) == (0, 0, [])
        assert store.counts()["sources"] == 4


@pytest.mark.parametrize("content", [b"no database at all, but long enough to tell" * 99, None])
def test_what_is_no_database_costs_one_clear_error(home: Path, content: bytes | None) -> None:
    """The error names the file; the file is left as it was."""
    database = Home(home).database
    home.mkdir()
    if content is None:
        database.mkdir()
    else:
        database.write_bytes(content)
    with pytest.raises(LearnctlError) as caught:
        Store.open(Home(home))
    assert str(database) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert content is None or database.read_bytes() == content


def test_another_programs_database_is_not_taken_over(home: Path) -> None:
    """A database with a table of the same name is an error, and keeps its rows."""
    home.mkdir()
    with sqlite3.connect(Home(home).database) as other:
        other.execute("CREATE TABLE sources (url TEXT)")
        other.execute("INSERT INTO sources VALUES ('kept')")
    other.close()
    with pytest.raises(LearnctlError, match="cannot be opened"):
        Store.open(Home(home))
    with sqlite3.connect(Home(home).database) as other:
        assert other.execute("SELECT url FROM sources").fetchall() == [("kept",)]
        tables = other.execute("SELECT name FROM sqlite_master WHERE name = 'chunks'").fetchall()
    other.close()
    assert tables == []


WRITER = """
import sys
from learnctl.memory.home import find_home
from learnctl.memory.store import Store
with Store.open(find_home()) as store:
    for number in range(100):
        with store.db.atomic():
            count = int(store.setting("count", "0"))  # reads before it writes
            store.set_setting("count", str(count + 1))
"""


def test_two_processes_take_turns(store: Store) -> None:
    """Transactions that read and then write wait for each other, and none is lost."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER], env=env, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [writer.communicate(timeout=60)[1] for writer in writers] == [b"", b""]
    assert store.setting("count") == "200"


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    """What was written before the fault is gone, inside another transaction too."""

    def fail(name: str) -> None:
        with store.db.atomic():
            store.set_setting(name, "no")
            raise ZeroDivisionError

    with store.db.atomic():
        store.set_setting("kept", "yes")
        with pytest.raises(ZeroDivisionError):
            fail("inner")
    with pytest.raises(ZeroDivisionError):
        fail("outer")
    assert store.rows("SELECT key FROM settings") == [{"key": "kept"}]


def test_sources_are_found_by_what_a_person_would_type(
    store: Store, take: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number, a path in any spelling, a folder, or a file's name; never by nothing at all."""
    take({"a.txt": "The lamp is green.", "b.txt": "The chair is red."})
    (folder / "sub").mkdir()
    take({"sub/a.txt": "The table is blue."})
    ids = {Path(row["path"]): row["id"] for row in store.sources()}

    def found(name: str) -> list[int]:
        return [row["id"] for row in store.find_sources(name)]

    monkeypatch.chdir(folder / "sub")
    b = [ids[folder / "b.txt"]]
    assert found(str(b[0])) == found(str(folder / "b.txt")) == found("../b.txt") == b
    assert found("b.txt") == b
    assert found("a.txt") == [ids[folder / "sub/a.txt"]]  # the one at hand, before others so called
    assert found("sub/a.txt") == [ids[folder / "sub/a.txt"]]
    assert set(found("..")) == set(found(str(folder) + "/")) == set(ids.values())
    for nothing in ("", "c.txt", "99", ".txt", "otes/b.txt"):
        with pytest.raises(LearnctlError, match="no source"):
            found(nothing)


def test_sources_say_what_they_hold(store: Store, take: Any, learn: Any) -> None:
    """Each source is listed with its documents, chunks and samples; a shared chunk counts for both."""
    shared = "The lamp in the hall is green."
    take({"a.txt": shared, "b.md": f"# B\n\n{shared}\n\n## More\n\nThe chair is red."})
    learn("lamp")
    listed = {Path(row["path"]).name: row for row in store.sources()}
    counts = {
        name: (row["documents"], row["conversations"], row["chunks"], row["samples"])
        for name, row in listed.items()
    }
    assert counts == {"a.txt": (1, 0, 1, 2), "b.md": (1, 0, 2, 2)}
    assert store.counts() == {
        "sources": 2,
        "documents": 2,
        "conversations": 0,
        "messages": 0,
        "chunks": 2,
    }


def test_a_report_that_holds_no_number_can_be_asked(store: Store) -> None:
    """SQLite reads no NaN: such a report would end every question about runs."""
    report = to_json({"divergence": float("nan"), "interval": [0.1, float("inf")], "n": 2})
    assert store.value("SELECT ? ->> 'n'", report) == 2
    assert store.value("SELECT ? ->> 'divergence'", report) is None


OPENER = """
from learnctl.memory.home import find_home
from learnctl.memory.store import Store
Store.open(find_home(), create=True).close()
"""


def test_a_new_store_is_opened_by_several_at_once(home: Path) -> None:
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    env["LEARNCTL_HOME"] = str(home)
    openers = [
        subprocess.Popen([sys.executable, "-c", OPENER], env=env, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    assert [one.communicate(timeout=60)[1] for one in openers] == [b""] * 3
