"""Near duplicates: the same passage with other spaces, punctuation, capitals, hyphens or a slip of the pen.

Two passages are the same only if all their words are, in order; in longer ones a few words may be misspelt:
two neighbouring letters swapped, or one doubled. A number, a date, a sign or a name never differs, nor does any
word that could be another word: facts live there. Code is compared exactly.

To be found, each passage is cut into one stretch of words more than it may hold slips, so that one stretch at
least is equal; the hash of each stretch is a key. That is a few numbers for each chunk, and finds all there are
(among chunks taken in since there are keys).

What a near duplicate says is kept in the words of whom it came from first, also when that source is forgotten.
"""

import hashlib
import re
import unicodedata
from functools import cache

from .combining import marks_of_letters
from .glance import finder, spacer
from .store import Store, marks

# A slip for so many words, but never more than so many.
WORDS_PER_SLIP = 30
MOST_SLIPS = 3
# Shorter words are other words soon.
_SHORTEST_MISSPELT = 6
_MOST_CANDIDATES = 20

# The sign first, then what stands before it: so other signs are passed over quickly.
_HYPHEN = re.compile(r"[-\u2010\u2011](?<=[^\W\d_].)(?:\n\s*)?(?=[^\W\d_])")
# Signs that belong to what they stand behind: "A+", "A-", "C#".
_GRADE = r"(?:[+#\u2212]+|-)(?![\w(])"
_NUMBER = r"(?:(?<![\w.])[-+\u2212±])?\d(?:[\d.,:/'’-]*\d)?"
_SIGNS = (
    "?？%‰°§±<>=\u2190-\u21ff\u2248\u2260\u2264\u2265$£¥¢\u058f\u060b\u09f2\u09f3\u0e3f\u17db\u20a0-\u20cf"
    "\u2600-\u27bf\U0001f000-\U0001faff"
)
_ASCII_TOKEN = re.compile(rf"[A-Za-z]+(?:{_GRADE})?|{_NUMBER}(?:{_GRADE})?|[?%$<>=]")
# Without digits, all is letters and signs: whatever else there is stands between.
_WORD_SIGNS = "?%$<>="
_letters_apart = spacer(_WORD_SIGNS)
_digits = finder("0123456789")
_has_grade = finder("+-#")
_code_signs = finder("{}[]=<>|&\\;")

# Not through the view `origins`, which would be read from end to end for each chunk.
_IS_HELD = (
    "EXISTS (SELECT 1 FROM document_chunks dc"
    " JOIN source_documents sd ON sd.document_id = dc.document_id WHERE dc.chunk_id = c.id)"
    " OR EXISTS (SELECT 1 FROM message_chunks mc JOIN messages m ON m.id = mc.message_id"
    " JOIN source_conversations sc ON sc.conversation_id = m.conversation_id"
    " WHERE mc.chunk_id = c.id)"
)


def words(text: str) -> list[str]:
    """What a passage consists of, whatever stands between."""
    if text.isascii():  # the same, in a third of the time
        if "-" in text:
            text = _HYPHEN.sub("", text)
        if _digits(text) or _has_grade(text):
            return _ASCII_TOKEN.findall(text)
        for sign in _WORD_SIGNS:
            if sign in text:
                text = text.replace(sign, f" {sign} ")
        return _letters_apart(text).decode().split()
    plain = _HYPHEN.sub("", unicodedata.normalize("NFKC", text))
    return _token().findall(plain)


@cache
def _token() -> re.Pattern[str]:
    letters = rf"[^\W\d_]+(?:[{marks_of_letters()}]+[^\W\d_]*)*"
    return re.compile(rf"{letters}(?:{_GRADE})?|{_NUMBER}(?:{_GRADE})?|[{_SIGNS}]")


def keys(kind: str, text: str) -> tuple[int, ...]:
    """The numbers that a passage is found by; none where only exact copies count."""
    if len(_code_signs(text)) > len(text) / 50:
        return ()
    found = words(text.lower()) if text.isascii() else [w.casefold() for w in words(text)]
    if not found:
        return ()
    n_stretches = 1 + _slips_allowed(len(found))
    size = -(-len(found) // n_stretches)
    return tuple(
        _hash(kind, len(found), place, found[place * size : (place + 1) * size])
        for place in range(n_stretches)
    )


def same(one: str, other: str) -> bool:
    """Whether two passages say the same in the same words."""
    all_of_one, all_of_other = words(one), words(other)
    if len(all_of_one) != len(all_of_other):
        return False
    pairs = list(zip(all_of_one, all_of_other, strict=True))
    differing = [(a, b) for a, b in pairs if a.casefold() != b.casefold()]
    return len(differing) <= _slips_allowed(len(pairs)) and all(
        _is_slip(a, b) for a, b in differing
    )


def find(store: Store, wanted: tuple[int, ...], text: str) -> str | None:
    """The wording of a chunk that a source holds and that is the same but for that.

    Args:
        wanted: the keys of the text.
    """
    # Nearly always there is none, which is all that has to be known then.
    if not wanted or store.value(_any_of(len(wanted)), *wanted) is None:
        return None
    candidates = store.rows(
        "SELECT DISTINCT c.text FROM wordings w JOIN chunks c ON c.id = w.chunk_id"
        f" WHERE w.key IN ({marks(wanted)}) AND ({_IS_HELD}) ORDER BY c.id LIMIT ?",
        *wanted,
        _MOST_CANDIDATES,
    )
    return next((row["text"] for row in candidates if same(row["text"], text)), None)


def note(store: Store, chunk_id: int, keys: tuple[int, ...]) -> None:
    """Keep what a new chunk is found by."""
    # Not in one statement: that would be undone as a whole if it failed, for which FTS5 writes out all that it holds.
    store.db.conn.executemany(
        "INSERT INTO wordings (key, chunk_id) VALUES (?, ?)", [(key, chunk_id) for key in keys]
    )


# Once a passage: putting the words together would take as long as the look.
@cache
def _any_of(n_keys: int) -> str:
    return f"SELECT 1 FROM wordings WHERE key IN ({marks(range(n_keys))}) LIMIT 1"


def _slips_allowed(n_words: int) -> int:
    return min(MOST_SLIPS, n_words // WORDS_PER_SLIP)


def _is_slip(one: str, other: str) -> bool:
    """Small letters alone: what has a capital may be a name."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < _SHORTEST_MISSPELT or not (shorter.islower() and longer.islower()):
        return False
    if len(shorter) == len(longer):
        at = [place for place in range(len(one)) if one[place] != other[place]]
        return len(at) == 2 and at[1] == at[0] + 1 and sorted(one) == sorted(other)
    return any(
        shorter[:place] + shorter[place] + shorter[place:] == longer
        for place in range(len(shorter))
    )


def _hash(kind: str, n_words: int, place: int, stretch: list[str]) -> int:
    identity = " ".join([kind, str(n_words), str(place), *stretch])
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
