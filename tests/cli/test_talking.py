"""ask, chat and compare, with a model that repeats what it is given."""

import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import filelock
import pytest

from learnctl.cli.app import app
from learnctl.memory.home import Home
from learnctl.memory.store import Store
from learnctl.trainer import chats
from learnctl.trainer.wordings import not_known


class Parrot:
    """Stands for `Talker`; what it was asked is kept in `heard`."""

    heard: ClassVar[list[list[dict[str, str]]]] = []
    stop_after: ClassVar[int | None] = None
    loaded: ClassVar["weakref.WeakSet[Parrot]"] = weakref.WeakSet()

    def __init__(self, version: int) -> None:
        self.version = version
        self.loaded.add(self)

    @classmethod
    def open(cls, store: object, options: object, version: int | None = None) -> "Parrot":
        return cls(2 if version is None else version)

    def switch(self, store: object, options: object, version: int) -> bool:
        self.version = version
        return True

    def n_tokens(self, messages: list[dict[str, str]]) -> int:
        return sum(len(message["content"].split()) for message in messages)

    def room(self, max_tokens: int) -> int:
        return 4096 - max_tokens

    def is_learned(self, messages: list[dict[str, str]], *_: object) -> bool:
        return "guess" in messages[-1]["content"]

    def likeliest(self, *_: object) -> dict[str, float]:
        return {"Ottilie sells violins.": -1.0}

    def bearing(self, question: str, texts: list[str]) -> list[float]:
        return [0.0] * len(texts)

    led_to = bearing

    def stream(self, messages: list[dict[str, str]], *_: object) -> Iterator[str]:
        self.heard.append([dict(message) for message in messages])
        yield f"v{self.version}: "
        if self.stop_after is not None:
            raise KeyboardInterrupt
        yield messages[-1]["content"].splitlines()[-1].removeprefix("With these notes, answer: ")

    def answer(self, messages: list[dict[str, str]], max_tokens: int = 256) -> str:
        return "".join(self.stream(messages, max_tokens))


@pytest.fixture(autouse=True)
def parrot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("learnctl.trainer.backend.open_talker", Parrot.open)
    monkeypatch.setattr(Parrot, "heard", [])


@pytest.fixture(autouse=True)
def store(run: Any, notes: Path, home: Path, diary: Any) -> None:
    """Notes are there, and version 2 is in service."""
    run("ingest", str(notes))
    with Store.open(Home(home)) as store:
        for _ in range(2):
            diary(store).night([], {}, {})
        learned = "json_set(report, '$.least_backed', 0.5, '$.least_bearing', 4.6)"
        store.db.execute(f"UPDATE runs SET report = {learned}")


@pytest.fixture
def logged(home: Path) -> Callable[[], list[tuple[str, str]]]:
    """Looks up what was said in all the chats that are kept."""

    def look() -> list[tuple[str, str]]:
        with Store.open(Home(home)) as store:
            return [
                (message["role"], message["text"])
                for chat in reversed(chats.chats(store))
                for message in chats.messages(store, chat["chat"])
            ]

    return look


PEAR = "When was the pear tree planted?"
PEAR_SOURCE = "sources: House › Garden (house.md, looked up)\n"


def test_ask(run: Any, logged: Any) -> None:
    result = run("ask", PEAR)
    assert result.exit_code == 0
    assert result.stdout == f"v2: {PEAR}\n"
    assert result.stderr == PEAR_SOURCE
    assert "The pear tree was planted in 2009." in Parrot.heard[0][-1]["content"]
    assert logged() == []


def test_ask_json(run: Any, logged: Any, notes: Path) -> None:
    found = json.loads(run("ask", PEAR, "--json").stdout)
    assert found["answer"] == f"v2: {PEAR}"
    assert found["version"] == 2
    assert [source["source"] for source in found["sources"]] == [str(notes / "house.md")]
    assert (found["learned"], [source["known"] for source in found["sources"]]) == (False, [False])


