"""Questions that take for granted what is not so."""

from typing import Any

from learnctl.memory.store import Store
from learnctl.trainer.base import Base
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.facts import find_facts
from learnctl.trainer.options import Options
from learnctl.trainer.premises import FACTS_PER_PREMISE, premises


def made(*texts: str, kind: str = "text") -> list[tuple[int, int | None, str, str]]:
    chunks: list[dict[str, Any]] = [
        {"id": number, "path": "a.txt", "kind": kind} for number in range(len(texts))
    ]
    return premises(
        [
            (chunk, fact)
            for chunk, text in zip(chunks, texts, strict=True)
            for fact in find_facts(text)
        ]
    )


def test_a_value_of_another_fact_is_denied() -> None:
    """With the chunk that the value came from, so that it goes when that is forgotten."""
    assert made("Harald Immer lives in Dunmere Row.", "The fence stands in Sollerby.") == [
        (
            0,
            1,
            "Is this so? Harald Immer lives in Sollerby.",
            "No. Harald Immer lives in Dunmere Row.",
        )
    ]


def test_every_other_time_it_is_so() -> None:
    towns = (
        "Dunmere",
        "Sollerby",
        "Larkhill",
        "Fennport",
        "Marrow",
        "Ovesholm",
        "Ushmoor",
        "Felder",
    )
    found = made(
        " ".join(f"House number {n + 30} stands in {town}." for n, town in enumerate(towns))
    )
    assert len(found) == len(towns) // FACTS_PER_PREMISE
    assert [answer.split()[0] for *_, answer in found] == ["No.", "Yes."]
    *_, asked, answer = found[1]
    assert asked.removeprefix("Is this so? ") == answer.removeprefix("Yes. ")


def test_what_the_user_told_is_said_back() -> None:
    ((*_, asked, answer),) = made(
        "I live in Dunmere Row. My sister sings in Sollerby.", kind="told"
    )
    assert (asked, answer) == ("Is this so? You live in Sollerby.", "No. You live in Dunmere Row.")


def test_values_of_another_form_are_left_alone() -> None:
    assert made("Harald Immer lives in Dunmere Row. It cost 30 euros.") == []
    assert made("Harald Immer lives in Dunmere Row. The baker also lives in Dunmere Row.") == []


def test_what_is_a_fact_too_is_not_denied() -> None:
    assert made("The boiler was serviced in 2019. The boiler was serviced in 2021.") == []


def test_trained_only_where_asked_for(
    store: Store, llama: Base, house: int, dog: int, settings: Any
) -> None:
    trained = "SELECT count(*) FROM run_samples rs JOIN samples s ON s.id = rs.sample_id WHERE kind = 'premise'"
    consolidate(store, settings(epochs=1))
    assert store.value("SELECT count(*) FROM samples WHERE kind = 'premise'")
    assert store.value(trained) == 0
    store.set_setting("slow_due", "asked for")
    consolidate(store, settings(epochs=1, kinds=f"{Options().kinds},premise"))
    assert store.value(trained)
