"""A scheduled night: check the machine, take in what is watched, consolidate, tell in the morning.

Every night leaves two files under `nights/` in the home folder, named by the date on which it began: a log
with what was done when, and a note for the morning. A night of several runs has them one below the other, and
so has one that gave way to somebody and tried again.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ..memory.errors import LearnctlError, Locked
from ..memory.home import Home, private_folder
from ..memory.store import Record, Store
from ..memory.watched import not_taken_in, take_in_watched, watched
from . import warm
from .conditions import WATCH_EVERY_S, Conditions, Machine, Measured, Watch, is_open, unmet
from .morning import keep_not_taken_in, morning, section, text
from .options import Options
from .progress import OnProgress, Progress, silent

WAIT_S = 600.0
BEGINS = "begins"
DID_NOT_RUN = "did not run"
FAILED = "failed"
STAMP = len("2026-03-01 03:00:00")
TAKEN = ("documents", "conversations", "messages", "chunks")


class NotNow(LearnctlError):
    """The conditions of a scheduled run are not met.

    Attributes:
        reason: which one is not.
    """

    exit_code = 75

    def __init__(self, reason: str) -> None:
        super().__init__(f"not now: {reason}")
        self.reason = reason


class Waiting(NotNow):
    """The machine is needed for something else, and the window is open for another try in `WAIT_S`."""


class Log:
    """The night's log; a line is on disk once it is written."""

    def __init__(self, home: Home, began: datetime) -> None:
        self._home, self._began = home, began
        self._phase = ""

    def write(self, line: str) -> None:
        # What is forgotten meanwhile takes the logs of all nights with it.
        path = _file(self._home, self._began, "log")
        _append(path, f"{_stamp(datetime.now())} {' '.join(line.split())}\n")

    def progress(self, progress: Progress) -> None:
        """A line for each phase as it begins."""
        if progress.phase != self._phase:
            self._phase = progress.phase
            self.write(f"{progress.phase}: {progress.note}" if progress.note else progress.phase)


def run_night(
    store: Store,
    options: Options,
    conditions: Conditions,
    budget_s: float | None = None,
    on_progress: OnProgress = silent,
    measure: Callable[[], Measured] | None = None,
    watch_every_s: float = WATCH_EVERY_S,
) -> Record:
    """One scheduled run.

    Args:
        measure: how the machine is looked at; this machine where None.
        watch_every_s: how often that is done while the run is at work.

    Returns:
        The report of `consolidate`, with `note`, the path of the morning's note. Where the run gave way,
        or was out of time, the decision is `paused`, and `gave_way` is true.

    Raises:
        Waiting: a condition is not met, `until` is set, and its window and the budget leave time for another try.
        NotNow: a condition is not met, and nothing was begun.
        LearnctlError: what `consolidate` raises. All of it is in the log.
    """
    began = datetime.now()
    deadline = None if budget_s is None else time.monotonic() + budget_s
    log = Log(store.home, began)
    measure = measure or Machine(store.home.path).measure

    def tell(progress: Progress) -> None:
        log.progress(progress)
        on_progress(progress)

    def wait_where_there_is_time(reason: str) -> None:
        until, now = conditions.until, datetime.now()
        again = now + timedelta(seconds=WAIT_S)
        is_left = deadline is None or time.monotonic() < deadline
        if is_left and until and is_open(until, now) and is_open(until, again):
            log.write(f"waits until {again:%H:%M}: {reason}")
            raise Waiting(reason)

    try:
        log.write(BEGINS)
        warm.give_way(store.home)
        if reason := unmet(conditions, measure()):
            wait_where_there_is_time(reason)
            raise NotNow(reason)
        taken, left = _take_in_watched(store, log)
        _require_enough(store, options, conditions)
        from .consolidate import consolidate

        watch = Watch(conditions, measure, watch_every_s)
        try:
            left_s = None if deadline is None else max(1.0, deadline - time.monotonic())
            report = consolidate(store, options, left_s, tell, unmet=watch)
        except Locked as error:
            raise NotNow(str(error)) from error
        keep_not_taken_in(store, report["run"], left)
    except Waiting:
        raise
    except BaseException as error:
        with suppress(OSError):  # a full disk must not hide what went wrong
            why_not = _why_not(error)
            log.write(why_not)
            _write_note(store.home, began, f"# {began:%Y-%m-%d %H:%M}\n\n{why_not}\n")
        raise
    log.write(f"{report['decision']}: {report['reason']}")
    note = _write_note(store.home, began, _note(store, began, report, taken, left))
    if watch.reason and report["decision"] == "paused":
        wait_where_there_is_time(watch.reason)
    gave_way = bool(watch.reason) or report.get("gave_way", False)
    return {**report, "gave_way": gave_way, "note": str(note)}


