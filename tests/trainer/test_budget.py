"""A night whose time is too short: what is learned was trained, if need be over several nights."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from learnctl.memory.lineage import in_service, learned_chunks
from learnctl.memory.store import Store, now
from learnctl.trainer import registry, rows, workload
from learnctl.trainer.consolidate import ANCHOR, OWN, consolidate
from learnctl.trainer.options import AUTO, Options
from learnctl.trainer.pack import Row, n_nodes_of
from learnctl.trainer.progress import Progress
from learnctl.trainer.rows import EPOCHS, Material, epoch_rows

from .conftest import DOG, HOUSE

Settings = Callable[..., Options]
Take = Callable[[str, str], int]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets so many seconds pass."""
    clock, passed = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(passed))
    return passed.append


def test_a_slow_pass_over_several_nights(
    store: Store, house: int, dog: int, settings: Settings
) -> None:
    """What it does not bring back is lost, so it is never cut for want of time: it is paused, and goes on the next night."""
    consolidate(store, settings(epochs=1))
    known = learned_chunks(store, 1)
    store.set_setting(registry.SLOW_DUE, "asked for")
    options = settings(epochs=2, pack_tokens=128)
    told: list[Progress] = []
    steps: list[int] = []
    for night in (1, 2):
        report = consolidate(store, options, 0.001, told.append, steps.append)
        assert (report["decision"], report["gave_way"]) == ("paused", True)
        assert f"its time was over at step {night} of " in report["reason"]
        assert (report["version"], steps) == (1, [*range(1, night + 1)])
    each = [len(packs_of_an_epoch(store, options, number)) for number in (0, 1)]
    assert {one.total for one in told if one.phase == "train"} == {sum(each)}
    report = consolidate(store, options, on_step=steps.append)
    assert (report["decision"], report["run"]) == ("promoted", 2)
    assert steps == [*range(1, report["steps"] + 1)]
    assert learned_chunks(store, in_service(store)) == known
    assert report["steps"] == sum(each)


def test_a_slow_pass_that_sources_overtake_does_not_keep_from_learning(
    store: Store, take: Take, house: int, dog: int, settings: Settings
) -> None:
    """Begun anew each night, it would never end where somebody writes every day: for a week nights teach what is new."""

    def edit(name: str) -> None:
        take("dog.txt", DOG.replace("Quimby", name))

    consolidate(store, settings(epochs=1))
    store.set_setting(registry.SLOW_DUE, "asked for")
    paused = consolidate(store, settings(epochs=40, pack_tokens=128), 0.001)
    assert paused["decision"] == "paused"
    edit("Mirabelle")
    for name in ("Ulysses", "Wanda"):
        report = consolidate(store, settings(epochs=1))
        assert (report["decision"], report["level"]) == ("promoted", "fast")
        assert registry.history(store)[0]["state"] == "stale"
        edit(name)
    store.db.execute(
        "UPDATE settings SET value = '2020-01-01T00:00:00+00:00' WHERE key = ?",
        [registry.OVERTAKEN_AT],
    )
    report = consolidate(store, settings(epochs=1))
    assert (report["decision"], report["level"]) == ("promoted", "slow")
    assert registry.history(store)[0]["state"] == "ok"
    assert store.setting(registry.OVERTAKEN_AT) == ""


def test_a_slow_pass_longer_than_a_night_waits_for_a_week(
    store: Store, take: Take, house: int, dog: int, settings: Settings
) -> None:
    """What is written in every day has always changed; what is new is learned meanwhile, on what serves."""
    options = settings(epochs=1, night_minutes=1)
    consolidate(store, options)
    slowly = "UPDATE runs SET report = json_set(report, '$.tokens_per_s', 0.01)"
    take("dog.txt", DOG.replace("Quimby", "Barnaby"))
    store.db.execute(slowly)
    report = consolidate(store, options)
    assert (report["decision"], report["level"]) == ("promoted", "fast")
    assert [row["state"] for row in registry.history(store)] == ["stale", "stale"]
    take("dog.txt", DOG.replace("Quimby", "Mirabelle"))
    store.db.execute(slowly)
    store.db.execute(
        "UPDATE adapters SET created_at = '2020-01-01T00:00:00+00:00' WHERE version = 1"
    )
    report = consolidate(store, options)
    assert (report["decision"], report["level"]) == ("promoted", "slow")
    assert registry.history(store)[0]["state"] == "ok"


