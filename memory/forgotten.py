"""Rules of what was forgotten by who said it, when it was said, or its words, so that no file brings it back.

A rule is kept, not the texts it covered: a paragraph that was edited, or cut at another place, would
have another fingerprint and come back. The names and words in a rule are kept as keyed hashes (BLAKE2),
the key being random and in the same store. So the file says neither of them, and no table of known
hashes helps; but who has the store and guesses a word can test the guess.
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from .errors import LearnctlError
from .names import name_of
from .store import Record, Store, now

# A setting.
KEY = "forget_key"
UTC_ZONE = "+00:00"
FARTHEST_EAST = timedelta(hours=14)
# Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana, Han, Hangul.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff]+)"
)
_WORD = r"[^\W_]+"
# A word of rules that were made when an underscore was a letter.
_JOINED_WORD = r"\w+"


@dataclass(frozen=True)
class Rule:
    """What is given must hold together: said by a person, within a time, with all of some words.

    Attributes:
        person: keyed hash of a name, or nothing.
        words: keyed hashes.
        since: the beginning of an ISO date, or nothing; both ends count.
        until: the same, or a moment with its zone.
    """

    person: str = ""
    words: frozenset[str] = frozenset()
    since: str = ""
    until: str = ""


class Rules:
    """Whether something was forgotten and is to stay so."""

    def __init__(self, key: bytes, rules: Iterable[Rule]) -> None:
        self._key = key
        self._rules = tuple(rules)

    def cover(self, texts: Iterable[str | None], person: str | None, date: str | None) -> bool:
        """Whether a rule holds for a passage or message.

        Args:
            texts: all that belongs to it: its text, and the titles and names it stands under.
        """
        held: frozenset[str] | None = None
        for rule in self._rules:
            if (rule.since or rule.until) and not _is_within(date, rule):
                continue
            if rule.person and rule.person != keyed(self._key, name_of(person or "")):
                continue
            if rule.words and held is None:
                words = words_of(" ".join(text for text in texts if text))
                held = frozenset(keyed(self._key, word) for word in words)
            if held is None or rule.words <= held:
                return True
        return False


def make(store: Store, person: str = "", since: str = "", until: str = "", words: str = "") -> Rule:
    """A rule in the words of a person. One without an end ends now.

    Raises:
        LearnctlError: it would hold for everything.
    """
    wanted = _wanted(words)
    if words and not wanted:
        raise LearnctlError(f"no word in `{words}`")
    if not (person or since or until or wanted):
        raise LearnctlError("nothing was said of what to forget")
    key = key_of(store)
    return Rule(
        person=keyed(key, name_of(person)) if person else "",
        words=frozenset(keyed(key, word) for word in wanted),
        since=since,
        until=until or (now() if since else ""),
    )


def only(store: Store, rule: Rule) -> Rules:
    return Rules(key_of(store), [rule])


def load(store: Store) -> Rules:
    """The rules in force."""
    rows = store.rows("SELECT * FROM forgotten")
    return Rules(key_of(store) if rows else b"", map(_rule, rows))


def remember(store: Store, rule: Rule) -> None:
    """Put a rule in force."""
    record = {**_record(rule), "created_at": now()}
    store.db.table("forgotten").insert(record, ignore=True)


def lift(store: Store, rule: Rule) -> int:
    """Take back the rules that were made so, whenever they ended; how many there were.

    What they kept out comes in again with the next ingest: every file is read anew.
    """
    wanted = _record(rule)
    with store.db.atomic():
        cursor = store.db.execute(
            "DELETE FROM forgotten WHERE person = ? AND words = ? AND since = ?",
            [wanted["person"], wanted["words"], wanted["since"]],
        )
        if cursor.rowcount:
            store.db.execute("UPDATE sources SET sha256 = '' WHERE root != ''")
    return cursor.rowcount


def words_of(text: str) -> set[str]:
    """The words of a text without case and accents; of scripts without spaces, characters and pairs."""
    parts = _parts(text, _WORD)
    joined = [part for part in _parts(text, _JOINED_WORD) if "_" in part] if "_" in text else []
    return {*joined, *(piece for part in parts for piece in (*_pairs(part), *_characters(part)))}


def _wanted(text: str) -> set[str]:
    """The words that a passage must have; of scripts without spaces, the pairs of characters."""
    return {piece for part in _parts(text, _WORD) for piece in _pairs(part)}


def _parts(text: str, word: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return [part for found in re.findall(word, plain) for part in _UNSPACED.split(found) if part]


def _pairs(part: str) -> list[str]:
    if len(part) == 1 or not _UNSPACED.fullmatch(part):
        return [part]
    return [part[start : start + 2] for start in range(len(part) - 1)]


def _characters(part: str) -> str:
    return part if _UNSPACED.fullmatch(part) else ""


def _is_within(date: str | None, rule: Rule) -> bool:
    if not date:
        return False
    starts = not rule.since or date[: len(rule.since)] >= rule.since
    return starts and (not rule.until or _is_by(date, rule.until))


def _is_by(date: str, end: str) -> bool:
    """Whether a date is not after an end."""
    if not end.endswith(UTC_ZONE):
        return date[: len(end)] <= end
    if date.endswith(UTC_ZONE):
        return date <= end
    # The clock of a chat without a zone may be ahead of ours.
    latest = (datetime.fromisoformat(end) + FARTHEST_EAST).isoformat()
    return date <= latest[: len(date)]


def key_of(store: Store) -> bytes:
    """The key of the hashes, made where there is none."""
    if not store.setting(KEY):
        store.set_setting(KEY, secrets.token_hex(32))
    return bytes.fromhex(store.setting(KEY))


@lru_cache(maxsize=200_000)
def keyed(key: bytes, word: str) -> str:
    """What is kept of a word."""
    return hashlib.blake2b(word.encode(errors="replace"), key=key, digest_size=16).hexdigest()


def _record(rule: Rule) -> Record:
    words = " ".join(sorted(rule.words))
    return {"person": rule.person, "words": words, "since": rule.since, "until": rule.until}


def _rule(row: Record) -> Rule:
    return Rule(row["person"], frozenset(row["words"].split()), row["since"], row["until"])
