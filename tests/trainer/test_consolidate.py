"""Whole nights on tiny models: what is learned, published, recorded, refused, resumed and forgotten."""

import errno
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

import filelock
import pytest

from learnctl.memory.check import check
from learnctl.memory.errors import LearnctlError, Locked
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.learning import set_learn
from learnctl.memory.lineage import in_service, learned_chunks, new_chunks, studied_chunks
from learnctl.memory.search import telling_words
from learnctl.memory.store import Store
from learnctl.trainer import base as bases
from learnctl.trainer import costs, registry, rows, workload
from learnctl.trainer.absent import NOT_IN_NOTES
from learnctl.trainer.base import Base
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.costs import plan
from learnctl.trainer.models import file_sha256
from learnctl.trainer.morning import morning
from learnctl.trainer.options import Options
from learnctl.trainer.pack import Row
from learnctl.trainer.progress import Progress
from learnctl.trainer.prompt_lists import read_prompts
from learnctl.trainer.rows import GENERAL_ROUNDS
from learnctl.trainer.status import status
from learnctl.trainer.synthesize import Sample, held_out, hold_out, keep_samples, study_chunks
from learnctl.trainer.talk import Talker
from learnctl.trainer.train import TrainReport, train

FAMILIES = ("llama", "qwen", "gemma", "gemma3")
WEIGHTS = "adapter_model.safetensors"

DOG = "The dog is called Quimby. Quimby was born in 2017 in the village of Snorrebeck.\n"

# Nights of little work, and of as little that the gate refuses.
SPARING: dict[str, Any] = {
    "epochs": 1,
    "kinds": "question",
    "general_rows": 1,
    "probes_per_run": 2,
}
REFUSED: dict[str, Any] = {**SPARING, "max_divergence": 0.0, "learning_rate": 1e-2}

Settings = Callable[..., Options]
Take = Callable[[str, str], int]


def ask(store: Store, options: Options, version: int | None = None) -> str:
    question = {"role": "user", "content": "Who serviced the boiler in Larkhill Cottage?"}
    return Talker.open(store, options, version).answer([question], max_tokens=12)


def roles(store: Store, run: int) -> dict[str, set[int]]:
    """The samples of a run by their role."""
    found: dict[str, set[int]] = {}
    for row in store.rows("SELECT sample_id, role FROM run_samples WHERE run_id = ?", run):
        found.setdefault(row["role"], set()).add(row["sample_id"])
    return found


def samples_of(store: Store, source: int) -> set[int]:
    return {
        row["id"]
        for row in store.rows(
            "SELECT id FROM samples WHERE chunk_id IN"
            " (SELECT chunk_id FROM origins WHERE source_id = ?)",
            source,
        )
    }


def taught_of(store: Store, source: int) -> set[int]:
    """Its samples of the kinds that are trained on."""
    kinds = Options().kinds.split(",")
    trained = {row["id"] for row in store.rows("SELECT * FROM samples") if row["kind"] in kinds}
    return samples_of(store, source) & trained


def published(store: Store, version: int) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(store.home.versions / str(version) / WEIGHTS))


def apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The last question and the answer of each row that a night on the tiny Llama is given to train on."""
    found: list[tuple[str, str]] = []

    def recording(base: Base, model: Any, packs: list[list[Row]], *more: Any) -> TrainReport:
        for row in chain(*packs):
            turns = base.tokenizer.decode(row.ids).split("<|start_header_id|>")
            asked, answer = (turn.partition("\n\n")[2] for turn in turns[-2:])
            found.append((asked.removesuffix("<|eot_id|>"), answer.removesuffix("<|eot_id|>")))
        return train(base, model, packs, *more)

    monkeypatch.setattr("learnctl.trainer.consolidate.train", recording)
    return found


def terminate_at(step: int) -> Callable[[int], None]:
    """What to call after each step so that this process gets a SIGTERM at one of them."""

    def on_step(done: int) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return on_step


def refuse_slow_passes(store: Store, options: Options) -> None:
    """As many as it takes for them to be given up, where they may be."""
    reports = [consolidate(store, options) for _ in range(3)]
    assert {(one["decision"], one["level"]) for one in reports} == {("refused", "slow")}
    assert store.setting(registry.SLOW_DUE) == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_two_nights_and_back(
    store: Store, take: Take, house: int, settings: Settings, family: str
) -> None:
    """Two sources, two nights, and back: versions follow each other and the one in service answers."""
    options = settings(family, learning_rate=1e-2)
    untouched = ask(store, options)
    first = consolidate(store, options)
    assert (first["decision"], first["version"], first["level"]) == ("promoted", 1, "slow")
    assert first["samples"]["new"] > 0
    assert first["samples"]["replay"] == 0
    assert first["recall"]["new"]["n"] > 0
    assert first["recall"]["old"] is None
    assert in_service(store) == 1

    take("dog.txt", DOG)
    second = consolidate(store, options)
    assert (second["decision"], second["version"], second["level"]) == ("promoted", 2, "fast")
    assert second["samples"]["replay"] > 0
    assert second["recall"]["old"]["n"] == first["recall"]["new"]["n"]
    assert [(row["version"], row["parent"], row["level"]) for row in registry.history(store)] == [
        (2, 1, "fast"),
        (1, 0, "slow"),
    ]
    answers = {version: ask(store, options, version) for version in (0, 1, 2)}
    assert answers[0] == untouched
    assert len(set(answers.values())) > 1
    assert ask(store, options) == answers[2]

    assert registry.rollback(store) == 1
    assert ask(store, options) == answers[1]
    assert [row["in_service"] for row in registry.history(store)] == [False, True]
    assert registry.rollback(store, 0) == 0
    assert ask(store, options) == untouched


def test_report(store: Store, house: int, settings: Settings) -> None:
    """A night's report holds what it cost and measured, and the store keeps it."""
    options = settings()
    report = consolidate(store, options)
    assert report["n_tokens"] > 0
    assert report["tokens_per_s"] > 0
    assert report["elapsed_s"] > 0
    assert report["peak_bytes"] > 2**20
    assert math.isfinite(report["divergence"])
    assert {"before", "after", "n"} <= report["recall"]["new"].keys()
    kept = json.loads(store.value("SELECT report FROM runs WHERE id = ?", report["run"]))
    assert kept == json.loads(json.dumps(report))
    told = status(store, options)
    assert told["version"] == 1
    assert (told["learned"], told["nights_to_go"], told["pace_is_measured"]) == (1.0, 0, True)
    assert told["written"]["questions"]["written"] >= told["written"]["questions"]["dropped"] > 0
    assert told["known"] == pytest.approx(report["recall"]["new"]["after"], abs=1e-3)


