"""ingest, sources, search, forget and status, as a person uses them one after the other."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.home import Home
from learnctl.memory.lineage import set_aside
from learnctl.memory.store import Store
from learnctl.trainer.checked import Checked, count


def test_ingest_counts_what_is_new(run_json: Any, notes: Path) -> None:
    found = run_json("ingest", str(notes))
    assert found["documents"] == 2
    assert found["conversations"] == found["messages"] == 0
    assert found["chunks"] == 3
    assert found["skipped"] == found["refused"] == []
    assert "files" not in found


def test_ingest_again_takes_nothing(run: Any, run_json: Any, notes: Path) -> None:
    run_json("ingest", str(notes))
    found = run_json("ingest", str(notes))
    assert found["documents"] == found["chunks"] == 0
    assert {entry["reason"] for entry in found["skipped"]} == {"unchanged"}
    listed = run("ingest", "-v", str(notes))
    assert "skipped: 2 files" in listed.stderr
    assert f"skipped: {notes / 'dog.txt'}: unchanged" in listed.stderr


def test_a_refused_file_costs_one_line_and_nothing_else(run: Any, notes: Path) -> None:
    (notes / "broken.json").write_text('{"messages": [')
    result = run("ingest", str(notes))
    assert result.exit_code == 3
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("refused: ")]
    assert line.startswith(f"refused: {notes / 'broken.json'}: ")
    assert "new: 2 documents" in result.stdout


def test_what_was_passed_over_can_be_asked_for(run: Any, run_json: Any, notes: Path) -> None:
    """Files with their reasons, until they come in or are gone; nothing of a name that means nothing."""
    broken, empty = notes / "broken.json", notes / "empty.md"
    broken.write_text('{"messages": [')
    empty.write_text("")
    with zipfile.ZipFile(notes / "a.zip", "w") as archive:
        archive.writestr("a.md", "The pear tree is tall.")
        archive.writestr(".secret", "x")
    run("ingest", str(notes))
    run("ingest", str(notes / "nowhere"))
    found = run_json("show", "--skipped")
    assert {Path(entry["source"]).name: entry["reason"] for entry in found} == {
        ".secret": "hidden",
        "broken.json": "JSON that is no chat export of a known form",
        "empty.md": "empty",
    }
    assert f"empty: {empty}\n" in run("show", "--skipped", "empty.md").stdout
    assert len(run_json("show", "--skipped", str(notes))) == 3
    assert run("show", "--skipped", "nothing.md").exit_code == 1
    broken.unlink()
    empty.write_text("The window is round.")
    run("ingest", str(notes))
    (left,) = run_json("show", "--skipped")
    assert left["source"] == f"{notes / 'a.zip'}!/.secret"
    run("forget", "--yes", "a.zip")
    assert run_json("show", "--skipped") == []


def test_a_path_that_is_not_there_is_refused(run: Any, tmp_path: Path) -> None:
    result = run("ingest", str(tmp_path / "nowhere"), "--json")
    assert result.exit_code == 3
    (refused,) = json.loads(result.stdout)["refused"]
    assert refused["path"] == str(tmp_path / "nowhere")


def test_dry_run_stores_nothing(run: Any, run_json: Any, notes: Path, home: Path) -> None:
    found = run_json("ingest", "--dry-run", str(notes))
    assert {Path(file["path"]).name for file in found["files"]} == {"house.md", "dog.txt"}
    assert set(found["files"][0]) == {
        "path",
        "format",
        "documents",
        "conversations",
        "messages",
        "speakers",
        "first",
        "last",
        "left_out",
    }
    assert "would read: 2 documents" in run("ingest", "--dry-run", str(notes)).stdout
    assert not home.exists()


def test_sources_are_listed(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", str(notes))
    found = run_json("sources")
    assert {source["path"] for source in found} == {
        str(notes / "house.md"),
        str(notes / "dog.txt"),
    }
    listed = run("sources").stdout
    assert str(notes / "house.md") in listed  # not cut, however long


def test_search_finds_and_says_where(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", str(notes))
    found = run_json("search", "who services the boiler?")
    assert set(found[0]) == {
        "source",
        "title",
        "chunk",
        "snippet",
        "score",
        "trust",
        "kept_back",
    }
    assert found[0]["trust"] == "own"
    assert found[0]["source"] == str(notes / "house.md")
    assert "Harald Immer" in run("search", "who", "services", "the", "boiler").stdout
    nothing = run("search", "xylophone")
    assert nothing.exit_code == 0
    assert nothing.stderr == "nothing found\n"
    assert len(run_json("search", "boiler dog pear", "--limit", "1")) == 1


def test_forget_asks_nobody_behind_a_pipe(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", str(notes))
    result = run("forget", "dog.txt", input="y\n")
    assert result.exit_code == 1
    assert result.stderr == "error: this would forget 1 source for good\n\nhint: add `--yes`\n"
    assert len(run_json("sources")) == 2


def test_forget_asks_on_a_terminal(
    run: Any, run_json: Any, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("ingest", str(notes))
    monkeypatch.setattr("learnctl.cli.forgetting.is_terminal", lambda stream: True)
    assert run("forget", "dog.txt", input="n\n").exit_code == 1
    assert len(run_json("sources")) == 2
    assert run("forget", "dog.txt", input="y\n").exit_code == 0
    assert len(run_json("sources")) == 1


def test_forget(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", str(notes))
    meant = run_json("forget", "dog.txt", "house.md", str(notes), "--dry-run")
    assert (meant["sources"], meant["chunks"]) == (2, 3)
    assert len(run_json("sources")) == 2
    gone = run_json("forget", "dog.txt", "--yes")
    assert gone == {
        "sources": 1,
        "documents": 1,
        "chunks": 1,
        "samples": 0,
        "versions_deleted": [],
        "version": 0,
    }
    assert run_json("search", "Quimby") == []
    assert "forgotten: 1 source, 1 document" in run("forget", str(notes), "--yes").stdout
    assert run("forget", "dog.txt", "--yes").exit_code == 1


def test_forget_takes_no_file_of_another_folder_unasked(
    run: Any, run_json: Any, notes: Path, tmp_path: Path
) -> None:
    """Where several are called so, `--yes` takes none; a path and a number say which, and a dry run shows them."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "dog.txt").write_text("The neighbour's dog is called Barnaby.\n")
    run("ingest", str(notes), str(other))
    refused = run("forget", "dog.txt", "--yes")
    assert refused.exit_code == 1
    assert "`dog.txt` is the name of 2 sources" in refused.stderr
    assert run_json("forget", "dog.txt", "--dry-run")["sources"] == 2
    assert run_json("forget", str(other / "dog.txt"), "--yes")["sources"] == 1
    assert run_json("forget", "dog.txt", "--yes")["sources"] == 1


