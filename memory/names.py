"""Names of people as they are compared."""

import unicodedata


def name_of(person: str) -> str:
    """A name in lower case, composed, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", person).casefold().split())
