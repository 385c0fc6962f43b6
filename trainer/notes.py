"""What a person says to be remembered: notes of their own, each a source `note:N`, found by search at
once and learned at night.

An answer that they confirm or correct is such a note too, under the question it belongs to. So nothing
an assistant said is learned but what its user has put their name to.
"""

from datetime import datetime

from ..memory import contents
from ..memory.errors import LearnctlError
from ..memory.lineage import learned_from
from ..memory.records import Document, Section
from ..memory.store import Store
from . import registry
from .chats import put_own, source_of


def remember(store: Store, text: str) -> int:
    """Keep a note; its number.

    Raises:
        LearnctlError: nothing of it would be kept.
    """
    return _put(store, "", text)


def settle(store: Store, question: str, answer: str) -> int:
    """Keep what the user holds to be the answer to a question; the number of the note.

    The question stands in the text, so that search finds a short answer too."""
    heading = " ".join(question.split())
    return _put(store, heading, f"{heading}\n{answer.strip()}")


def drop(store: Store, number: int) -> list[int]:
    """Take a note back, with all that was made of it. The versions that had learned it are deleted, and
    returned."""
    source_id = store.value("SELECT id FROM sources WHERE path = ?", f"note:{number}")
    if source_id is None:  # forgotten meanwhile
        return []
    if learned_from(store, source_id):
        return list(registry.forget(store, [source_id])["versions_deleted"])
    with store.db.atomic():
        store.db.execute("DELETE FROM sources WHERE id = ?", [source_id])
        contents.sweep(store)
    return []


def _put(store: Store, heading: str, text: str) -> int:
    def make(number: int) -> Document:
        today = datetime.now().astimezone().date()
        return Document("", (Section(heading, text),), date=today.isoformat())

    with store.db.atomic():
        number = put_own(store, "note", make, len(text.encode()))
        source_id = source_of(store, f"note:{number}")
        if not store.row("SELECT 1 FROM origins WHERE source_id = ?", source_id):
            raise LearnctlError(
                "there is nothing in this to keep, or it was forgotten and stays so",
                hint="say it in a sentence; `learnctl forget --lift` takes a rule back",
            )
    return number