@pytest.mark.parametrize("by", ["number", "path", "link", "folder", "name"])
def test_forget_takes_a_file_by_all_its_paths(
    run: Any, run_json: Any, notes: Path, tmp_path: Path, by: str
) -> None:
    """It was taken in through a link, too: one of both would leave its text to the other."""
    link = tmp_path / "link"
    link.symlink_to(notes)
    run("ingest", str(notes))
    run("ingest", str(link))
    number = next(s["id"] for s in run_json("sources") if s["path"] == str(link / "dog.txt"))
    named = {
        "number": str(number),
        "path": str(notes / "dog.txt"),
        "link": str(link / "dog.txt"),
        "folder": str(link),
        "name": "dog.txt",
    }
    run("forget", named[by], "--yes")
    assert run_json("search", "Quimby") == []
    assert len(run_json("sources")) == (0 if by == "folder" else 2)


def test_forget_says_what_is_only_called_so(run: Any, notes: Path) -> None:
    """A file whose path alone has the words stays: its number or path takes it back."""
    (notes / "tangerine.md").write_text("# Tea\n\nIt was green.\n")
    run("ingest", str(notes))
    only = run("forget", "--matching", "tangerine", "--yes")
    assert only.exit_code == 1
    assert f"called so, and stays: {notes / 'tangerine.md'}" in only.stderr
    (notes / "fruit.md").write_text("# Fruit\n\nA tangerine.\n")
    run("ingest", str(notes))
    both = run("forget", "--matching", "tangerine", "--yes").stdout
    assert "forgotten: 1 source" in both
    assert f"called so, and stays: {notes / 'tangerine.md'}" in both


