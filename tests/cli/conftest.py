"""The command line as the tests drive it: in this process, and with pretended model code."""

import importlib
import json
import os
import subprocess
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import learnctl.trainer
from learnctl.cli.app import app

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run learnctl with some arguments; `input` is what is piped in."""

    def invoke(*args: str, input: str = "") -> Result:
        return CliRunner().invoke(app, list(args), input=input, prog_name="learnctl")

    return invoke


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """Run learnctl with `--json`, and expect success; the value it printed."""

    def invoke(*args: str) -> Any:
        result = run(*args, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


@pytest.fixture
def process() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python with some arguments in a process of its own, learnctl within reach."""

    def start(*args: str, **more: Any) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"PYTHONPATH": str(ROOT / ".dev"), **more.pop("env", {})}
        return subprocess.run(
            [sys.executable, *args], env=env, capture_output=True, text=True, timeout=60, **more
        )

    return start


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a module of `learnctl.trainer` out of the way, for one with the given contents."""

    def replace(name: str, **contents: Any) -> None:
        with suppress(ImportError):  # first the real one, so that it is put back afterwards
            importlib.import_module(f"learnctl.trainer.{name}")
        module = types.ModuleType(f"learnctl.trainer.{name}")
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(learnctl.trainer, name, module, raising=False)

    return replace


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder with two small notes."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "house.md").write_text(
        "# House\n\nThe boiler is serviced by Harald Immer every March.\n\n"
        "## Garden\n\nThe pear tree was planted in 2009.\n"
    )
    (folder / "dog.txt").write_text("The dog is called Quimby. He is afraid of umbrellas.\n")
    return folder
