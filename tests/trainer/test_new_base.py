"""Another base is learned on over several nights, and what serves meanwhile is what served before."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from learnctl.memory.backup import backup, restore
from learnctl.memory.errors import LearnctlError
from learnctl.memory.home import Home
from learnctl.memory.lineage import in_service, learned_chunks
from learnctl.memory.store import Store
from learnctl.trainer import base as bases
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options, load, set_config
from learnctl.trainer.progress import Progress
from learnctl.trainer.session import ChatSession
from learnctl.trainer.talk import Talker

BUDGET_S = 3600.0
MOST_NIGHTS = 8
PLACES = ("Larkhill", "Dunmere", "Snorrebeck", "Fennport")
NAMES = ("Harald Immer", "Ilse Varga", "Ottoline Frayne", "Quimby Marsh", "Osric Dell")

Settings = Callable[..., Options]
Take = Callable[[str, str], int]


def lived(place: str) -> str:
    """A passage of ten facts."""
    facts = [
        f"{name} came to {place} on {day} March {1970 + day}. {name} paid {100 + day} euros in {place}."
        for day, name in enumerate(NAMES, len(place))
    ]
    return f"# {place}\n\n{' '.join(facts)}\n"


class Clock:
    """The time, which jumps by a night's budget when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead_s = 0.0
        runs = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: runs() + self._ahead_s)

    def jump(self) -> None:
        self._ahead_s += BUDGET_S

    def after_a_round_of_study(self, progress: Progress) -> None:
        if progress.phase == "study" and progress.done:
            self.jump()


def test_over_several_nights(
    store: Store, take: Take, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known already is studied over some nights, and trained over some more."""
    for place in PLACES:
        take(f"{place}.md", lived(place))
    values = {"epochs": 1, "questions_per_fact": 0, "pack_tokens": 512}
    old, new = settings(**values), settings("qwen", **values)
    consolidate(store, old)
    known = learned_chunks(store, 1)
    take("dog.txt", "The dog is called Quimby. Quimby was born in 2017 in Snorrebeck.\n")

    clock = Clock(monkeypatch)
    reasons: list[str] = []
    while not any(reason.startswith("its time was over") for reason in reasons):
        paused = consolidate(
            store, new, BUDGET_S, clock.after_a_round_of_study, lambda step: clock.jump()
        )
        assert (paused["decision"], paused["gave_way"]) == ("paused", True)
        assert in_service(store) == 1
        assert Talker.open(store, new).base.name == old.base
        reasons.append(paused["reason"].removesuffix(": the next run goes on from here"))
    n = len(known)
    studied = [reason.removesuffix(f" of {n} passages for the new base") for reason in reasons]
    assert studied[-2] == f"studied {n}"
    assert studied[0] < studied[-2]
    assert len(reasons) < MOST_NIGHTS

    report = consolidate(store, new, BUDGET_S)
    assert (report["decision"], in_service(store)) == ("promoted", 2)
    assert learned_chunks(store, 2) >= known
    assert Talker.open(store, new).base.name == new.base


def test_at_once_without_a_budget(store: Store, take: Take, settings: Settings) -> None:
    for place in PLACES:
        take(f"{place}.md", lived(place))
    consolidate(store, settings(epochs=1, questions_per_fact=0))
    known = learned_chunks(store, 1)
    report = consolidate(store, settings("qwen", epochs=1, questions_per_fact=0))
    assert (report["decision"], report["version"]) == ("promoted", 2)
    assert learned_chunks(store, 2) == known


def test_a_backup_in_between(store: Store, house: int, settings: Settings, tmp_path: Path) -> None:
    """What was chosen and what serves meanwhile both come back, and the nights go on."""
    old, new = settings(epochs=1), settings("qwen", epochs=1)
    consolidate(store, old)
    set_config(store.home, "base", new.base)
    backup(store, tmp_path / "saved.zip")
    there = Home(tmp_path / "there")
    restore(there, tmp_path / "saved.zip")
    assert load(there).base == new.base
    with Store.open(there) as restored:
        talker = Talker.open(restored, load(there))
        assert (talker.version, talker.base.name) == (1, old.base)
        assert consolidate(restored, new)["version"] == 2
        assert Talker.open(restored, load(there)).base.name == new.base


def test_the_base_is_the_chosen_one_also_for_who_talks_already(
    store: Store, house: int, settings: Settings
) -> None:
    """A version of the base before talks; asked for the base, the one that is chosen now answers."""
    old, new = settings(epochs=1), settings("qwen")
    consolidate(store, old)
    session = ChatSession(Talker.open(store, new), store, new)
    assert session.talker.base.name == old.base
    session.switch(0)
    assert (session.version, session.talker.base.name) == (0, new.base)
    session.switch(1)
    assert (session.version, session.talker.base.name) == (1, old.base)


def test_a_stopped_run_does_not_go_on_upon_another_base(
    store: Store, house: int, settings: Settings
) -> None:
    """Also where all else is set as it was: it is dropped, and the next run learns on what is chosen now."""
    values = {"epochs": 2, "pack_tokens": 128, "learning_rate": 1e-3}
    stop: list[int] = []
    paused = consolidate(
        store, settings(**values), on_step=stop.append, unmet=lambda: "stop" if stop else ""
    )
    assert (paused["decision"], stop) == ("paused", [1])
    new = settings("qwen", **values)
    told: list[Progress] = []
    report = consolidate(store, new, on_progress=told.append)
    notes = [one.note for one in told if one.phase == "drop"]
    assert notes == ["run 1, not finished: the base model has changed"]
    assert (report["decision"], report["run"], report["version"]) == ("promoted", 2, 1)
    digest = store.value("SELECT base_digest FROM adapters WHERE version = 1")
    assert digest == bases.load(new.base).digest


def test_a_base_that_was_changed_in_place(
    store: Store, house: int, settings: Settings, tmp_path: Path
) -> None:
    """Under its old name it is another one: a version of it as it was does not talk on it."""
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(settings().base, tmp_path / "base")
    options = settings(base=str(folder), epochs=1)
    consolidate(store, options)
    assert Talker.open(store, options).version == 1

    file = folder / "model.safetensors"
    held = load_file(file)
    name = "model.layers.0.mlp.down_proj.weight"
    save_file({**held, name: held[name] + 0.01}, file, metadata={"format": "pt"})
    with pytest.raises(LearnctlError, match="not here as it was then") as caught:
        Talker.open(store, options)
    assert "consolidate" in caught.value.hint
    assert Talker.open(store, options, 0).version == 0
