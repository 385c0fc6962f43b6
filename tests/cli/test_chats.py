"""learnctl chats: past conversations listed, shown and deleted without a byte left."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from learnctl.memory.home import Home
from learnctl.memory.store import Store
from learnctl.trainer import chats

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def two_chats(home: Path) -> None:
    with Store.open(Home(home), create=True) as store:
        for said in ("My ferret is called Zebulon.", "喵喵 is the name of my cat."):
            number = chats.start_chat(store, said)
            chats.log_turn(store, number, "user", said)
            chats.log_turn(store, number, "assistant", "Good to know.")


def test_listed(run: Run, run_json: Callable[..., Any]) -> None:
    assert [(chat["chat"], chat["messages"]) for chat in run_json("chats")] == [(2, 2), (1, 2)]
    listed = run("chats", "list").stdout
    assert listed.index("喵喵") < listed.index("Zebulon")
    assert run("chats", "--json", "list").exit_code == 2


def test_shown(run: Run, run_json: Callable[..., Any]) -> None:
    shown = run("chats", "show", "1").stdout
    assert "> My ferret is called Zebulon." in shown
    assert "Good to know." in shown
    assert [m["role"] for m in run_json("chats", "show", "1")["messages"]] == ["user", "assistant"]
    assert run("chats", "show", "7").exit_code == 1


def test_deleted(run: Run, run_json: Callable[..., Any], home: Path) -> None:
    refused = run("chats", "delete", "1")
    assert refused.exit_code == 1
    assert "--yes" in refused.stderr
    assert run_json("chats", "delete", "1", "--yes")["sources"] == 1
    assert [chat["chat"] for chat in run_json("chats")] == [2]
    assert not any(b"Zebulon" in file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert run("chats", "delete", "1", "--yes").exit_code == 1
    run("chats", "delete", "2", "--yes")
    assert "no conversations" in run("chats").stderr
