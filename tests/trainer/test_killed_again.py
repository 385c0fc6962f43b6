"""A run that its process does not survive is taken up a few times, and then begun anew."""

from collections.abc import Callable

import pytest

from learnctl.memory.store import Store
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.morning import morning, text
from learnctl.trainer.options import Options
from learnctl.trainer.progress import Progress
from learnctl.trainer.unfinished import MOST_TRIES

Settings = Callable[..., Options]


def die_at(step: int) -> Callable[[int], None]:
    """What to call after each step so that the process has no more memory at one of its own."""
    done: list[int] = []

    def on_step(_: int) -> None:
        done.append(step)
        if len(done) == step:
            raise MemoryError

    return on_step


def test_at_the_same_place(store: Store, house: int, settings: Settings) -> None:
    options = settings(epochs=1)
    for _ in range(1 + MOST_TRIES):
        with pytest.raises(MemoryError):
            consolidate(store, options, on_step=die_at(1))
        assert store.rows("SELECT id, state FROM runs") == [{"id": 1, "state": "running"}]
    told: list[Progress] = []
    report = consolidate(store, options, on_progress=told.append)
    assert (report["decision"], report["run"]) == ("promoted", 2)
    (note,) = [one.note for one in told if one.phase == "drop"]
    failed = morning(store, 1)
    assert (failed["decision"], failed["reason"] in note) == ("refused", True)
    assert failed["reason"].startswith("it was taken up 3 times and killed each time")
    assert (failed["elapsed_s"], failed["n_tokens"], failed["energy"]) == (None, None, None)
    assert "## Cost" not in text(failed)


def test_each_time_a_step_further(
    store: Store, house: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnctl.trainer.train.CHECKPOINT_EVERY_S", 0.0)
    options = settings(epochs=4, pack_tokens=128)
    for _ in range(2 + MOST_TRIES):
        with pytest.raises(MemoryError):
            consolidate(store, options, on_step=die_at(2))
    assert consolidate(store, options)["run"] == 1


def test_a_pause_is_no_kill(store: Store, house: int, settings: Settings) -> None:
    told: list[str] = []

    def unmet() -> str:
        return "the machine is on battery" if told[-1] == "measure before" else ""

    for _ in range(2 + MOST_TRIES):
        report = consolidate(
            store,
            settings(epochs=1),
            on_progress=lambda progress: told.append(progress.phase),
            unmet=unmet,
        )
        assert report["decision"] == "paused"
    assert consolidate(store, settings(epochs=1))["run"] == 1
