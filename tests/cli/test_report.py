"""`learnctl report`, on nights that are written by hand."""

from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.store import Store


def test_a_night_that_did_not_run_is_told_of_until_one_has(
    run: Any, run_json: Any, notes: Path, home: Path, diary: Any
) -> None:
    run("ingest", str(notes))
    with Store.open(Home(home)) as store:
        nights = diary(store)
        dog = nights.chunk("dog.txt")
        nights.night([dog], {}, {})
        store.db.execute("UPDATE runs SET created_at = '2026-03-01T03:00:00+00:00'")
        assert run("report").stdout.startswith("# Run 1")
        run("consolidate", "--scheduled", "--max-load=99", "--on-battery", "--min-new-tokens=9999")
        first, blank, heading, *_ = run("report").stdout.splitlines()
        assert first.startswith("The last night, 20")
        assert ": did not run: too little is new (" in first
        assert (blank, heading[:7]) == ("", "# Run 1")
        assert run("report", "1").stdout.startswith("# Run 1")
        assert run_json("report")["run"] == 1

        run("config", "set", "base", "no/such")
        assert run("consolidate", "--scheduled", "--max-load=99", "--on-battery").exit_code == 1
        assert ": failed: the base model `no/such` is not" in run("report").stdout
        nights.night([dog], {}, {})
    assert run("report").stdout.startswith("# Run 2")


def test_before_any_run_it_says_why_there_is_none(run: Any, notes: Path) -> None:
    run("ingest", str(notes))
    run("consolidate", "--scheduled", "--max-load=99", "--on-battery", "--min-new-tokens=9999")
    told = run("report")
    assert told.exit_code == 1
    assert ": did not run: too little is new (" in told.stdout
