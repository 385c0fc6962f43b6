"""The benchmark of recipes, on a tiny base."""

import json
from collections.abc import Callable

from benchmarks import recipe


def test_what_ask_gives_is_set_beside_the_greedy_answers(
    run_benchmark: Callable[..., str],
) -> None:
    asked = ("--arm", "default", "--given", "--json")
    row = json.loads(run_benchmark(recipe, *asked, settings=("epochs=1", "rank=4")))
    assert len(row["nights"]) == 1
    sets, manners = ("notes", "everyday", "reworded", "absent", "near"), ("greedy", "given")
    assert set(row["given"]) == {
        f"{name}, {form}, {manner}"
        for name in sets
        for form in ("closed", "retrieval")
        for manner in manners
    }
    assert row["given"]["reworded, closed, given"]["n"] == 41
    assert row["given"]["absent, closed, given"]["n"] == 12
    assert row["given"]["near, closed, given"]["n"] == 20
