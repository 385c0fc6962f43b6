"""A backup is what the store was; what is no backup, or was changed, replaces nothing."""

import hashlib
import json
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.backup import backup, restore
from learnctl.memory.check import check
from learnctl.memory.errors import LearnctlError, Locked
from learnctl.memory.export import TYPES, records
from learnctl.memory.home import Home
from learnctl.memory.search import search
from learnctl.memory.store import Store

WEIGHTS = b"weights" * 100


def dump(store: Store) -> list[str]:
    return [line for line in store.db.conn.iterdump() if "sqlite_sequence" not in line]


@pytest.fixture
def filled(store: Store, take: Any, learn: Any) -> None:
    """A store with a note, a version and a setting."""
    take({"a.txt": "The lamp is green.", "b.txt": "The chair is red."})
    learn("lamp")
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    store.db.execute("UPDATE adapters SET sha256 = ?", [digest])
    folder = store.home.versions / "1"
    folder.mkdir(parents=True, mode=0o700)
    store.home.versions.chmod(0o700)
    for name, content in (("adapter_model.safetensors", WEIGHTS), ("card.json", b"{}")):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    store.home.config.write_text("epochs = 3\n")
    store.home.config.chmod(0o600)


@pytest.fixture
def saved(store: Store, filled: None, tmp_path: Path) -> Path:
    backup(store, tmp_path / "saved.zip")
    return tmp_path / "saved.zip"


def contents_of(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and not path.name.startswith(("learnctl.db", "consolidate.lock"))
    }


def test_what_was_saved_comes_back(store: Store, saved: Path, take: Any, tmp_path: Path) -> None:
    """Into an empty home and over a store that went on; texts, index, settings and weights."""
    before, files = dump(store), contents_of(store.home.path)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    other = Home(tmp_path / "deep/other")
    assert restore(other, saved)["sources"] == 2
    take({"c.txt": "The table is blue."})
    store.close()
    with pytest.raises(LearnctlError, match="there is a store"):
        restore(store.home, saved)
    restore(store.home, saved, replace=True)
    for home in (store.home, other):
        with Store.open(home) as back:
            assert dump(back) == before
            assert search(back, "lamp")
            assert search(back, "table") == []
            assert list(check(back)) == []
        assert contents_of(home.path) == files
    assert {path.name for path in tmp_path.iterdir()} >= {"saved.zip", "deep"}
    assert [path.name for path in other.path.parent.iterdir()] == ["other"]