def last_line(home: Home) -> str:
    """How the last night ended, as its log says; empty where there was none."""
    return (_last_log(home) or [""])[-1]


def missed(store: Store) -> str:
    """When the last night began and why nothing came of it; empty where something did, or a run since."""
    lines = _last_log(store.home)
    why_not = lines[-1][STAMP + 1 :] if lines else ""
    if not why_not.startswith((DID_NOT_RUN, FAILED)):
        return ""
    # What was forgotten meanwhile takes the log with it, and it goes on without its beginning.
    began = next((line for line in reversed(lines) if line.endswith(f" {BEGINS}")), lines[0])
    last = store.value("SELECT max(created_at) FROM runs WHERE report IS NOT NULL")
    if last and _stamp(datetime.fromisoformat(last).astimezone()) >= began[:STAMP]:
        return ""
    return f"{began[:16]}: {why_not}"


def _last_log(home: Home) -> list[str]:
    logs = sorted(home.nights.glob("*.log"))
    return logs[-1].read_text(encoding="utf-8").splitlines() if logs else []


def _take_in_watched(store: Store, log: Log) -> tuple[str, list[Record]]:
    """Take in the watched folders; a line for what was new, and what was not taken in."""
    if not watched(store):
        return "", []
    found = take_in_watched(store)
    new = ", ".join(f"{getattr(found, name)} {name}" for name in TAKEN)
    line = f"new in watched folders: {new}"
    log.write(line)
    left = not_taken_in(found)
    for entry in left:
        log.write(f"not taken in: {entry['path']}: {entry['reason']}")
    return line, left


def _require_enough(store: Store, options: Options, conditions: Conditions) -> None:
    if not conditions.min_new_tokens:
        return
    from .status import status

    unfinished = store.value("SELECT count(*) FROM runs WHERE state = 'running'")
    new = status(store, options)["new_tokens"]
    if not unfinished and new < conditions.min_new_tokens:
        raise NotNow(f"too little is new ({new:,} tokens, at least {conditions.min_new_tokens:,})")


def _why_not(error: BaseException) -> str:
    if isinstance(error, NotNow):
        return f"{DID_NOT_RUN}: {error.reason}"
    return f"{FAILED}: {' '.join(str(error).split()) or type(error).__name__}"


def _note(store: Store, began: datetime, report: Record, taken: str, left: list[Record]) -> str:
    told = (
        text(morning(store, report["run"]))
        if report["run"]
        else "\n".join([report["reason"], *section("Not taken in", left)]) + "\n"
    )
    listed = f"\n## Taken in\n\n- {taken}\n" if taken else ""
    return f"# {began:%Y-%m-%d %H:%M}: {report['decision']}\n\n{told}{listed}"


def _write_note(home: Home, began: datetime, note: str) -> Path:
    path = _file(home, began, "md")
    _append(path, f"{note}\n")
    return path


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _file(home: Home, began: datetime, suffix: str) -> Path:
    private_folder(home.path)
    return private_folder(home.nights) / f"{began:%Y-%m-%d}.{suffix}"


def _append(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
