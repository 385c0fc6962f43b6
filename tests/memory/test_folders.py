"""Watched folders, patterns, what is piped in, and files that are too large."""

import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.folders import vanished
from learnctl.memory.forget import forget_sources
from learnctl.memory.globs import matcher
from learnctl.memory.home import Home
from learnctl.memory.ingest import FORGOTTEN, IngestReport, ingest, look
from learnctl.memory.piped import piped
from learnctl.memory.store import Store
from learnctl.memory.trust import set_trust
from learnctl.memory.walk import OWN_FOLDER
from learnctl.memory.watched import ABSENT, take_in_watched, unwatch, watch, watched
from learnctl.trainer.options import set_config


def names(store: Store) -> list[str]:
    return [Path(row["path"]).name for row in store.sources()]


def test_watched_folders_are_looked_through_again(store: Store, folder: Path) -> None:
    """What is new comes in, what is gone is named and kept, and a folder that is away costs a line."""
    (folder / "a.txt").write_text("The lamp is green.")
    stick = folder.parent / "stick"
    stick.mkdir()
    (stick / "b.txt").write_text("The chair is red.")
    watch(store, [folder, stick])
    watch(store, [folder / ".." / folder.name])
    assert [Path(row["path"]).name for row in watched(store)] == [folder.name, "stick"]
    assert take_in_watched(store).documents == 2
    (folder / "c.txt").write_text("The table is blue.")
    stick.rename(folder.parent / "away")
    report = take_in_watched(store)
    assert report.documents == 1
    assert {"path": str(stick), "reason": ABSENT} in report.skipped
    assert report.refused == []
    assert names(store) == ["a.txt", "b.txt", "c.txt"]
    unwatch(store, [stick])
    assert [row["path"] for row in watched(store)] == [str(folder)]
    assert names(store) == ["a.txt", "b.txt", "c.txt"]


def test_a_file_that_was_forgotten_stays_out_of_the_night(store: Store, folder: Path) -> None:
    """Neither its path, whatever is in it now, nor its bytes under another name come in again, until
    somebody asks for it; nor does the store say what was forgotten."""
    file = folder / "a.txt"
    (folder / "b.txt").write_text("The chair is red.")
    file.write_text("The lamp is green.")
    watch(store, [folder])
    take_in_watched(store)
    forget_sources(store, [store.find_sources("a.txt")[0]["id"]])
    (folder / "copy.txt").write_text("The lamp is green.")
    report = take_in_watched(store)
    kept_out = [entry["path"] for entry in report.skipped if entry["reason"] == FORGOTTEN]
    assert kept_out == [str(file), str(folder / "copy.txt")]
    file.write_text("The lamp is yellow.")
    assert take_in_watched(store).documents == 0
    assert names(store) == ["b.txt"]
    assert b"a.txt" not in store.home.database.read_bytes()
    ingest(store, [file])
    file.write_text("The lamp is white.")
    assert take_in_watched(store).documents == 1
    assert names(store) == ["b.txt", "a.txt"]


def test_what_is_said_of_a_watched_folder_holds_for_its_later_files(
    store: Store, folder: Path
) -> None:
    """Of the night and of a plain ingest; what is said of one file or of a folder within goes before."""

    def write_and_take(name: str, take_in: Callable[[], IngestReport]) -> tuple[str, str]:
        (folder / name).write_text(f"The lamp of {name} is green.")
        take_in()
        row = store.row("SELECT trust, learn FROM sources WHERE path = ?", str(folder / name))
        assert row
        return row["trust"], row["learn"]

    night = partial(take_in_watched, store)
    watch(store, [folder])
    assert write_and_take("a.txt", night) == ("own", "facts")
    ingest(store, [folder], trust="untrusted", learn="voice")
    assert write_and_take("b.txt", night) == ("untrusted", "voice")
    assert write_and_take("c.txt", partial(ingest, store, [folder])) == ("untrusted", "voice")
    set_trust(store, [store.find_sources("c.txt")[0]["id"]], "known")
    assert write_and_take("c.txt", night) == ("known", "voice")
    (folder / "sub").mkdir()
    watch(store, [folder / "sub", folder])
    ingest(store, [folder / "sub"], trust="known")
    assert write_and_take("sub/d.txt", night) == ("known", "voice")
    assert write_and_take("e.txt", night) == ("untrusted", "voice")
    one = partial(ingest, store, [folder / "f.txt"], trust="own")
    assert write_and_take("f.txt", one) == ("own", "voice")
    assert write_and_take("g.txt", night) == ("untrusted", "voice")


