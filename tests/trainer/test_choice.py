"""What a night trains when there is more than it can hold, or nothing in it to learn."""

from collections.abc import Callable
from typing import Any

import pytest

from learnctl.memory.lineage import learned_chunks, new_chunks, studied_chunks
from learnctl.memory.store import Record, Store
from learnctl.trainer.choice import Choice, choose
from learnctl.trainer.costs import affordable
from learnctl.trainer.options import Options
from learnctl.trainer.status import status

BUDGET_S = 600.0


@pytest.fixture
def ids(store: Store, take: Callable[[str, str], int]) -> list[int]:
    """A hundred passages of some hundred words, all from one log."""
    passages = [
        f"## Ferry {i}\n\n"
        + " ".join(
            f"On {day} May the ferry Ulla{i} carried {i + day} crates of oranges to Tolm."
            for day in range(1, 9)
        )
        for i in range(100)
    ]
    take("log.md", "\n\n".join(passages))
    return [chunk["id"] for chunk in studied_chunks(store)]


def chosen(store: Store) -> tuple[Choice, list[Record]]:
    choice = choose(store, Options())
    assert choice
    return choice, affordable(store, choice, Options(), BUDGET_S)


def test_what_waits_makes_no_slow_pass_due(store: Store, ids: list[int], diary: Any) -> None:
    """A first ingest of many nights: each builds on the one before, and takes what it can hold."""
    first, some = chosen(store)
    assert first.level == "slow"
    assert 0 < len(some) < 20
    version = diary(store).night([chunk["id"] for chunk in some], {}, {})
    second, more = chosen(store)
    assert (second.level, second.parent) == ("fast", version)
    assert 0 < len(more) < 20
    assert not {c["id"] for c in more} & {c["id"] for c in some}


def test_a_slow_pass_takes_what_is_known_and_what_fits(
    store: Store, ids: list[int], diary: Any
) -> None:
    """It is due when much was learned since the last one."""
    write = diary(store)
    write.night(ids[:20], {}, {})
    version = write.night(ids[20:80], {}, {})
    choice, some = chosen(store)
    assert (choice.level, choice.parent, choice.replaces) == ("slow", 0, version)
    taken = {chunk["id"] for chunk in some}
    assert learned_chunks(store, version) == set(ids[:80]) < taken
    assert 0 < len(taken - set(ids[:80])) < 20


def test_what_has_nothing_to_teach_is_not_new_for_ever(
    store: Store, ids: list[int], diary: Any
) -> None:
    """Once it was studied and nothing came of it; another base may make more of it."""
    diary(store).night(ids[:40], {}, {})
    for number in ids[40:]:
        store.db.execute("INSERT INTO studied VALUES (?, '0')", [number])
    assert new_chunks(store) == []
    assert choose(store, Options(), "0") is None
    assert status(store, Options())["learned"] == 1
    assert status(store, Options())["nights_to_go"] == 0
    assert {chunk["id"] for chunk in new_chunks(store, "another")} == set(ids[40:])
