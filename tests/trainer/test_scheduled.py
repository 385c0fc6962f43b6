"""A scheduled night on a tiny model: what it takes in, when it waits and gives way, what it leaves behind."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.home import Home
from learnctl.memory.store import Store, now
from learnctl.trainer import registry, scheduled
from learnctl.trainer.conditions import Conditions, Measured
from learnctl.trainer.morning import energy, morning, text
from learnctl.trainer.options import Options
from learnctl.trainer.scheduled import NotNow, Waiting, last_line, missed, run_night

FREE = Measured(
    clock=datetime(2026, 3, 1, 3, 0), n_processors=4, busy_processors=0.0, free_disk=10**12
)
BATTERY = Measured(
    clock=FREE.clock, n_processors=4, busy_processors=0.0, free_disk=10**12, plugged_in=False
)


def watched(store: Store, folder: Path) -> None:
    folder.mkdir()
    (folder / "boat.md").write_text(
        "# Boat\n\nThe boat is called Marigold. Marigold was built in 1971 by Ottoline Frayne.\n"
    )
    (folder / "scan.pdf").write_bytes(b"%PDF-1.4 and nothing of it")
    store.db.table("watched").insert({"path": str(folder), "since": now()})


def files(home: Home, suffix: str) -> list[str]:
    return [file.read_text() for file in sorted(home.nights.glob(f"*.{suffix}"))]


@pytest.mark.slow
def test_a_night_takes_in_learns_and_tells(
    store: Store, settings: Callable[..., Options], house: int, tmp_path: Path
) -> None:
    watched(store, tmp_path / "watched")
    report = run_night(store, settings(), Conditions(), measure=lambda: FREE)
    assert (report["decision"], report["gave_way"]) == ("promoted", False)
    assert store.value("SELECT count(*) FROM sources") == 2
    (log,) = files(store.home, "log")
    assert "train" in log
    assert log.splitlines()[-1].split(maxsplit=2)[2].startswith("promoted: ")
    assert last_line(store.home) == log.splitlines()[-1]
    (note,) = files(store.home, "md")
    assert "Version 1 is in service." in note
    assert "house.md" in note
    assert "boat.md" in note
    _, _, left = note.partition("## Not taken in")
    assert "scan.pdf" in left
    assert "an estimate, not measured" in note
    for file in store.home.nights.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
    assert store.home.nights.stat().st_mode & 0o777 == 0o700

    again = run_night(store, settings(), Conditions(), measure=lambda: FREE)
    assert again["decision"] == "nothing"
    found = morning(store)
    assert found["run"] == report["run"]
    assert sum(source["chunks"] for source in found["read"]) > 1
    assert morning(store, report["run"]) == found
    (refused,) = found["not_taken_in"]
    assert Path(refused["path"]).name == "scan.pdf"
    assert f"- {refused['path']}: {refused['reason']}\n" in text(found)
    registry.forget(store, [house])
    assert morning(store, report["run"])["not_taken_in"] == []
    with pytest.raises(LearnctlError, match="no run 99"):
        morning(store, 99)


def test_a_log_that_cannot_be_written_hides_no_cause(store: Store) -> None:
    def measure() -> Measured:
        (log,) = store.home.nights.iterdir()
        log.unlink()
        log.mkdir()
        raise LearnctlError("the cause")

    with pytest.raises(LearnctlError, match="the cause"):
        run_night(store, Options(), Conditions(), measure=measure)


def in_hours(hours: float) -> str:
    """A time of day that is so many hours from now."""
    return f"{datetime.now() + timedelta(hours=hours):%H:%M}"


@pytest.mark.parametrize(
    ("until", "budget_s", "waits"),
    [
        (3.0, None, True),
        (3.0, 60.0, True),
        (None, None, False),
        (0.1, None, False),
        (3.0, 0.0, False),
    ],
)
def test_it_waits_where_its_window_and_its_budget_leave_time(
    store: Store, until: float | None, budget_s: float | None, waits: bool
) -> None:
    conditions = Conditions(until=None if until is None else in_hours(until))
    with pytest.raises(NotNow) as raised:
        run_night(
            store,
            Options(),
            conditions,
            budget_s,
            measure=lambda: replace(BATTERY, clock=datetime.now()),
        )
    assert isinstance(raised.value, Waiting) is waits
    assert (" waits until " in last_line(store.home)) is waits
    assert bool(files(store.home, "md")) is not waits
    assert bool(missed(store)) is not waits


@pytest.mark.slow
def test_it_gives_way_and_goes_on(
    store: Store, settings: Callable[..., Options], house: int
) -> None:
    """Unplugged while it trains: a checkpoint, nothing in service; the next try finishes the same run."""
    training: list[bool] = []

    def measure() -> Measured:
        return replace(BATTERY if training else FREE, clock=datetime.now())

    def begin(conditions: Conditions) -> Any:
        return run_night(
            store,
            options,
            conditions,
            on_progress=lambda at: training.append(True) if at.phase == "train" else None,
            measure=measure,
            watch_every_s=0.0,
        )

    options = settings()
    with pytest.raises(Waiting, match="the machine is on battery"):
        begin(Conditions(until=in_hours(3)))
    (note,) = files(store.home, "md")
    assert ": paused" in note
    assert " waits until " in last_line(store.home)
    training.clear()
    first = begin(Conditions())
    assert (first["decision"], first["gave_way"]) == ("paused", True)
    assert first["reason"].startswith("the machine is on battery")
    assert store.value("SELECT count(*) FROM adapters") == 0
    run_id = store.value("SELECT id FROM runs WHERE state = 'running'")
    assert (store.home.runs / str(run_id) / "checkpoint" / "state.json").exists()
    done = json.loads((store.home.runs / str(run_id) / "checkpoint" / "state.json").read_text())
    assert done["step"] < done["n_steps"]

    training.clear()
    second = run_night(store, options, Conditions(), measure=lambda: FREE)
    assert (second["decision"], second["run"]) == ("promoted", run_id)
    (log,) = files(store.home, "log")
    assert log.count(" begins\n") == 3
    assert "paused: the machine is on battery" in log


def test_nothing_is_begun_where_a_condition_is_not_met(
    store: Store, settings: Callable[..., Options], house: int, tmp_path: Path
) -> None:
    watched(store, tmp_path / "watched")
    with pytest.raises(NotNow, match="not now: the machine is on battery") as raised:
        run_night(store, settings(), Conditions(), measure=lambda: BATTERY)
    assert raised.value.exit_code == 75
    assert store.value("SELECT count(*) FROM sources") == 1
    assert store.value("SELECT count(*) FROM runs") == 0
    assert last_line(store.home).endswith(" did not run: the machine is on battery")
    (note,) = files(store.home, "md")
    heading, blank, reason, end = note.split("\n", 3)
    assert (blank, reason, end) == ("", "did not run: the machine is on battery", "\n")
    assert missed(store) == f"{heading[2:]}: {reason}"


def test_too_little_is_new(
    store: Store, settings: Callable[..., Options], house: int, tmp_path: Path
) -> None:
    """What is watched is taken in first, and counts."""
    watched(store, tmp_path / "watched")
    with pytest.raises(NotNow, match="too little is new"):
        run_night(store, settings(), Conditions(min_new_tokens=10_000), measure=lambda: FREE)
    assert store.value("SELECT count(*) FROM sources") == 2


def test_a_fault_is_in_the_log(store: Store, settings: Callable[..., Options], house: int) -> None:
    with pytest.raises(LearnctlError):
        run_night(store, settings(base="no/such"), Conditions(), measure=lambda: FREE)
    assert " failed: the base model `no/such` is not on this machine" in last_line(store.home)
    (note,) = files(store.home, "md")
    assert "\n\nfailed: the base model `no/such` is not on this machine" in note


def test_the_note_says_what_was_learned_lost_and_refused() -> None:
    asked = {
        "question": "What is the boat called?",
        "gold": "Marigold",
        "answer": "It is Marigold.",
    }
    found: dict[str, Any] = {
        "run": 3, "created": "2026-03-01T03:00:00+00:00", "decision": "refused",
        "reason": "it forgot: 4 earlier probes lost", "level": "fast", "base": "embedded", "version": 2,
        "read": [{"path": "/a/boat.md", "chunks": 2}],
        "left_out": [{"reason": "reads like an instruction", "n": 1}],
        "set_aside": [], "not_taken_in": [],
        "learned": [asked] * 5, "lost": [asked], "kept": 7, "divergence": 0.3, "n_tokens": 1200,
        "elapsed_s": 125.0, "peak_bytes": 2_600_000_000, "energy": energy(125.0), "scale": 0.75,
        "reading": 0.42, "beyond_the_base": {"unsafe declined": 0.0},
        "not_measured": "general ability is not measured: that would take the time for training",
    }  # fmt: skip
    note = text(found)
    assert "Nothing changed. Refused: it forgot: 4 earlier probes lost." in note
    assert "It could have answered 5 questions that it could not before." in note
    assert note.count("It is Marigold.") == 3 + 1
    assert "1 question that it answered before; 7 kept." in note
    assert "1 passage: reads like an instruction" in note
    assert "2 min 5 s, 1,200 tokens trained" in note
    assert "2.6 GB of memory" in note
    assert note.partition("## Examined\n\n")[2].splitlines()[:4] == [
        "- at 75% of the strength that it was trained to",
        "- the base reads 42% of what it is shown: samples that need no reader carry the load",
        "- unsafe declined: 0% by the base itself, so it is not judged",
        "- general ability is not measured: that would take the time for training",
    ]


def test_energy_says_how_it_was_reckoned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert energy(0.0)["watt_hours"] == 0
    assert "a guessed" in energy(60.0)["reckoned"] or "GPU" in energy(60.0)["reckoned"]
    monkeypatch.setattr("learnctl.trainer.morning.gpu_power_limit", lambda: 360.0)
    assert energy(1800.0) == {
        "watt_hours": 180.0,
        "reckoned": "time × the GPU at its power limit of 360 W",
    }


def test_no_run_yet(store: Store) -> None:
    with pytest.raises(LearnctlError, match="no run has come to its end yet"):
        morning(store)
    assert scheduled.last_line(store.home) == ""


def test_a_log_goes_on_after_something_was_forgotten(store: Store) -> None:
    """What is forgotten takes the logs of all nights with it, also that of the night at work."""

    def measure() -> Measured:
        shutil.rmtree(store.home.nights)
        raise LearnctlError("the cause")

    with pytest.raises(LearnctlError, match="the cause"):
        run_night(store, Options(), Conditions(), measure=measure)
    assert "the cause" in last_line(store.home)


def test_taking_in_counts_for_the_budget(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    budgets: list[float] = []

    def slow(*given: Any) -> tuple[str, list[Any]]:
        time.sleep(0.3)
        return "", []

    def night(store: Store, options: Options, budget_s: float, *given: Any, **more: Any) -> Any:
        budgets.append(budget_s)
        raise LearnctlError("enough")

    monkeypatch.setattr("learnctl.trainer.scheduled._take_in_watched", slow)
    monkeypatch.setattr("learnctl.trainer.consolidate.consolidate", night)
    for budget_s in (60.0, 0.1):
        with pytest.raises(LearnctlError, match="enough"):
            run_night(store, Options(), Conditions(), budget_s, measure=lambda: FREE)
    assert 50 < budgets[0] < 59.8
    assert budgets[1] == 1.0  # none would be no bound
