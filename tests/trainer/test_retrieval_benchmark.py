"""The benchmark of search: what a hit is, how rankings are joined, and what is found of a person's notes."""

import sys

import pytest

from benchmarks import retrieval
from benchmarks.retrieval import Wanted, by_both, score


def test_a_hit_is_of_the_right_source_and_holds_the_answer() -> None:
    wanted = Wanted("Who?", "night-1/diary.md", ("Edric Vance", "Vance"), "diary")
    found = {"path": "/notes/night-1/diary.md", "text": "Her teacher is Mr. Vance."}
    assert wanted.is_hit(found)
    assert not wanted.is_hit(found | {"path": "/notes/night-2/diary.md"})
    assert not wanted.is_hit(found | {"text": "Her teacher is ill."})


def test_both_joins_two_rankings() -> None:
    """What both have stands before what one has first; what neither has is not there."""
    joined = by_both([lambda question: [1, 2, 3], lambda question: [4, 2]])("Who?")
    assert joined[0] == 2
    assert set(joined[1:3]) == {1, 4}
    assert joined[3] == 3


def test_score_is_the_place_of_the_first_hit() -> None:
    chunks = {number: {"path": "a.md", "text": f"number {number}"} for number in (1, 2, 3)}
    wanted = [Wanted("?", "a.md", (f"number {n}",), "") for n in (1, 3, 9)]
    assert score(lambda question: [1, 2, 3], wanted, chunks) == [1, 3, 0]


def test_notes_are_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of direct questions about a person's notes nearly all find their passage among five; without an embedding model
    it is said that there is none."""
    monkeypatch.setattr(retrieval, "packaged", lambda: None)
    monkeypatch.setattr(sys, "argv", ["retrieval", "--what", "personal", "news"])
    retrieval.main()
    told = capsys.readouterr().out
    assert told.startswith("no embedding model")
    assert "skipped: no news/" in told
    (line,) = [line for line in told.splitlines() if line.startswith("personal direct")]
    assert float(line.partition("hit@5 ")[2].split()[0]) > 0.9
    assert "embeddings" not in line