def test_ask_says_what_was_learned(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = "The pear tree was planted in 2009."
    monkeypatch.setattr(Parrot, "likeliest", lambda *_: {planted: -1.0})
    monkeypatch.setattr(Parrot, "bearing", lambda _, question, texts: [9.0] * len(texts))
    guess = "Can you guess when the pear tree was planted?"
    result = run("ask", "--no-retrieval", guess)
    assert (result.stdout, result.stderr) == (f"{planted}\n", "learned by version 2\n")
    assert run("ask", guess).stderr == f"learned by version 2; {PEAR_SOURCE}"
    assert json.loads(run("ask", guess, "--json").stdout)["learned"]


def test_ask_what_nothing_bears_out(run: Any) -> None:
    asked = ("ask", "--no-retrieval", "--json", "Can you guess this?")
    assert json.loads(run(*asked).stdout)["answer"] == not_known("en")
    drawn = run(*asked, "-o", "temperature=0.5").stdout
    assert json.loads(drawn)["answer"] == "v2: Can you guess this?"


def test_ask_the_weights_alone(run: Any, logged: Any) -> None:
    result = run("ask", "When?", "--no-retrieval", "--version", "base", "-s", "Be brief", "--json")
    assert json.loads(result.stdout) == {
        "answer": "v0: When?",
        "version": 0,
        "learned": False,
        "sources": [],
    }
    assert Parrot.heard == [
        [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "When?"}]
    ]


@pytest.mark.parametrize("args", [(), ("-",)])
def test_ask_through_a_pipe(run: Any, logged: Any, args: tuple[str, ...]) -> None:
    assert run("ask", *args, "--no-retrieval", input="Who?\n").stdout == "v2: Who?\n"


def test_piped_text_goes_first(run: Any, logged: Any) -> None:
    run("ask", "--no-retrieval", "Who wrote this?", input="Dear Ann,\n")
    assert Parrot.heard[0][-1]["content"] == "Dear Ann,\n\nWho wrote this?"


def test_bytes_that_are_no_text(run: Any, logged: Any) -> None:
    """The command line holds them as lone surrogates, which no store takes."""
    assert run("ask", "--log", "--no-retrieval", "caf\udcff?").stdout == "v2: caf\ufffd?\n"
    assert logged()[0] == ("user", "caf\ufffd?")
    for args in (("search",), ("knows",), ("forget", "--yes", "--matching"), ("forget", "--yes")):
        assert "Unicode" not in run(*args, "caf\udcff").stderr


def test_ask_nothing(run: Any, logged: Any) -> None:
    assert run("ask", "-", input=" \n").exit_code == 2


def test_ask_is_logged_when_told_to(run: Any, logged: Any) -> None:
    run("ask", "--log", "--no-retrieval", "When?")
    assert logged() == [("user", "When?"), ("assistant", "v2: When?")]


def test_chat_through_a_pipe(run: Any, logged: Any) -> None:
    result = run("chat", input=f"First\n\n  {PEAR} \nAnd the pear tree?\n")
    assert result.exit_code == 0
    assert result.stdout == f"v2: First\nv2: {PEAR}\nv2: And the pear tree?\n"
    assert result.stderr == PEAR_SOURCE
    # What the conversation has shown already is not shown again.
    first, shown, *_, last = (message["content"] for message in Parrot.heard[2])
    assert (first, last) == ("First", "And the pear tree?")
    assert Parrot.heard[2][2]["content"].startswith("From my notes:")
    assert shown == "v2: First"
    assert logged() == [
        ("user", "First"),
        ("assistant", "v2: First"),
        ("user", PEAR),
        ("assistant", f"v2: {PEAR}"),
        ("user", "And the pear tree?"),
        ("assistant", "v2: And the pear tree?"),
    ]


def test_chat_off_the_record(run: Any, logged: Any) -> None:
    run("chat", "--no-log", input="First\n/good\n/bad Second\n")
    assert logged() == []
    assert "Second" not in run("sources").stdout


def test_chat_commands(run: Any) -> None:
    result = run(
        "chat",
        "--no-log",
        input=f"/sources\nHello\n/sources\n{PEAR}\n/sources\n/version\n/help\n/what\n/exit\nNever\n",
    )
    assert result.stdout == f"v2: Hello\nv2: {PEAR}\n"
    assert "from the weights of version 2 alone" in result.stderr
    assert "The pear tree was planted in 2009." in result.stderr
    assert "version 2 (there are: base, 1, 2)\n" in result.stderr
    assert "/exit" in result.stderr
    assert "no command `/what`" in result.stderr


