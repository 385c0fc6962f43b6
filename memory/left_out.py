"""What was taken in of a source but made no chunk, and why."""

from .store import LISTED, Record, Store, to_json


def note(store: Store, source_id: int, place: str, reason: str, beginning: str) -> None:
    """Keep a note of it.

    Args:
        place: the heading or the message it stood at.
        beginning: its first words.
    """
    store.db.execute(
        "INSERT INTO left_out (source_id, place, reason, beginning) VALUES (?, ?, ?, ?)",
        [source_id, place, reason, beginning],
    )


def newest(store: Store, source_id: int) -> int:
    """The newest note of a source, 0 where there is none: what `drop_until` is told."""
    return int(
        store.value("SELECT coalesce(max(id), 0) FROM left_out WHERE source_id = ?", source_id)
    )


def drop_until(store: Store, source_id: int, newest: int) -> bool:
    """Drop the notes of a source from before it was read again. Whether one is not among the later ones."""
    of_source = "FROM left_out WHERE source_id = ?1 AND id"
    words = "SELECT place, beginning"
    is_gone = store.value(
        f"SELECT EXISTS ({words} {of_source} <= ?2 EXCEPT {words} {of_source} > ?2)",
        source_id,
        newest,
    )
    store.db.execute(f"DELETE {of_source} <= ?2", [source_id, newest])
    return bool(is_gone)


def listed(store: Store, source_ids: list[int] | None = None) -> list[Record]:
    """What was left out of some sources or of all: source, place, reason, beginning."""
    among = "1" if source_ids is None else f"l.source_id IN {LISTED}"
    return store.rows(
        "SELECT s.path AS source, l.place, l.reason, l.beginning FROM left_out l"
        f" JOIN sources s ON s.id = l.source_id WHERE {among} ORDER BY l.id",
        *(() if source_ids is None else [to_json(source_ids)]),
    )
