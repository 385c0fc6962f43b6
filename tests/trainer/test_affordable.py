"""What of it all a night with a budget takes."""

from collections.abc import Callable

from learnctl.memory.store import Store
from learnctl.trainer.choice import choose
from learnctl.trainer.costs import affordable
from learnctl.trainer.options import Options

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
