"""Rehearsal: every earlier source gets its turn, and the same seed gives the same choice."""

from collections import Counter
from typing import Any

import pytest

from learnctl.memory.forget import forget_sources
from learnctl.memory.replay import by_turn_and_surprise, choose_replay, n_by_surprise, pool_of
from learnctl.memory.store import Record, Store


@pytest.fixture
def version(take: Any, learn: Any) -> int:
    """A version that learned from a large source of twelve chunks and two small ones of one and two,
    two samples a chunk; a fourth source was never learned."""
    take(
        {
            "large.md": "\n\n".join(f"## Day {n}\n\nThe known fact {n}." for n in range(12)),
            "small.txt": "The known lamp is green.",
            "two.md": "## A\n\nThe known chair is red.\n\n## B\n\nThe known table is blue.",
            "unseen.txt": "The unheard thing is new.",
        }
    )
    learn("unheard")
    return int(learn("known"))


def choose(store: Store, version: int, n: int, seed: int = 0, out: set[int] | None = None) -> Any:
    return choose_replay(store, version, out or set(), n, seed)


def sources(store: Store, samples: list[Record]) -> Counter[str]:
    return Counter(
        store.value(
            "SELECT s.path FROM sources s JOIN origins o ON o.source_id = s.id WHERE chunk_id = ?",
            sample["chunk_id"],
        ).rpartition("/")[2]
        for sample in samples
    )


def test_sources_take_turns(store: Store, version: int) -> None:
    """A large source does not push the small ones out: each has its share as long as it has samples."""
    assert sources(store, choose(store, version, 3)) == {"large.md": 1, "small.txt": 1, "two.md": 1}
    assert sources(store, choose(store, version, 6)) == {"large.md": 2, "small.txt": 2, "two.md": 2}
    assert sources(store, choose(store, version, 12)) == {
        "large.md": 6,
        "small.txt": 2,
        "two.md": 4,
    }


def test_chunks_take_turns_within_a_source(store: Store, version: int) -> None:
    """No chunk gives a second sample before each has given one."""
    large = [s for s in choose(store, version, 18) if "fact" in s["answer"]]
    assert len(large) == 12
    assert len({sample["chunk_id"] for sample in large}) == 12


def test_nights_take_turns_within_a_source(store: Store, take: Any, learn: Any) -> None:
    """Of a source that was learned over two nights the short one has its share."""
    days = [f"## Day {n}\n\nThe early thing {n}." for n in range(10)]
    take({"diary.md": "\n\n".join([*days, "## A\n\nThe late bell.", "## B\n\nThe late boat."])})
    version = learn("late", parent=learn("early"))
    late = [s["id"] for s in choose(store, version, 4) if "late" in s["answer"]]
    assert len(late) == 2
    store.db.conn.executemany(
        "INSERT OR REPLACE INTO run_samples (run_id, sample_id, role)"
        " SELECT run_id, ?, 'replay' FROM adapters WHERE version = ?",
        [(one, version) for one in late],
    )
    # Also where more of it than of the other was rehearsed; but what was not yet comes first.
    again = [s["id"] for s in choose(store, version, 4) if "late" in s["answer"]]
    assert len(again) == 2
    assert not set(again) & set(late)


def test_the_seed_decides(store: Store, version: int) -> None:
    """The same seed gives the same samples in the same order, and another one gives others."""
    assert choose(store, version, 10, seed=1) == choose(store, version, 10, seed=1)
    picked = {tuple(s["id"] for s in choose(store, version, 10, seed=n)) for n in range(5)}
    assert len(picked) == 5


def test_as_many_as_asked_for_or_all_there_are(store: Store, version: int) -> None:
    """Never more, and no sample twice."""
    for n in (0, 1, 7, 30):
        assert len(choose(store, version, n)) == n
    everything = choose(store, version, 1000)
    assert len(everything) == 30
    assert len({sample["id"] for sample in everything}) == 30
    assert set(everything[0]) >= {"id", "chunk_id", "kind", "prompt", "answer"}


