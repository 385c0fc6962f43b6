"""What `consolidate` shows and how it exits, without training anything."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.trainer import scheduled

RESULT = {
    "run": 1,
    "decision": "promoted",
    "reason": "",
    "version": 1,
    "level": "slow",
    "samples": {"new": 80, "replay": 20, "general": 12},
    "recall": {
        "new": {"before": 0.05, "after": 0.61, "n": 18},
        "old": None,
        "forms": {"third turn": 0.25, "system prompt": 0.375, "n": 8},
    },
    "divergence": 0.214,
    "divergence_interval": [0.18, 0.25],
    "divergence_on_new": 2.31,
    "beyond_the_base": {"unsafe declined": 0.0},
    "n_tokens": 12848,
    "tokens_per_s": 240.3,
    "elapsed_s": 53.2,
    "peak_bytes": 3_600_000_000,
}
NOTHING = {
    **dict.fromkeys(RESULT),
    "decision": "nothing",
    "reason": "nothing is new",
    "version": 0,
    "samples": {"new": 0, "replay": 0, "general": 0},
    "n_tokens": 0,
}
PLAN = {
    "sources": ["/notes/house.md"],
    "chunks": 3,
    "later": 2,
    "facts": 5,
    "new_tokens": 70,
    "samples": {"new": 30, "replay": 0, "general": 48},
    "n_tokens": 3000,
    "estimated_s": 95.0,
    "level": "slow",
    "why": "much was learned since the last slow pass",
    "base": "embedded",
}


@pytest.fixture
def asked(pretend: Any, run: Any, notes: Path) -> dict[str, Any]:
    """A pretended consolidation; what it was asked to do, and in `result` what it answers."""
    seen: dict[str, Any] = {"result": RESULT}

    def consolidate(
        store: object, options: Any, budget_s: Any = None, on_progress: Any = None
    ) -> Any:
        seen.update(options=options, budget_s=budget_s)
        for phase, done in (("preparing", 0), ("training", 1), ("training", 2)):
            on_progress(
                SimpleNamespace(
                    phase=phase, done=done, total=2, tokens_per_s=None, seconds_left=None, note=""
                )
            )
        return seen["result"]

    pretend("consolidate", consolidate=consolidate)

    def plan(store: object, options: Any, budget_s: float | None = None) -> Any:
        seen["planned_s"] = budget_s
        return PLAN

    pretend("costs", plan=plan)
    run("ingest", str(notes))
    return seen


def test_promoted(run: Any, asked: Any) -> None:
    result = run("consolidate")
    assert result.exit_code == 0
    assert result.stderr == "preparing\ntraining\n"
    assert result.stdout.splitlines() == [
        "promoted: version 1 is in service (slow)",
        "recall of new: 5% → 61% of 18",
        "in other forms: 25% at the third turn of a chat, 38% under a system prompt, of 8",
        "divergence: 0.21 nats a token (0.18 to 0.25); 2.31 on what is new",
        "unsafe declined: 0% by the base itself, so it is not judged",
        "samples: 80 new, 20 replay, 12 general, in all epochs",
        "cost: 53s, 12,848 tokens, 240 tokens/s, peak 3.6 GB",
    ]


@pytest.mark.parametrize(("reads", "is_told"), [(0.31, True), (0.6, False), (None, False)])
def test_it_says_where_a_base_reads_too_poorly_to_write(
    run: Any, asked: Any, reads: float | None, is_told: bool
) -> None:
    asked["result"] = {**RESULT, "reading": reads}
    told = "the base reads 31% of what it is shown: samples that need no reader carry the load"
    assert (told in run("consolidate").stdout) == is_told


def test_where_there_is_nothing_no_figures_are_shown(run: Any, asked: Any, pretend: Any) -> None:
    unasked = {
        "new": {"before": None, "after": None, "n": 0},
        "old": None,
        "forms": {"third turn": None, "system prompt": None, "n": 0},
    }
    asked["result"] = {**NOTHING, "recall": unasked}
    assert run("consolidate").stdout == "nothing: nothing is new\n"
    pretend("costs", plan=lambda store, options, budget_s: {**PLAN, "level": None, "base": "auto"})
    assert run("consolidate", "--dry-run").stdout == "there is nothing new to learn\n"


def test_json_is_the_value_itself(run: Any, asked: Any) -> None:
    assert json.loads(run("consolidate", "--json").stdout) == RESULT


@pytest.mark.parametrize(("decision", "code"), [("refused", 4), ("nothing", 5), ("paused", 130)])
def test_exit_codes(run: Any, asked: Any, decision: str, code: int) -> None:
    asked["result"] = {**NOTHING, "decision": decision, "reason": "so it is"}
    result = run("consolidate")
    assert result.exit_code == code
    assert result.stdout == f"{decision}: so it is\n"
    assert run("consolidate", "--json").exit_code == code


def test_flags_reach_the_options(run: Any, asked: Any) -> None:
    run("config", "set", "rank", "8")
    run("consolidate", "--epochs", "3", "--seed", "7", "--base", "x", "--budget", "1h30m")
    options = asked["options"]
    assert (options.epochs, options.seed, options.base, options.rank) == (3, 7, "x", 8)
    assert asked["budget_s"] == 5400


def test_dry_run(run: Any, run_json: Any, asked: Any) -> None:
    assert run_json("consolidate", "--dry-run") == PLAN
    shown = run("consolidate", "--dry-run").stdout
    assert "slow, on embedded: much was learned since the last slow pass" in shown
    assert "3 chunks, 5 facts, 70 tokens" in shown
    assert "3,000 tokens; the whole night about 1m35s" in shown
    assert "2 chunks, for which there is no time" in shown
    assert "options" not in asked


def test_dry_run_knows_the_budget(run: Any, asked: Any) -> None:
    run("consolidate", "--dry-run")
    assert asked["planned_s"] is None
    run("consolidate", "--dry-run", "--budget", "3m")
    assert asked["planned_s"] == 180
    run("config", "set", "night_minutes", "20")
    run("consolidate", "--dry-run", "--scheduled")
    assert asked["planned_s"] == 1200


@pytest.fixture
def night(pretend: Any, run: Any, notes: Path) -> dict[str, Any]:
    """A pretended night; what it was asked to do, and in `result` what it answers, a fault to be raised."""
    seen: dict[str, Any] = {"result": {**RESULT, "gave_way": False, "note": "/nights/note.md"}}

    def run_night(store: object, options: Any, conditions: Any, budget_s: Any = None) -> Any:
        seen.update(conditions=conditions, budget_s=budget_s)
        if isinstance(seen["result"], Exception):
            raise seen["result"]
        return seen["result"]

    pretend(
        "scheduled", Log=scheduled.Log, Waiting=scheduled.Waiting, WAIT_S=0.0, run_night=run_night
    )
    run("ingest", str(notes))
    return seen


def test_a_scheduled_run_keeps_to_its_conditions(run: Any, night: Any) -> None:
    result = run(
        "consolidate", "--scheduled", "--on-battery", "--min-free-vram", "1.5GB", "--until", "6:30"
    )
    assert (result.exit_code, result.stderr) == (0, "")
    asked = night["conditions"]
    assert (asked.on_ac, asked.min_free_vram, asked.until) == (False, 1_500_000_000, "06:30")
    assert asked.max_load == 0.75


def test_a_run_that_gave_way_exits_with_75(run: Any, night: Any) -> None:
    night["result"] |= {
        "decision": "paused",
        "reason": "the machine is on battery",
        "gave_way": True,
    }
    result = run("consolidate", "--scheduled")
    assert result.exit_code == 75
    assert "paused: the machine is on battery" in result.stdout


def test_a_command_of_ones_own_at_the_end(run: Any, night: Any, tmp_path: Path) -> None:
    """It is told what came of the run, also where that failed or was never begun."""
    told = tmp_path / "told"
    command = f'echo "$LEARNCTL_DECISION|$LEARNCTL_REASON|$LEARNCTL_NOTE" >> {told}; exit 3'
    done = run("consolidate", "--scheduled", "--on-finish", command)
    assert done.exit_code == 0
    assert "exit code 3" in done.stderr
    waiting = LearnctlError("not now: busy")
    waiting.exit_code = 75
    night["result"] = waiting
    assert run("consolidate", "--scheduled", "--on-finish", command).exit_code == 75
    night["result"] = LearnctlError("out of luck")
    assert run("consolidate", "--scheduled", "--on-finish", command).exit_code == 1
    night["result"] = MemoryError()
    assert run("consolidate", "--scheduled", "--on-finish", command).exit_code == 1
    assert told.read_text().splitlines() == [
        "promoted||/nights/note.md",
        "paused|not now: busy|",
        "error|out of luck|",
        "error|MemoryError|",
    ]


def test_what_that_command_prints_is_not_of_the_report(
    run: Any, night: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    done = run("consolidate", "--scheduled", "--json", "--on-finish", "echo done")
    assert json.loads(done.stdout)["decision"] == "promoted"
    assert capfd.readouterr() == ("", "done\n")


@pytest.mark.parametrize(
    "option",
    [("--notify",), ("--on-finish", "true"), ("--until", "6:30"), ("--on-battery",)],
    ids=" ".join,
)
def test_options_of_a_night_go_with_scheduled(
    run: Any, asked: Any, option: tuple[str, ...]
) -> None:
    result = run("consolidate", *option)
    assert result.exit_code == 2
    assert f"{option[0]} goes with --scheduled" in result.stderr
    assert "options" not in asked


@pytest.mark.parametrize("sender", ["notify-send", "osascript"])
def test_a_notification(
    run: Any, night: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sender: str
) -> None:
    """Shown by the desktop's own program, the text as a word of its own; only where something came of it."""
    program = tmp_path / sender
    program.write_text(f'#!/bin/sh\nfor word; do echo "$word" >> {tmp_path}/shown; done\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    night["result"] |= {"decision": "refused", "reason": 'it forgot "all"; $(reboot)'}
    assert run("consolidate", "--scheduled", "--notify").exit_code == 4
    shown = (tmp_path / "shown").read_text().splitlines()
    assert shown[-1] == 'refused: it forgot "all"; $(reboot)'
    (tmp_path / "shown").unlink()
    night["result"] |= {"decision": "nothing"}
    run("consolidate", "--scheduled", "--notify")
    assert not (tmp_path / "shown").exists()


@pytest.mark.parametrize(
    ("given", "there", "found"),
    [
        ("", True, "unix:path={run}/{uid}/bus"),
        ("", False, "none"),
        ("unix:path=/mine", True, "unix:path=/mine"),
    ],
)
def test_a_notification_finds_the_desktop(
    run: Any, night: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    given: str, there: bool, found: str,
) -> None:  # fmt: skip
    """Cron starts jobs without the address of the bus."""
    sender = tmp_path / "notify-send"
    sender.write_text(f'#!/bin/sh\necho "${{DBUS_SESSION_BUS_ADDRESS-none}}" > {tmp_path}/shown\n')
    sender.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    if given:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", given)
    monkeypatch.setattr("learnctl.cli.finish.RUN", tmp_path)
    if there:
        (tmp_path / str(os.getuid())).mkdir()
        (tmp_path / str(os.getuid()) / "bus").touch()
    assert run("consolidate", "--scheduled", "--notify").exit_code == 0
    shown = (tmp_path / "shown").read_text().strip()
    assert shown == found.format(run=tmp_path, uid=os.getuid())


NVIDIA_SMI = """#!/bin/sh
case "$*" in *--query-gpu=memory.free*)
    if [ -e "$FREE" ]; then echo 8000, 0, 0, 40; else echo 8000, 0, 100, 40; touch "$FREE"; fi ;;
esac
"""


def test_a_night_that_gives_way_tries_again(
    run: Any, process: Any, home: Path, tmp_path: Path
) -> None:
    """Somebody uses the GPU at first. The same process goes on, and tells of it once, in the end."""
    run("init")
    program = tmp_path / "nvidia-smi"
    program.write_text(NVIDIA_SMI)
    program.chmod(0o755)
    code = (
        "import learnctl.trainer.scheduled as scheduled; scheduled.WAIT_S = 0.1;"
        " from learnctl.cli.app import main; main()"
    )
    done = process(
        "-c", code, "consolidate", "--scheduled", "--on-battery", "--max-load=99", "--until",
        f"{datetime.now() + timedelta(hours=3):%H:%M}", "--on-finish",
        f'echo "$LEARNCTL_DECISION" >> {tmp_path}/told',
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "FREE": str(tmp_path / "free")},
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert (tmp_path / "told").read_text() == "nothing\n"
    (log,) = (home / "nights").glob("*.log")
    lines = [line[20:] for line in log.read_text().splitlines() if "awake" not in line]
    waits = f"waits until {lines[1][12:17]}: others keep the GPU busy (100%)"
    assert lines == ["begins", waits, "begins", "nothing: there is nothing new to learn"]


def test_tries_share_one_budget(run: Any, night: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEARNCTL_NIGHT_WORKED_S", "60.5")
    run("consolidate", "--scheduled", "--budget", "2m")
    assert night["budget_s"] == 59.5
    run("consolidate", "--scheduled", "--budget", "2m")
    assert night["budget_s"] == 120


def test_a_night_that_finds_no_store_or_settings_is_told_of(
    run: Any, home: Path, tmp_path: Path
) -> None:
    """Cron's line throws away what a program says."""
    told = tmp_path / "told"
    command = ("--on-finish", f'echo "$LEARNCTL_DECISION|$LEARNCTL_REASON" >> {told}')
    assert run("consolidate", "--scheduled", *command).exit_code == 10
    run("ingest", "--name", "note", "-", input="The ferry is called Marigold.")
    (home / "config.toml").write_text('epochs = "many"\n')
    assert run("consolidate", "--scheduled", *command).exit_code == 1
    first, second = told.read_text().splitlines()
    assert first.startswith("error|no store in")
    assert second.startswith("error|epochs: expected")
    (log,) = (home / "nights").glob("*.log")
    assert "failed: epochs: expected" in log.read_text()
    (home / "config.toml").unlink()
    assert "epochs: expected" in run("report").output
