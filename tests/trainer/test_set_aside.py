"""What the gate refuses again and again is set aside, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from learnctl.memory.lineage import in_service, new_chunks, set_aside
from learnctl.memory.store import Store
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.morning import morning, text
from learnctl.trainer.options import Options

Settings = Callable[..., Options]
Take = Callable[[str, str], int]


def names(report: dict[str, Any]) -> list[str]:
    return [Path(path).name for path in report.get("set_aside", [])]


def test_refusals_are_counted_for_each_passage(
    store: Store, take: Take, house: int, settings: Settings
) -> None:
    """What joins on another's third try, and what comes after it, has three tries of its own."""
    consolidate(store, settings(epochs=1))
    bad = settings(epochs=1, max_divergence=0.0, learning_rate=1e-2)
    take("dog.txt", "The dog is called Quimby. Quimby was born in 2017 in Snorrebeck.\n")
    assert [names(consolidate(store, bad)) for _ in range(2)] == [[], []]
    cat = take("cat.txt", "The cat is called Mirabelle. Mirabelle was born in 2019 in Fennport.\n")
    assert names(consolidate(store, bad)) == ["dog.txt"]
    told = morning(store)
    assert [(Path(one["path"]).name, one["chunks"]) for one in told["set_aside"]] == [
        ("dog.txt", 1)
    ]
    assert f"- {told['set_aside'][0]['path']}: 1 passage, refused for the third time\n" in text(
        told
    )
    assert {chunk["source_id"] for chunk in new_chunks(store)} == {cat}
    again = consolidate(store, bad)
    assert (again["decision"], again["level"], names(again)) == ("refused", "fast", [])
    assert in_service(store) == 1
    assert consolidate(store, settings(epochs=1))["decision"] == "promoted"
    assert new_chunks(store) == []


def test_what_was_forgotten_meanwhile_is_not_set_aside(
    store: Store, house: int, diary: Any
) -> None:
    """The others are."""
    diary(store).night([], {}, {})
    (chunk,) = new_chunks(store)
    set_aside(store, 1, {chunk["id"], chunk["id"] + 1000}, "refused")
    assert [row["chunk_id"] for row in store.rows("SELECT chunk_id FROM set_aside")] == [
        chunk["id"]
    ]
    assert new_chunks(store) == []
