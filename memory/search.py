"""Finding what was taken in: full-text search over the live chunks, best first.

A question is turned into an OR of its words, the common ones left out, and ranked by BM25, so that a
whole sentence can be asked. https://sqlite.org/fts5.html#the_bm25_function
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .combining import words_with_marks
from .languages import COMMON_WORDS, language_of
from .store import Record, Store, marks
from .unspaced import is_unspaced, spaced
from .within import Within

ALL_KINDS = ("text", "told", "asked", "reply", "said")
# What may stand in a prompt as knowledge: never what an assistant once said.
TRUSTED_KINDS = ("text", "told", "said")
EVERYWHERE = Within()
# A word that so many chunks hold says little and costs much to rank.
COMMON_HERE = 5000
_RANKED = (200, 10_000)
# All passages of a long document stand under its title.
_PLACES = 5000
# How much it counts what a passage stands under, beside what it says.
HEADING_WEIGHT = 0.25
# Letters in front of what was found, where words have no spaces between them.
_AROUND = 20

COMMON = frozenset(
    [
        "a",
        "about",
        "after",
        "again",
        "all",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "before",
        "being",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "for",
        "from",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "know",
        "me",
        "more",
        "most",
        "my",
        "no",
        "not",
        "now",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "our",
        "ours",
        "out",
        "over",
        "own",
        "please",
        "s",
        "same",
        "she",
        "should",
        "so",
        "some",
        "such",
        "t",
        "tell",
        "than",
        "that",
        "the",
        "their",
        "theirs",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "yours",
    ]
)


@dataclass(frozen=True)
class Hit:
    source: str  # path
    source_id: int
    title: str
    heading: str
    chunk: int
    text: str
    snippet: str
    score: float  # higher is better
    trust: str  # own, known or untrusted
    kept_back: str | None  # why, where it is
    known: bool = False  # whether the weights hold it too; search itself cannot tell

    @property
    def place(self) -> str:
        """What it stands under."""
        return place_of(self.title, self.heading)


def place_of(title: str, heading: str) -> str:
    """`title › heading`; the heading alone where it begins with the title anyway."""
    if heading.split(" › ")[0] == title:
        return heading
    return " › ".join(part for part in (title, heading) if part)


def search(
    store: Store,
    query: str,
    limit: int = 10,
    kinds: Sequence[str] = ALL_KINDS,
    within: Within = EVERYWHERE,
    for_prompt: bool = False,
) -> list[Hit]:
    """The chunks that match best; none where the query has no telling word.

    Args:
        for_prompt: only what may stand in a prompt: nothing that is kept back.
    """
    words = asked_for(query)
    if not words:
        return []
    part, values = within.condition()
    match = _match(store, words)
    under = " OR ".join(_rare(store, "headings_fts", terms_of(words)))
    found = _best(store, match, under, limit, kinds, within, for_prompt)
    hits = []
    for row in found:
        origin = store.row(
            "SELECT s.id, s.path, s.trust, o.title, o.heading FROM origins o JOIN sources s"
            " ON s.id = o.source_id JOIN chunks c ON c.id = o.chunk_id"
            f" WHERE o.chunk_id = ? AND {part} ORDER BY s.trust = 'untrusted', s.id LIMIT 1",
            row["id"],
            *values,
        )
        if origin is None:
            continue
        hits.append(
            Hit(
                source=origin["path"],
                source_id=origin["id"],
                title=origin["title"],
                heading=origin["heading"],
                chunk=row["id"],
                text=row["text"],
                snippet=_snippet(row["text"], _found_in(store, match, row), words),
                score=round(row["score"], 4),
                trust=origin["trust"],
                kept_back=row["quarantine"],
            )
        )
    return hits


def telling_words(text: str) -> list[str]:
    """The words of a text that say what it is about, in lower case, each once; where a script has no spaces
    between words, pairs of letters."""
    words = words_with_marks(spaced(unicodedata.normalize("NFC", text).lower()))
    return list(dict.fromkeys(word for word in words if word not in COMMON))


def _match(store: Store, words: list[str]) -> str:
    """The question to the index: any of the words that are rare here, or else all of them at once."""
    terms = terms_of(words)
    rare = _rare(store, "chunks_fts", terms)
    # None may hold all of them; then one is enough after all.
    together = " AND ".join(terms)
    if rare or not store.rows(
        "SELECT 1 FROM chunks_fts WHERE chunks_fts MATCH ? LIMIT 1", together
    ):
        return " OR ".join(rare or terms)
    return together


def terms_of(words: list[str]) -> list[str]:
    """Words as an index is asked for them."""
    return [f'"{word}"{"*" * _is_one_letter(word)}' for word in words]


def _rare(store: Store, index: str, terms: list[str]) -> list[str]:
    """The terms that few enough rows of an index hold to be worth ranking."""
    return [term for term in terms if n_with(store, term, index) < COMMON_HERE]


def n_with(store: Store, term: str, index: str = "chunks_fts") -> int:
    """How many rows of an index hold a term, counted up to `COMMON_HERE`."""
    query = f"SELECT count(*) FROM (SELECT 1 FROM {index} WHERE {index} MATCH ? LIMIT ?)"
    return int(store.value(query, term, COMMON_HERE))


def _best(
    store: Store,
    match: str,
    under: str,
    limit: int,
    kinds: Sequence[str],
    within: Within,
    for_prompt: bool,
) -> list[Record]:
    """The best chunks of the kinds and the part that are asked for.

    The index ranks alone, which is quick; what is asked for beside is looked up for the best of it, and
    for more where that leaves too few.

    Args:
        match: what is asked of the texts.
        under: what is asked of the headings; nothing where it is empty.
    """
    if within.kinds:
        kinds = [kind for kind in kinds if kind in within.kinds]
    place = replace(within, kinds=())
    part, values = place.condition()
    # As a list it is made once; asked for each chunk, the view would be read from end to end each time.
    is_there = f"c.id IN (SELECT o.chunk_id FROM origins o WHERE {part})" if values else "1"
    found: list[Record] = []
    for n_ranked in (*_RANKED, -1):
        found = store.rows(
            f"""
            WITH by_text AS MATERIALIZED (
                SELECT rowid AS id, -rank AS score FROM chunks_fts WHERE chunks_fts MATCH ?1
                ORDER BY rank LIMIT ?2
            ), by_place AS MATERIALIZED (
                SELECT rowid AS place, -rank AS score FROM headings_fts
                WHERE ?3 != '' AND headings_fts MATCH ?3 ORDER BY rank LIMIT {_PLACES}
            ), ranked AS MATERIALIZED (
                SELECT id, sum(score) AS score FROM (
                    SELECT id, score FROM by_text
                    UNION ALL
                    SELECT dc.chunk_id, {HEADING_WEIGHT} * max(p.score) FROM by_place p
                    JOIN document_chunks dc
                      ON dc.document_id = p.place / 1048576 AND dc.position = p.place % 1048576
                    GROUP BY dc.chunk_id
                ) GROUP BY id
            )
            SELECT c.id, c.text, c.quarantine, ranked.score AS score
            FROM ranked JOIN chunks c ON c.id = ranked.id
            WHERE c.kind IN ({marks(kinds)})
                  AND ({int(not for_prompt)} OR c.quarantine IS NULL)
                  AND {is_there}
            ORDER BY ranked.score DESC LIMIT ?
            """,
            match,
            n_ranked,
            under,
            *kinds,
            *values,
            limit,
        )
        if len(found) == limit:
            break
    return found


def _found_in(store: Store, match: str, row: Record) -> str:
    """Around what was asked for; the beginning where only what it stands under says so."""
    found = store.value(
        "SELECT snippet(chunks_fts, 0, '', '', ' … ', 24) FROM chunks_fts"
        " WHERE chunks_fts MATCH ? AND rowid = ?",
        match,
        row["id"],
    )
    return str(found or " ".join(row["text"].split()[:24]))


def asked_for(query: str) -> list[str]:
    """The telling words without what is common in the query's own language, unless nothing else is in it."""
    words = telling_words(query)
    common = COMMON_WORDS.get(language_of(query), frozenset())
    return [word for word in words if word not in common] or words


def _is_one_letter(word: str) -> bool:
    return len(word) == 1 and is_unspaced(word)


def _snippet(text: str, found: str, words: list[str]) -> str:
    """What the index found, as it stands in the text: pairs of letters are no words to show."""
    if not is_unspaced(text):
        return " ".join(found.split())
    lowered = text.lower()
    places = [place for word in words if (place := lowered.find(word)) >= 0]
    start = max(0, min(places, default=0) - _AROUND)
    end = start + 4 * _AROUND
    shown = " ".join(text[start:end].split())
    return f"{'… ' * (start > 0)}{shown}{' …' * (end < len(text))}"
