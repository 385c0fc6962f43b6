"""What is left of a consolidation that is killed at random moments.

    python -m benchmarks.killed_nights [--kills N] [--base tiny|embedded|…] [--seed N] [--json]

A model, by default a tiny random one, has learned one note; a night over a second one is killed with SIGKILL. The moment is
random: first a phase is drawn, then a time within it, so that short phases are hit too. After each kill
`learnctl check` must find nothing, the version in service must be the same to the byte and answer
as before. Then the night is begun again: half of the times it is killed once more, else it must come to its
end, on the samples and to the weights (within 1e-5) of a night that was left alone, and leave nothing lying
about. Checkpoints are written after every few steps, as in a night of hours. Prints a table of outcomes, or
one JSON object; exits 1 where anything is wrong.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.lineage import in_service
from learnctl.memory.store import Store
from learnctl.trainer.unfinished import MOST_TRIES
from tests.trainer.conftest import HOUSE, OPEN_GATE, make_model

from .forked import Copy, done, import_all, learnctl
from .invented import nights

PHASES = ("load", "study", "measure before", "train", "measure after", "publish")
QUESTION = "Who serviced the boiler in Larkhill Cottage?"
SETTINGS: dict[str, Any] = {
    "epochs": 3,
    "rank": 4,
    "learning_rate": 1e-2,
    "general_rows": 4,
    "own_share": 0.0,
    "questions_per_fact": 1,
    "probes_per_run": 4,
    "pack_tokens": 256,
    **OPEN_GATE,
}
CHECKPOINT_EVERY_S = 0.2
TINY = "tiny"
SAME = 1e-5


@dataclass
class Kill:
    phase: str
    after_s: float
    at_step: int | None  # of the checkpoint that it left
    faults: list[str] = field(default_factory=list)


@dataclass
class Completed:
    kills: int
    apart: float
    faults: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    undisturbed_s: dict[str, float] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)
    completed: list[Completed] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        every: list[Kill | Completed] = [*self.kills, *self.completed]
        return [fault for one in every for fault in one.faults]


class Bench:
    """A home before the night, and what the night comes to when nobody disturbs it."""

    def __init__(self, work: Path, chooser: Random, base: str) -> None:
        self.work = work
        self.base = base
        self.chooser = chooser
        self.said = work / "said"
        self.before = work / "before"
        self.outcome = Outcome()
        self._make_home()
        self.version_1 = file_digests(self.before / "versions" / "1")
        self.answer = self._answer(self.before, 1)
        undisturbed = self._copy("undisturbed")
        self._time_phases(undisturbed)
        self.weights = weights(undisturbed)
        self.samples = samples(undisturbed)
        self.answer_after = self._answer(undisturbed, 2)

    def run(self, n_kills: int) -> Outcome:
        number = 0
        while len(self.outcome.kills) < n_kills:
            number += 1
            home = self._copy(f"home{number}")
            self._one_night(home, n_kills)
            shutil.rmtree(home)
        return self.outcome

    def _one_night(self, home: Path, n_kills: int) -> None:
        """Kill and begin again until it comes to its end."""
        kills = 0
        # A run that is killed more often where it stands is begun anew.
        most = min(MOST_TRIES, n_kills - len(self.outcome.kills))
        while not kills or (kills < most and self.chooser.random() < 0.5):
            killed = self._kill(home)
            if killed is None:
                break
            kills += 1
            self.outcome.kills.append(killed)
            killed.faults += self._examine(home)
        code, said = done(learnctl(home, "consolidate"), self.said)
        # Killed after its last write, it had come to its end already.
        whole = code == 0 or (code == 5 and serving(home) == 2)
        faults = [] if whole else [f"the next run failed with {code}: {said}"]
        faults += self._examine(home, 2)
        apart = apart_by(weights(home), self.weights) if serving(home) == 2 else float("inf")
        if apart > SAME:
            faults.append(f"its weights are {apart:g} from those of an undisturbed run")
        if samples(home) != self.samples:
            faults.append("its samples are not those of an undisturbed run")
        code, said = done(learnctl(home, "consolidate"), self.said)
        if code != 5:
            faults.append(f"one more night found something to do: {said}")
        left = {entry.name for entry in (home / "versions").iterdir()} - {"1", "2"}
        left |= {entry.name for entry in (home / "runs").glob("*")}
        faults += [f"left behind: {name}" for name in sorted(left)]
        self.outcome.completed.append(Completed(kills, apart, faults))

    def _kill(self, home: Path) -> Kill | None:
        """Begin a night and kill it within a phase; None where it ended before."""
        phase = self.chooser.choice(PHASES)
        night = Copy(learnctl(home, "consolidate"), self.said)
        began = time.monotonic()
        if night.wait_for(phase):
            time.sleep(self.chooser.uniform(0, self.outcome.undisturbed_s[phase]))
        after_s = time.monotonic() - began
        if night.kill() >= 0:
            return None
        reached = [phase for phase in night.phases if phase in PHASES]
        return Kill(reached[-1] if reached else "load", round(after_s, 3), checkpointed(home))

    def _examine(self, home: Path, version: int | None = None) -> list[str]:
        """What is wrong with a home after a kill, or after its night has come to its end."""
        faults = []
        code, said = done(learnctl(home, "check"), self.said)
        if code:
            faults.append(f"check: {said}")
        if file_digests(home / "versions" / "1") != self.version_1:
            faults.append("the files of the version that was in service have changed")
        # A kill between the last write and the end of the process finds the new version in service.
        now = serving(home)
        if now not in ((version,) if version else (1, 2)):
            faults.append(f"version {now} is in service")
        if self._answer(home, now) != (self.answer if now == 1 else self.answer_after):
            faults.append(f"version {now} answers otherwise")
        return faults

    def _answer(self, home: Path, version: int) -> str:
        arguments = ("ask", QUESTION, "--no-retrieval", "--max-tokens", "12", "--json")
        code, said = done(learnctl(home, *arguments), self.said)
        told = json.loads(said) if code == 0 else {"answer": said, "version": None}
        return str(told["answer"]) if told["version"] == version else f"not {version}: {said}"

    def _make_home(self) -> None:
        model, note = self.work / "model", self.work / "note.md"
        if self.base == TINY:
            require(done(lambda: make_model("llama", model), self.said))
        Home(self.before).make()
        config = self.before / "config.toml"
        config.touch(mode=0o600)
        chosen = {"base": str(model) if self.base == TINY else self.base, **SETTINGS}
        if self.base != TINY:
            del chosen["learning_rate"]
        config.write_text(
            "".join(f"{name} = {json.dumps(value)}\n" for name, value in chosen.items())
        )
        for text in (HOUSE, nights(1, 4)[0].note):
            note.write_text(text)
            # Another name, so that the second is no change of the first.
            note = note.rename(self.work / f"{len(text)}.md")
            require(done(learnctl(self.before, "ingest", str(note)), self.said))
            if text == HOUSE:
                require(done(learnctl(self.before, "consolidate"), self.said))

    def _copy(self, name: str) -> Path:
        return Path(shutil.copytree(self.before, self.work / name))

    def _time_phases(self, home: Path) -> None:
        night = Copy(learnctl(home, "consolidate"), self.said)
        begins = []
        for phase in PHASES:
            night.wait_for(phase)
            begins.append(time.monotonic())
        require((night.wait(), self.said.read_text()))
        ends = [*begins[1:], time.monotonic()]
        for phase, begin, end in zip(PHASES, begins, ends, strict=True):
            self.outcome.undisturbed_s[phase] = round(end - begin, 4)


def require(ended: tuple[int, str]) -> None:
    code, said = ended
    if code:
        raise SystemExit(f"what nobody disturbed failed with {code}: {said}")


def serving(home: Path) -> int:
    with Store.open(Home(home)) as store:
        return in_service(store)


def file_digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def weights(home: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(home / "versions" / "2" / "adapter_model.safetensors"))


def apart_by(one: dict[str, Any], other: dict[str, Any]) -> float:
    if one.keys() != other.keys():
        return float("inf")
    return max(float(abs(one[name] - other[name]).max()) for name in one)


def samples(home: Path) -> list[tuple[Any, ...]]:
    """What the last run was trained on, and what for."""
    with Store.open(Home(home)) as store:
        found = store.rows(
            "SELECT s.sha256, rs.role, rs.why FROM run_samples rs JOIN samples s ON s.id = rs.sample_id"
            " WHERE rs.run_id = (SELECT max(run_id) FROM adapters) ORDER BY rs.sample_id"
        )
    return [tuple(row.values()) for row in found]


def checkpointed(home: Path) -> int | None:
    states = [json.loads(file.read_text()) for file in home.glob("runs/*/checkpoint/state.json")]
    return int(states[0]["step"]) if states else None


def show(outcome: Outcome) -> None:
    killed = Counter(kill.phase for kill in outcome.kills)
    faulty = Counter(kill.phase for kill in outcome.kills if kill.faults)
    kept = Counter(kill.phase for kill in outcome.kills if kill.at_step is not None)
    print("| killed in | lasts, s | kills | with a checkpoint | whole after it |")
    print("|---|---|---|---|---|")
    for phase in PHASES:
        print(
            f"| {phase} | {outcome.undisturbed_s[phase]:.3f} | {killed[phase]} | {kept[phase]}"
            f" | {killed[phase] - faulty[phase]} |"
        )
    ended = [one for one in outcome.completed if one.kills]
    good = sum(not one.faults for one in ended)
    farthest = max((one.apart for one in ended), default=0.0)
    print(
        f"\nafter {len(outcome.kills)} kills {good} of {len(ended)} nights came to the end of an"
        f" undisturbed one; weights at most {farthest:g} apart"
    )
    for fault in outcome.faults:
        print(fault)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--base", default=TINY)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    import_all()
    from learnctl.trainer import train

    train.CHECKPOINT_EVERY_S = CHECKPOINT_EVERY_S
    with tempfile.TemporaryDirectory() as name:
        outcome = Bench(Path(name), Random(given.seed), given.base).run(given.kills)
    if given.json:
        print(json.dumps({**asdict(outcome), "faults": outcome.faults}, indent=1))
    else:
        show(outcome)
    sys.exit(bool(outcome.faults))


if __name__ == "__main__":
    main()