def test_a_backup_is_never_written_over(store: Store, saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(LearnctlError, match="there already"):
        backup(store, saved)
    assert saved.read_bytes() == before


def test_what_cannot_be_written_leaves_nothing(store: Store, filled: None, tmp_path: Path) -> None:
    """A folder that is not there, and a version whose weights are damaged."""
    with pytest.raises(LearnctlError, match="cannot be written"):
        backup(store, tmp_path / "nowhere/saved.zip")
    (store.home.versions / "1/adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(LearnctlError, match="version 1 are missing or damaged"):
        backup(store, tmp_path / "saved.zip")
    assert list(tmp_path.glob("*saved*")) == []
    assert list(check(store)) == []


def test_what_is_forgotten_is_in_no_copy_that_was_left(store: Store, filled: None) -> None:
    """A process that died while it saved leaves a copy of the database, and forgetting takes it."""
    from learnctl.memory.forget import forget_sources

    (store.home.scratch() / "left.db").write_bytes(b"The lamp is green.")
    forget_sources(store, [1])
    assert not any(b"lamp is green" in path for path in contents_of(store.home.path).values())


def test_while_a_consolidation_runs_nothing_is_replaced(store: Store, saved: Path) -> None:
    from filelock import FileLock

    store.close()
    with FileLock(store.home.lock), pytest.raises(Locked, match="consolidation"):
        restore(store.home, saved, replace=True)
    with Store.open(store.home) as still:
        assert still.counts()["sources"] == 2


def test_while_somebody_has_the_store_open_nothing_is_replaced(store: Store, saved: Path) -> None:
    """What they write goes into the store that is there, not into one that was deleted."""
    code = "import sys; from learnctl.memory.home import find_home; from learnctl.memory.store import Store"
    code += "; store = Store.open(find_home()); print(store.counts(), flush=True); sys.stdin.read()"
    code += "; store.set_setting('written', 'yes')"
    store.close()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline()
        with pytest.raises(Locked, match="open in another process"):
            restore(store.home, saved, replace=True)
        other.stdin.close()
        assert other.wait() == 0
    with Store.open(store.home) as still:
        assert still.setting("written") == "yes"
    assert restore(store.home, saved, replace=True)["sources"] == 2
    with Store.open(store.home) as back:
        assert back.setting("written") == ""


def test_a_backup_lies_outside_of_the_home(store: Store, saved: Path) -> None:
    """Else restoring would delete it, and what is forgotten would stay in it there."""
    inside = store.home.path / "saved.zip"
    with pytest.raises(LearnctlError, match="in the home folder"):
        backup(store, inside)
    assert not inside.exists()
    inside.write_bytes(saved.read_bytes())
    store.close()
    with pytest.raises(LearnctlError, match="in the home folder"):
        restore(store.home, inside, replace=True)
    assert inside.exists()


def test_a_home_that_is_a_link_stays_one(store: Store, saved: Path, tmp_path: Path) -> None:
    """What it leads to is replaced: no old store is left there."""
    store.set_setting("after", "the backup")
    store.close()
    link = tmp_path / "link"
    link.symlink_to(store.home.path)
    restore(Home(link), saved, replace=True)
    assert link.is_symlink()
    with Store.open(Home(link)) as back:
        assert back.setting("after") == ""
    assert [path.name for path in store.home.path.parent.iterdir()] == ["home"]


RESTORES = """
import os, sys
from pathlib import Path
from learnctl.memory import backup
from learnctl.memory.home import find_home
real, left = os.rename, int(sys.argv[2])
def rename(*paths):
    global left
    left -= 1
    if left < 0:
        os._exit(9)
    real(*paths)
os.rename = rename
backup.restore(find_home(), Path(sys.argv[1]), replace=True)
"""


@pytest.mark.parametrize("n_renames", [0, 1])
def test_a_restore_that_is_killed_leaves_the_store_as_it_was(
    store: Store, saved: Path, n_renames: int
) -> None:
    """Before anything was moved, and between the two moves; the next forgetting leaves no copy."""
    from learnctl.memory.forget import forget_sources

    store.set_setting("after", "the backup")
    store.close()
    args = [sys.executable, "-c", RESTORES, str(saved), str(n_renames)]
    assert subprocess.run(args, check=False).returncode == 9
    with Store.open(store.home) as back:
        assert back.setting("after") == "the backup"
        assert search(back, "lamp")
        forget_sources(back, [1])
        copies = store.home.path.parent.rglob("*")
        assert not any(b"lamp is green" in path.read_bytes() for path in copies if path.is_file())
    assert [path.name for path in store.home.path.parent.iterdir()] == ["home"]
    assert restore(store.home, saved, replace=True)["sources"] == 2


# Hostile and damaged files


def rewrite(path: Path, change: Callable[[dict[str, bytes]], Any], **how: Any) -> None:
    """Write a backup anew with other members, its manifest true to them."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    manifest = json.loads(members.pop("manifest.json"))
    manifest["files"] = {
        name: {"n_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
    }
    with zipfile.ZipFile(path, "w", **how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr("manifest.json", json.dumps(manifest))


def in_database(*statements: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        connection = sqlite3.connect(":memory:")
        connection.deserialize(members["learnctl.db"])
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        members["learnctl.db"] = connection.serialize()
        connection.close()

    return change


WRITTEN = (
    "UPDATE sqlite_master SET sql = replace(sql, 'value TEXT NOT NULL', 'value TEXT NOT NULL {}')"
    " WHERE name = 'settings'"
)


@pytest.mark.parametrize(
    "change",
    [
        lambda members: members.update({"../../outside": b"x"}),
        lambda members: members.update({"/tmp/outside": b"x"}),
        lambda members: members.update({"versions/1/../../x": b"x"}),
        lambda members: members.update({"versions/1/a\x00b": b"x"}),
        lambda members: members.update({"runs/1/checkpoint": b"x"}),
        lambda members: members.pop("learnctl.db"),
        lambda members: members.update({"learnctl.db": b"no database" * 500}),
        lambda members: members.update({"learnctl.db": b""}),
        lambda members: members.pop("versions/1/adapter_model.safetensors"),
        lambda members: members.update({"versions/1/adapter_model.safetensors": b"other"}),
        in_database("CREATE TRIGGER more AFTER INSERT ON chunks BEGIN DELETE FROM sources; END"),
        in_database("ALTER TABLE chunks ADD COLUMN more AS (hex(text))"),
        in_database("ALTER TABLE chunks ADD COLUMN more TEXT DEFAULT 'x'"),
        in_database(
            "DROP INDEX samples_chunk", "CREATE INDEX samples_chunk ON samples(hex(chunk_id))"
        ),
        in_database("PRAGMA writable_schema = 1", WRITTEN.format("CHECK (hex(value) != '')")),
    ],
)
def test_what_no_backup_has_in_it_is_refused(
    store: Store, saved: Path, tmp_path: Path, change: Any
) -> None:
    """A true manifest does not help it; nothing is replaced, and nothing is left beside."""
    rewrite(saved, change)
    before = sorted(tmp_path.rglob("*")), contents_of(store.home.path)
    with pytest.raises(LearnctlError):
        restore(store.home, saved, replace=True)
    with pytest.raises(LearnctlError):
        restore(Home(tmp_path / "other"), saved)
    assert (sorted(tmp_path.rglob("*")), contents_of(store.home.path)) == before
    assert search(store, "lamp")
    assert [path.name for path in store.home.path.parent.iterdir()] == ["home"]


def test_a_compressed_member_is_refused(store: Store, saved: Path) -> None:
    """So that nothing can be larger than the file it came in."""
    rewrite(
        saved,
        lambda members: members.update({"versions/1/big": b"\0" * 10**7}),
        compression=zipfile.ZIP_DEFLATED,
    )
    with pytest.raises(LearnctlError, match="no backup"):
        restore(store.home, saved, replace=True)


@pytest.mark.parametrize("where", [0.0, 0.2, 0.5, 0.8, 0.99])
def test_a_damaged_file_replaces_nothing(store: Store, saved: Path, where: float) -> None:
    """A piece of noise anywhere, or the end cut off."""
    whole = saved.read_bytes()
    at = int(len(whole) * where)
    for content in (whole[:at] + b"\xa5" * 40 + whole[at + 40 :], whole[:at]):
        saved.write_bytes(content)
        with pytest.raises(LearnctlError):
            restore(store.home, saved, replace=True)
    assert search(store, "lamp")


def test_export_has_everything_by_type(store: Store, filled: None) -> None:
    """Each record is JSON, names its type, and leads to what it belongs to."""
    found = [json.loads(json.dumps(record)) for record in records(store)]
    counted = {name: sum(record["type"] == name for record in found) for name in TYPES}
    assert counted == {
        "source": 2,
        "document": 2,
        "conversation": 0,
        "sample": 2,
        "probe": 1,
        "run": 1,
        "version": 1,
    }
    document = next(record for record in found if record["type"] == "document")
    assert (document["sources"], document["chunks"][0]["text"]) == ([1], "The lamp is green.")
    run = next(record for record in found if record["type"] == "run")
    assert [sample["role"] for sample in run["samples"]] == ["new", "new"]
    with closing(sqlite3.connect(store.home.database)) as reader:
        assert reader.execute("SELECT count(*) FROM sources").fetchone() == (2,)
