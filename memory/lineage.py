"""Which version descends from which, what each one learned from, which one is in service.

The rows are the only truth about versions; the weights themselves are `trainer.registry`'s.
Version 0 is the base, untouched.
"""

import json
from collections import defaultdict
from collections.abc import Collection

from . import people
from .names import name_of
from .redact import Redactor
from .search import place_of
from .store import LISTED, Record, Store, batches, marks, to_json

# A setting: the versions that were pruned, as JSON.
PRUNED = "pruned"
# The kinds of chunks that are studied; replies of an assistant are not.
STUDIED_KINDS = ("text", "told", "asked", "said")
# Of these, what the owner said in chats.
OWN_KINDS = ("told", "asked")
# How a reason to set a passage aside begins that holds as long as packs are so short.
FITS_NO_PACK = "all that is made of it is longer than `pack_tokens`"


def in_service(store: Store) -> int:
    """The version that was put in service; once it is deleted, the last that served before it."""
    chosen = int(store.setting("in_service", "0"))
    return chosen if _is_there(store, chosen) else served_before(store, chosen)


def served_before(store: Store, version: int) -> int:
    """The version that served before one, of those that are there: never one that was rolled back from."""
    earlier = served(store, version)[::-1]
    return next((one for one in earlier if one != version and _is_there(store, one)), 0)


def _is_there(store: Store, version: int) -> bool:
    state = store.value("SELECT state FROM adapters WHERE version = ?", version)
    return state not in (None, "deleted")


def is_of_another_base(store: Store, version: int, base_digest: str) -> bool:
    """Whether a version was trained on another base than this one; version 0 was trained on none."""
    trained_on = store.value("SELECT base_digest FROM adapters WHERE version = ?", version)
    return trained_on not in (None, base_digest)


def ancestors(store: Store, version: int) -> list[int]:
    """A version and those its weights were continued from, newest first, without the base."""
    chain = []
    while version:
        chain.append(version)
        version = int(store.value("SELECT parent FROM adapters WHERE version = ?", version) or 0)
    return chain


def served(store: Store, version: int) -> list[int]:
    """The versions that served one after another up to this one, oldest first: what was rolled back is not
    among them, and what was forgotten is not either; what was pruned is, for what it knew was measured."""
    chain = []
    kept = pruned(store)
    while version:
        row = store.row(
            "SELECT a.state, coalesce(r.replaces, a.parent) AS before"
            " FROM adapters a JOIN runs r ON r.id = a.run_id WHERE a.version = ?",
            version,
        )
        if row is None:
            break
        if row["state"] != "deleted" or version in kept:
            chain.append(version)
        version = int(row["before"])
    return chain[::-1]


def pruned(store: Store) -> set[int]:
    """The versions whose weights were deleted to save room."""
    return set(json.loads(store.setting(PRUNED, "[]")))


def learned_chunks(store: Store, version: int) -> set[int]:
    """The live chunks that the weights of a version have learned from."""
    chain = ancestors(store, version)
    found = store.rows(
        "SELECT DISTINCT s.chunk_id AS id FROM samples s"
        " JOIN run_samples rs ON rs.sample_id = s.id JOIN adapters a ON a.run_id = rs.run_id"
        f" WHERE s.chunk_id IS NOT NULL AND a.version IN ({marks(chain)})",
        *chain,
    )
    return {row["id"] for row in found}


def first_sources(store: Store, chunk_ids: Collection[int]) -> dict[int, int]:
    """The first source that holds each of some chunks; what no source holds is left out."""
    # By their numbers: SQLite reads the view `origins` from end to end where it is joined.
    return {
        row["chunk_id"]: row["source_id"]
        for some in batches(chunk_ids)
        for row in store.rows(
            "SELECT chunk_id, min(source_id) AS source_id FROM origins"
            f" WHERE chunk_id IN ({marks(some)}) GROUP BY chunk_id",
            *some,
        )
    }


