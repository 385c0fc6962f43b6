"""A run that did not come to its end: whether the next consolidation goes on with it, or it is closed."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from ..memory.errors import LearnctlError
from ..memory.lineage import in_service
from ..memory.store import Record, Store, to_json
from . import registry
from .base import Base
from .options import APART_FROM_TRAINING, Options


def find(store: Store) -> Record | None:
    return store.row("SELECT * FROM runs WHERE state = 'running' ORDER BY id DESC LIMIT 1")


def why_not(store: Store, run: Record, base: Base, options: Options) -> str:
    """Why a run cannot go on as what was asked for now; empty where it can."""
    if run["base_digest"] != base.digest:
        return "the base model has changed"
    if reason := registry.why_overtaken(store, run):
        return reason
    begun, asked = json.loads(run["options"]), asdict(options)
    changed = [name for name in asked if asked[name] != begun.get(name)]
    changed = [name for name in changed if name not in APART_FROM_TRAINING]
    return f"set to another value since: {', '.join(changed)}" if changed else ""


def take_up(store: Store, run: Record, options: Options) -> Record:
    """The run as it goes on: trained as it began, judged by the gate as it is set now."""
    taken = {**run, "options": to_json(asdict(options))}
    with store.db.atomic():
        store.db.execute("UPDATE runs SET options = ? WHERE id = ?", [taken["options"], run["id"]])
    return taken


@contextmanager
def closed_by_a_fault(store: Store) -> Iterator[None]:
    """Where something goes wrong, the run at work is closed with the reason: the next one begins anew."""
    try:
        yield
    except LearnctlError as error:
        fail(store, str(error))
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
