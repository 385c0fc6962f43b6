"""The nightly job with a pretended `crontab`, a pretended `systemctl` and a pretended `launchctl`."""

import os
import plistlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from learnctl.cli import crontab

FAKE = """#!/bin/sh
case "$1" in
-l) [ -f "$FAKE_CRONTAB" ] || { echo "no crontab for somebody" >&2; exit 1; }; cat "$FAKE_CRONTAB" ;;
-) cat > "$FAKE_CRONTAB" ;;
-r) rm "$FAKE_CRONTAB" ;;
esac
"""


@pytest.fixture(autouse=True)
def no_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches the systemd of whoever runs it."""
    _program(tmp_path, monkeypatch, "#!/bin/sh\nexit 1\n", "systemctl")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the pretended crontab keeps its lines."""
    _program(tmp_path, monkeypatch, FAKE)
    monkeypatch.setenv("FAKE_CRONTAB", str(tmp_path / "table"))
    return tmp_path / "table"


def _program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str = "crontab"
) -> None:
    program = tmp_path / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_print_changes_nothing(run: Any, table: Path, home: Path) -> None:
    line = run("schedule", "print", "--using", "cron", "--daily", "2:05").stdout
    assert line.startswith("5 2 * * * ")
    assert f"--home {home} consolidate --scheduled # learnctl {home}\n" in line
    assert f"LEARNCTL_MODELS={os.environ['LEARNCTL_MODELS']} nice -n 10 /" in line
    assert not table.exists()


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("LEARNCTL_MODELS", "~/models", "home/models"),
        ("XDG_CACHE_HOME", "cache", "cache/learnctl/models"),
    ],
)
def test_the_models_are_where_they_are_now(
    run: Any, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    name: str, value: str, found: str,
) -> None:  # fmt: skip
    """A scheduler expands nothing, and knows none of the variables that say where caches lie."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LEARNCTL_MODELS")
    monkeypatch.setenv(name, value if value.startswith("~") else str(tmp_path / value))
    run("schedule", "install")
    assert f" LEARNCTL_MODELS={tmp_path / found} nice " in table.read_text()


def test_install_is_idempotent_and_keeps_the_rest(run: Any, table: Path) -> None:
    table.write_text("# mine\n0 1 * * * backup\n")
    assert run("schedule", "install").stdout == "scheduled: every day at 03:00, by cron\n"
    once = table.read_text()
    run("schedule", "install")
    assert table.read_text() == once
    assert once.startswith("# mine\n0 1 * * * backup\n0 3 * * * ")
    run("schedule", "install", "--daily", "04:30")
    lines = table.read_text().splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("30 4 * * * ")


def test_a_crontab_in_any_encoding_comes_back_as_it_was(run: Any, table: Path) -> None:
    """Cron cuts lines at line breaks alone, and knows nothing of encodings."""
    before = "# one\fpage\u2028and \x0bmore\n0 1 * * * echo caf".encode() + b"\xe9 \x85\r\n"
    table.write_bytes(before)
    assert run("schedule", "install").exit_code == 0
    assert table.read_bytes().startswith(before + b"0 3 * * * ")
    assert run("schedule", "remove").exit_code == 0
    assert table.read_bytes() == before


def test_a_line_that_is_commented_out_is_not_scheduled(
    run: Any, run_json: Any, table: Path
) -> None:
    run("schedule", "install")
    table.write_text("# " + table.read_text())
    assert run_json("schedule", "status")["scheduled"] == []
    run("schedule", "install")
    assert len(run_json("schedule", "status")["scheduled"]) == 1


def test_each_home_has_its_line(run: Any, table: Path, tmp_path: Path) -> None:
    run("--home", str(tmp_path / "a"), "schedule", "install")
    run("--home", str(tmp_path / "a b"), "schedule", "install")
    assert len(table.read_text().splitlines()) == 2
    run("--home", str(tmp_path / "a"), "schedule", "remove")
    (left,) = table.read_text().splitlines()
    assert "a b" in left


def test_remove(run: Any, table: Path) -> None:
    assert run("schedule", "remove").stderr == "nothing was scheduled\n"
    table.write_text("0 1 * * * backup\n")
    run("schedule", "install")
    assert run("schedule", "remove").exit_code == 0
    assert table.read_text() == "0 1 * * * backup\n"


def test_odd_paths_are_quoted(run: Any, table: Path, tmp_path: Path) -> None:
    odd = tmp_path / "it's 100% 'mine'; rm -rf $HOME"
    run("--home", str(odd), "schedule", "install")
    run("--home", str(odd), "schedule", "install")
    (line,) = table.read_text().splitlines()
    assert not re.search(r"(?<!\\)%", line)
    words = shlex.split(line.replace(r"\%", "%"), comments=True)
    assert words[words.index("--home") + 1] == str(odd)
    assert words[-2:] == ["consolidate", "--scheduled"]
    run("--home", str(odd), "schedule", "remove")
    assert not table.exists()


def test_a_line_break_is_refused(run: Any, table: Path, tmp_path: Path) -> None:
    for args in (
        ("--home", str(tmp_path / "a\nb"), "schedule", "install"),
        ("schedule", "install", "--on-finish", "one\ntwo"),
    ):
        result = run(*args)
        assert result.exit_code == 1
        assert "a line break in a path or an option" in result.stderr
    assert not table.exists()


def test_no_crontab_program(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = run("schedule", "install")
    assert result.exit_code == 1
    assert "there is no `crontab` program on this machine" in result.stderr.splitlines()[0]
    assert "schedule print" in result.stderr


def test_a_crontab_that_cannot_be_read_is_not_overwritten(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "written"
    refusing = f'#!/bin/sh\n[ "$1" = -l ] || touch {written}\necho "you may not" >&2\nexit 1\n'
    _program(tmp_path, monkeypatch, refusing)
    result = run("schedule", "install")
    assert result.exit_code == 1
    assert result.stderr == "error: the crontab cannot be read: you may not\n"
    assert not written.exists()


def test_the_rest_of_a_crontab_is_left_as_it_is() -> None:
    text = "MAILTO=me\n\n# learnctl is nice\n0 1 * * * x # learnctl /other\n"
    assert crontab.without_line(text, Path("/home")) == text


@pytest.mark.parametrize(
    ("args", "times", "told"),
    [
        (["--weekly"], "0 3 * * 0", "every Sunday at 03:00"),
        (["--weekly", "--daily", "4:30"], "30 4 * * 0", "every Sunday at 04:30"),
        (["--every", "24h"], "0 0 * * *", "every day at 00:00"),
        (["--every", "6h"], "0 */6 * * *", "every 6 hours"),
        (["--every", "15m"], "*/15 * * * *", "every 15 minutes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_other_times(run: Any, table: Path, args: list[str], times: str, told: str) -> None:
    assert run("schedule", "install", *args).stdout == f"scheduled: {told}, by cron\n"
    assert table.read_text().startswith(f"{times} ")


@pytest.mark.parametrize(
    "args", [["--every", "5h"], ["--every", "90s"], ["--every", "6h", "--weekly"]], ids=" ".join
)
def test_times_that_fit_no_day_are_refused(run: Any, table: Path, args: list[str]) -> None:
    assert run("schedule", "install", *args).exit_code == 2
    assert not table.exists()


def test_a_cron_that_does_not_run_is_told_of(
    run: Any, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crontab, "DAEMONS", ("pretended-crond",))
    told = "note: no cron is running, and nothing will be done until you start it: "
    said = run("schedule", "install").stderr
    assert said.startswith(told)
    assert said.count("\n") == 1
    daemon = shutil.copy("/bin/sleep", tmp_path / "pretended-crond")
    with subprocess.Popen([daemon, "60"]) as running:
        assert told not in run("schedule", "install").stderr
        running.kill()


def test_conditions_go_along(run: Any, table: Path) -> None:
    run(
        "schedule", "install", "--on-battery", "--idle-gpu", "--max-load", "0.5", "--min-free-vram", "8GB",
        "--min-new-tokens", "500", "--until", "6:30", "--notify", "--on-finish", "mail me",
    )  # fmt: skip
    words = shlex.split(table.read_text(), comments=True)
    assert words[words.index("--scheduled") + 1 :] == [
        "--on-battery", "--idle-gpu", "--max-load=0.5", "--min-free-vram=8000000000",
        "--min-new-tokens=500", "--until=06:30", "--notify", "--on-finish=mail me",
    ]  # fmt: skip


def test_cron_has_nothing_to_mail(run: Any, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the shell that cron starts: what a run prints goes nowhere, and its variables reach it."""
    told = table.with_name("told")
    noisy = f'#!/bin/sh\necho out\necho err >&2\necho "$LEARNCTL_MODELS $*" > {told}\n'
    _program(table.parent, monkeypatch, noisy, "nice")
    line = run("schedule", "print", "--using", "cron").stdout
    done = subprocess.run(["sh", "-c", line.removeprefix("0 3 * * * ")], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    models, words = told.read_text().split(" ", 1)
    assert models == os.environ["LEARNCTL_MODELS"]
    assert words.endswith("consolidate --scheduled\n")


def test_more_than_cron_takes_is_refused(run: Any, table: Path) -> None:
    result = run("schedule", "install", "--on-finish", "echo " + "x" * 900)
    assert result.exit_code == 1
    assert "cron takes 998 bytes" in result.stderr
    assert not table.exists()


@pytest.mark.parametrize(
    ("daily", "until", "code"),
    [("07:00", "06:30", 2), ("07:00", "07:00", 2), ("03:00", "18:00", 2), ("22:00", "06:30", 0)],
)
def test_a_window_that_is_always_over_is_refused(
    run: Any, table: Path, daily: str, until: str, code: int
) -> None:
    told = run("schedule", "install", "--daily", daily, "--until", until)
    assert told.exit_code == code
    assert table.exists() == (code == 0)
    assert (f"note: after {until} nothing is begun" in told.stderr) == (code == 0)


def test_status(run: Any, run_json: Any, table: Path) -> None:
    assert "nothing is scheduled" in run("schedule", "status").stdout
    run("schedule", "install", "--daily", "2:00")
    assert run_json("schedule", "status") == {
        "scheduled": [{"using": "cron", "due": "0 2 * * *"}],
        "last": "",
    }
    assert run("schedule", "status").stdout == "scheduled by cron: 0 2 * * *\n"


SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$FAKE_LOG"
case "$2" in is-active) echo active ;; show) echo "Sun 2026-03-01 03:00:00 UTC" ;; esac
"""


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pretended systemd of one's own; where its units lie."""
    _program(tmp_path, monkeypatch, SYSTEMCTL, "systemctl")
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "systemd" / "user"