def test_only_folders_are_watched(store: Store, folder: Path) -> None:
    (folder / "a.txt").write_text("The lamp is green.")
    for path in (folder / "a.txt", folder / "nowhere"):
        with pytest.raises(LearnctlError, match="no folder"):
            watch(store, [folder, path])
    with pytest.raises(LearnctlError, match="not watched"):
        unwatch(store, [folder])
    assert watched(store) == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.md", {"a.md"}),
        ("**/*.md", {"a.md", "sub/b.md", "sub/deep/c.md"}),
        ("*/*.md", {"sub/b.md"}),
        ("sub", {"sub/b.md", "sub/d.txt", "sub/deep/c.md"}),
        ("s*", {"sub/b.md", "sub/d.txt", "sub/deep/c.md"}),
        ("[!a].md", set()),
        ("?.md", {"a.md"}),
        ("sub/**", {"sub/b.md", "sub/d.txt", "sub/deep/c.md"}),
        ("**/d.*", {"sub/d.txt"}),
        ("*.pdf", set()),
    ],
)
def test_patterns(store: Store, folder: Path, pattern: str, expected: set[str]) -> None:
    """Hidden and ignored files stay out; what nothing is called after is refused."""
    for name in ("a.md", "sub/b.md", "sub/deep/c.md", "sub/d.txt", "sub/.e.md", "sub/x.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"This is {name}.")
    (folder / "sub/.learnctlignore").write_text("x.md\n")
    report = ingest(store, [folder / pattern])
    found = {str(Path(row["path"]).relative_to(folder)) for row in store.sources()}
    assert found == expected
    assert len(report.refused) == (not expected)


def test_signs_in_a_pattern_are_no_code() -> None:
    assert matcher(Path("/a/(b+)[c].md")).fullmatch("/a/(b+)c.md")
    assert not matcher(Path("/a/*.md")).fullmatch("/a/b/c.md")
    assert not matcher(Path("/a/*.md")).fullmatch("/a/bxmd")


@pytest.mark.parametrize(
    ("pattern", "meant", "others"),
    [
        ("[a-c]", "b", "d"),
        ("[z-a]", "", "za-"),
        ("[z-aq]", "q", "za-"),
        ("[!z-a]", "q", "/"),
        ("[+--]", "+,-", "."),
        ("[a&&b||c~~d]", "a&b|c~d", "e"),
        ("[[^]", "[^", "a"),
        ("[!a-c]", "d^", "b/"),
    ],
)
def test_sets_of_signs_in_a_pattern(pattern: str, meant: str, others: str) -> None:
    matches = matcher(Path(f"/{pattern}"))
    assert all(matches.fullmatch(f"/{sign}") for sign in meant)
    assert not any(matches.fullmatch(f"/{sign}") for sign in others)


def test_a_pattern_or_user_that_means_nothing_ends_no_batch(store: Store, folder: Path) -> None:
    (folder / "a.txt").write_text("The lamp is green.")
    odd = [folder / "[z-a]*", Path("~nobody-of-this-name/a.txt")]
    report = ingest(store, [*odd, folder])
    assert report.documents == 1
    assert [line["reason"] for line in report.refused] == [
        "nothing is called so",
        "there is no such file or folder",
    ]


def test_a_file_whose_name_has_signs_is_meant_itself(store: Store, folder: Path) -> None:
    (folder / "[draft]*.txt").write_text("The lamp is green.")
    assert ingest(store, [folder / "[draft]*.txt"]).documents == 1


def take_piped(store: Store, text: bytes, name: str) -> Any:
    with piped(io.BytesIO(text), name) as entry:
        return ingest(store, [], piped=[entry])


def test_what_is_piped_in_is_a_source_by_its_name(store: Store, home: Path) -> None:
    """The same again is unchanged, other text takes its place, and no file is left of it."""
    assert take_piped(store, b"The lamp is green.", "Letter 1/2").documents == 1
    (source,) = store.sources()
    assert source["path"] == "stdin:Letter 1/2"
    assert store.value("SELECT title FROM documents") == "Letter 1-2"
    again = take_piped(store, b"The lamp is green.", "Letter 1/2")
    assert again.skipped == [{"path": "stdin:Letter 1/2", "reason": "unchanged"}]
    take_piped(store, b"The chair is red.", "Letter 1/2")
    assert [row["text"] for row in store.rows("SELECT text FROM chunks")] == ["The chair is red."]
    assert vanished(store, [Path("/")]) == []
    assert take_piped(store, b"The chair is red.", "../../x").documents == 1
    assert [row["path"] for row in store.sources()][1] == "stdin:../../x"


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02\x01\x01\0\0\0"])
def test_what_cannot_be_read_is_named_as_piped(store: Store, content: bytes) -> None:
    report = take_piped(store, content, "x")
    assert [line["path"] for line in report.skipped + report.refused] == ["stdin:x"]
    assert store.sources() == []


def test_a_dry_run_of_what_is_piped_in() -> None:
    with piped(io.BytesIO(b"The lamp is green."), "Letter") as entry:
        (file,) = look([], piped=[entry]).files
    assert (file["path"], file["documents"]) == ("stdin:Letter", 1)


def test_files_that_are_too_large_are_refused(store: Store, folder: Path) -> None:
    """By a setting, which says how to allow more; none of it is read in."""
    (folder / "large.txt").write_text("The lamp is green. " * 80_000)
    (folder / "small.txt").write_text("The chair is red.")
    set_config(store.home, "max_file_mb", "1")
    for report in (ingest(store, [folder]), look([folder], home=store.home)):
        (line,) = report.refused
        assert line["path"] == str(folder / "large.txt")
        assert line["reason"].startswith("larger than 1 MB; `learnctl config set max_file_mb")
    assert names(store) == ["small.txt"]
    set_config(store.home, "max_file_mb", "2")
    assert ingest(store, [folder]).refused == []


def test_many_given_files_are_looked_up_once_for_each_source(store: Store, folder: Path) -> None:
    """The calls are counted: with every source held against every given path, four times as many would be
    made for twice as many files."""
    columns = "path, root, format, sha256, n_bytes, ingested_at"
    given: list[Path] = []
    n_calls = []
    for n_files in (100, 200):
        for number in range(len(given), n_files):
            row = (str(folder / f"gone{number}.txt"), str(folder), "text", "", 1, "")
            store.db.execute(f"INSERT INTO sources ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)
            given.append(folder / f"{number}.txt")
            given[-1].touch()
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            found = vanished(store, [*given, folder / "gone7.txt"])
        finally:
            sys.setprofile(None)
        assert found == []
        n_calls.append(calls)
    assert n_calls[1] < 2.5 * n_calls[0]
    assert len(vanished(store, [*given, folder])) == 200


def test_the_home_is_no_source(folder: Path) -> None:
    """Under whatever name the folder is met in which the store lies; what it stands beside comes in."""
    (folder / "a.txt").write_text("The lamp is green.")
    (folder / "home").mkdir()
    (folder / "other").symlink_to(folder, target_is_directory=True)
    home = Home(folder / "other/home")
    with Store.open(home, create=True) as store:
        home.config.write_text('redact = "contacts"')
        (home.path / "nights").mkdir()
        (home.path / "nights/1.txt").write_text("The chair is red.")
        for given in (folder, folder / "*", folder / "home"):
            for report in (ingest(store, [given]), look([given], home=home)):
                skipped = {line["path"]: line["reason"] for line in report.skipped}
                assert skipped[str(folder / "home")] == OWN_FOLDER
        assert names(store) == ["a.txt"]
