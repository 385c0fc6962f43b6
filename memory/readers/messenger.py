"""Facebook Messenger's chats: JSON of "Download your information", encrypted chats among them."""

from pathlib import Path

from .meta_chats import is_chat, read

__all__ = ["matches", "read"]


def matches(path: Path, head: bytes) -> bool:
    """A chat of Meta's; Instagram's are asked for before."""
    return is_chat(path, head)