def taught_chunks(store: Store, run_id: int) -> set[int]:
    """The live chunks that a run trains on, as new or again."""
    found = store.rows(
        "SELECT DISTINCT s.chunk_id AS id FROM samples s JOIN run_samples rs"
        " ON rs.sample_id = s.id WHERE rs.run_id = ? AND s.chunk_id IS NOT NULL",
        run_id,
    )
    return {row["id"] for row in found}


def places(store: Store, chunk_ids: Collection[int]) -> dict[int, str]:
    """The title and headings that some chunks stand under, in the first source that holds each and may be learned."""
    untrusted = [
        row["id"] for row in store.rows("SELECT id FROM sources WHERE trust = 'untrusted'")
    ]
    return {
        row["chunk_id"]: place_of(row["title"], row["heading"])
        for some in batches(chunk_ids)
        for row in store.rows(
            "SELECT chunk_id, title, heading, min(source_id) FROM origins"
            f" WHERE chunk_id IN ({marks(some)}) AND source_id NOT IN {LISTED}"
            " GROUP BY chunk_id",
            *some,
            to_json(untrusted),
        )
    }


def studied_chunks(store: Store) -> list[Record]:
    """Every live chunk that can be studied, with its first place of origin, in order of arrival.

    Neither what is kept back nor what only untrusted sources say. `writer` is who wrote a letter, and None where that is the owner
    of the store, or where it is none; `is_anothers`: it is not the owner's, whose names are known; `is_own`: the owner said it in a
    chat, or it bears their name.
    """
    # Names were redacted as they were stored.
    redacted = Redactor.of(store)
    names = [name for known in people.known(store) for name in (known, redacted(known))]
    mine = {name_of(name) for name in names}
    found = store.rows(
        f"""
        SELECT c.id, c.kind, c.text, c.n_words, c.language, o.source_id, s.path, o.document_id, o.title,
               o.heading, o.date, o.speaker, s.learn, s.trust, d.author,
               CASE WHEN d.is_letter THEN coalesce(d.author, 'somebody') END AS writer
        FROM chunks c JOIN origins o ON o.chunk_id = c.id JOIN sources s ON s.id = o.source_id
        LEFT JOIN documents d ON d.id = o.document_id
        WHERE c.kind IN ({marks(STUDIED_KINDS)})
              AND c.quarantine IS NULL AND s.trust != 'untrusted'
        GROUP BY c.id HAVING o.source_id = min(o.source_id)
        ORDER BY o.source_id, o.document_id, o.position
        """,
        *STUDIED_KINDS,
    )
    for chunk in found:
        is_mine = name_of(chunk.pop("author") or "") in mine
        chunk["is_anothers"] = bool(mine and chunk["writer"]) and not is_mine
        chunk["writer"] = None if is_mine else chunk["writer"]
        chunk["is_own"] = is_mine or chunk["kind"] in OWN_KINDS
    return found


def still_studied(store: Store, chunks: Collection[Record]) -> set[int]:
    """Those of some chunks, as `studied_chunks` gave them, that may be studied, and for the same."""
    of = {chunk["id"]: chunk for chunk in chunks}
    found = store.rows(
        "SELECT o.chunk_id, s.learn, min(o.source_id) FROM origins o JOIN sources s ON s.id = o.source_id"
        " JOIN chunks c ON c.id = o.chunk_id"
        f" WHERE o.chunk_id IN ({marks(of)}) AND s.trust != 'untrusted' AND c.quarantine IS NULL"
        " GROUP BY o.chunk_id",
        *of,
    )
    return {row["chunk_id"] for row in found if row["learn"] == of[row["chunk_id"]]["learn"]}