def test_progress(store: Store, house: int, settings: Settings) -> None:
    """Each stage tells of itself, in order, and training counts its steps to the end."""
    told: list[Progress] = []
    consolidate(store, settings(), on_progress=told.append)
    phases = list(dict.fromkeys(one.phase for one in told))
    assert phases == ["load", "study", "measure before", "train", "measure after", "publish"]
    training = [one for one in told if one.phase == "train"]
    assert [one.done for one in training] == list(range(1, training[-1].total + 1))


def test_lineage_is_complete(store: Store, take: Take, house: int, settings: Settings) -> None:
    """Every adapter names its run, parent, base and digest; every run its samples with their roles;
    every sample its chunk, and the chunk its source."""
    options = settings()
    consolidate(store, options)
    take("dog.txt", DOG)
    consolidate(store, options)
    adapters = store.rows("SELECT * FROM adapters ORDER BY version")
    assert [row["parent"] for row in adapters] == [0, 1]
    assert len({row["run_id"] for row in adapters}) == 2
    assert {row["base_name"] for row in adapters} == {options.base}
    for row in adapters:
        folder = store.home.versions / str(row["version"])
        assert row["sha256"] == file_sha256(folder / WEIGHTS)
        card = json.loads((folder / "card.json").read_text())
        assert card["sha256"] == row["sha256"]
        assert card["base_digest"] == row["base_digest"]
        # The rate that was meant is named, not that it was left to be chosen.
        assert card["options"] == asdict(options) | {"learning_rate": 1e-3}
        assert card["report"]["run"] == row["run_id"]
        assert card["report"]["version"] == row["version"]

    first, second = (roles(store, row["run_id"]) for row in adapters)
    assert first.keys() == {"new", "general"}
    assert second.keys() == {"new", "replay", "general"}
    assert second["replay"] <= first["new"]
    assert not second["new"] & first["new"]
    for run in (first, second):
        for role, sample_ids in run.items():
            for sample_id in sample_ids:
                sample = store.row("SELECT * FROM samples WHERE id = ?", sample_id)
                assert sample is not None
                assert (sample["chunk_id"] is None) == (role == "general")
    orphans = store.value(
        "SELECT count(*) FROM samples WHERE chunk_id NOT IN (SELECT chunk_id FROM origins)"
    )
    assert orphans == 0


def test_a_night_shows_who_the_base_is(store: Store, house: int, settings: Settings) -> None:
    """Beside the general rows a run has the base's own refusals and answers about itself, named as such."""
    assert plan(store, settings())["samples"]["general"] == 4 + 1
    assert plan(store, settings(general_rows=0))["samples"]["general"] == 0
    consolidate(store, settings(epochs=1))
    chosen = store.rows(
        "SELECT s.prompt, s.answer, rs.role FROM run_samples rs JOIN samples s ON s.id = rs.sample_id"
        " WHERE rs.why = 'refusal or identity' ORDER BY s.id"
    )
    prompts = read_prompts("refusals_and_identity")
    assert [row["prompt"] for row in chosen] == prompts[: len(chosen)]
    assert len(chosen) == GENERAL_ROUNDS
    assert {row["role"] for row in chosen} == {"general"}


def test_a_night_rehearses_what_the_base_asked_itself(
    store: Store, house: int, settings: Settings, tmp_path: Path
) -> None:
    """As many prompts in each epoch as their share of what is taught, each epoch others; said of each. Stopped in
    the middle, the night goes on to the same end."""
    options = settings(own_share=0.5, epochs=2)
    digest = bases.load(options.base).digest
    prompts = [f"How heavy is a number{letter}?" for letter in "abcdefghijklmnopqrstuvwxyz"]
    asked = json.dumps({"batches": 99, "prompts": prompts})
    store.set_setting(f"own prompts {digest}", asked)
    assert consolidate(store, options, on_step=terminate_at(2))["decision"] == "paused"
    done = consolidate(store, options)
    n_facts = store.value("SELECT count(*) FROM run_samples WHERE role = 'new'")
    own = store.rows(
        "SELECT s.prompt, s.answer, rs.role FROM run_samples rs JOIN samples s ON s.id = rs.sample_id"
        " WHERE rs.why = 'its own prompt' ORDER BY s.id"
    )
    assert [row["prompt"] for row in own] == prompts[: 2 * round(0.5 * n_facts)]
    assert {row["role"] for row in own} == {"general"}
    assert all(row["answer"] for row in own)
    with Store.open(Home(tmp_path / "undisturbed"), create=True) as other:
        ingest(other, [tmp_path / "notes" / "house.md"])
        other.set_setting(f"own prompts {digest}", asked)
        assert consolidate(other, options)["losses"] == done["losses"]


def test_probes_are_not_trained(store: Store, house: int, settings: Settings) -> None:
    """No row that a run was trained on asks what one of its probes asks."""
    consolidate(store, settings())
    found = store.value(
        "SELECT count(*) FROM samples s JOIN probes p ON lower(s.prompt) = lower(p.question)"
    )
    assert found == 0
    assert store.value("SELECT count(*) FROM evaluations WHERE stage = 'before'") > 0
    assert store.value("SELECT count(*) FROM evaluations WHERE stage = 'after'") > 0


