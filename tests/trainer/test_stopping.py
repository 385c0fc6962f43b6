"""A night that is told to stop ends at once, wherever it is, and goes on to what it would have come to."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options
from learnctl.trainer.progress import Progress
from learnctl.trainer.stop import Interrupted, StopSignals

# So often has a night looked by then: it does so while the model is at work.
LOOKS = 3

Settings = Callable[..., Options]


class Disturbance:
    """Asked whether a night may go on; does something once it has looked a few times within a phase.

    Args:
        turn: where a phase begins more than once, in which of these.
    """

    def __init__(self, phase: str, act: Callable[[], str], turn: int = 1) -> None:
        self.told: list[str] = []
        self._phase, self._act, self._turn = phase, act, turn
        self._looks = 0
        self._said = ""

    def on_progress(self, progress: Progress) -> None:
        self.told.append(progress.phase)

    def unmet(self) -> str:
        if self.told[-1] == self._phase and self.told.count(self._phase) >= self._turn:
            self._looks += 1
            if self._looks == LOOKS:
                self._said = self._act()
        return self._said


def terminate() -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    return ""


def published(store: Store) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(store.home.versions / "1" / "adapter_model.safetensors"))


@pytest.mark.parametrize("phase", ["study", "measure before", "train", "measure after"])
def test_in_each_phase(
    store: Store, house: int, settings: Settings, tmp_path: Path, phase: str
) -> None:
    """No other phase begins after the signal, and the weights are those of a night that was left alone."""
    options = settings(pack_tokens=128, learning_rate=1e-2)
    disturbed = Disturbance(phase, terminate)
    paused = consolidate(store, options, on_progress=disturbed.on_progress, unmet=disturbed.unmet)
    assert (paused["decision"], disturbed.told[-1]) == ("paused", phase)
    assert paused["reason"] == "stopped: the next run goes on from here"
    done = consolidate(store, options)
    assert (done["decision"], done["run"]) == ("promoted", 1)
    with Store.open(Home(tmp_path / "undisturbed"), create=True) as other:
        ingest(other, [tmp_path / "notes" / "house.md"])
        assert consolidate(other, options)["losses"] == done["losses"]
        here, there = published(store), published(other)
        assert max(float((here[name] - there[name]).abs().max()) for name in there) < 1e-5


def test_between_two_strengths(
    store: Store, house: int, settings: Settings, tmp_path: Path
) -> None:
    """What was refused whole and is tried at less; and what comes of it is the same."""
    options = settings(max_divergence=0.0, learning_rate=1e-2)
    disturbed = Disturbance("measure after", terminate, turn=2)
    paused = consolidate(store, options, on_progress=disturbed.on_progress, unmet=disturbed.unmet)
    assert (paused["decision"], disturbed.told.count("measure after")) == ("paused", 2)
    done = consolidate(store, options)
    assert (done["decision"], done["run"]) == ("refused", 1)
    with Store.open(Home(tmp_path / "undisturbed"), create=True) as other:
        ingest(other, [tmp_path / "notes" / "house.md"])
        whole = consolidate(other, options)
    for name in ("reason", "scale", "losses", "divergence"):
        assert whole[name] == pytest.approx(done[name])


@pytest.mark.parametrize("phase", ["measure before", "measure after"])
def test_conditions_are_watched_in_each_phase(
    store: Store, house: int, settings: Settings, phase: str
) -> None:
    disturbed = Disturbance(phase, lambda: "the machine is on battery")
    paused = consolidate(
        store, settings(), on_progress=disturbed.on_progress, unmet=disturbed.unmet
    )
    assert (paused["decision"], disturbed.told[-1]) == ("paused", phase)
    assert paused["reason"].startswith("the machine is on battery")


def test_what_is_published_is_published_whole(store: Store, house: int, settings: Settings) -> None:
    def on_progress(progress: Progress) -> None:
        if progress.phase == "publish":
            terminate()

    report = consolidate(store, settings(epochs=1), on_progress=on_progress)
    assert (report["decision"], report["version"]) == ("promoted", 1)


def test_while_a_base_is_loaded() -> None:
    """Nothing is looked at in between: the signal itself ends it."""
    with StopSignals() as stop:
        with pytest.raises(Interrupted), stop.at_once():
            terminate()
        with pytest.raises(Interrupted), stop.at_once():
            pytest.fail("it was asked to stop before")