def barren_chunks(
    store: Store, base_digest: str | None = None, kinds: Collection[str] = ()
) -> set[int]:
    """The chunks that were studied, and nothing came of it: they have nothing to teach.

    Args:
        kinds: of the samples that are trained; empty: all.
        base_digest: of the base that studied them; None: that of the version in service, or the one that studied last. Another
            base may make more of them.
    """
    digest = (
        base_digest
        or store.value("SELECT base_digest FROM adapters WHERE version = ?", in_service(store))
        or store.value("SELECT base_digest FROM studied ORDER BY rowid DESC LIMIT 1")
    )
    of_kinds = f" AND s.kind IN ({marks(kinds)})" if kinds else ""
    found = store.rows(
        "SELECT chunk_id FROM studied st WHERE base_digest = ? AND NOT EXISTS"
        f" (SELECT 1 FROM samples s WHERE s.chunk_id = st.chunk_id AND s.base_digest = st.base_digest{of_kinds})",
        digest,
        *kinds,
    )
    return {row["chunk_id"] for row in found}


def new_chunks(
    store: Store, base_digest: str | None = None, kinds: Collection[str] = ()
) -> list[Record]:
    """The live chunks that the version in service has not learned from, that may have something to teach, and that no night gave
    up on.

    Args:
        base_digest, kinds: as for `barren_chunks`.
    """
    known = learned_chunks(store, in_service(store)) | barren_chunks(store, base_digest, kinds)
    known |= {row["chunk_id"] for row in store.rows("SELECT chunk_id FROM set_aside")}
    return [chunk for chunk in studied_chunks(store) if chunk["id"] not in known]


def often_refused(store: Store, run_id: int, n_times: int) -> set[int]:
    """Of the chunks that were new in a run: those that were new in so many refused runs on its base since
    a version last learned them."""
    found = store.rows(
        "SELECT s.chunk_id AS id FROM samples s"
        " JOIN run_samples rs ON rs.sample_id = s.id AND rs.role = 'new'"
        " JOIN runs r ON r.id = rs.run_id AND r.state = 'done'"
        "  AND r.report ->> 'decision' = 'refused'"
        "  AND r.base_digest = (SELECT base_digest FROM runs WHERE id = ?)"
        "  AND r.id > coalesce((SELECT max(a.run_id) FROM adapters a"
        "   JOIN run_samples ls ON ls.run_id = a.run_id JOIN samples l ON l.id = ls.sample_id"
        "   WHERE l.chunk_id = s.chunk_id), 0)"
        " GROUP BY s.chunk_id"
        " HAVING count(DISTINCT r.id) >= ? AND max(r.id) = ?",
        run_id,
        n_times,
        run_id,
    )
    return {row["id"] for row in found}


def sources_of(store: Store, chunks: str, *values: object) -> list[Record]:
    """The sources of the chunks that a query names; each passage counts for the first source that held it."""
    return store.rows(
        "SELECT s.path, count(*) AS chunks FROM ("
        " SELECT chunk_id, min(source_id) AS source_id FROM origins"
        f" WHERE chunk_id IN ({chunks}) GROUP BY chunk_id"
        ") JOIN sources s ON s.id = source_id GROUP BY s.id ORDER BY s.id",
        *values,
    )


def set_aside(store: Store, run_id: int, chunk_ids: set[int], reason: str) -> None:
    """Keep some chunks out of coming nights; retrieval still finds them. What is forgotten meanwhile is out of them anyway."""
    with store.db.atomic():
        for some in batches(sorted(chunk_ids)):
            store.db.execute(
                "INSERT OR IGNORE INTO set_aside (chunk_id, run_id, reason)"
                f" SELECT id, ?, ? FROM chunks WHERE id IN ({marks(some)})",
                [run_id, reason, *some],
            )


def fits_no_pack(pack_tokens: int) -> str:
    """Why a passage is set aside until packs are longer than this."""
    return f"{FITS_NO_PACK} ({pack_tokens})"