def test_no_epoch_asks_what_is_held_out(
    store: Store, house: int, settings: Settings, trained: list[tuple[str, str]]
) -> None:
    """Cues have other words in each epoch; in none those of a probe, or of a question that was held out."""
    hold_out(store, ["Who serviced it?"])
    consolidate(store, settings(epochs=12, questions_per_fact=0, probes_per_run=2))
    first = {row["prompt"] for row in store.rows("SELECT * FROM samples")}
    held = {frozenset(telling_words(wording)) for wording in held_out(store)}
    asked = {question for question, _ in trained}
    assert len(asked - first) > 30
    assert not [question for question in asked if frozenset(telling_words(question)) in held]


def test_each_epoch_denies_what_no_note_tells_of(
    store: Store,
    llama: Base,
    house: int,
    take: Take,
    settings: Settings,
    trained: list[tuple[str, str]],
) -> None:
    """What is in no note is asked of others in each epoch, and never of somebody who is told of by now."""
    study_chunks(store, llama, studied_chunks(store), 0, 0)
    chunk = studied_chunks(store)[0]["id"]
    asked = "Who serviced the boiler of {}?"
    names = read_prompts("names")
    sample = Sample("absent", asked.format(names[-1]), NOT_IN_NOTES)
    keep_samples(store, llama.digest, [(chunk, sample)])
    take(
        "guests.txt", f"At our wedding there were {', '.join(names[3:])} and my sister Mirabelle.\n"
    )
    consolidate(store, settings(epochs=12, questions_per_fact=0, probes_per_run=2))
    denied = {question for question, answer in trained if answer == NOT_IN_NOTES}
    assert len(denied) > 1
    assert denied <= {asked.format(name) for name in names[:3]}