def test_without_anything_new_a_slow_pass_that_was_overtaken_is_begun_again(
    store: Store, take: Take, settings: Settings
) -> None:
    cat = "# Cat\n\nThe cat is called Mirabelle. Mirabelle was born in 2019 in Fennport.\n"
    take("pets.md", f"# Dog\n\n{DOG}\n{cat}")
    consolidate(store, settings(epochs=1))
    take("pets.md", cat)
    store.set_setting(registry.OVERTAKEN_AT, now())
    report = consolidate(store, settings(epochs=1))
    assert (report["decision"], report["level"]) == ("promoted", "slow")


def test_a_night_that_cannot_end_a_slow_pass_trains_all_of_its_time(
    store: Store, house: int, dog: int, settings: Settings, later: Callable[[float], None]
) -> None:
    """It is examined in another, so none of it is kept free for that."""
    consolidate(store, settings(epochs=1))
    store.set_setting(registry.SLOW_DUE, "asked for")
    options = settings(epochs=40, pack_tokens=128)
    consolidate(store, options, 0.001)
    store.db.execute("UPDATE runs SET measured_s = 100 WHERE state = 'running'")
    pace = "UPDATE runs SET report = json_set(report, '$.tokens_per_s', ?) WHERE id = 1"
    steps: list[int] = []

    def slowly(step: int) -> None:
        steps.append(step)
        later(350.0)

    def night(tokens_per_s: float) -> int:
        store.db.execute(pace, [tokens_per_s])
        before = len(steps)
        assert consolidate(store, options, 800, on_step=slowly)["decision"] == "paused"
        return len(steps) - before

    assert night(1e9) == 2
    assert night(0.001) == 3


