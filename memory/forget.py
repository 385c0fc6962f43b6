"""Taking a source back: its bytes leave the store, and with them all that was made of them.

What another live source also holds stays, for that source; but the samples made of it go, since they
may name the forgotten one. Every adapter that learned from it, as it is or once was, is marked `deleted`;
`trainer.registry.forget` deletes the files and chooses what serves instead. No night takes the files in again.
"""

from . import contents, forgotten_files, passed_over
from .lineage import mark_adapters
from .store import LISTED, Record, Store, to_json


def forget_sources(store: Store, source_ids: list[int]) -> Record:
    """Remove sources at once. Returns counts: sources, documents, chunks, samples."""
    listed = to_json(source_ids)
    with store.db.atomic():
        held = [
            row["chunk_id"]
            for row in store.rows(
                f"SELECT DISTINCT chunk_id FROM origins WHERE source_id IN {LISTED}", listed
            )
        ]
        n_samples, versions = contents.remove_samples(store, held)
        outgrown = store.rows(f"SELECT version FROM outgrown WHERE source_id IN {LISTED}", listed)
        mark_adapters(store, versions | {row["version"] for row in outgrown}, "deleted")
        forgotten_files.remember(store, source_ids)
        passed_over.forget(store, source_ids)
        store.db.execute(f"DELETE FROM sources WHERE id IN {LISTED}", [listed])
        gone = contents.sweep(store)
        contents.blank_answers(store)
    store.erase_traces()
    return {
        "sources": len(source_ids),
        "documents": gone["documents"],
        "chunks": gone["chunks"],
        "samples": n_samples,
    }
