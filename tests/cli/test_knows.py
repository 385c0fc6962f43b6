"""`learnctl knows`, on nights that are written by hand."""

from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.store import Store


def test_knows(run: Any, run_json: Any, notes: Path, home: Path, diary: Any) -> None:
    run("ingest", str(notes))
    with Store.open(Home(home)) as store:
        made = diary(store)
        chunk = made.chunk("dog.txt")
        known, again, once = (
            made.probe(chunk, "The dog?", "Quimby"),
            made.probe(chunk, "The dog's name?", "Quimby"),
            made.probe(chunk, "Fear?", "umbrellas"),
        )
        assert "not asked yet" in run("knows", "dog").stdout
        made.night([chunk], {}, {known: True, again: True, once: True})
        made.night([], {}, {known: False, once: True})
    assert run_json("knows", "what is the dog called") == [
        {
            "question": "The dog?",
            "gold": "Quimby",
            "chunk": chunk,
            "state": "lost",
            "learned": 1,
            "lost": 2,
            "source": str(notes / "dog.txt"),
            "title": "dog",
        },
        {
            "question": "Fear?",
            "gold": "umbrellas",
            "chunk": chunk,
            "state": "once",
            "learned": None,
            "lost": None,
            "source": str(notes / "dog.txt"),
            "title": "dog",
        },
    ]
    shown = run("knows", "dog").stdout
    assert "known since version 1, lost in version 2" in shown
    assert "right in one wording" in shown
    assert "dog.txt" in shown
    assert "known since version 1 " in run("knows", "dog", "--version", "1").stdout
    missing = run("knows", "dog", "--version", "9")
    assert (missing.exit_code, missing.stderr.splitlines()[0]) == (1, "error: no version 9")
    nothing = run("knows", "submarines")
    assert nothing.exit_code == 0
    assert "no facts on this" in nothing.stderr
    assert run_json("knows", "submarines") == []