def test_forget_by_words(run: Any, run_json: Any, notes: Path) -> None:
    """The dry run shows the passages and forgets none; then they are gone, and stay away until lifted."""
    run("ingest", str(notes))
    meant = run_json("forget", "--matching", "pear tree", "--dry-run")
    assert (meant["passages"], meant["sources"], meant["versions_deleted"]) == (1, 0, [])
    assert "The pear tree was planted" in run("forget", "--matching", "pear", "--dry-run").stdout
    assert run_json("search", "pear")
    assert run("forget", "--matching", "pear tree").exit_code == 1  # nobody to ask
    gone = run_json("forget", "--matching", "pear tree", "--yes")
    assert (gone["passages"], gone["version"]) == (1, 0)
    assert run("forget", "--matching", "pear tree", "--yes").exit_code == 1
    run("ingest", str(notes))
    assert run_json("search", "pear") == []
    assert run("forget", "--matching", "pear tree", "--lift").exit_code == 0
    run("ingest", str(notes))
    assert run_json("search", "pear")


@pytest.mark.parametrize(
    "args", [[], ["dog.txt", "--person", "Ann"], ["dog.txt", "--lift"], ["--since", "soon"]]
)
def test_forget_wants_sources_or_a_rule(run: Any, notes: Path, args: list[str]) -> None:
    run("ingest", str(notes))
    assert run("forget", *args).exit_code == 2


