"""What of it all a night with a budget takes."""

from collections.abc import Callable

from learnctl.memory.store import Store
from learnctl.trainer.choice import choose
from learnctl.trainer.costs import affordable
from learnctl.trainer.options import Options
from learnctl.trainer.status import status

BUDGET_S = 600.0


def n_taken(store: Store) -> int:
    choice = choose(store, Options())
    assert choice
    return len(affordable(store, choice, Options(), BUDGET_S))


def test_no_source_of_others_fills_a_night(store: Store, take: Callable[[str, str], int]) -> None:
    """What is one's own may; what others say has half of it, even where nothing else waits."""
    passages = [
        f"## Ferry {i}\n\nOn {1 + i % 28} May the ferry Ulla{i} carried {i + 20} crates of oranges to Tolm."
        f" The captain of Ulla{i} paid {i + 40} crowns for the berth in Wenlow."
        for i in range(60)
    ]
    take("log.md", "\n\n".join(passages))
    own = n_taken(store)
    assert 4 < own < 60
    with store.db.atomic():
        store.db.execute("UPDATE sources SET trust = 'known'")
    assert 0 < n_taken(store) <= own / 2 + 1


def test_what_has_no_sample_of_a_kind_that_is_trained_is_not_new(
    store: Store, house: int, dog: int, settings: Callable[..., Options]
) -> None:
    """It would fill every night, and none would come of it."""
    options = settings(epochs=1, kinds="question")
    first, last = (store.value(f"SELECT {which}(id) FROM chunks") for which in ("min", "max"))
    with store.db.atomic():
        for chunk, kind in ((first, "cue"), (last, "question")):
            store.db.execute("INSERT INTO studied VALUES (?, 'b')", [chunk])
            store.db.table("samples").insert(
                {
                    "sha256": kind,
                    "chunk_id": chunk,
                    "base_digest": "b",
                    "kind": kind,
                    "prompt": "Who?",
                    "answer": "Quimby.",
                    "created_at": "2026-01-01",
                }
            )
    choice = choose(store, options, "b")
    assert choice
    assert [chunk["id"] for chunk in choice.chunks] == [last]
    assert status(store, options)["new_tokens"] < status(store, settings())["new_tokens"]
