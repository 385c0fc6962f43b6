"""What is called by its beginning, because nobody gave it a title: notes, and chats of many programs.

Such a title is made of a text without secrets, for half a secret is not recognised, and goes with the text.
"""

_LENGTH = 60


def title_of(text: str) -> str:
    """The beginning of a text, cut at a word where it is long."""
    line = " ".join(text.split())
    if len(line) <= _LENGTH:
        return line
    return (line[: _LENGTH + 1].rpartition(" ")[0] or line[:_LENGTH]) + "…"
