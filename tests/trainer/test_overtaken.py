"""A rollback while a night is at work, or while it is paused, stays done."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.home import sync
from learnctl.memory.lineage import in_service
from learnctl.memory.store import Store
from learnctl.memory.trust import set_trust
from learnctl.trainer import registry, train
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options
from learnctl.trainer.progress import Progress
from learnctl.trainer.synthesize import hold_out

Settings = Callable[..., Options]
Take = Callable[[str, str], int]

DOG = "The dog is called Quimby. Quimby was born in 2017 in the village of Snorrebeck.\n"
CAT = "The cat is called Mirabelle. Mirabelle was born in 2019 in Fennport.\n"


def test_a_rollback_during_a_night(
    store: Store, take: Take, house: int, dog: int, settings: Settings
) -> None:
    """What continues the version that was taken out of service is not published."""
    options = settings(epochs=1)
    consolidate(store, options)
    take("cat.txt", CAT)
    consolidate(store, options)
    take("bird.txt", "The parrot is called Osric. Osric was bought in 2021 in Dunmere.\n")

    def roll_back(step: int) -> None:
        if step == 1:
            registry.rollback(store, 1)

    report = consolidate(store, options, on_step=roll_back)
    assert report["decision"] == "refused"
    assert "version 1 was put in service in place of 2" in report["reason"]
    assert in_service(store) == report["version"] == 1
    assert [row["version"] for row in registry.history(store)] == [2, 1]
    assert sorted(entry.name for entry in store.home.versions.iterdir()) == ["1", "2"]

    report = consolidate(store, options)
    assert (report["decision"], report["version"]) == ("promoted", 3)
    assert registry.history(store)[0]["parent"] == 1


def test_a_rollback_between_two_parts_of_a_night(
    store: Store, take: Take, house: int, settings: Settings
) -> None:
    """A slow pass that was to replace one version does not go on to replace another."""
    options = settings(epochs=1)
    consolidate(store, options)
    take("dog.txt", DOG)
    store.set_setting(registry.SLOW_DUE, "asked for")
    stop: list[int] = []
    paused = consolidate(store, options, on_step=stop.append, unmet=lambda: "stop" if stop else "")
    assert paused["decision"] == "paused"
    registry.rollback(store, 0)
    told: list[Progress] = []
    report = consolidate(store, options, on_progress=told.append)
    assert (report["decision"], report["run"], report["version"]) == ("promoted", 3, 2)
    (note,) = [one.note for one in told if one.phase == "drop"]
    assert "version 0 was put in service in place of 1" in note
    assert store.row("SELECT replaces, parent FROM runs WHERE id = 3") == {
        "replaces": 0,
        "parent": 0,
    }


def test_a_source_that_changes_between_two_parts_of_a_night(
    store: Store, take: Take, house: int, dog: int, settings: Settings
) -> None:
    """What was learned of it before is in the weights that the run stands on, though it rehearses nothing of it: what comes of it is
    marked like them, and the next night starts from the base."""
    options = settings(epochs=1, replay_share=0.0, kinds="question,cue")
    consolidate(store, options)
    take("cat.txt", CAT)
    stop: list[int] = []
    paused = consolidate(store, options, on_step=stop.append, unmet=lambda: "stop" if stop else "")
    assert paused["decision"] == "paused"
    take("dog.txt", DOG.replace("Quimby", "Barnaby"))
    report = consolidate(store, options)
    assert (report["decision"], report["level"], report["run"]) == ("promoted", "fast", 2)
    assert {row["version"]: row["state"] for row in registry.history(store)} == {
        1: "stale",
        2: "stale",
    }
    report = consolidate(store, options)
    assert (report["decision"], report["level"], report["run"]) == ("promoted", "slow", 3)
    assert registry.history(store)[0]["state"] == "ok"


@pytest.mark.parametrize("phase", ["measure after", "publish"])
def test_what_is_forgotten_up_to_the_last_moment_of_a_night(
    store: Store, take: Take, house: int, dog: int, settings: Settings, phase: str
) -> None:
    """It is recited nowhere, and not published; its weights go, too, also between the verdict and the rows of the version."""
    options = settings(epochs=1)
    consolidate(store, options)
    cat = take("cat.txt", CAT)

    def forget(progress: Progress) -> None:
        if progress.phase == phase:
            with Store.open(store.home) as other:
                registry.forget(other, [cat])

    report = consolidate(store, options, on_progress=forget)
    assert report["decision"] == "refused"
    assert "forgotten" in report["reason"]
    answers = store.rows("SELECT * FROM evaluations WHERE stage = 'after' AND run_id = 2")
    assert not any(row["answer"] for row in answers)
    assert store.value("SELECT state FROM runs WHERE id = 2") == "dropped"
    assert in_service(store) == report["version"] == 1
    assert [entry.name for entry in store.home.versions.iterdir()] == ["1"]


@pytest.mark.parametrize("at", ["step", "checkpoint", "half of one", "stop"])
def test_what_is_forgotten_while_a_night_trains_leaves_no_checkpoint(
    store: Store,
    take: Take,
    house: int,
    dog: int,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
) -> None:
    """The run ends at its next step, and what it wrote after its folder was taken away goes, too, as where it was asked to stop."""
    steps: list[int] = []
    save = train._save

    def forget() -> None:
        monkeypatch.setattr(train, "_save", save)
        monkeypatch.setattr(train, "sync", sync)
        with Store.open(store.home) as other:
            registry.forget(other, [dog])

    def on_step(step: int) -> None:
        steps.append(step)
        if at == "step":
            forget()

    def forget_and_save(*state: Any) -> None:
        forget()
        save(*state)

    def forget_and_sync(path: Path) -> None:
        forget()
        sync(path)

    if at == "half of one":
        monkeypatch.setattr(train, "sync", forget_and_sync)
    else:
        monkeypatch.setattr(train, "_save", forget_and_save)
    monkeypatch.setattr(train, "CHECKPOINT_EVERY_S", -1.0)
    unmet = (lambda: "stop" if steps else "") if at == "stop" else lambda: ""
    report = consolidate(store, settings(), on_step=on_step, unmet=unmet)
    assert report["decision"] == "refused"
    assert "forgotten" in report["reason"]
    assert steps[1:] == ([2] if at == "checkpoint" else [])
    assert not list(store.home.runs.rglob("*"))


@pytest.mark.parametrize("change", ["edited", "distrusted", "held out"])
def test_a_source_that_changes_while_a_night_trains(
    store: Store, take: Take, house: int, settings: Settings, change: str
) -> None:
    """The run is not dropped for that, but what is made of it has lost its ground: it is not published."""
    options = settings(epochs=1)
    consolidate(store, options)
    dog = take("dog.txt", DOG)

    def on_step(step: int) -> None:
        if step != 1:
            return
        if change == "edited":
            take("dog.txt", DOG.replace("Quimby", "Barnaby"))
        elif change == "distrusted":
            set_trust(store, [dog], "untrusted")
        else:
            sample = store.row(
                "SELECT s.prompt FROM samples s JOIN run_samples rs ON rs.sample_id = s.id"
                " WHERE rs.run_id = 2 AND rs.role = 'new' AND s.kind = 'question'"
            )
            assert sample is not None
            hold_out(store, [sample["prompt"]])

    report = consolidate(store, options, on_step=on_step)
    assert report["decision"] == "refused"
    assert "while it trained" in report["reason"]
    assert in_service(store) == report["version"] == 1
    assert [row["version"] for row in registry.history(store)] == [1]
    assert [entry.name for entry in store.home.versions.iterdir()] == ["1"]
