"""A run that did not come to its end: whether the next consolidation goes on with it, or it is closed."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from ..memory.errors import LearnctlError
from ..memory.lineage import in_service
from ..memory.store import Record, Store, to_json
from . import registry
from .base import Base
from .options import APART_FROM_TRAINING, Options
from .train import saved_step

# So often is a run taken up that brings no step more into its checkpoint: what kills it would kill it for ever.
MOST_TRIES = 3
# A setting: the run that was taken up last, its step, and how often it was taken up there.
TAKEN_UP = "taken_up"


def find(store: Store) -> Record | None:
    return store.row("SELECT * FROM runs WHERE state = 'running' ORDER BY id DESC LIMIT 1")


def why_not(store: Store, run: Record, base: Base, options: Options) -> str:
    """Why a run cannot go on as what was asked for now; empty where it can."""
    if run["base_digest"] != base.digest:
        return "the base model has changed"
    if reason := registry.why_overtaken(store, run):
        return reason
    try:
        # What it was begun without, for there was no such option, is as it is by default.
        begun = asdict(Options(**json.loads(run["options"])))
    except (TypeError, LearnctlError):
        return "it was begun with options that there are no more"
    asked = asdict(options)
    changed = [name for name in asked if asked[name] != begun[name]]
    changed = [name for name in changed if name not in APART_FROM_TRAINING]
    return f"set to another value since: {', '.join(changed)}" if changed else ""


def take_up(store: Store, run: Record, options: Options) -> Record:
    """The run as it goes on: trained as it began, judged by the gate as it is set now."""
    taken = {**run, "options": to_json(asdict(options))}
    with store.db.atomic():
        store.db.execute("UPDATE runs SET options = ? WHERE id = ?", [taken["options"], run["id"]])
        store.set_setting(TAKEN_UP, to_json([*_place(store, run), 1 + n_tries(store, run)]))
    return taken


def n_tries(store: Store, run: Record) -> int:
    """How often a run was taken up where it stands now, and killed."""
    *place, n = json.loads(store.setting(TAKEN_UP, "[0]"))
    return int(n) if place == _place(store, run) else 0


@contextmanager
def counting_kills(store: Store) -> Iterator[None]:
    """Who comes to an end that can be told was not killed: tries are counted anew."""
    try:
        yield
    except LearnctlError:
        _forget_tries(store)
        raise
    _forget_tries(store)


def _forget_tries(store: Store) -> None:
    with suppress(sqlite3.OperationalError), store.db.atomic():  # the disk may be full
        store.db.execute("DELETE FROM settings WHERE key = ?", [TAKEN_UP])


def _place(store: Store, run: Record) -> list[int]:
    return [run["id"], saved_step(folder(store, run))]


def folder(store: Store, run: Record) -> Path:
    """Where the checkpoint of a run lies."""
    return store.home.runs / str(run["id"]) / "checkpoint"


@contextmanager
def closed_by_a_fault(store: Store) -> Iterator[None]:
    """Where something goes wrong, the run at work is closed with the reason: the next one begins anew."""
    try:
        yield
    except LearnctlError as error:
        fail(store, str(error))
        raise


@contextmanager
def ending_where_dropped(store: Store, run: Record) -> Iterator[None]:
    """A run that another process dropped, for something was forgotten, comes to nothing, whatever else ends it: its files may have gone
    while they were written, and what was written since goes, too.

    Raises:
        Overtaken: it was dropped.
    """
    try:
        yield
    except Exception:
        if registry.is_dropped(store, run):
            raise registry.Overtaken(registry.why_overtaken(store, run)) from None
        raise


def fail(store: Store, reason: str) -> None:
    """Close the run at work, refused for a reason."""
    run = find(store)
    if run is None:
        return
    report = {
        "run": run["id"],
        "decision": "refused",
        "reason": reason,
        "version": in_service(store),
        "level": run["level"],
    }
    with store.db.atomic():
        store.db.execute(
            "UPDATE runs SET state = 'failed', report = ? WHERE id = ?",
            [to_json(report), run["id"]],
        )
    shutil.rmtree(store.home.runs / str(run["id"]), ignore_errors=True)