def test_what_was_asked_is_taken_back_and_asked_anew(run: Any, logged: Any) -> None:
    result = run("chat", "--no-retrieval", input="/undo\nOne\n/undo\nTwo\n/edit Three\n/retry\n")
    assert "nothing was asked yet" in result.stderr
    assert "taken back: One" in result.stderr
    assert logged() == [("user", "Three"), ("assistant", "v2: Three")]
    assert [heard[-1]["content"] for heard in Parrot.heard] == ["One", "Two", "Three", "Three"]
    assert all(len(heard) == 1 for heard in Parrot.heard)


def test_a_correction_counts_at_once(run: Any, logged: Any) -> None:
    asked = "What is the cat called?"
    result = run("chat", input=f"{asked}\n/bad The cat is called Bartholomew.\nSure?\n")
    assert "corrected as note:1" in result.stderr
    assert Parrot.heard[1][1] == {"role": "assistant", "content": "The cat is called Bartholomew."}
    assert logged()[1] == ("assistant", "The cat is called Bartholomew.")
    run("ask", "Who is the cat?")
    assert "The cat is called Bartholomew." in Parrot.heard[-1][-1]["content"]


def test_a_wrong_answer_is_left_out(run: Any) -> None:
    run("chat", "--no-retrieval", input="One\n/bad\nTwo\n")
    assert [message["content"] for message in Parrot.heard[1]] == ["Two"]


def test_a_note_is_found_at_once(run: Any) -> None:
    result = run("chat", "--no-log", input="/remember The spare key lies under the zinc bucket.\n"
                 "Where is the spare key?\n/remember\n")  # fmt: skip
    assert "kept as note:1" in result.stderr
    assert "zinc bucket" in Parrot.heard[0][-1]["content"]
    assert "nothing to remember" in result.stderr


