"""The benchmark of many nights, on a tiny base: what an arm trains, and what its rows come to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import nights
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options

STREAM = ["--nights", "2", "--facts", "2", "--wordings", "2"]
ITEM: dict[str, Any] = {"premise": "The glass fell", "choice1": "It broke.", "choice2": "It sang."}

Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run(run_benchmark: Callable[..., str], tmp_path: Path) -> Run:
    """Run arms over two nights of two invented facts; the rows they made."""
    suite = tmp_path / "suite"
    suite.mkdir()
    lines = [ITEM | {"question": which, "label": 0} for which in ("cause", "effect")]
    (suite / "copa.jsonl").write_text("\n".join(map(json.dumps, lines)))

    def measure(*arms: str, more: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        args = (*STREAM, "--suite", str(suite), "--json", *more, "--arm", *arms)
        told = run_benchmark(nights, *args, settings=("fast_rank=1", "epochs=1"))
        return [json.loads(line) for line in told.splitlines()]

    return measure


def test_arms_train_what_they_are_named_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without replay nothing earlier is trained on, a small share is not filled up, slow passes come as an arm wants, and scheduled
    nights alone have their time."""
    budgets: list[float | None] = []

    def timed(store: Any, options: Any, budget_s: float | None = None) -> Any:
        budgets.append(budget_s)
        return consolidate(store, options, budget_s)

    monkeypatch.setattr(nights, "consolidate", timed)
    rows = run("as shipped", "scheduled", "30% replay", "retrained", "merged", "joint")
    night_s = 60.0 * Options().night_minutes
    assert budgets[:4] == [None, None, night_s, night_s]
    assert set(budgets[4:]) == {None}
    of = {name: [row for row in rows if row["arm"] == name] for name in nights.ARMS}
    replayed = {name: [row["samples"]["replay"] for row in some] for name, some in of.items()}
    assert replayed["merged"] == [0, 0]
    assert 0 < replayed["30% replay"][1] < replayed["as shipped"][1]
    assert [row["level"] for row in of["retrained"]] == ["slow"] * 2
    assert [row["level"] for row in of["scheduled"]] == ["slow", "fast"]
    assert [row["level"] for row in of["as shipped"]] == ["slow", "fast"]
    assert [row["level"] for row in of["merged"]] == ["slow", "fast"]
    assert [len(row["right"]) for row in of["as shipped"]] == [4, 8]
    assert [len(row["right"]) for row in of["joint"]] == [8]
    first, last = (row["suite"] for row in of["as shipped"])
    assert len(first["version"]) == len(last["base"]) == len(last["version"]) == 2
    assert run("as shipped") == of["as shipped"]  # kept


def test_what_ask_gives(run: Run) -> None:
    """After its own night and after the last, every so many."""
    first, last = run("as shipped", more=("--given", "2"))
    assert [index for index, _ in first["given"]] == [0, 2]
    assert [index for index, _ in last["given"]] == [0, 2, 4, 6]
    assert all(type(right) is bool for _, right in last["given"])


def test_measures(capsys: pytest.CaptureFixture[str]) -> None:
    """Two nights of two facts: one of the first night is forgotten, and joint training is asked of both."""
    asked = [
        {"night": night, "of": f"{night} {fact}", "reversed": fact == 1}
        for night in (0, 1)
        for fact in (0, 1)
    ]
    cost = {"divergence": 0.1, "elapsed_s": 1.0, "level": "fast", "samples": {}, "suite": None}
    rows = [cost | {"right": [1, 1]}, cost | {"right": [1, 0, 1, 1]}]
    rows[0]["given"] = [[0, True], [1, True]]
    rows[1]["given"] = [[0, False], [1, True], [2, True], [3, True]]
    nights.show("ours", rows, {"right": [0, 0, 0, 1]}, asked, 2)
    told = capsys.readouterr().out
    for measure in ("ACC 0.750 [", "BWT -0.500 [", "diagonal 1.000", "base 0.250"):
        assert measure in told
    assert "direct 1.000 (BWT +0.000 [" in told
    assert "reversed 0.500 (BWT -1.000 [" in told
    given = next(line for line in told.splitlines() if "as given: ACC 0.750 [" in line)
    assert "direct 0.500 [" in given.partition("(BWT -1.000 [")[0]
    assert "reversed 1.000 [" in given.partition("(BWT +0.000 [")[0]
    assert nights.cells([1, 1], asked, 2) == [1.0, None]
    nights.show("joint", [cost | {"right": [1, 0, 1, 1]}], rows[1], asked, 2)
    assert "ACC 0.750 [" in capsys.readouterr().out