def test_status(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", str(notes))
    found = run_json("status")
    assert set(found) == {
        "sources",
        "documents",
        "conversations",
        "messages",
        "chunks",
        "new_tokens",
        "version",
        "known",
        "me",
        "learned",
        "night_minutes",
        "nights_to_go",
        "pace_is_measured",
        "set_aside",
        "written",
    }
    assert (found["sources"], found["documents"], found["version"]) == (2, 2, 0)
    assert found["known"] is None
    assert found["new_tokens"] > 0
    shown = run("status").stdout
    assert "2 sources, 2 documents" in shown
    assert "the base, untouched" in shown
    assert "learned     0% of what you gave, about 1 night to go at 30 minutes" in shown


def test_status_tells_what_no_night_could_teach(
    run: Any, run_json: Any, notes: Path, home: Path, diary: Any
) -> None:
    run("ingest", str(notes))
    with Store.open(Home(home)) as store:
        chunk = diary(store).chunk("dog.txt")
        diary(store).night([chunk], {}, {}, promoted=False)
        set_aside(store, 1, {chunk}, "it learned too little")
    dog = str(notes / "dog.txt")
    assert run_json("status")["set_aside"] == [{"path": dog, "chunks": 1}]
    assert f"set aside   1 passage of {dog}: no night could teach it" in run("status").stdout


def test_status_tells_what_the_checks_dropped(
    run: Any, run_json: Any, notes: Path, home: Path
) -> None:
    run("ingest", str(notes))
    assert "dropped" not in run("status").stdout
    with Store.open(Home(home)) as store:
        count(store, "pairs", Checked(3, 1))
        count(store, "pairs", Checked(2, 2))
        count(store, "questions", Checked(1200, 400))
    assert run_json("status")["written"]["pairs"] == {"written": 5, "dropped": 3}
    assert "400 of 1,200 questions, 3 of 5 pairs that the base wrote" in run("status").stdout


def test_history_of_nothing_and_nowhere_to_go_back_to(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", str(notes))
    assert run_json("history") == []
    assert "no versions yet" in run("history").stderr
    assert run("rollback").exit_code == 1
    assert run("rollback", "7").exit_code == 1
    assert run_json("rollback", "base") == {"version": 0}


def test_history(run: Any, run_json: Any, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    common = {"created": "2026-11-20T03:00:00+00:00", "level": "slow", "parent": 0}
    versions = [
        {
            **common,
            "version": 2,
            "run": 30,
            "in_service": True,
            "recall": {"new": {"before": 0.0, "after": 0.5, "n": 12}, "old": None},
            "divergence": 0.257,
            "state": "ok",
        },
        {
            **common,
            "version": 1,
            "run": 20,
            "in_service": False,
            "recall": None,
            "divergence": None,
            "state": "stale",
        },
    ]
    monkeypatch.setattr("learnctl.trainer.registry.history", lambda store: versions)
    run("ingest", str(notes))
    assert run_json("history") == versions
    head, second, first = run("history").stdout.splitlines()
    assert "recall of new" in head
    assert second.split()[:2] == ["30", "2"]
    assert "in service" in second
    assert "0% → 50% of 12" in second
    assert "0.26" in second
    assert "stale" in first


def test_history_tells_of_runs_that_were_refused(
    run: Any, run_json: Any, notes: Path, home: Path, diary: Any
) -> None:
    run("ingest", str(notes))
    with Store.open(Home(home)) as store:
        nights = diary(store)
        dog = nights.chunk("dog.txt")
        nights.night(
            [dog], {}, {}, promoted=False, reason="it is too far from the base " + "x" * 99
        )
        assert "no versions yet" in run("history").stderr
        nights.night([dog], {}, {})
        nights.night([dog], {}, {}, promoted=False, reason="no finite loss")
        store.db.execute("UPDATE runs SET state = 'failed' WHERE id = 3")
    _, third, second, first = run("history").stdout.splitlines()
    assert third.split()[:2] == ["3", "–"]
    assert third.rstrip().endswith("  failed: no finite loss")
    assert second.split()[:2] == ["2", "1"]
    assert "  refused: it is too far from the base xx" in first
    assert first.rstrip().endswith("xx…")
    assert [version["run"] for version in run_json("history")] == [2]


def test_show_leads_from_a_source_to_its_chunks(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", str(notes))
    shown = run("show", "house.md").stdout
    assert "House › Garden" in shown
    (garden,) = [line for line in shown.splitlines() if "pear tree" in line]
    name = garden.split()[0]
    assert f"from {notes / 'house.md'}:7" in run("show", name).stdout
    assert run_json("show", name)["origins"][0]["line"] == 7
    for wrong in ("nothing.md", "chunk:99", "chunk:x", "sample:1"):
        result = run("show", wrong)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")


def test_show_asks_which_source_is_meant(run: Any, notes: Path) -> None:
    run("ingest", str(notes))
    result = run("show", str(notes))
    assert result.exit_code == 1
    assert "means 2 sources" in result.stderr


def test_search_in_a_part(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", str(notes))
    assert run_json("search", "boiler dog", "--source", "dog.txt")[0]["source"].endswith("dog.txt")
    assert run_json("search", "boiler", "--speaker", "Anna") == []
    assert run_json("search", "boiler", "--kind", "said") == []
    for wrong in (["--kind", "poem"], ["--since", "yesterday"]):
        assert run("search", "boiler", *wrong).exit_code == 2


def test_check_says_what_is_wrong_and_mends_it(run: Any, run_json: Any, notes: Path) -> None:
    from learnctl.memory.home import find_home

    run("ingest", str(notes))
    assert run("check").stdout == "all is whole\n"
    home = find_home()
    home.config.touch()
    home.config.chmod(0o644)
    found = run("check")
    assert (found.exit_code, len(found.stdout.splitlines())) == (1, 1)
    assert "mode 0644" in found.stdout
    assert len(run_json("check", "--repair")["repaired"]) == 1
    assert run_json("check") == {"faults": [], "repaired": []}


def test_backup_and_restore(run: Any, run_json: Any, notes: Path, tmp_path: Path) -> None:
    run("ingest", str(notes))
    saved = str(tmp_path / "saved.zip")
    assert run_json("backup", saved)["files"] == 1
    assert run("backup", saved).exit_code == 1
    run("forget", "dog.txt", "--yes")
    assert run("restore", saved).exit_code == 1
    assert run_json("restore", saved, "--yes")["sources"] == 2
    assert run_json("search", "Quimby")
    broken = run("restore", str(notes / "dog.txt"), "--yes")
    assert (broken.exit_code, broken.stderr.count("\n")) == (1, 1)


def test_export(run: Any, notes: Path, tmp_path: Path) -> None:
    run("ingest", str(notes))
    lines = [json.loads(line) for line in run("export").stdout.splitlines()]
    assert [line["type"] for line in lines] == ["source", "source", "document", "document"]
    folder = tmp_path / "out"
    assert run("export", "--to", str(folder)).exit_code == 0
    assert len((folder / "documents.jsonl").read_text().splitlines()) == 2
    assert run("export", "--to", str(folder)).exit_code == 1


def test_a_folder_is_watched_until_it_is_not(run: Any, run_json: Any, notes: Path) -> None:
    assert run_json("ingest", "--watch", str(notes))["documents"] == 2
    (watched,) = run_json("sources", "--watched")
    assert (watched["path"], watched["there"]) == (str(notes), True)
    assert str(notes) in run("sources", "--watched").stdout
    run_json("trust", str(notes), "untrusted")
    assert run_json("sources", "--watched")[0]["trust"] == "untrusted"
    assert run("ingest", "--unwatch", str(notes)).exit_code == 0
    assert run_json("sources", "--watched") == []
    assert run("ingest", "--unwatch", str(notes)).exit_code == 1
    assert run("ingest", "--watch", "--unwatch", str(notes)).exit_code == 2


def test_what_is_piped_in(run: Any, run_json: Any) -> None:
    assert run("ingest", "-", "--name", "Letter", input="The stove is old.\n").exit_code == 0
    assert run_json("search", "stove")[0]["source"] == "stdin:Letter"


def test_an_empty_path_is_not_the_folder_one_stands_in(
    run: Any, run_json: Any, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(notes)
    assert run("ingest", "").exit_code == 2
    assert run("ingest", "dog.txt", "").exit_code == 2
    assert run("ingest", ".").exit_code == 0
    assert len(run_json("sources")) == 2


def test_a_passage_that_is_not_there_is_not_let_in(run: Any, notes: Path) -> None:
    run("ingest", str(notes))
    result = run("trust", "chunk:1", "chunk:999")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no passage chunk:999" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("search", "boiler", "--limit", "9" * 30),
        ("show", "chunk:" + "9" * 30),
        ("trust", "chunk:" + "9" * 30),
    ],
)
def test_numbers_that_no_store_holds(run: Any, notes: Path, args: tuple[str, ...]) -> None:
    run("ingest", str(notes))
    result = run(*args)
    assert (result.exit_code, result.stderr) == (1, "error: a number that is too large\n")


@pytest.mark.parametrize(
    "args",
    [
        ("forget", "--person", "", "--since", "2024-03", "--yes"),
        ("forget", "--person", "Ann", "--since", "", "--yes"),
        ("forget", "--matching", " ", "--until", "2024", "--yes"),
        ("forget", "--person", "Ann", "--lift", "--dry-run"),
        ("search", "heron", "--speaker", ""),
        ("trust", "chunk:1", "untrusted"),
        ("trust", "chunk:1", "birds.md"),
        ("ingest", "--watch", "-"),
    ],
    ids=" ".join,
)
def test_less_than_was_meant_is_refused(run: Any, notes: Path, args: tuple[str, ...]) -> None:
    """An unset variable of a shell forgets nobody else, and a passage that is said to be untrusted is not let in."""
    run("ingest", str(notes))
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert run("status").exit_code == 0


def test_unwatch_says_so(run: Any, run_json: Any, notes: Path) -> None:
    run("ingest", "--watch", str(notes))
    assert run_json("ingest", "--unwatch", str(notes)) == {"unwatched": [str(notes)]}


def test_a_plan_names_what_is_looked_at_first(run: Any, notes: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run("ingest", "--watch", str(tmp_path / "empty"))
    assert "1 watched folder will be looked at first" in run("consolidate", "--dry-run").stderr
