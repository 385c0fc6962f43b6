"""Faults that are planted are found, one line each, and mended where that loses nothing."""

import os
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.check import check, repair
from learnctl.memory.search import search
from learnctl.memory.store import Store
from learnctl.trainer.check import check_versions, header_fault

NOTES = {"a.md": "# Hall\n\nThe lamp is green.\n\n## B\n\nThe chair is red.", "b.txt": "Tea."}


def faults(store: Store) -> list[str]:
    return [fault.text for fault in check(store)]


def test_a_store_as_it_is_made_has_no_fault(store: Store, take: Any, learn: Any) -> None:
    from learnctl.trainer.chats import log_turn, start_chat

    assert faults(store) == []
    take(NOTES)
    learn("lamp")
    log_turn(store, start_chat(store, "Evening"), "user", "We had tea.")
    assert faults(store) == []


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ("UPDATE documents SET author = 'Eve' WHERE title = 'Hall'", "document 1: its parts"),
        ("INSERT INTO document_chunks VALUES (1, 99, 7, '')", "names a row of chunks"),
        ("UPDATE adapters SET parent = 9", "version 1: its parent 9"),
        ("UPDATE runs SET parent = 9", "run 1: its parent 9"),
        ("UPDATE samples SET chunk_id = NULL WHERE id = 1", "sample 1: a question that names no"),
        ("UPDATE settings SET value = '9' WHERE key = 'in_service'", "version 9 is to be in"),
    ],
)
def test_planted_faults(store: Store, take: Any, learn: Any, damage: str, fault: str) -> None:
    """Each is one line, and what cannot be mended stays after a repair."""
    take(NOTES)
    learn("lamp")
    store.db.execute("PRAGMA foreign_keys = OFF")
    store.db.execute(damage)
    (line,) = faults(store)
    assert fault in line
    repair(store, list(check(store)))
    assert faults(store) == [line]


def test_a_changed_text_is_found(store: Store, take: Any) -> None:
    """In the chunk, in its document, and in the index, of which the last is mended."""
    take(NOTES)
    store.db.execute("UPDATE chunks SET text = 'The lamp is blue.' WHERE text LIKE '%green%'")
    found = faults(store)
    assert [line.split(":")[0] for line in found] == ["index", "chunk 1", "document 1"]
    repair(store, list(check(store)))
    assert faults(store) == found[1:]


def test_the_index_is_made_anew(store: Store, take: Any) -> None:
    take(NOTES)
    store.db.execute("INSERT INTO chunks_fts (chunks_fts) VALUES ('delete-all')")
    assert search(store, "lamp") == []
    assert faults(store) == ["index: does not agree with the texts"]
    repair(store, list(check(store)))
    assert faults(store) == []
    assert search(store, "lamp")


def test_what_passages_stand_under_is_indexed_anew(store: Store, take: Any) -> None:
    take(NOTES)
    store.db.execute("DELETE FROM headings_fts")
    assert faults(store) == ["index: does not agree with the texts"]
    repair(store, list(check(store)))
    assert faults(store) == []
    assert search(store, "hall")


def test_orphans_are_swept(store: Store, take: Any) -> None:
    take(NOTES)
    store.db.execute("DELETE FROM source_documents WHERE document_id = 1")
    assert faults(store) == ["documents: 1 that no source holds"]
    repair(store, list(check(store)))
    assert faults(store) == []
    assert store.counts()["documents"] == 1


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
def test_files_that_others_may_read_are_closed(store: Store, take: Any) -> None:
    take(NOTES)
    store.home.versions.mkdir(mode=0o755)
    store.home.config.touch(mode=0o644)
    store.home.versions.chmod(0o755)
    store.home.config.chmod(0o644)
    assert [line.rsplit(":", 1)[1] for line in faults(store)] == [
        " mode 0644 instead of 0600",
        " mode 0755 instead of 0700",
    ]
    repair(store, list(check(store)))
    assert faults(store) == []


def test_a_damaged_database_is_one_fault(store: Store, take: Any, home: Path) -> None:
    """Pages full of noise cost lines, never a traceback."""
    take({f"{n}.txt": f"Note {n} is about {'many ' * 40} things." for n in range(200)})
    store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    size = store.home.database.stat().st_size
    with store.home.database.open("r+b") as file:
        file.seek(size * 3 // 4 // 4096 * 4096)  # behind the schema, without which none can open it
        file.write(b"\xa5" * (size // 5))
    with Store.open(store.home) as damaged:
        assert any(line.startswith("database: ") for line in faults(damaged))


# The weights


def weights(tensors: dict[str, Any]) -> bytes:
    """A small safetensors file."""
    import torch
    from safetensors.torch import save

    return save({name: torch.tensor(value) for name, value in tensors.items()})


def test_weights_are_those_that_were_published(store: Store, take: Any, learn: Any) -> None:
    """Missing, changed, and no safetensors at all."""
    import hashlib

    take(NOTES)
    for content in (weights({"a": [1.0, 2.0]}), b"weights?", weights({"b": [1.0]}), None, None):
        version = learn("lamp")
        folder = store.home.versions / str(version)
        folder.mkdir(parents=True)
        if content is not None:
            (folder / "adapter_model.safetensors").write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            store.db.execute("UPDATE adapters SET sha256 = ? WHERE version = ?", [digest, version])
    with (store.home.versions / "3/adapter_model.safetensors").open("ab") as file:
        file.write(b"!")
    store.db.execute("UPDATE adapters SET state = 'deleted' WHERE version = 5")
    assert [fault.text for fault in check_versions(store)] == [
        "version 2: its weights are cut short",
        "version 3: its weights are not what was published",
        "version 4: its weights are missing",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x02",
        (2**63).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{}more",
        (9).to_bytes(8, "little") + b'{"a": {}}',
        (9).to_bytes(8, "little") + b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7",
    ],
)
def test_headers_of_other_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    assert header_fault(tmp_path / "a.safetensors")


def test_a_header_that_is_right(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(weights({"a": [1.0, 2.0], "b": [[3]]}))
    assert header_fault(tmp_path / "a.safetensors") == ""
