"""Versions: adapters published whole or not at all, put in service, rolled back, deleted.

The rows in the store are the truth; the folder `versions/N` holds the weights in PEFT's form and a
card that says how they were made. Publishing writes to a temporary name, syncs, renames, and only
then commits the rows.
"""

import json
import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from ..memory.errors import LearnctlError
from ..memory.forget import forget_sources
from ..memory.forget_rule import forget_where
from ..memory.forgotten import Rule
from ..memory.home import private_files, private_folder, sync
from ..memory.lineage import in_service, served_before
from ..memory.store import Record, Store, now, to_json
from .adapter import WEIGHTS
from .models import file_sha256

CARD = "card.json"
# Settings: why the next consolidation must start from the base; and when one over several nights that did was last overtaken.
SLOW_DUE = "slow_due"
OVERTAKEN_AT = "overtaken_at"
# Likewise: how often something was forgotten.
N_FORGOTTEN = "n_forgotten"


class Overtaken(Exception):
    """What a run rests on was taken back while it trained; says what."""


def publish(
    store: Store,
    run: Record,
    save: Callable[[Path], None],
    report: Record,
    without: Collection[int] = (),
) -> int:
    """Write an adapter as the next version and put it in service, with the report of its run.

    Args:
        save: called with a folder; writes the weights and settings of the adapter into it.
        report: what the run measured; its `version` is filled in.
        without: samples that its time did not come to: they were not rehearsed, and are first another night.

    Returns:
        The version's number. Until this returns, what was in service is in service.

    Raises:
        Overtaken: what it was trained on is no longer in the store, or another version was put in
            service since the run began; nothing is published.
    """
    private_folder(store.home.versions)
    version = 1 + int(store.value("SELECT max(version) FROM adapters") or 0)
    scratch = private_folder(store.home.versions / f".{version}.tmp")
    target = store.home.versions / str(version)
    report["version"] = version
    made = {name: run[name] for name in ("level", "parent", "base_name", "base_digest")}
    with private_files():
        save(scratch)
        sha256 = file_sha256(scratch / WEIGHTS)
        card = {**made, "options": json.loads(run["options"]), "report": report, "sha256": sha256}
        (scratch / CARD).write_text(json.dumps(card, indent=1))
    for file in scratch.iterdir():
        sync(file)
    sync(scratch)
    shutil.rmtree(target, ignore_errors=True)  # a leftover of a run that died before its rows
    os.replace(scratch, target)
    sync(store.home.versions)
    with store.db.atomic():
        # In the same transaction as the rows: what is taken back while a run trains is never served.
        if reason := why_overtaken(store, run):
            shutil.rmtree(target, ignore_errors=True)
            raise Overtaken(reason)
        adapter = {"version": version, "run_id": run["id"], **made}
        store.db.table("adapters").insert(
            {**adapter, "sha256": sha256, "created_at": now(), "state": _state_below(store, run)}
        )
        for sample in without:
            store.db.execute(
                "DELETE FROM run_samples WHERE run_id = ? AND sample_id = ?", [run["id"], sample]
            )
        finish(store, run["id"], report)
        _serve(store, version)
        store.db.execute("DELETE FROM settings WHERE key = ?", [SLOW_DUE])
        if run["level"] == "slow":
            store.db.execute("DELETE FROM settings WHERE key = ?", [OVERTAKEN_AT])
    return version


def finish(store: Store, run_id: int, report: Record) -> None:
    """Close a run with its report; one that was dropped meanwhile stays so."""
    store.db.execute(
        "UPDATE runs SET state = 'done', report = ? WHERE id = ? AND state != 'dropped'",
        [to_json(report), run_id],
    )


def weights_folder(store: Store, version: int) -> Path:
    """The folder of a version's weights, checked against its digest.

    Raises:
        LearnctlError: there is no such version, or its file is not what was published.
    """
    adapter = _adapter(store, version)
    folder = store.home.versions / str(version)
    if not (folder / WEIGHTS).exists() or file_sha256(folder / WEIGHTS) != adapter["sha256"]:
        raise LearnctlError(
            f"the weights of version {version} are missing or damaged",
            hint="`learnctl rollback` puts an earlier version in service",
        )
    return folder


def history(store: Store) -> list[Record]:
    """Every version that still exists, newest first, with what its run measured."""
    serving = in_service(store)
    found = []
    for row in store.rows(
        "SELECT a.*, r.report FROM adapters a JOIN runs r ON r.id = a.run_id"
        " WHERE a.state != 'deleted' ORDER BY version DESC"
    ):
        report = json.loads(row["report"] or "{}")
        found.append(
            {
                "version": row["version"],
                "run": row["run_id"],
                "created": row["created_at"],
                "level": row["level"],
                "parent": row["parent"],
                "in_service": row["version"] == serving,
                "recall": report.get("recall"),
                "divergence": report.get("divergence"),
                "state": row["state"],
            }
        )
    return found