def test_what_is_left_out(store: Store, version: int) -> None:
    """What is trained on as new anyway, what this version never learned, what belongs to no chunk, and
    what was forgotten."""
    new = {s["chunk_id"] for s in choose(store, version, 1000) if "fact" in s["answer"]}
    store.db.execute(
        "INSERT INTO samples (id, sha256, chunk_id, base_digest, kind, prompt, answer, created_at)"
        " SELECT id + 1000, sha256 || 'g', NULL, '', 'general', prompt, answer,"
        " created_at FROM samples LIMIT 1"
    )
    store.db.execute(
        "INSERT INTO run_samples (run_id, sample_id, role) SELECT ?, max(id), 'general' FROM samples",
        [version],
    )
    rest = choose(store, version, 1000, out=new)
    assert sources(store, rest) == {"small.txt": 2, "two.md": 4}
    forget_sources(store, [store.find_sources("small.txt")[0]["id"]])
    assert sources(store, choose(store, version, 1000, out=new)) == {"two.md": 4}


def test_what_an_ancestor_learned_is_rehearsed(store: Store, version: int, learn: Any) -> None:
    """A version that was continued from another has that one's samples to keep up, too."""
    child = learn("unheard", parent=version)
    assert len(choose(store, child, 1000)) == 32


def test_over_the_nights_all_of_it_comes_up(store: Store, version: int, learn: Any) -> None:
    """What was rehearsed waits until the rest of its source was, however many nights that takes."""
    seen: set[int] = set()
    for _ in range(4):
        version = learn("unheard", parent=version)
        large = [s for s in choose(store, version, 18) if "fact" in s["answer"]]
        picked = {sample["id"] for sample in large[:6]}
        assert len(picked) == 6
        assert not picked & seen
        seen |= picked
        store.db.conn.executemany(
            "INSERT OR REPLACE INTO run_samples (run_id, sample_id, role)"
            " SELECT run_id, ?, 'replay' FROM adapters WHERE version = ?",
            [(one, version) for one in picked],
        )
    assert len(seen) == 24


def test_the_base_has_nothing_to_rehearse(store: Store, version: int) -> None:
    assert choose(store, 0, 10) == []


def test_half_by_turn_and_half_by_surprise() -> None:
    """What the weights know worst comes first of what is not taken in turn; what was not measured, last."""
    pool = [{"id": n, "surprise": loss} for n, loss in enumerate([0.1, 0.2, 0.3, None, 2.0, 1.0])]
    chosen = by_turn_and_surprise(pool, 4)
    assert [(s["id"], why) for s, why in chosen] == [
        (0, "turn"),
        (1, "turn"),
        (4, "surprise"),
        (5, "surprise"),
    ]
    # Where all of it is taken, none is taken for how surprising it is.
    assert by_turn_and_surprise(pool, 100) == [(sample, "turn") for sample in pool]
    assert [s["id"] for s, _ in by_turn_and_surprise(pool, 1)] == [0]


def test_of_very_much_most_goes_by_turn() -> None:
    """Nothing is taken for a surprise that was not measured: three are for each."""
    for n_samples in (4, 400, 4000):
        n_measured = pool_of(n_samples) - (n_samples - n_by_surprise(n_samples))
        assert n_measured == 3 * n_by_surprise(n_samples)
        pool: list[Record] = [{"id": n, "surprise": None} for n in range(pool_of(n_samples))]
        for sample in pool[-n_measured:]:
            sample["surprise"] = 1.0
        chosen = by_turn_and_surprise(pool, n_samples)
        assert len({s["id"] for s, _ in chosen}) == n_samples
        assert {s["surprise"] for s, why in chosen if why == "surprise"} == {1.0}
    assert n_by_surprise(4000) < 4000 // 2


def test_only_the_kinds_that_are_trained_on_are_rehearsed(store: Store, version: int) -> None:
    made = {sample["kind"] for sample in choose(store, version, 100)}
    assert len(made) == 1
    assert choose_replay(store, version, set(), 100, 0, made) == choose(store, version, 100)
    assert choose_replay(store, version, set(), 100, 0, {"no such kind"}) == []


def test_what_does_not_fit_takes_no_place(store: Store, version: int) -> None:
    """However much of it there is, and though it is chosen least: what fits comes in its stead."""
    every = choose(store, version, 100)
    fits = {sample["id"] for sample in every if "lamp" in sample["answer"]}
    found = choose_replay(store, version, set(), len(fits), 0, fits=lambda one: one["id"] in fits)
    assert {sample["id"] for sample in found} == fits
