"""The whole command line: its help, its exit codes, and that it starts without what is slow to start."""

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
COMMANDS = [
    "init",
    "ingest",
    "status",
    "sources",
    "search",
    "forget",
    "consolidate",
    "chat",
    "ask",
    "history",
    "rollback",
    "compare",
    "schedule",
    "model",
    "doctor",
    "config",
]
READERS = (
    ("status",),
    ("sources",),
    ("search", "x"),
    ("forget", "1", "--yes"),
    ("history",),
    ("rollback",),
    ("consolidate",),
    ("ask", "x"),
    ("chat",),
    ("compare", "x"),
)
HEAVY = ["torch", "transformers", "peft", "sqlite_utils", "trafilatura", "bitsandbytes"]


def test_help_lists_every_command(run: Any) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f" {name} " in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run: Any, name: str) -> None:
    result = run(name, "-h")
    assert result.exit_code == 0
    assert "Usage: learnctl" in result.stdout
    assert "<bool>" not in result.stdout


@pytest.mark.parametrize("args", READERS, ids=lambda args: args[0])
def test_without_a_store_what_reads_says_so(run: Any, args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 10
    assert result.stdout == ""
    assert result.stderr.startswith("error: no store in ")
    assert "\nhint: run `learnctl ingest PATH`" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("nonsense",),
        ("ingest",),
        ("search",),
        ("forget",),
        ("ask",),
        ("ask", "x", "--version", "newest"),
        ("consolidate", "--budget", "soon"),
        ("consolidate", "--epochs", "0"),
        ("schedule", "print", "--daily", "25:00"),
        ("--nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_a_hint(run: Any, args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    error, blank, hint = result.stderr.splitlines()
    assert error.startswith("error: ")
    assert not error.endswith(".")
    assert not blank
    assert hint.startswith("hint: ")


@pytest.mark.parametrize("default", ["03:00", "on-ac", "idle-gpu", "0.75", "2GB"])
def test_defaults_are_shown(run: Any, default: str) -> None:
    shown = " ".join(run("schedule", "install", "--help").stdout.split())
    assert f"[default: ({default})" in shown


def test_lines_of_a_paragraph_are_joined(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they break in the code says nothing; examples stay as they are."""
    monkeypatch.setenv("COLUMNS", "100")
    lines = [line.strip() for line in run("schedule", "install", "--help").stdout.splitlines()]
    assert any("A run waits for another night where " in line for line in lines)
    first = lines.index("learnctl schedule install --daily 02:30 --until 06:30")
    assert lines[first + 1] == "learnctl schedule install --every 6h --min-new-tokens 2000"


def test_a_mistyped_command_is_suggested(run: Any) -> None:
    assert "'ingest'" in run("ingets", "x").stderr


def test_without_a_command_the_help_is_shown(run: Any) -> None:
    result = run()
    assert result.exit_code == 2
    assert "consolidate" in result.stdout
    assert result.stderr.startswith("to begin: `learnctl init`")
    run("init")
    assert run().stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(process: Any, shell: str) -> None:
    """What the shells ask for when a person presses the tab key."""
    asked = {
        "_LEARNCTL_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "learnctl sche",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "learnctl sche",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    code = "import sys; sys.argv = ['learnctl']; from learnctl.cli.app import main; main()"
    result = process("-c", code, env=asked)
    assert result.returncode == 0, result.stderr
    assert "schedule" in result.stdout
    assert "consolidate" not in result.stdout


def test_without_a_base_model_it_says_how_to_get_one(run: Any) -> None:
    result = run("chat", "--version", "base")
    assert result.exit_code == 1
    assert "is not on this machine\n\nhint: run `learnctl model pull " in result.stderr


def test_version(run: Any) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("learnctl ")


def test_home_is_an_option_too(run: Any, tmp_path: Any) -> None:
    result = run("--home", str(tmp_path / "elsewhere"), "status")
    assert f"no store in {tmp_path / 'elsewhere'}" in result.stderr


def test_a_home_that_is_none_is_left_as_it_is(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with other things in it is not closed to others, and no file becomes a folder."""
    monkeypatch.chdir(tmp_path)
    assert run("--home", "", "init").exit_code == 2
    tmp_path.chmod(0o755)
    (tmp_path / "mine.txt").write_text("mine")
    for home, reason in ((tmp_path, "other things"), (tmp_path / "mine.txt", "is no folder")):
        for args in (("init",), ("config", "set", "epochs", "3")):
            result = run("--home", str(home), *args)
            assert result.exit_code == 1
            assert reason in result.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.txt"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_help_imports_nothing_heavy(process: Any) -> None:
    """So that it is there at once: not even rich, which takes longer to load than all that is ours."""
    code = (
        "import sys\nfrom learnctl.cli.app import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in sys.modules if name in {HEAVY}"
        " or name.split('.')[0] == 'rich' or name.startswith('learnctl.trainer.')], file=sys.stderr)"
    )
    assert process("-c", code).stderr.strip() == "[]"


def test_module_runs(process: Any) -> None:
    result = process("-m", "learnctl.cli", "status")
    assert result.returncode == 10
    assert result.stderr.startswith("error: no store")


def test_no_colours_where_nobody_sees_them(process: Any) -> None:
    plain = dict.fromkeys(("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"), "")
    for args in (["--help"], ["config", "list"], ["nonsense"]):
        result = process("-m", "learnctl.cli", *args, env=plain)
        assert "\x1b" not in result.stdout + result.stderr
