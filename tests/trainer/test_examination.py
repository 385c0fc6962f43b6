"""What is asked before and after a night, and to whom each answer belongs."""

from collections.abc import Callable

import pytest

from learnctl.memory.store import Store
from learnctl.trainer import registry
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.nights import answers
from learnctl.trainer.options import Options

Settings = Callable[..., Options]
Take = Callable[[str, str], int]


def test_on_another_base_the_version_in_service_is_what_is_measured_against(
    store: Store, take: Take, house: int, settings: Settings
) -> None:
    """It cannot be asked there: what it answered last on its own base stands for it, and is its own; what
    is new is answered by the new base, untouched."""
    first = consolidate(store, settings("llama", epochs=1))
    store.db.execute("UPDATE evaluations SET correct = 1 WHERE run_id = 1 AND stage = 'after'")
    dog = take("dog.txt", "The dog is called Quimby. Quimby was born in 2017 in Snorrebeck.\n")
    second = consolidate(store, settings("qwen", epochs=1))
    assert (second["decision"], second["version"]) == ("promoted", 2)
    assert second["recall"]["old"]["before"] == 1.0
    assert second["recall"]["old"]["n"] == first["recall"]["new"]["n"] > 0
    assert second["recall"]["new"]["n"] > 0

    before = [one for one in answers(store, 2) if (one.run, one.stage) == (2, "before")]
    assert {(one.source == dog, one.version) for one in before} == {(True, 0), (False, 1)}
    asked = {one.probe for one in before if one.version == 1}
    assert asked == {one.probe for one in answers(store, 2) if one.version == 1 and one.counts}


def test_before_a_slow_pass_the_version_that_it_replaces_is_asked(
    store: Store, take: Take, house: int, settings: Settings
) -> None:
    """It trains on the base, and is measured against what serves."""
    consolidate(store, settings(learning_rate=1e-2))
    store.set_setting(registry.SLOW_DUE, "asked for")
    take("dog.txt", "The dog is called Quimby. Quimby was born in 2017 in Snorrebeck.\n")
    assert consolidate(store, settings(epochs=1))["level"] == "slow"

    def said(run: int, stage: str) -> dict[int, str]:
        found = store.rows(
            "SELECT probe_id, answer FROM evaluations"
            " WHERE run_id = ? AND stage = ? AND form = 'direct'",
            run,
            stage,
        )
        return {row["probe_id"]: row["answer"] for row in found}

    untouched, trained, before = said(1, "before"), said(1, "after"), said(2, "before")
    again = untouched.keys() & before.keys()
    assert again
    assert {probe: before[probe] for probe in again} == {probe: trained[probe] for probe in again}
    assert all(before[probe] != untouched[probe] for probe in again)


def test_few_earlier_facts_are_asked_in_both_wordings(
    store: Store, take: Take, house: int, settings: Settings
) -> None:
    """Where there is room for more probes; the share is over first wordings all the same."""
    first = consolidate(store, settings("llama", epochs=1))
    take("dog.txt", "The dog is called Quimby. Quimby was born in 2017 in Snorrebeck.\n")
    second = consolidate(store, settings("llama", epochs=1, probes_per_run=96))
    n_facts = first["recall"]["new"]["n"]
    n_asked = store.value(
        "SELECT count(*) FROM evaluations e JOIN probes p ON p.id = e.probe_id"
        " WHERE e.run_id = 2 AND e.stage = 'before' AND p.wording = 'cue'"
    )
    assert n_asked == second["recall"]["old"]["n"] == n_facts > 0


@pytest.mark.parametrize(("most", "in_both"), [(4, False), (24, True)])
def test_as_many_facts_as_can_be_are_told_apart(
    store: Store,
    take: Take,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    in_both: bool,
) -> None:
    """Each once where they are many, and in both wordings where they are few."""
    names = ("Quimby", "Tinder", "Ottilie", "Marigold", "Orrest", "Bandit")
    dogs = [f"The dog of {name} weighs 2{number} kilos." for number, name in enumerate(names)]
    take("dogs.txt", " ".join(dogs))
    monkeypatch.setattr("learnctl.trainer.examination.TRIALS", most)
    told = consolidate(store, settings("llama", epochs=1))["association"]
    assert len(told["moves"]) > 1
    assert (told["n"] > len(told["moves"])) == in_both
