"""Conversations with learnctl itself, kept in the store like any other source.

Each is a source of its own, `chat:N`, so that it can be searched, studied and taken back.
"""

import hashlib
import uuid

from ..memory import contents
from ..memory.errors import LearnctlError
from ..memory.records import Conversation, Message
from ..memory.store import Store, now


def start_chat(store: Store, title: str) -> int:
    """Open a conversation; the number that its source carries."""
    number = 1 + int(
        store.value("SELECT max(CAST(substr(path, 6) AS INTEGER)) FROM sources"
                    " WHERE path LIKE 'chat:%'") or 0
    )  # fmt: skip
    with store.db.atomic():
        store.db.table("sources").insert(
            {
                "path": f"chat:{number}",
                "root": "",
                "format": "chat",
                "sha256": hashlib.sha256(uuid.uuid4().bytes).hexdigest(),
                "n_bytes": 0,
                "ingested_at": now(),
            }
        )
        source_id = store.value("SELECT id FROM sources WHERE path = ?", f"chat:{number}")
        talk = Conversation(title, (), external_id=f"chat:{number}", started_at=now())
        contents.put(store, source_id, talk)
    return number


def log_turn(store: Store, number: int, role: str, text: str) -> None:
    """Add one message to a conversation."""
    conversation = store.value(
        "SELECT id FROM conversations WHERE external_id = ?", f"chat:{number}"
    )
    if conversation is None:
        raise LearnctlError(f"chat {number} was forgotten", hint="start a new one")
    with store.db.atomic():
        contents.put_message(store, conversation, Message(role, text, now()))
        store.db.execute(
            "UPDATE sources SET n_bytes = n_bytes + ? WHERE path = ?",
            [len(text.encode()), f"chat:{number}"],
        )
