"""Pruning, and what differs between two versions, over rows of made-up nights: no model is needed."""

import hashlib

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.home import private_folder
from learnctl.memory.lineage import in_service, served
from learnctl.memory.store import Store
from learnctl.trainer.differences import differences
from learnctl.trainer.prune import prune
from learnctl.trainer.registry import history, rollback

WEIGHTS = b"x" * 1000


def night(store: Store, day: int, level: str = "fast", parent: int = 0, **answers: int) -> int:
    """A version published on a day of March; `answers` are what its probes came to, by name."""
    version = 1 + int(store.value("SELECT max(version) FROM adapters") or 0)
    report = f'{{"divergence": {version / 10}}}'
    base = {"base_name": "tiny", "base_digest": "0"}
    created = f"2026-03-{day:02d}T12:00:00+00:00"
    store.db.table("runs").insert(
        {"created_at": created, "state": "done", "level": level, "parent": parent, **base,
         "options": "{}", "report": report, "replaces": version - 1}
    )  # fmt: skip
    store.db.table("adapters").insert(
        {"version": version, "run_id": version, "parent": parent, "level": level, **base,
         "sha256": hashlib.sha256(WEIGHTS).hexdigest(), "created_at": created, "state": "ok"}
    )  # fmt: skip
    for name, correct in answers.items():
        store.db.execute(
            "INSERT INTO evaluations (run_id, probe_id, stage, form, correct, answer)"
            " SELECT ?, id, 'after', 'direct', ?, '' FROM probes WHERE gold = ?",
            [version, correct, name],
        )
    folder = private_folder(private_folder(store.home.versions) / str(version))
    (folder / "adapter_model.safetensors").write_bytes(WEIGHTS)
    store.set_setting("in_service", str(version))
    return version


def numbers(report: dict[str, object]) -> list[int]:
    kept = report["kept"]
    assert isinstance(kept, list)
    return [one["version"] for one in kept]


@pytest.fixture
def month(store: Store) -> Store:
    """Version 1 is slow, the next ones stand on it: one a day from Monday 2 to Friday 13 March 2026."""
    for day in range(2, 14):
        night(store, day, "slow" if day == 2 else "fast", 0 if day == 2 else 1)
    return store


def test_what_is_kept(month: Store) -> None:
    dry = prune(month, last=2, daily=3, weekly=2, dry_run=True)
    assert numbers(dry) == [12, 11, 10, 7, 1]
    assert dry["deleted"] == [9, 8, 6, 5, 4, 3, 2]
    assert dry["freed_bytes"] == 7000
    reasons = {one["version"]: one["reasons"] for one in dry["kept"]}
    assert "in service" in reasons[12]
    assert reasons[7] == ["the newest of its week, 2026-W10"]
    assert reasons[1] == ["version 12 stands on it"]
    assert len(history(month)) == 12

    assert prune(month, last=2, daily=3, weekly=2) == dry
    assert [row["version"] for row in history(month)] == [12, 11, 10, 7, 1]
    assert {folder.name for folder in month.home.versions.iterdir()} == {"12", "11", "10", "7", "1"}
    assert prune(month, last=2, daily=3, weekly=2)["deleted"] == []


def test_what_serves_always_stays(month: Store) -> None:
    month.set_setting("in_service", "4")
    report = prune(month, last=0, daily=0, weekly=0)
    assert numbers(report) == [4, 1]
    assert in_service(month) == 4


def test_what_was_measured_of_pruned_versions_stays(month: Store) -> None:
    before = served(month, 12)
    prune(month, last=1, daily=0, weekly=0)
    assert served(month, 12) == before == list(range(1, 13))
    with pytest.raises(LearnctlError):
        rollback(month, 5)


def test_what_was_rolled_back_from_does_not_come_back(store: Store) -> None:
    """Neither by a rollback nor when the version in service is deleted."""
    night(store, 2, "slow", 0)
    night(store, 3, "fast", 1)
    assert rollback(store, 1) == 1
    night(store, 4, "fast", 1)
    store.db.execute("UPDATE runs SET replaces = 1 WHERE id = 3")
    assert served(store, 3) == [1, 3]
    store.db.execute("UPDATE adapters SET state = 'deleted' WHERE version = 3")
    assert in_service(store) == 1
    store.db.execute("UPDATE adapters SET state = 'ok' WHERE version = 3")
    assert (in_service(store), rollback(store), rollback(store)) == (3, 1, 0)


def test_what_differs_between_two_versions(store: Store, house: int) -> None:
    chunk = store.value("SELECT min(id) FROM chunks")
    for name in ("kept", "gained", "lost", "never", "unasked"):
        store.db.table("probes").insert(
            {"chunk_id": chunk, "question": f"What was {name}?", "gold": name, "span_kind": "name"}
        )
    night(store, 2, "slow", 0, kept=1, gained=0, lost=1, never=0)
    night(store, 3, "fast", 1, kept=1, gained=1, lost=0, never=0, unasked=1)
    found = differences(store, 1, 2)
    assert [probe["question"] for probe in found["gained"]] == ["What was gained?"]
    assert [probe["gold"] for probe in found["lost"]] == ["lost"]
    assert found["lost"][0]["source"].endswith("house.md")
    assert (found["both"], found["neither"], found["n"]) == (1, 1, 4)
    assert found["divergence"] == [0.1, 0.2]
    back = differences(store, 2, 1)
    assert back["gained"] == found["lost"]
    assert back["lost"] == found["gained"]
    store.db.execute("UPDATE adapters SET parent = 0")  # so that nothing stands on version 1
    assert prune(store, last=1, daily=0, weekly=0)["deleted"] == [1]
    assert differences(store, 1, 2) == found
    for unknown in (3, 99):
        with pytest.raises(LearnctlError, match="no version"):
            differences(store, 1, unknown)