def take_up_again(store: Store, pack_tokens: int) -> None:
    """Take back into the nights what was set aside because it fits no pack, unless packs are as long as they were."""
    with store.db.atomic():
        store.db.execute(
            "DELETE FROM set_aside WHERE substr(reason, 1, ?) = ? AND reason != ?",
            [len(FITS_NO_PACK), FITS_NO_PACK, fits_no_pack(pack_tokens)],
        )


def learned_from(store: Store, source_id: int) -> set[int]:
    """The versions whose own run saw something that a source holds, or held."""
    held = store.rows("SELECT DISTINCT chunk_id FROM origins WHERE source_id = ?", source_id)
    found = store.rows("SELECT version FROM outgrown WHERE source_id = ?", source_id)
    samples = samples_of(store, [row["chunk_id"] for row in held])
    return {row["version"] for row in found} | trained_on(store, samples)


def samples_of(store: Store, chunk_ids: Collection[int]) -> list[int]:
    """The samples that were made from some chunks, alone or beside another."""
    return [
        row["id"]
        for some in batches(chunk_ids)
        for row in store.rows(
            f"SELECT id FROM samples WHERE chunk_id IN ({marks(some)})"
            f" UNION SELECT id FROM samples WHERE second_chunk_id IN ({marks(some)})",
            *some,
            *some,
        )
    ]


def trained_on(store: Store, sample_ids: Collection[int]) -> set[int]:
    """The versions whose own run saw one of the samples."""
    return {
        row["version"]
        for some in batches(sample_ids)
        for row in store.rows(
            "SELECT DISTINCT a.version FROM adapters a JOIN run_samples rs ON rs.run_id = a.run_id"
            f" WHERE rs.sample_id IN ({marks(some)})",
            *some,
        )
    }


def note_outgrown(store: Store, chunk_ids: Collection[int]) -> None:
    """Of chunks whose samples are about to go, and of those that these were made of beside them, remember for the sources that stay
    which versions learned from them: when such a source is forgotten, they are found nowhere else."""
    chunk_ids = _with_seconds(store, chunk_ids)
    # By their numbers: SQLite reads the view `origins` from end to end where it is joined.
    for some in batches(chunk_ids):
        held = store.rows(
            f"SELECT DISTINCT chunk_id, source_id FROM origins WHERE chunk_id IN ({marks(some)})",
            *some,
        )
        sources: dict[int, set[int]] = defaultdict(set)
        for row in held:
            sources[row["chunk_id"]].add(row["source_id"])
        for chunk_id, source_ids in sources.items():
            for version in trained_on(store, samples_of(store, [chunk_id])):
                for source_id in source_ids:
                    store.db.execute(
                        "INSERT OR IGNORE INTO outgrown VALUES (?, ?)", [source_id, version]
                    )


def _with_seconds(store: Store, chunk_ids: Collection[int]) -> set[int]:
    return {*chunk_ids}.union(
        *(
            (row["chunk_id"], row["second_chunk_id"])
            for some in batches(samples_of(store, chunk_ids))
            for row in store.rows(
                f"SELECT chunk_id, second_chunk_id FROM samples WHERE id IN ({marks(some)})"
                " AND second_chunk_id IS NOT NULL",
                *some,
            )
        )
    )


def outgrown(store: Store, source_id: int) -> list[int]:
    """The versions that hold what a source held once."""
    found = store.rows("SELECT version FROM outgrown WHERE source_id = ?", source_id)
    return _with_descendants(store, {row["version"] for row in found})


def mark_adapters(store: Store, versions: set[int], state: str) -> None:
    """Mark some adapters, and every one continued from them."""
    for version in _with_descendants(store, versions):
        store.db.execute("UPDATE adapters SET state = ? WHERE version = ?", [state, version])


def _with_descendants(store: Store, versions: set[int]) -> list[int]:
    """Those of some versions that are there, and those continued from any of them."""
    live = store.rows("SELECT version FROM adapters WHERE state != 'deleted' ORDER BY version")
    return [
        row["version"] for row in live if versions.intersection(ancestors(store, row["version"]))
    ]