def test_as_many_epochs_are_laid_out_as_the_last_pace_allows(
    store: Store,
    take: Callable[[str, str], int],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twice as many, since that pace may have been a busy machine's; tokens that rows share are trained once."""
    monkeypatch.setattr(rows, "LEAST_STEPS", 1)
    monkeypatch.setattr(workload, "FILLED_SHARE", 0)
    options = settings(epochs="auto", pack_tokens=128, replay_share=0.0, kinds="question,cue")
    take("boat.md", "Our boat is called Marigold. It lies at Orrest.\n")
    consolidate(store, settings(epochs=1))
    lines = HOUSE.partition("\n")[2]
    take("notes.txt", lines + DOG)  # one passage, so none of it waits
    told: list[Progress] = []

    def totals(speed: float) -> int:
        pace = "UPDATE runs SET report = json_set(report, '$.tokens_per_s', ?) WHERE id = 1"
        store.db.execute(pace, [speed])
        registry.drop_unfinished(store)
        told.clear()
        consolidate(store, options, 1000, told.append, unmet=lambda: "stop" if trained() else "")
        return trained()[0]

    def trained() -> list[int]:
        return [one.total for one in told if one.phase == "train"]

    assert totals(0.001) < totals(1e6)
    epoch = packs_of_an_epoch(store, options, number=1)
    n_tokens = sum(map(n_nodes_of, epoch))
    assert n_tokens < 0.92 * sum(len(row.ids) for rows in epoch for row in rows)
    laid_out = totals(n_tokens * 4.3 / 1000)
    assert laid_out == sum(len(packs_of_an_epoch(store, options, number)) for number in range(9))


def packs_of_an_epoch(store: Store, options: Options, number: int = 0) -> list[list[Row]]:
    """Of the last run."""
    from learnctl.trainer import base as bases
    from learnctl.trainer.pack import pack
    from learnctl.trainer.rows import general_rows

    base = bases.load(options.base)
    found = store.rows(
        "SELECT s.*, rs.role, rs.why, c.text AS passage, '' AS place, c.language"
        " FROM samples s JOIN run_samples rs ON rs.sample_id = s.id LEFT JOIN chunks c ON c.id = s.chunk_id"
        " WHERE rs.run_id = (SELECT max(id) FROM runs) ORDER BY s.id"
    )
    facts = [one for one in found if one["role"] != "general"]
    general, own, anchors = (
        [one for one in found if one["role"] == "general" and one["why"] == why]
        for why in ("", OWN, ANCHOR)
    )
    rehearsed, asked, shown = (
        list(general_rows(base, some, options.pack_tokens).values())
        for some in (general, own, anchors)
    )
    material = Material(facts, general, {}, rehearsed, asked, shown)
    return pack(epoch_rows(base, material, options, number), options.pack_tokens)


def test_time_that_is_left_of_a_budget_is_trained_in(
    store: Store, house: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More epochs than without one, as many as help; a run that was stopped has them whatever its time is then."""
    monkeypatch.setattr(rows, "LEAST_STEPS", 1)
    options = settings(epochs="auto", pack_tokens=128)
    steps: list[int] = []
    consolidate(store, options, 600, on_step=steps.append, unmet=lambda: "stop" if steps else "")
    report = consolidate(store, options, on_step=steps.append)
    assert (report["run"], steps) == (1, [*range(1, report["steps"] + 1)])
    # Later epochs may take a pack more or less than the first.
    assert report["steps"] > 2 * EPOCHS * len(packs_of_an_epoch(store, options))


def test_time_that_is_left_is_for_rehearsal(
    store: Store,
    house: int,
    take: Callable[[str, str], int],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of all that is known, the oftener the more time there is, as often as what is new at the most."""
    monkeypatch.setattr(workload, "TOKENS_PER_ROW", 10)  # one of these passages is no night's work
    consolidate(store, settings(epochs=1))
    how_many = (
        "SELECT count(*) FROM run_samples rs JOIN samples s ON s.id = rs.sample_id"
        " WHERE run_id = ? AND role = ? AND kind != 'open'"  # how to read is taught anew each night
    )
    n_known = store.value(how_many, 1, "new")
    take("boat.md", "Our boat is called Marigold.\n")
    options = settings(epochs=12, replay_share=0.01, replay_least=1)

    def turns(n_rows: float) -> int:
        """How often a night trains all that was known, in time for so many rows an epoch; 0 where not all of it."""
        pace = n_rows * workload.tokens_per_row(options, 12) / workload.FILLED_SHARE / 1000
        store.db.execute(
            "UPDATE runs SET report = json_set(report, '$.tokens_per_s', ?) WHERE id = 1", [pace]
        )
        registry.drop_unfinished(store)
        steps: list[int] = []
        consolidate(
            store, options, 1000, on_step=steps.append, unmet=lambda: "stop" if steps else ""
        )
        run = store.row("SELECT * FROM runs ORDER BY id DESC LIMIT 1")
        assert run
        assert run["level"] == "fast"
        rehearsed = store.value(how_many, run["id"], "replay")
        return int(12 * run["replayed_each"] // n_known) if rehearsed == n_known else 0

    assert turns(1.5) == 0
    n_new = store.value("SELECT count(*) FROM run_samples WHERE run_id = 2 AND role = 'new'")
    assert turns(n_new + n_known / 3) == 3
    assert turns(n_new + n_known * 2 / 3) == 7
    assert turns(10 * n_known) == 12


def test_what_comes_after_training_is_kept_free(
    store: Store, house: int, settings: Settings
) -> None:
    """As long as it took last, or as what a night with a budget keeps for it where that is more."""
    consolidate(store, settings(epochs=1))
    options = Options(base=settings().base)
    report = (
        "json_set(report, '$.tokens_per_s', 100, '$.elapsed_s', ?, '$.train_s', 10, '$.study_s', 0)"
    )

    def n_each(left_s: float, around_s: float, measured_s: float) -> int:
        store.db.execute(
            f"UPDATE runs SET report = {report}, measured_s = ?", [10 + around_s, measured_s]
        )
        return workload.replayed_each(store, 10, 10**6, options, left_s, 12)

    a_row = workload.tokens_per_row(options, 12) / 100  # seconds
    assert n_each(1000, 0, 0) == int(workload.FILLED_SHARE * 1000 / a_row) - 10
    assert n_each(1000, 600, 0) == int(400 / a_row) - 10
    kept = 150 + workload.kept_free_s(150)
    assert kept > 600
    assert n_each(1000, 600, 150) == int((1000 - kept) / a_row) - 10
    assert n_each(100, 600, 150) == rows.replay_beside(10, options)  # no time, and no less


def test_the_pace_of_another_base_or_device_tells_nothing(
    store: Store, house: int, settings: Settings
) -> None:
    """A larger base is slower by an order of magnitude, and a GPU faster by more; an earlier release did not say where it computed."""
    options = settings(epochs=1)
    assert consolidate(store, options)["device"] == "cpu"
    assert workload.last_speed(store, options)
    assert workload.last_around(store, options)
    for other in (replace(options, device="cuda"), settings("qwen"), Options()):
        assert workload.last_speed(store, other) is None
        assert workload.last_around(store, other) is None
    store.db.execute("UPDATE runs SET report = json_remove(report, '$.device')")
    assert workload.last_speed(store, replace(options, device="cuda"))


@pytest.mark.parametrize(
    ("n_known", "night_minutes", "of_known", "wanted"),
    [
        (1000, 30, 0.5, 500),
        (1001, 30, 0.5, 501),
        (1000, 30, 0.0, 54),  # the share of what teaches alone
        (30, 30, 0.5, 54),  # little is known: no less than the share
        (10**6, 30, 0.5, 1900),  # what half an hour has time for
        (10**6, 1, 0.5, 54),
    ],
)
def test_without_a_budget_a_part_of_all_that_is_known_is_rehearsed(
    store: Store,
    house: int,
    settings: Settings,
    n_known: int,
    night_minutes: int,
    of_known: float,
    wanted: int,
) -> None:
    consolidate(store, settings(epochs=1))
    options = Options(base=settings().base, replay_of_known=of_known, night_minutes=night_minutes)
    pace = 2000 * workload.tokens_per_row(options, 12) / workload.FILLED_SHARE / 1800
    store.db.execute(
        "UPDATE runs SET measured_s = 0, report = json_set(report, '$.tokens_per_s', ?, '$.elapsed_s',"
        " report ->> 'train_s', '$.study_s', 0)",
        [pace],
    )
    assert workload.replayed_each(store, 100, n_known, options, None, 12) == pytest.approx(
        wanted, abs=1
    )


def test_rehearsal_costs_what_is_new_no_turns(
    store: Store,
    house: int,
    take: Callable[[str, str], int],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A night of one fact has its twelve epochs, however much is known; and of that in each as much as is wanted."""
    monkeypatch.setattr(rows, "LEAST_STEPS", 2 * rows.MOST_EPOCHS)  # of two packs each
    consolidate(store, settings(epochs=1))
    n_known = store.value(
        "SELECT count(*) FROM run_samples JOIN samples s ON s.id = sample_id WHERE role = 'new' AND kind != 'open'"
    )
    take("boat.md", "Our boat is called Marigold.\n")

    def laid_out(**values: Any) -> tuple[int, int]:
        """The steps of the night, and what it rehearses in each epoch."""
        registry.drop_unfinished(store)
        told: list[Progress] = []
        options = settings(replay_least=1, replay_share=0.01, **values)
        consolidate(
            store,
            options,
            on_progress=told.append,
            unmet=lambda: "stop" if told and told[-1].phase == "train" else "",
        )
        run = store.row("SELECT * FROM runs ORDER BY id DESC LIMIT 1")
        assert run
        return next(one.total for one in told if one.phase == "train"), run["replayed_each"]

    alone, each = laid_out(epochs=rows.MOST_EPOCHS, replay_of_known=0)
    assert each == 1
    with_all, each = laid_out(epochs="auto", replay_of_known=1)
    assert each == n_known
    assert (with_all, each) == laid_out(epochs=rows.MOST_EPOCHS, replay_of_known=1)
    assert with_all > alone


def test_a_run_that_was_begun_before_that_was_kept_goes_on(
    store: Store, house: int, take: Callable[[str, str], int], settings: Settings
) -> None:
    consolidate(store, settings(epochs=1))
    take("dog.md", "Our dog is called Barnaby. He is four years old.\n")
    options = settings(epochs=2, replay_share=0.01, replay_least=2, replay_of_known=0)
    steps: list[int] = []
    consolidate(store, options, on_step=steps.append, unmet=lambda: "stop" if steps else "")
    store.db.execute("UPDATE runs SET replayed_each = NULL")
    report = consolidate(store, options)
    assert (report["run"], report["decision"], report["samples"]["replay"]) == (2, "promoted", 2)


def test_what_time_did_not_come_to_is_not_rehearsed(
    store: Store, house: int, take: Callable[[str, str], int], settings: Settings
) -> None:
    """Laid out were two samples of night one in each of four epochs; one epoch was trained, so two were rehearsed, and the
    next night takes others."""
    consolidate(store, settings(epochs=1))
    take("dog.md", "Our dog is called Barnaby. He is four years old.\n")
    options = settings(epochs=4, replay_share=0.01, replay_least=2, replay_of_known=0)
    steps: list[int] = []
    report = consolidate(
        store, options, on_step=steps.append, unmet=lambda: "stop" if steps else ""
    )
    while report["decision"] == "paused":
        report = consolidate(store, options, 0.001)
    replayed = "SELECT sample_id FROM run_samples WHERE run_id = ? AND role = 'replay'"
    rehearsed = {row["sample_id"] for row in store.rows(replayed, 2)}
    assert (report["decision"], report["samples"]["replay"], len(rehearsed)) == ("promoted", 2, 2)
    take("boat.md", "Our boat is called Marigold. It lies at Orrest.\n")
    consolidate(store, options)
    turns = {r["sample_id"] for r in store.rows(f"{replayed} AND why = 'turn'", 3)}
    assert len(turns) == 2
    assert not turns & rehearsed


def test_a_run_that_goes_on_leaves_time_to_be_examined(
    store: Store, house: int, settings: Settings, later: Callable[[float], None]
) -> None:
    """It finds in the store what it was asked before, but what it is asked after takes its time: as long
    as it was seen to take."""
    options = settings(epochs=2, pack_tokens=128)
    steps: list[int] = []
    consolidate(store, options, on_step=steps.append, unmet=lambda: "stop" if steps else "")
    assert store.value("SELECT measured_s FROM runs WHERE state = 'running'") > 0
    store.db.execute("UPDATE runs SET measured_s = 100")

    def slowly(step: int) -> None:
        steps.append(step)
        later(450.0)

    report = consolidate(store, options, 800, on_step=slowly)
    assert (report["decision"], steps) == ("paused", [1, 2, 3])
    assert consolidate(store, options)["decision"] == "promoted"


def test_a_night_that_has_no_time_to_study(store: Store, house: int, settings: Settings) -> None:
    """There is something new, and it goes on in the next: "nothing new" would be told of what is learned."""
    paused = consolidate(store, settings(epochs=1), 1e-6)
    assert (paused["decision"], paused["gave_way"]) == ("paused", True)
    assert "its time was over before it had studied" in paused["reason"]
    assert consolidate(store, settings(epochs=1))["decision"] == "promoted"


def test_nights_too_short_to_be_examined_in_train_until_there_is_something_to_examine(
    store: Store, house: int, settings: Settings
) -> None:
    """Where what is kept free for that is longer than the night, runs would get a step each night, and never come to their end."""
    options = settings(epochs=2, pack_tokens=128)
    steps: list[int] = []
    consolidate(store, options, on_step=steps.append, unmet=lambda: "stop" if steps else "")
    store.db.execute("UPDATE runs SET measured_s = 1000")
    report = consolidate(store, options, 600, on_step=steps.append)
    assert report["decision"] == "promoted"
    assert len(steps) == report["steps"] > 2


def test_what_is_learned_from_nothing_again_has_as_many_epochs_as_help(
    store: Store, house: int, dog: int, settings: Settings
) -> None:
    """A slow pass in the place of a version: what it does not bring back is lost."""
    options = settings(epochs=AUTO, pack_tokens=128, packs_per_step=1)
    first = consolidate(store, options)
    store.set_setting(registry.SLOW_DUE, "as the test wants it")
    again = consolidate(store, options)
    assert (first["level"], again["level"]) == ("slow", "slow")
    assert again["n_tokens"] > 1.5 * first["n_tokens"]