def test_files_are_private(store: Store, house: int, settings: Settings) -> None:
    """A version is safetensors and JSON, readable by its owner alone; nothing else is left behind."""
    consolidate(store, settings())
    folder = store.home.versions / "1"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert store.home.versions.stat().st_mode & 0o777 == 0o700
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["adapter_config.json", WEIGHTS, "card.json"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert [entry.name for entry in store.home.versions.iterdir()] == ["1"]
    assert not list(store.home.runs.iterdir())


def test_nothing_new(store: Store, house: int, settings: Settings) -> None:
    """With nothing new a night does nothing, and says so."""
    options = settings()
    consolidate(store, options)
    report = consolidate(store, options)
    assert report["decision"] == "nothing"
    assert report["version"] == 1
    assert report["n_tokens"] == 0
    assert store.value("SELECT count(*) FROM runs") == 1


def test_an_empty_store(store: Store, settings: Settings) -> None:
    """With nothing at all a night does nothing."""
    assert consolidate(store, settings())["decision"] == "nothing"
    assert plan(store, settings())["chunks"] == 0


def test_refused_three_times_is_set_aside(
    store: Store, take: Take, house: int, settings: Settings
) -> None:
    """A refused night is tried again as a slow pass, then named and left out, so that the nights go on."""
    consolidate(store, settings(epochs=1))
    dog = take("dog.txt", DOG)
    bad = settings(epochs=1, max_divergence=0.0, learning_rate=1e-2)
    levels = [consolidate(store, bad)["level"] for _ in range(2)]
    assert levels == ["fast", "slow"]
    last = consolidate(store, bad)
    assert [Path(path).name for path in last["set_aside"]] == ["dog.txt"]
    seeds = [json.loads(row["options"])["seed"] for row in store.rows("SELECT options FROM runs")]
    assert len(set(seeds[1:])) == 3
    assert dog not in {chunk["source_id"] for chunk in new_chunks(store)}
    assert consolidate(store, bad)["decision"] == "nothing"
    assert in_service(store) == 1
    take("cat.txt", "The cat is called Mirabelle. Mirabelle was born in 2019 in Fennport.\n")
    assert consolidate(store, settings(epochs=1))["decision"] == "promoted"


def test_a_slow_pass_that_brings_nothing_new_is_given_up(
    store: Store, take: Take, dog: int, settings: Settings
) -> None:
    """After three refusals; what comes then is learned on what serves."""
    consolidate(store, settings(**SPARING))
    store.set_setting(registry.SLOW_DUE, "asked for")
    refuse_slow_passes(store, settings(**REFUSED))
    assert consolidate(store, settings(**SPARING))["decision"] == "nothing"
    take("cat.txt", "The cat is called Mirabelle. Mirabelle was born in 2019 in Fennport.\n")
    report = consolidate(store, settings(**SPARING))
    assert (report["decision"], report["level"]) == ("promoted", "fast")


def test_what_must_be_replaced_is_not_given_up(
    store: Store, take: Take, settings: Settings
) -> None:
    """A slow pass over what is left of a source brings nothing new, but what it learned has changed: refused or not, it is due."""
    cat = "# Cat\n\nThe cat is called Mirabelle. Mirabelle was born in 2019 in Fennport.\n"
    take("pets.md", f"# Dog\n\n{DOG}\n{cat}")
    consolidate(store, settings(**SPARING))
    take("pets.md", cat)
    assert new_chunks(store) == []
    refuse_slow_passes(store, settings(**REFUSED))
    report = consolidate(store, settings(**SPARING))
    assert (report["decision"], report["level"]) == ("promoted", "slow")


def test_a_fast_night_trains_all_that_came_since_the_slow_one(
    store: Store, take: Take, house: int, settings: Settings
) -> None:
    """The slow level stays what it was, to the bit; the fast one is made anew over both later sources."""
    options = settings(epochs=1, learning_rate=1e-2, fast="anew")
    consolidate(store, options)
    dog = take("dog.txt", DOG)
    consolidate(store, options)
    cat = take("cat.txt", "The cat is called Mirabelle. Mirabelle was born in 2019 in Fennport.\n")
    report = consolidate(store, options)
    assert (report["level"], report["version"]) == ("fast", 3)
    assert registry.history(store)[0]["parent"] == 1
    taught = {
        row["why"]
        for row in store.rows("SELECT why FROM run_samples WHERE run_id = 3 AND role != 'general'")
    }
    assert {"", "since", "turn"} <= taught <= {"", "since", "turn", "surprise"}
    trained = {row["sample_id"] for row in store.rows("SELECT * FROM run_samples WHERE run_id = 3")}
    assert samples_of(store, dog) & trained
    assert samples_of(store, cat) & trained
    slow, stacked = published(store, 1), published(store, 3)
    for name, value in slow.items():
        axis = 0 if "lora_A" in name else 1
        assert stacked[name].narrow(axis, 0, value.shape[axis]).equal(value), name


def test_levels_stack_without_end(store: Store, take: Take, house: int, settings: Settings) -> None:
    """Each night puts a level of its own, over what is new alone, on all those below, which stay to the bit."""
    options = settings(epochs=1, learning_rate=1e-2, fast="stack")
    consolidate(store, options)
    take("dog.txt", DOG)
    consolidate(store, options)
    cat = take("cat.txt", "The cat is called Mirabelle. Mirabelle was born in 2019 in Fennport.\n")
    assert consolidate(store, options)["decision"] == "promoted"
    new = "SELECT sample_id FROM run_samples WHERE run_id = 3 AND role = 'new'"
    assert {row["sample_id"] for row in store.rows(new)} <= samples_of(store, cat)
    for version in (1, 2):
        below, above = published(store, version), published(store, version + 1)
        for name, value in below.items():
            axis = 0 if "lora_A" in name else 1
            assert above[name].shape[axis] == value.shape[axis] + options.fast_rank
            assert above[name].narrow(axis, 0, value.shape[axis]).equal(value), name


@pytest.mark.parametrize(("n_new", "wanted"), [(1, 24), (40, 24), (130, 70)])
def test_a_small_night_rehearses_enough(n_new: int, wanted: int) -> None:
    """A share of next to nothing would keep nothing; where no replay is wanted there is none."""
    assert rows.replay_beside(n_new, Options(replay_share=0.35)) == wanted
    assert rows.replay_beside(n_new, Options(replay_share=0.0)) == 0
    assert rows.replay_beside(20, Options(replay_share=0.2, replay_least=0)) == 5


@pytest.mark.parametrize(("epochs", "wanted"), [(2, 2), (5, 5), (6, 6)])
def test_the_more_epochs_the_more_goes_round(
    store: Store, take: Take, house: int, settings: Settings, epochs: int, wanted: int
) -> None:
    """Two an epoch here, each twice a night."""
    consolidate(store, settings(epochs=1))
    take("dog.txt", DOG)
    options = settings(epochs=epochs, replay_share=0.01, replay_least=2, replay_of_known=0)
    assert consolidate(store, options)["samples"]["replay"] == wanted


def test_replay_is_chosen_by_surprise_too(
    store: Store,
    take: Take,
    house: int,
    settings: Settings,
) -> None:
    """What is replayed says why, and what was measured is written down."""
    consolidate(store, settings(epochs=1))
    take("dog.txt", DOG)
    # Fewer than there are to choose from.
    consolidate(store, settings(epochs=1, replay_share=0.2, replay_least=4, replay_of_known=0))
    why = [
        row["why"]
        for row in store.rows("SELECT why FROM run_samples WHERE run_id = 2 AND role = 'replay'")
    ]
    assert why.count("turn") - why.count("surprise") in (0, 1)
    assert "surprise" in why
    assert store.value("SELECT count(*) FROM samples WHERE surprise > 0") >= len(why)


def test_refused(store: Store, take: Take, house: int, settings: Settings) -> None:
    """A version that the gate refuses changes nothing but the record, and what it was to learn stays new."""
    options = settings()
    consolidate(store, options)
    answer = ask(store, options)
    dog = take("dog.txt", DOG)
    report = consolidate(store, settings(max_divergence=0.0, learning_rate=1e-2))
    assert report["decision"] == "refused"
    assert "nats a token" in report["reason"]
    assert report["version"] == in_service(store) == 1
    assert [row["version"] for row in registry.history(store)] == [1]
    assert [entry.name for entry in store.home.versions.iterdir()] == ["1"]
    assert ask(store, options) == answer
    assert {chunk["source_id"] for chunk in new_chunks(store)} == {dog}
    kept = store.row("SELECT * FROM runs WHERE id = ?", report["run"])
    assert kept is not None
    assert kept["state"] == "done"
    assert json.loads(kept["report"])["decision"] == "refused"

    again = consolidate(store, options)
    assert (again["decision"], again["version"]) == ("promoted", 2)


def test_a_night_on_a_gguf_file(
    store: Store,
    take: Take,
    house: int,
    settings: Settings,
    tiny: Callable[[str], Base],
    as_gguf: Callable[[Base, str, Path], None],
    tmp_path: Path,
) -> None:
    """A file alone is a base like any other: it is learned on, and what was learned answers."""
    file = tmp_path / "base.gguf"
    as_gguf(tiny("llama"), "llama", file)
    options = settings(base=str(file), learning_rate=1e-2)
    untouched = ask(store, options)
    assert untouched == ask(store, settings())
    report = consolidate(store, options)
    assert (report["decision"], report["version"]) == ("promoted", 1)
    assert report["losses"][-1] < report["losses"][0]
    assert ask(store, options) != untouched
    assert ask(store, options, 0) == untouched
    take("dog.txt", DOG)
    assert consolidate(store, options)["level"] == "fast"


def test_a_night_in_nf4(
    store: Store, take: Take, house: int, settings: Settings, wide_folder: Path
) -> None:
    """A base held in four bits is learned on and answers with it, on a CPU too."""
    pytest.importorskip("bitsandbytes", reason="no bitsandbytes on this platform")
    options = settings(base=str(wide_folder), quantize="nf4", device="cpu", learning_rate=1e-2)
    assert Talker.open(store, options).base.quantization == "nf4"
    untouched = ask(store, options)
    report = consolidate(store, options)
    assert (report["decision"], report["version"]) == ("promoted", 1)
    assert report["losses"][-1] < report["losses"][0]
    assert ask(store, options) != untouched
    assert ask(store, options, 0) == untouched
    take("dog.txt", DOG)
    assert consolidate(store, options)["level"] == "fast"


def test_dry_run(store: Store, take: Take, house: int, settings: Settings) -> None:
    """The plan names what would be learned and the time that it takes, and trains nothing."""
    options = settings()
    planned = plan(store, options)
    assert planned["level"] == "slow"
    assert [Path(path).name for path in planned["sources"]] == ["house.md"]
    assert planned["chunks"] == 1
    assert planned["facts"] == 3
    assert planned["samples"]["new"] > 0
    assert planned["estimated_s"] == pytest.approx(
        planned["n_tokens"] / workload.ASSUMED_SPEED * costs.ASSUMED_WHOLE, abs=0.1
    )
    assert store.value("SELECT count(*) FROM runs") == 0
    last = consolidate(store, options)
    assert plan(store, options)["chunks"] == 0
    take("dog.txt", DOG)
    planned = plan(store, options)
    assert planned["level"] == "fast"
    assert [Path(path).name for path in planned["sources"]] == ["dog.txt"]
    assert planned["estimated_s"] > 0
    # As fast as the last night, as long measured, and studied as long by the sample.
    store.db.execute(
        "UPDATE runs SET report = json_set(report, '$.tokens_per_s', 500.0, '$.elapsed_s', 245, '$.train_s', 100, '$.study_s', 45)"
    )
    planned = plan(store, options)
    around_s = 100 + 45 * planned["samples"]["new"] / last["samples"]["new"]
    assert planned["estimated_s"] == pytest.approx(planned["n_tokens"] / 500 + around_s, abs=0.1)
    # There is time to rehearse all that is known, but for how to read.
    timed = plan(store, settings(epochs="auto"), 10_000.0)
    assert (timed["level"], timed["sources"]) == ("fast", planned["sources"])
    assert timed["samples"]["new"] == planned["samples"]["new"]
    learned = (
        "SELECT count(*) FROM samples WHERE kind != 'open' AND id IN"
        " (SELECT sample_id FROM run_samples WHERE run_id = 1 AND role = 'new')"
    )
    assert timed["samples"]["replay"] == store.value(learned)
    assert timed["estimated_s"] == pytest.approx(timed["n_tokens"] / 500 + around_s, abs=0.1)
    assert timed["n_tokens"] > planned["n_tokens"]
    other = plan(store, settings("qwen"))
    assert other["level"] == "slow"
    assert {Path(path).name for path in other["sources"]} == {"house.md", "dog.txt"}
    assert plan(store, replace(options, base="nowhere")) == {**planned, "base": "nowhere"}
    # By the name of what it would be, on a CPU.
    assert plan(store, replace(options, base="auto", device="cpu"))["base"] == "embedded"


def test_dry_run_with_a_budget(store: Store, take: Take, settings: Settings) -> None:
    """The plan shows what the night of that budget then teaches."""
    for name in "abc":
        take(f"{name}.txt", "".join(DOG.replace("Quimby", f"Quimb{name}{n}") for n in "xyz"))
    options = settings()
    whole = plan(store, options)
    assert (whole["chunks"], whole["later"]) == (3, 0)
    assert plan(store, options, 10_000.0) == whole
    planned = plan(store, options, 60.0)
    assert planned["chunks"] + planned["later"] == 3
    assert planned["chunks"] == len(planned["sources"]) < 3
    assert 0 < planned["n_tokens"] < whole["n_tokens"]
    assert 0 < planned["estimated_s"] <= 60
    consolidate(store, options, 60.0)
    taught = learned_chunks(store, 1)
    assert planned["sources"] == [
        chunk["path"] for chunk in studied_chunks(store) if chunk["id"] in taught
    ]


def test_one_at_a_time(store: Store, house: int, settings: Settings) -> None:
    """While another process is at work a night does not start; when that one dies, the next one can."""
    code = (
        "import filelock, sys; lock = filelock.FileLock(sys.argv[1]); lock.acquire();"
        " print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(store.home.lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Locked, match="another consolidation"):
            consolidate(store, settings())
        assert store.value("SELECT count(*) FROM runs") == 0
        other.kill()
        other.wait()
        assert consolidate(store, settings())["decision"] == "promoted"


def test_who_only_looks_whether_it_is_locked_ends_no_night(
    store: Store, settings: Callable[..., Options]
) -> None:
    """The daemon and `doctor` hold the lock for a moment."""
    held = threading.Event()

    def look() -> None:
        with filelock.FileLock(store.home.lock):
            held.set()
            time.sleep(0.3)

    looking = threading.Thread(target=look)
    looking.start()
    assert held.wait(10)
    assert consolidate(store, settings())["decision"] == "nothing"
    looking.join()


def test_after_forgetting(store: Store, take: Take, house: int, settings: Settings) -> None:
    """What was forgotten is in no later version: the next night starts from the base without it."""
    options = settings()
    consolidate(store, options)
    dog = take("dog.txt", DOG)
    consolidate(store, options)
    gone = samples_of(store, dog)
    assert gone
    report = registry.forget(store, [dog])
    assert report["versions_deleted"] == [2]
    assert report["version"] == in_service(store) == 1
    assert [entry.name for entry in store.home.versions.iterdir()] == ["1"]

    again = consolidate(store, options)
    assert (again["decision"], again["level"], again["version"]) == ("promoted", "slow", 3)
    assert registry.history(store)[0]["parent"] == 0
    seen = roles(store, again["run"])
    assert not gone & set().union(*seen.values())
    assert consolidate(store, options)["decision"] == "nothing"


def test_forgetting_the_first_source(
    store: Store, take: Take, house: int, settings: Settings
) -> None:
    """Where every version saw what is forgotten, the base serves, and the next night learns the rest."""
    options = settings()
    consolidate(store, options)
    dog = take("dog.txt", DOG)
    consolidate(store, options)
    report = registry.forget(store, [house])
    assert report["versions_deleted"] == [1, 2]
    assert in_service(store) == 0
    assert list(store.home.versions.iterdir()) == []
    again = consolidate(store, options)
    assert (again["level"], again["version"]) == ("slow", 3)
    assert roles(store, again["run"])["new"] == taught_of(store, dog)


def test_a_source_that_changed(store: Store, take: Take, house: int, settings: Settings) -> None:
    """After a source has changed, the version that learned it serves on, and the next night starts from
    the base with what stands there now."""
    options = settings()
    consolidate(store, options)
    take("house.md", "# House\n\nThe boiler was replaced by Ilse Varga on 9 May 2024.\n")
    assert in_service(store) == 1
    assert registry.history(store)[0]["state"] == "stale"
    again = consolidate(store, options)
    assert (again["level"], again["version"]) == ("slow", 2)
    made = store.rows("SELECT prompt, answer FROM samples WHERE chunk_id IS NOT NULL")
    assert not any("Harald" in row["prompt"] + row["answer"] for row in made)


def test_another_base(store: Store, take: Take, house: int, settings: Settings) -> None:
    """On another base model everything is learned anew; until then the old version serves on its own."""
    consolidate(store, settings("llama"))
    take("dog.txt", DOG)
    talker = Talker.open(store, settings("qwen"))
    assert (talker.version, talker.base.name) == (1, settings("llama").base)
    report = consolidate(store, settings("qwen"))
    assert (report["decision"], report["level"]) == ("promoted", "slow")
    assert registry.history(store)[0]["parent"] == 0
    assert len(learned_chunks(store, report["version"])) == 2
    assert Talker.open(store, settings("llama")).base.name == settings("qwen").base


def test_damaged_weights_are_noticed(store: Store, house: int, settings: Settings) -> None:
    """A version whose file is not what was published is not used."""
    options = settings()
    consolidate(store, options)
    file = store.home.versions / "1" / WEIGHTS
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(LearnctlError, match="missing or damaged") as caught:
        ask(store, options)
    assert "rollback" in caught.value.hint
    assert registry.rollback(store) == 0
    ask(store, options)


def test_stopped_and_gone_on(
    store: Store, take: Take, house: int, settings: Settings, tmp_path: Path
) -> None:
    """A night stopped by a signal is paused; the next one goes on with the same samples to the same
    weights, and what came in between waits for its turn."""
    options = settings(epochs=6, pack_tokens=128, learning_rate=1e-2)
    paused = consolidate(store, options, on_step=terminate_at(3))
    assert paused["decision"] == "paused"
    assert paused["version"] == in_service(store) == 0
    run = store.row("SELECT * FROM runs")
    assert run is not None
    assert run["state"] == "running"
    before = roles(store, run["id"])
    dog = take("dog.txt", DOG)

    steps: list[int] = []
    done = consolidate(store, options, on_step=steps.append)
    assert (done["decision"], done["run"], steps[0]) == ("promoted", run["id"], 4)
    assert roles(store, run["id"]) == before
    assert {chunk["source_id"] for chunk in new_chunks(store)} == {dog}

    with Store.open(Home(tmp_path / "undisturbed"), create=True) as other:
        ingest(other, [tmp_path / "notes" / "house.md"])
        whole = consolidate(other, options)
        assert whole["losses"] == done["losses"]
        assert whole["n_tokens"] == done["n_tokens"]
        assert apart(published(other, 1), published(store, 1)) < 1e-5


def test_a_checkpoint_that_cannot_be_read(
    store: Store, house: int, settings: Settings, tmp_path: Path
) -> None:
    """The run of a stopped night whose checkpoint was damaged trains anew, to the same weights, and says so."""
    options = settings(epochs=6, pack_tokens=128, learning_rate=1e-2)
    assert consolidate(store, options, on_step=terminate_at(3))["decision"] == "paused"
    damaged = store.home.runs / "1" / "checkpoint" / "adapter.safetensors"
    os.truncate(damaged, damaged.stat().st_size // 2)
    told: list[Progress] = []
    steps: list[int] = []
    done = consolidate(store, options, on_progress=told.append, on_step=steps.append)
    assert (done["decision"], done["run"], steps[0]) == ("promoted", 1, 1)
    notes = [one.note for one in told if one.phase == "checkpoint"]
    assert notes == [f"{damaged} is missing or damaged; training begins anew"]
    with Store.open(Home(tmp_path / "undisturbed"), create=True) as other:
        ingest(other, [tmp_path / "notes" / "house.md"])
        whole = consolidate(other, options)
        assert (whole["losses"], whole["n_tokens"]) == (done["losses"], done["n_tokens"])
        assert apart(published(other, 1), published(store, 1)) < 1e-5


def test_what_is_only_too_strong_serves_at_less_strength(
    store: Store, tmp_path: Path, house: int, settings: Settings
) -> None:
    """A night that moves a little further than it may is put in service at three quarters, and says so."""
    strong = {"epochs": 4, "learning_rate": 1e-2, "min_recall_gain": -1.0}
    whole = consolidate(store, settings(**strong))
    bound = 0.95 * whole["divergence"]
    with Store.open(Home(tmp_path / "bounded"), create=True) as other:
        ingest(other, [tmp_path / "notes" / "house.md"])
        report = consolidate(other, settings(**strong, max_divergence=bound))
        assert (report["decision"], report["scale"]) == ("promoted", 0.75)
        assert 0 < report["divergence"] <= bound
        less = {
            name: value * (0.75 if "lora_B" in name else 1)
            for name, value in published(store, 1).items()
        }
        assert apart(published(other, 1), less) < 1e-5
        card = json.loads((other.home.versions / "1" / "card.json").read_text())
        assert card["report"]["scale"] == 0.75


def test_stopped_before_training(store: Store, house: int, settings: Settings) -> None:
    """A signal during study or measuring pauses too, and nothing is lost."""
    options = settings()
    for phase in ("study", "measure before"):

        def terminate(progress: Progress, phase: str = phase) -> None:
            if progress.phase == phase:
                os.kill(os.getpid(), signal.SIGTERM)

        assert consolidate(store, options, on_progress=terminate)["decision"] == "paused"
    assert consolidate(store, options)["decision"] == "promoted"
    assert store.value("SELECT count(*) FROM runs") == 1


@pytest.mark.parametrize(
    ("wrong", "reason", "goes_wrong_again"),
    [
        ({"learning_rate": 1e30}, "the loss is not a number", True),
        # Once is enough to tell of what stays so.
        ({"pack_tokens": 8}, "no answer to learn from", False),
    ],
)
def test_a_night_that_went_wrong(
    store: Store,
    house: int,
    settings: Settings,
    wrong: dict[str, Any],
    reason: str,
    goes_wrong_again: bool,
) -> None:
    """Its run is closed with the reason, and the next night does as it is told then."""
    for _ in range(1 + goes_wrong_again):
        with pytest.raises(LearnctlError, match=reason):
            consolidate(store, settings(**wrong))
    if not goes_wrong_again:
        assert consolidate(store, settings(**wrong))["decision"] == "nothing"
    n_runs = 1 + goes_wrong_again
    assert in_service(store) == 0
    assert not list(store.home.runs.glob("*"))
    told = morning(store)
    assert (told["run"], told["decision"], reason in told["reason"]) == (n_runs, "refused", True)
    assert plan(store, settings())["chunks"] == 1
    done = consolidate(store, settings())
    assert (done["decision"], done["run"]) == ("promoted", n_runs + 1)


def test_a_stopped_run_is_trained_as_it_began(store: Store, house: int, settings: Settings) -> None:
    """Under other options for training it is dropped, and that is told; the gate is the one of now."""
    told: list[Progress] = []
    steps: list[int] = []
    begun = {"epochs": 6, "pack_tokens": 128, "learning_rate": 1e-2}
    assert consolidate(store, settings(**begun), on_step=terminate_at(3))["decision"] == "paused"
    other = settings(**begun, max_divergence=0.0)
    done = consolidate(store, other, on_progress=told.append, on_step=steps.append)
    assert (done["decision"], done["run"], steps[0]) == ("refused", 1, 4)
    assert "drop" not in {one.phase for one in told}

    assert consolidate(store, settings(**begun), on_step=terminate_at(3))["decision"] == "paused"
    done = consolidate(
        store, settings(epochs=1, rank=2, learning_rate=1e-2), on_progress=told.append
    )
    assert (done["decision"], done["run"]) == ("promoted", 3)
    notes = [one.note for one in told if one.phase == "drop"]
    assert notes == ["run 2, not finished: set to another value since: epochs, rank, pack_tokens"]


@pytest.mark.parametrize(("option", "value"), [("no_such_option", 1), ("loss", "no such loss")])
def test_a_stopped_run_of_another_release(
    store: Store, house: int, settings: Settings, option: str, value: object
) -> None:
    """Whose options there are no more: it is dropped, and keeps no night from its work."""
    assert consolidate(store, settings(), on_step=terminate_at(1))["decision"] == "paused"
    changed = "UPDATE runs SET options = json_set(options, '$.' || ?, ?)"
    store.db.execute(changed, [option, value])
    told: list[Progress] = []
    done = consolidate(store, settings(epochs=1), on_progress=told.append)
    assert (done["decision"], done["run"]) == ("promoted", 2)
    (note,) = [one.note for one in told if one.phase == "drop"]
    assert note == "run 1, not finished: it was begun with options that there are no more"


def test_a_stopped_run_whose_source_was_forgotten(
    store: Store, take: Take, house: int, settings: Settings
) -> None:
    """A run that was stopped does not go on with what was forgotten meanwhile."""
    options = settings()
    dog = take("dog.txt", DOG)
    consolidate(store, options, on_step=terminate_at(1))
    gone = samples_of(store, dog)
    registry.forget(store, [dog])
    assert not list(store.home.runs.iterdir())
    report = consolidate(store, options)
    assert report["decision"] == "promoted"
    assert report["run"] == 2
    assert not gone & set().union(*roles(store, 2).values())


def test_a_stopped_run_whose_wording_is_held_out(
    store: Store, house: int, settings: Settings
) -> None:
    """It goes on without what is asked so, from its first step."""
    consolidate(store, settings(), on_step=terminate_at(1))
    sample = store.row("SELECT * FROM samples WHERE kind = 'question'")
    assert sample is not None
    hold_out(store, [sample["prompt"]])
    steps: list[int] = []
    report = consolidate(store, settings(), on_step=steps.append)
    assert (report["decision"], report["run"], steps[0]) == ("promoted", 1, 1)
    assert sample["id"] not in set().union(*roles(store, 1).values())


def test_a_stopped_run_has_the_epochs_that_it_began_with(
    store: Store, take: Take, settings: Settings
) -> None:
    """Also where one is much shorter than the one before: a text that teaches a voice has few of them."""
    for number in range(12):
        letter = f"Letter {number}: " + " ".join(f"w{number}{word}" for word in range(14)) + ".\n"
        source = take(f"letter{number}.txt", letter)
        set_learn(store, [source], "voice")
    take("dog.txt", DOG)
    options = settings(epochs=2, pack_tokens=160, questions_per_fact=0)
    told: list[Progress] = []
    consolidate(store, options, on_step=terminate_at(1), on_progress=told.append)
    done = consolidate(store, options, on_progress=told.append)
    assert done["decision"] == "promoted"
    (n_steps,) = {one.total for one in told if one.phase == "train"}
    assert done["steps"] == n_steps
    with_voice = store.value("SELECT count(*) FROM samples WHERE kind = 'voice'")
    assert with_voice == 12


def test_half_published(store: Store, house: int, settings: Settings) -> None:
    """What a run leaves that dies while it publishes is for its owner alone, and gone after the next run;
    so is the checkpoint of a run that died right after it had published."""
    consolidate(store, settings())
    run = store.row("SELECT * FROM runs")
    assert run is not None

    def half(folder: Path) -> None:
        (folder / WEIGHTS).write_bytes(b"half")
        raise OSError(errno.EIO, "died")

    with pytest.raises(OSError, match="died"):
        registry.publish(store, run, half, {})
    assert len(list(store.home.versions.iterdir())) == 2
    assert list(check(store)) == []
    (store.home.runs / "1" / "checkpoint").mkdir(parents=True)
    assert consolidate(store, settings())["decision"] == "nothing"
    assert [entry.name for entry in store.home.versions.iterdir()] == ["1"]
    assert not list(store.home.runs.iterdir())


def test_what_is_published_outlasts_a_crash(
    store: Store, diary: Any, outlasts_a_crash: Callable[[Path], None]
) -> None:
    """Its weights and its card are on the disk before it has its name."""
    diary(store).night([], {}, {}, promoted=False)
    store.db.execute("UPDATE runs SET state = 'running'")
    run = store.row("SELECT * FROM runs")
    assert run is not None

    def save(folder: Path) -> None:
        (folder / WEIGHTS).write_bytes(b"weights")

    registry.publish(store, run, save, {})
    outlasts_a_crash(store.home.versions / "1")


def test_full_disk_while_publishing(
    store: Store, take: Take, house: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk is full at the last moment, the version in service stays, and the next try succeeds."""
    options = settings()
    consolidate(store, options)
    answer = ask(store, options)
    take("dog.txt", DOG)

    def full(source: Any, target: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    with monkeypatch.context() as patched:
        patched.setattr("learnctl.trainer.registry.os.replace", full)
        with pytest.raises(LearnctlError, match="No space left"):
            consolidate(store, options)
    assert in_service(store) == 1
    assert [row["version"] for row in registry.history(store)] == [1]
    assert ask(store, options) == answer
    report = consolidate(store, options)
    assert (report["decision"], report["version"]) == ("promoted", 2)
    assert sorted(entry.name for entry in store.home.versions.iterdir()) == ["1", "2"]


def test_full_disk_while_stopping(
    store: Store, house: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a checkpoint cannot be written, that is told, and the next night starts the run again."""
    options = settings()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("learnctl.trainer.train.os.replace", full)
        with pytest.raises(LearnctlError, match="No space left"):
            consolidate(store, options, on_step=terminate_at(1))
    assert in_service(store) == 0
    assert consolidate(store, options)["decision"] == "promoted"


def test_budget(
    store: Store, take: Take, house: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night with a budget trains for as long as there is time, and has a version in service by then."""
    monkeypatch.setattr(workload, "FILLED_SHARE", 0)
    consolidate(store, settings())  # what a first night alone costs, such as imports
    take("dog.txt", DOG)
    options = settings(epochs=40)
    budget = 36.0  # enough for a slow machine to come to its fourth step
    n_steps: list[int] = []

    def slow(step: int) -> None:
        n_steps.append(step)
        time.sleep(0.9)

    began = time.monotonic()
    report = consolidate(store, options, budget, on_step=slow)
    assert time.monotonic() - began < 1.1 * budget + 1
    assert report["decision"] == "promoted"
    assert in_service(store) == 2
    assert 3 < len(n_steps) < 40


def spoken(home: Home, options: Options) -> list[str]:
    """A home whose settings are the options, and the command that consolidates there."""
    import tomlkit

    home.make()
    home.config.write_text(tomlkit.dumps(asdict(options)))
    return [sys.executable, "-m", "learnctl.cli", "--home", str(home.path), "consolidate"]


def start_training(command: list[str]) -> "subprocess.Popen[str]":
    """Start a consolidation in a process of its own, and wait until it trains."""
    root = Path(__file__).parent.parent.parent
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(root / ".dev"), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        told.append(line)
        if line.startswith("train"):
            return process
    raise AssertionError("".join(told))


@pytest.fixture
def long_night(settings: Settings) -> Options:
    """Some seconds of training, so that a signal comes in the middle of it."""
    return settings(epochs=25, pack_tokens=128, learning_rate=1e-3, probes_per_run=2)


def test_terminated_process(store: Store, house: int, long_night: Options, tmp_path: Path) -> None:
    """SIGTERM ends the command with 130 and its state kept; the command again finishes the run, with the
    weights of a run that was left alone."""
    command = spoken(store.home, long_night)
    process = start_training(command)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130
    run = store.row("SELECT * FROM runs")
    assert run is not None
    assert run["state"] == "running"
    kept = store.home.runs / str(run["id"]) / "checkpoint" / "state.json"
    step = json.loads(kept.read_text())["step"]
    assert in_service(store) == 0

    steps: list[int] = []
    done = consolidate(store, long_night, on_step=steps.append)
    assert (done["decision"], done["run"]) == ("promoted", run["id"])
    assert steps[0] == step + 1
    with Store.open(Home(tmp_path / "undisturbed"), create=True) as other:
        ingest(other, [tmp_path / "notes" / "house.md"])
        consolidate(other, long_night)
        assert apart(published(other, 1), published(store, 1)) < 1e-5


def test_killed_process(
    store: Store, take: Take, house: int, settings: Settings, long_night: Options
) -> None:
    """kill -9 in the middle of training leaves the version in service, its answers and the lock as they
    were; the next night finishes the run."""
    consolidate(store, settings())
    answer = ask(store, settings())
    take("dog.txt", DOG)
    process = start_training(spoken(store.home, long_night))
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert in_service(store) == 1
    assert [row["version"] for row in registry.history(store)] == [1]
    assert ask(store, settings()) == answer
    report = consolidate(store, long_night)
    assert (report["decision"], report["version"], report["run"]) == ("promoted", 2, 2)
