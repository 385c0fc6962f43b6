"""Giving back the disk of old versions: some are kept by number and by date, and whatever is needed always.

Needed are the version in service and the slow version it stands on. What else was learned stays in the
store, and so does what was measured; only weights are deleted.
"""

import shutil
from datetime import datetime

from ..memory.lineage import PRUNED, ancestors, in_service, pruned
from ..memory.store import Record, Store, to_json


def prune(
    store: Store, last: int = 5, daily: int = 7, weekly: int = 4, dry_run: bool = False
) -> Record:
    """Delete every version that no rule keeps.

    Args:
        last: the newest so many.
        daily: the newest version of each of the newest so many days that have one.
        weekly: the same for weeks.

    Returns:
        `kept`, each version with the reasons; `deleted`, the versions; `freed_bytes`.
    """
    with store.db.atomic():
        versions = store.rows(
            "SELECT version, created_at FROM adapters WHERE state != 'deleted' ORDER BY version DESC"
        )
        reasons = _reasons(versions, last, daily, weekly)
        if serving := in_service(store):
            reasons.setdefault(serving, []).append("in service")
            slow = ancestors(store, serving)[-1]
            if slow != serving:
                reasons.setdefault(slow, []).append(f"version {serving} stands on it")
        live = [row["version"] for row in versions]
        gone = [version for version in live if version not in reasons]
        freed = sum(_n_bytes(store, version) for version in gone)
        if not dry_run:
            for version in gone:
                store.db.execute(
                    "UPDATE adapters SET state = 'deleted' WHERE version = ?", [version]
                )
            store.set_setting(PRUNED, to_json(sorted(pruned(store).union(gone))))
    if not dry_run:
        # After the rows: what dies here in between leaves folders that the next run sweeps.
        for version in gone:
            shutil.rmtree(store.home.versions / str(version), ignore_errors=True)
    return {
        "kept": [{"version": v, "reasons": reasons[v]} for v in live if v in reasons],
        "deleted": gone,
        "freed_bytes": freed,
    }


def _reasons(versions: list[Record], last: int, daily: int, weekly: int) -> dict[int, list[str]]:
    """Which versions the numbers keep, and why; `versions` come newest first."""
    found: dict[int, list[str]] = {}
    for row in versions[:last]:
        found.setdefault(row["version"], []).append(f"one of the last {last}")
    for name, form, most in (("day", "%Y-%m-%d", daily), ("week", "%G-W%V", weekly)):
        newest: dict[str, int] = {}
        for row in versions:
            period = f"{datetime.fromisoformat(row['created_at']).astimezone():{form}}"
            newest.setdefault(period, row["version"])
        for period, version in list(newest.items())[:most]:
            found.setdefault(version, []).append(f"the newest of its {name}, {period}")
    return found


def _n_bytes(store: Store, version: int) -> int:
    folder = store.home.versions / str(version)
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
