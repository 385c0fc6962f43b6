"""What a chunk stands under."""

from typing import Any

from learnctl.memory.lineage import places
from learnctl.memory.store import Store


def test_a_chunk_stands_under_its_title_and_headings(store: Store, take: Any) -> None:
    """In the first source that holds it and may be learned, where there are several."""
    text = "The last train to Marrowick leaves at nine in the evening."
    take({"a.md": f"# Handbook\n\n## Travel\n\n{text}\n"})
    take({"b.md": f"# Copy\n\n{text}\n"})
    (chunk,) = store.rows("SELECT id FROM chunks")
    assert places(store, [chunk["id"]]) == {chunk["id"]: "Handbook › Travel"}
    assert places(store, []) == {}
    store.db.execute("UPDATE sources SET trust = 'untrusted' WHERE path LIKE '%a.md'")
    assert places(store, [chunk["id"]]) == {chunk["id"]: "Copy"}