def test_a_timer_is_installed_once_and_removed_without_trace(
    run: Any, run_json: Any, systemd: Path, tmp_path: Path
) -> None:
    result = run("schedule", "install")
    assert result.stdout == "scheduled: every day at 03:00, by systemd\n"
    assert "note: it runs" in result.stderr
    once = {file.name: file.read_text() for file in systemd.iterdir()}
    assert sorted(Path(name).suffix for name in once) == [".service", ".timer"]
    timer = next(name for name in once if name.endswith(".timer"))
    run("schedule", "install")
    assert {file.name: file.read_text() for file in systemd.iterdir()} == once
    asked = (tmp_path / "log").read_text()
    assert f"--user enable {timer}\n--user restart {timer}\n" in asked
    (found,) = run_json("schedule", "status")["scheduled"]
    assert found == {"using": "systemd", "due": "Sun 2026-03-01 03:00:00 UTC"}
    assert run("schedule", "remove").exit_code == 0
    assert list(systemd.iterdir()) == []
    assert f"--user disable --now {timer}" in (tmp_path / "log").read_text()
    assert run("schedule", "remove").stderr == "nothing was scheduled\n"


def test_where_systemd_refuses_all_is_as_before(
    run: Any, systemd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No unit that never fires is left, and the one that did fire stays."""

    def refuse(text: str) -> None:
        refusing = (
            f'#!/bin/sh\ngrep -qs {text} {systemd}/*.timer && [ "$2" = enable ] && exit 1\nexit 0\n'
        )
        _program(tmp_path, monkeypatch, refusing, "systemctl")

    refuse("03:00")
    failed = run("schedule", "install")
    assert failed.exit_code == 1
    assert "enable" in failed.stderr
    assert list(systemd.iterdir()) == []
    run("schedule", "install", "--daily", "02:00")
    before = {file.name: file.read_text() for file in systemd.iterdir()}
    assert len(before) == 2
    assert run("schedule", "install").exit_code == 1
    assert {file.name: file.read_text() for file in systemd.iterdir()} == before


def test_another_scheduler_takes_over(run: Any, systemd: Path, table: Path) -> None:
    """One home is never consolidated by two schedulers."""
    run("schedule", "install", "--using", "systemd")
    assert len(list(systemd.iterdir())) == 2
    run("schedule", "install", "--using", "cron")
    assert list(systemd.iterdir()) == []
    assert len(table.read_text().splitlines()) == 1
    run("schedule", "install")
    assert len(list(systemd.iterdir())) == 2
    assert not table.exists()


def test_where_the_new_scheduler_fails_the_old_one_stays(
    run: Any, systemd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("schedule", "install", "--using", "systemd")
    _program(tmp_path, monkeypatch, '#!/bin/sh\n[ "$1" = -l ] && exit 0\necho no >&2\nexit 1\n')
    assert run("schedule", "install", "--using", "cron").exit_code == 1
    assert len(list(systemd.iterdir())) == 2


def test_each_home_has_a_timer_of_its_own(run: Any, systemd: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run("--home", str(tmp_path / name), "schedule", "install")
    assert len(list(systemd.iterdir())) == 4
    run("--home", str(tmp_path / "a"), "schedule", "remove")
    assert len(list(systemd.iterdir())) == 2


def test_an_agent_is_installed_and_removed(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path, monkeypatch, "#!/bin/sh\nexit 0\n", "launchctl")
    monkeypatch.setenv("HOME", str(tmp_path))
    agents = tmp_path / "Library" / "LaunchAgents"
    assert run("schedule", "install", "--using", "launchd").exit_code == 0
    assert run("schedule", "install", "--using", "launchd").exit_code == 0
    (agent,) = agents.iterdir()
    told = plistlib.loads(agent.read_bytes())
    assert told["StartCalendarInterval"] == {"Hour": 3, "Minute": 0}
    assert not {"StandardOutPath", "StandardErrorPath"} & set(
        told
    )  # made by launchd, open to others
    assert run("schedule", "remove").exit_code == 0
    assert list(agents.iterdir()) == []


def test_a_crontab_that_refuses_its_user_stops_nothing_else(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path, monkeypatch, '#!/bin/sh\necho "you may not" >&2\nexit 1\n')
    assert run("schedule", "status").exit_code == 0
    removed = run("schedule", "remove")
    assert removed.exit_code == 0
    assert "you may not" in removed.stderr
    assert "store" in run("doctor").stdout