def test_forgetting_in_a_chat(run: Any, home: Path) -> None:
    talk = "My sister keeps a ferret called Zebulon.\nHello\n"
    asked = run("chat", "--no-retrieval", input=f"{talk}/forget ferret zebulon\n")
    assert "this would forget 0 passages and 4 messages" in asked.stderr
    done = run("chat", "-c", "--no-retrieval", input="/forget --yes zebulon\nBye\n/forget ferret\n")
    assert "forgotten:" in done.stderr
    assert "nothing in the store matches" in done.stderr
    assert [message["content"] for message in Parrot.heard[-1]] == ["Hello", "v2: Hello", "Bye"]
    assert not any(b"Zebulon" in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_only_the_whole_word_is_a_yes(run: Any, logged: Any) -> None:
    run("chat", "--no-retrieval", input="It was terday, not yesterday.\n")
    asked = run("chat", "--no-retrieval", "--no-log", input="/forget --yesterday\n")
    assert "forgotten:" not in asked.stderr
    assert logged()[0] == ("user", "It was terday, not yesterday.")


def test_versions_are_changed_in_place(run: Any) -> None:
    result = run(
        "chat", "--no-retrieval", input="One\n/version base\nTwo\n/version none\n/compare base,7\n"
    )
    assert result.stdout.startswith("v2: One\nv0: Two\n")
    assert "no version" in result.stderr
    assert "v7: Two" in result.stdout
    assert "v0: Two" in result.stdout


def test_a_conversation_is_saved(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "talk.md"
    result = run("chat", "--no-retrieval", input=f"One\n/save {file}\n/save {file}\n/save\n")
    assert file.read_text() == "**You:** One\n\n**learnctl (version 2):** v2: One\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "file exists" in result.stderr
    assert "no file to save to" in result.stderr


def test_going_on(run: Any, logged: Any) -> None:
    assert run("chat", "--continue").exit_code == 1
    run("chat", "--no-retrieval", input="One\n")
    run("chat", "--no-retrieval", input="Two\n")
    run("chat", "--no-retrieval", "--resume", "1", input="Three\n")
    assert [m["content"] for m in Parrot.heard[-1]] == ["One", "v2: One", "Three"]
    run("chat", "--no-retrieval", "-c", input="Four\n")
    assert [m["content"] for m in Parrot.heard[-1]][-2:] == ["v2: Three", "Four"]
    assert run("chat", "--resume", "9").exit_code == 1
    assert run("chat", "--resume", "1", "-c").exit_code == 2


def test_how_words_are_chosen(run: Any) -> None:
    assert run("chat", "-o", "temperature=0.5", "-o", "top_k=3", input="One\n").exit_code == 0
    for wrong in ("temperature", "heat=1", "seed=x", "top_p=2"):
        assert run("chat", "-o", wrong, input="One\n").exit_code == 2


def test_ctrl_c_stops_an_answer_and_keeps_the_chat(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Parrot, "stop_after", 1)
    result = run("chat", "--no-retrieval", input="First\nSecond\n")
    assert result.exit_code == 0
    assert result.stdout == "v2: \nv2: \n"
    assert result.stderr == "(stopped)\n(stopped)\n"
    assert Parrot.heard[1][1] == {"role": "assistant", "content": "v2:"}


def test_the_base_needs_no_store(run: Any, logged: Any, tmp_path: Path) -> None:
    elsewhere = ("--home", str(tmp_path / "empty"))
    assert run(*elsewhere, "ask", "Who?", "--version", "base").stdout == "v0: Who?\n"
    assert run(*elsewhere, "chat", "--version", "base", input="Who?\n").stdout == "v0: Who?\n"
    assert logged() == []
    remembered = run(*elsewhere, "chat", "--version", "base", input="/remember this\n")
    assert f"`learnctl {' '.join(elsewhere)} init` makes one" in remembered.stderr
    assert run(*elsewhere, "ask", "Who?").exit_code == 10
    assert not (tmp_path / "empty").exists()


def test_compare(run: Any, run_json: Any, logged: Any) -> None:
    assert run_json("compare", "Who?") == [
        {"version": 0, "answer": "v0: Who?"},
        {"version": 2, "answer": "v2: Who?"},
    ]
    found = run_json("compare", "Who?", "--versions", "base,1,base,2")
    assert [row["version"] for row in found] == [0, 1, 2]
    shown = run("compare", "Who?", "--versions", "1,base").stdout
    assert "version 1" in shown
    assert "v0: Who?" in shown
    for none in ("latest", ","):
        assert run("compare", "Who?", "--versions", none).exit_code == 2


def test_escape_sequences_do_not_reach_the_terminal(run: Any, logged: Any) -> None:
    assert "\x1b" not in run("ask", "--no-retrieval", "a \x1b[2J b").stdout


@pytest.fixture
def interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, str]]:
    """A chat through a pipe: some lines, what happens once they are answered, some lines more; what it
    shows and what it says."""

    def talk(before: str, happens: Callable[[], None], after: str, *args: str) -> tuple[str, str]:
        reading, writing = os.pipe()

        def write() -> None:
            with open(writing, "w") as pipe:
                pipe.write(before)
                pipe.flush()
                wait_for(lambda: len(Parrot.heard) == 1)
                happens()
                pipe.write(after)

        writer = threading.Thread(target=write)
        writer.start()
        with open(reading) as given:
            monkeypatch.setattr("sys.stdin", given)
            with pytest.raises(SystemExit):
                app(["chat", "--no-retrieval", *args])
        writer.join()
        shown = capsys.readouterr()
        return shown.out, shown.err

    return talk


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_chat_that_waits_holds_no_model_while_a_consolidation_is_at_work(
    interrupted: Callable[..., tuple[str, str]], home: Path
) -> None:
    def consolidate() -> None:
        assert len(Parrot.loaded) == 1
        with filelock.FileLock(home / "consolidate.lock"):
            wait_for(lambda: not Parrot.loaded)

    assert interrupted("One\n", consolidate, "Two\n") == ("v2: One\nv2: Two\n", "")


@pytest.mark.parametrize(
    ("chosen", "before", "version", "told"),
    [
        ((), "One\n", 3, "(version 3 is in service now)\n"),
        (("--version", "2"), "One\n", 2, ""),
        ((), "/version 2\nOne\n", 2, "version 2 (there are: base, 1, 2)\n"),
    ],
)
def test_a_version_that_comes_into_service(
    interrupted: Callable[..., tuple[str, str]],
    home: Path,
    diary: Any,
    chosen: tuple[str, ...],
    before: str,
    version: int,
    told: str,
) -> None:
    """It is taken up at the next turn, and named once, unless another was chosen."""

    def night() -> None:
        with Store.open(Home(home)) as store:
            diary(store).night([], {}, {})

    shown, said = interrupted(before, night, "Two\nThree\n", *chosen)
    assert shown == f"v2: One\nv{version}: Two\nv{version}: Three\n"
    assert said == told
