"""ask, chat and compare, with a model that repeats what it is given."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest


class Parrot:
    """Stands for `Talker`; what it was asked is kept in `heard`."""

    heard: ClassVar[list[list[dict[str, str]]]] = []
    stop_after: ClassVar[int | None] = None

    def __init__(self, version: int) -> None:
        self.version = version

    @classmethod
    def open(cls, store: object, options: object, version: int | None = None) -> "Parrot":
        return cls(2 if version is None else version)

    def stream(self, messages: list[dict[str, str]], max_tokens: int = 256) -> Iterator[str]:
        self.heard.append([dict(message) for message in messages])
        yield f"v{self.version}: "
        if self.stop_after is not None:
            raise KeyboardInterrupt
        yield messages[-1]["content"].splitlines()[-1]

    def answer(self, messages: list[dict[str, str]], max_tokens: int = 256) -> str:
        return "".join(self.stream(messages, max_tokens))


@pytest.fixture
def logged(pretend: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """A parrot to talk to, a hit for every question; the turns that were logged."""
    turns: list[tuple[str, str]] = []
    hit = SimpleNamespace(
        source="/notes/house.md",
        title="House",
        heading="Garden",
        chunk=3,
        text="The pear tree.",
        known=False,
    )

    def with_passages(messages: Any, hits: Any) -> Any:
        content = f"{hits[0].text}\n{messages[-1]['content']}"
        return [*messages[:-1], {"role": "user", "content": content}]

    def start_chat(store: object, title: str) -> int:
        turns.append(("title", title))
        return 1

    def log_turn(store: object, conversation_id: int, role: str, text: str) -> None:
        turns.append((role, text))

    monkeypatch.setattr(Parrot, "heard", [])
    pretend(
        "talk",
        Talker=Parrot,
        passages=lambda store, question, limit=3, version=None: [hit],
        with_passages=with_passages,
    )
    pretend("chats", start_chat=start_chat, log_turn=log_turn)
    return turns


@pytest.fixture(autouse=True)
def store(run: Any, notes: Path) -> None:
    run("ingest", str(notes))


def test_ask(run: Any, logged: Any) -> None:
    result = run("ask", "When?")
    assert result.exit_code == 0
    assert result.stdout == "v2: When?\n"
    assert result.stderr == "sources: House › Garden (house.md, looked up)\n"
    assert Parrot.heard[0][-1]["content"] == "The pear tree.\nWhen?"
    assert logged == []


def test_ask_json(run: Any, logged: Any) -> None:
    assert json.loads(run("ask", "When?", "--json").stdout) == {
        "answer": "v2: When?",
        "version": 2,
        "sources": [{"source": "/notes/house.md", "title": "House", "chunk": 3}],
    }


def test_ask_the_weights_alone(run: Any, logged: Any) -> None:
    result = run("ask", "When?", "--no-retrieval", "--version", "base", "-s", "Be brief", "--json")
    assert json.loads(result.stdout) == {"answer": "v0: When?", "version": 0, "sources": []}
    assert Parrot.heard == [
        [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "When?"}]
    ]


@pytest.mark.parametrize("args", [(), ("-",)])
def test_ask_through_a_pipe(run: Any, logged: Any, args: tuple[str, ...]) -> None:
    assert run("ask", *args, "--no-retrieval", input="Who?\n").stdout == "v2: Who?\n"


def test_piped_text_goes_first(run: Any, logged: Any) -> None:
    run("ask", "--no-retrieval", "Who wrote this?", input="Dear Ann,\n")
    assert Parrot.heard[0][-1]["content"] == "Dear Ann,\n\nWho wrote this?"


def test_ask_nothing(run: Any, logged: Any) -> None:
    assert run("ask", "-", input=" \n").exit_code == 2


def test_ask_is_logged_when_told_to(run: Any, logged: Any) -> None:
    run("ask", "--log", "--no-retrieval", "When?")
    assert logged == [("title", "When?"), ("user", "When?"), ("assistant", "v2: When?")]


def test_chat_through_a_pipe(run: Any, logged: Any) -> None:
    result = run("chat", input="First\n\n  Second \n")
    assert result.exit_code == 0
    assert result.stdout == "v2: First\nv2: Second\n"
    assert result.stderr == "sources: House › Garden (house.md, looked up)\n" * 2
    # The passages are for the turn at hand; the conversation goes on without them.
    assert [message["content"] for message in Parrot.heard[1]] == [
        "First",
        "v2: First",
        "The pear tree.\nSecond",
    ]
    assert logged == [
        ("title", "First"),
        ("user", "First"),
        ("assistant", "v2: First"),
        ("user", "Second"),
        ("assistant", "v2: Second"),
    ]


def test_chat_off_the_record(run: Any, logged: Any) -> None:
    run("chat", "--no-log", input="First\n")
    assert logged == []


def test_chat_commands(run: Any, logged: Any) -> None:
    result = run(
        "chat",
        "--no-log",
        input="/sources\nHello\n/sources\n/version\n/help\n/what\n/exit\nNever\n",
    )
    assert result.stdout == "v2: Hello\n"
    assert "the last answer was given no passages" in result.stderr
    assert "The pear tree." in result.stderr
    assert "version 2\n" in result.stderr
    assert "/exit" in result.stderr
    assert "no command `/what`: /help lists them" in result.stderr


def test_ctrl_c_stops_an_answer_and_keeps_the_chat(
    run: Any, logged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Parrot, "stop_after", 1)
    result = run("chat", "--no-retrieval", input="First\nSecond\n")
    assert result.exit_code == 0
    assert result.stdout == "v2: \nv2: \n"
    assert result.stderr == "(stopped)\n(stopped)\n"
    assert Parrot.heard[1][1] == {"role": "assistant", "content": "v2: "}


def test_the_base_needs_no_store(run: Any, logged: Any, tmp_path: Path) -> None:
    elsewhere = ("--home", str(tmp_path / "empty"))
    assert run(*elsewhere, "ask", "Who?", "--version", "base").stdout == "v0: Who?\n"
    assert run(*elsewhere, "chat", "--version", "base", input="Who?\n").stdout == "v0: Who?\n"
    assert logged == []
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
    assert run("compare", "Who?", "--versions", "latest").exit_code == 2


def test_escape_sequences_do_not_reach_the_terminal(run: Any, logged: Any) -> None:
    assert "\x1b" not in run("ask", "--no-retrieval", "a \x1b[2J b").stdout