def refused(store: Store) -> list[Record]:
    """Every run that the gate refused (`refused`) or in which training went wrong (`failed`), newest first, with why
    and with what it measured."""
    found = store.rows(
        "SELECT id, created_at, level, iif(state = 'failed', 'failed', 'refused') AS decision, report FROM runs"
        " WHERE report ->> 'decision' = 'refused' ORDER BY id DESC"
    )
    return [
        {
            "run": row["id"],
            "created": row["created_at"],
            "level": row["level"],
            "decision": row["decision"],
            **{
                name: json.loads(row["report"]).get(name)
                for name in ("reason", "recall", "divergence")
            },
        }
        for row in found
    ]


def rollback(store: Store, version: int | None = None) -> int:
    """Put an earlier version in service: the named one (0 is the base), else the one that served before
    the one that serves now. Returns the version now in service.

    Raises:
        LearnctlError: there is no such version, or nothing to go back to.
    """
    if version is None:
        serving = in_service(store)
        if not serving:
            raise LearnctlError("the base is in service: there is nothing to go back to")
        version = served_before(store, serving)
    if version:
        weights_folder(store, version)
    with store.db.atomic():
        _serve(store, version)
    return version


def forget(store: Store, source_ids: list[int]) -> Record:
    """Take sources back: out of the store, and every version that learned from them deleted.

    What serves next is the last version that served and never saw them, else the base. Unfinished runs are
    dropped with their checkpoints.
    """
    return _forgetting(store, lambda: forget_sources(store, source_ids))


def forget_by_rule(store: Store, rule: Rule) -> Record:
    """Take back what a rule covers, in the same way, and keep it out from now on."""
    return _forgetting(store, lambda: forget_where(store, rule))


def _forgetting(store: Store, forget: Callable[[], Record]) -> Record:
    before = _live(store)
    with store.db.atomic():  # before what is forgotten is erased
        store.db.execute(
            "UPDATE runs SET report = json_remove(report, '$.set_aside', '$.not_taken_in')"
            " WHERE coalesce(report ->> 'set_aside', report ->> 'not_taken_in') IS NOT NULL"
        )
    try:
        report = forget()
    finally:
        # Also where erasing was cut short: weights that saw what was forgotten never stay.
        gone = before - _live(store)
        if gone:
            store.set_setting(SLOW_DUE, "something it learned from was forgotten")
        drop_unfinished(store)
        # After all that: whoever sees the number finds nothing of it any more.
        with store.db.atomic():
            store.set_setting(N_FORGOTTEN, str(1 + n_forgotten(store)))
        # Notes of nights quote what was learned, and logs name files.
        shutil.rmtree(store.home.nights, ignore_errors=True)
    return {**report, "versions_deleted": sorted(gone), "version": in_service(store)}


def n_forgotten(store: Store) -> int:
    """How often something was forgotten: another number than before says that something was, also by another process."""
    return int(store.setting(N_FORGOTTEN, "0"))


def drop_unfinished(store: Store) -> None:
    """Give up every run that did not come to its end, also one at work in another process, with its checkpoint and what it has half
    published."""
    with store.db.atomic():
        store.db.execute("UPDATE runs SET state = 'dropped' WHERE state = 'running'")
    sweep(store)


def is_dropped(store: Store, run: Record) -> bool:
    state = store.value("SELECT state FROM runs WHERE id = ?", run["id"])
    return bool(state == "dropped")


def sweep(store: Store) -> None:
    """Remove the weights of versions that are deleted, what a run that died left half published, and the checkpoints of runs that
    came to their end; only while no other run is at work that may publish."""
    unfinished = {row["id"] for row in store.rows("SELECT id FROM runs WHERE state = 'running'")}
    for folder, wanted in ((store.home.versions, _live(store)), (store.home.runs, unfinished)):
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.name not in map(str, wanted):
                shutil.rmtree(entry, ignore_errors=True)


def why_overtaken(store: Store, run: Record) -> str:
    """What a run rests on that is no longer so; empty where all is as it was when the run began."""
    state = store.value("SELECT state FROM runs WHERE id = ?", run["id"])
    missing = store.value(
        "SELECT count(*) FROM run_samples WHERE run_id = ? AND sample_id NOT IN"
        " (SELECT id FROM samples)",
        run["id"],
    )
    if state != "running" or missing:
        return "a source it learned from was forgotten or changed, or one of its wordings held out, while it trained"
    serving = in_service(store)
    if serving != run["replaces"]:
        return (
            f"version {serving} was put in service in place of {run['replaces']} while it trained"
        )
    return ""


def _state_below(store: Store, run: Record) -> str:
    """What stands on a version that learned from a source which has changed has learned from it, too."""
    state = store.value("SELECT state FROM adapters WHERE version = ?", run["parent"])
    return str(state or "ok")


def _live(store: Store) -> set[int]:
    rows = store.rows("SELECT version FROM adapters WHERE state != 'deleted'")
    return {row["version"] for row in rows}


def _adapter(store: Store, version: int) -> Record:
    found = store.row("SELECT * FROM adapters WHERE version = ? AND state != 'deleted'", version)
    if found is None:
        raise LearnctlError(f"no version {version}", hint="`learnctl history` lists them")
    return found


def _serve(store: Store, version: int) -> None:
    store.db.table("settings").upsert({"key": "in_service", "value": str(version)}, pk="key")
