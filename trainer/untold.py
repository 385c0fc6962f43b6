"""Questions about what the sources tell of that ask what they do not tell, answered by saying so.

A version that is asked how old somebody is whose age is in no note says something else of them, unless it was taught that such questions
may have no answer: unanswerable questions must be near ones, https://arxiv.org/abs/1806.03822. Here nothing that the sources say of the
one asked about speaks of what is asked for, or is of its type (`answer_type`), as far as patterns find what they say of whom.
"""

import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain

from ..memory.search import telling_words
from ..memory.sentences import sentences
from ..memory.store import Record, Store
from .answer_type import answer_type, fits
from .cues import Words
from .facts import DATE, NAME, NOT_NAMES, inner_names

_COLOURS = (
    "red|blue|green|yellow|black|white|brown|gr[ea]y|pink|orange|purple|violet|gold|golden|silver|beige|turquoise|cream|amber|aqua|azure|blonde?"
    "|bronze|burgundy|charcoal|copper|coral|crimson|cyan|dark|ginger|indigo|ivory|khaki|lavender|light|lilac|lime|magenta|maroon|mauve"
    r"|mustard|navy|ochre|olive|pale|peach|plum|rose|ruby|russet|rust|saffron|scarlet|tabby|tan|teal|umber|vermilion|\w{3,}ish"
)
_PAID = r"pa(?:y|id)\w*|pric\w*|cost\w*|bought|buy\w*|sold|cheap\w*|expensive|free|afford\w*|charge\w*|fees?"
_PARENTS = r"mother|mum\w*|mom\w*|parents?|daughter|son"
# What can be asked of anything, and the words that speak of it.
_ASKED = {
    "How old is {}?": r"old|age[ds]?|born|birthday|teen\w*|toddler|baby|adult|elderly|turn(?:s|ed)|twenties|\w+ties|new|young\w*",
    "What colour is {}?": rf"colou?r\w*|paint\w*|dye\w*|{_COLOURS}",
    "What does {} cost?": _PAID,
    "What did {} cost?": _PAID,
    "How much does {} weigh?": r"weigh\w*|heav\w*|light\w*|kilos?|grams?|thin|fat",
    "How tall is {}?": r"tall\w*|hight?s?|heights?|short\w*|small\w*|high\w*|big\w*|large\w*",
    "Where was {} made?": r"ma[dk]e\w*|built|build\w*|produc\w*|from|founded|painted|printed",
    "Who made {}?": r"ma[dk]e\w*|built|build\w*|produc\w*|by|founded|painted|invented|wrote|written",
    "When was {} bought?": r"b[ou]\w*ght|buy\w*|got|new|purchas\w*|paid|own(?:s|ed)?|since",
    "Who gave {} to me?": r"g[ai]ve\w*|gift\w*|present\w*|inherit\w*|from",
    "Where was {} born?": r"born|birth\w*|from|native|grew|raised",
    "Where does {} live?": r"live[ds]?|living|mov(?:e|es|ed|ing)|hous\w*|flat|home|stay\w*|from|address",
    "When is the birthday of {}?": r"born|birth\w*|turn(?:s|ed)|old|celebrat\w*",
    "How many children does {} have?": rf"child\w*|kids?|twins?|triplets|boys?|girls?|famil\w*|{_PARENTS}|father|dad",
    "What does {} earn?": r"earn\w*|salar\w*|wages?|income|pa(?:y|ys|id)|euros?|dollars?|pounds?",
    "What is the name of the mother of {}?": rf"{_PARENTS}|famil\w*",
    "When did I first meet {}?": r"me[et]t?|since|know\w*|knew|first|friends?",
}  # fmt: skip
ASKED = {form: re.compile(rf"(?i)\b(?:{words})\b") for form, words in _ASKED.items()}
ASKED_OF_A_THING = tuple(ASKED)[:10]
FORMS = [re.compile(re.escape(form).replace(r"\{\}", "(.+)")) for form in ASKED]
A_COLOUR = re.compile(rf"(?i)\b(?:{_COLOURS})\b")
# A thing: its noun, which ends where another kind of word follows.
THING = re.compile(
    r"\b([Mm]y|[Oo]ur|[Tt]he|[Aa]n?) ((?:[a-z]{3,} )?[a-z]{2,}[a-rt-z])(?=[.,;:!?]|$| (?:is|was|has|had|will|can|in|at|on|by|from|for|to|with|and|or|that|which"
    r"|who|of|when|while|because|costs?|came|went|comes|goes)\b)"
)
# "Our dog Zephyrine", "the sourdough is called Edna", "my wife's name is Anna", "Ambrose Tilling, a former customs officer" and
# "Karin (my sister)" call one thing by two words.
_ARTICLE = r"(?:[Mm]y|[Oo]ur|[Tt]he|[Aa]n?)"
_NOUN = r"((?:(?!(?:is|was|called|named)\b)[a-z]+ ?){1,3})"
_NAME = r"((?:[A-ZÀ-ÖØ-Þ][\w'’-]*(?: |\b)){1,3})"
CALLED = re.compile(
    rf"\b{_ARTICLE} {_NOUN}(?:['’]s name)?,? ?(?:is |was )?(?:an? |the |called |named )?{_NAME}"
)
IS_A = re.compile(rf"{_NAME},? ?(?:is |was |\()?{_ARTICLE} {_NOUN}")
# What may be of whom the sentence before is about.
OF_ANOTHER = re.compile(r"(?i)\b(?:he|she|it|they|him|his|hers?|its|them|theirs?)\b")
# What stands before the first word of an item of a list.
_MARK = re.compile(r"^(?:[-*•+\s]|\[[ xX]?\]|\d+[.)])+")
# Of what is told of so often next to nothing is not told.
MOST_PASSAGES = 64


def subjects(text: str) -> list[str]:
    """What a text tells of, as it is asked about, in its order."""
    inner = inner_names(text)
    found: dict[str, None] = {}
    for sentence in sentences(text.replace("’", "'")):
        said = _MARK.sub("", sentence)
        for name in NAME.finditer(said):
            words = [word for word in name[0].removesuffix("'s").split() if word not in NOT_NAMES]
            is_name = name.start() > 0 or len(words) > 1 or not inner.isdisjoint(words)
            is_plain = not DATE.search(name[0]) and not re.search(r"\d|'", " ".join(words))
            if words and is_name and is_plain and not any(map(str.isupper, words)):
                found[" ".join(words)] = None
        for article, noun in THING.findall(said):
            last = noun.split()[-1]
            if telling_words(last) and not A_COLOUR.fullmatch(last):
                owner = article.lower()
                found[f"{owner if owner in ('my', 'our') else 'the'} {noun}"] = None
    return list(found)


def untold(store: Store, subject: str) -> list[str]:
    """The questions about a subject that nothing in the store may answer."""
    told = _told_of(store, subject)
    if not told:  # nowhere, or too often
        return []
    asked = ASKED_OF_A_THING if subject[0].islower() else ASKED
    questions = {form: form.format(subject) for form in asked}
    return [
        question
        for form, question in questions.items()
        if not any(ASKED[form].search(one) or _is_of_its_type(question, one) for one in told)
    ]


def _is_of_its_type(question: str, sentence: str) -> bool:
    return answer_type(question) is not None and fits(question, sentence)


def still_untold(store: Store, samples: Iterable[Record], held: Iterable[Words]) -> frozenset[str]:
    """The questions about the subjects of some samples that nothing may answer by now, in no wording that is held out."""
    subjects = {subject_of(one["prompt"]) for one in samples if one["kind"] == "untold"}
    asked = chain.from_iterable(untold(store, subject) for subject in subjects if subject)
    out = frozenset(held)
    return frozenset(one for one in asked if frozenset(telling_words(one)) not in out)


def subject_of(question: str) -> str | None:
    """What a question is about; None where it is in none of our forms, as of an earlier version of them."""
    found = next(filter(None, (form.fullmatch(question) for form in FORMS)), None)
    return found[1] if found else None


def asked_otherwise(
    question: str, are_untold: frozenset[str], chooser: random.Random
) -> str | None:
    """Another question about the same that has no answer; None where there is none any more."""
    subject = subject_of(question)
    # By the order of all forms: what is told in the meantime changes no other question.
    order = [form.format(subject) for form in chooser.sample(list(ASKED), k=len(ASKED))]
    return next((one for one in order if one in are_untold), None)


def _told_of(store: Store, subject: str) -> list[str]:
    """The sentences that may speak of a subject; none where there are too many."""
    words = set(telling_words(subject if subject[0].isupper() else subject.split()[-1]))
    found = _passages(store, words)
    others = {word for text in found for word in _also_called(text, words)}
    found |= _passages(store, others)
    if len(found) > MOST_PASSAGES:
        return []
    stems = sorted(_stem(word) for word in words | others)
    meant = re.compile("|".join(rf"\b{re.escape(stem)}" for stem in stems) or r"\b\B")
    told: list[str] = []
    for text, stands_under in found.items():
        is_meant = False
        is_about = meant.search(_folded(stands_under))
        for sentence in sentences(text):
            speaks = is_about or meant.search(_folded(sentence))
            is_meant = bool(speaks) or (is_meant and bool(OF_ANOTHER.search(sentence)))
            if is_meant:
                told.append(sentence)
    return told


def _passages(store: Store, words: set[str]) -> dict[str, str]:
    """The texts that hold one of some words or stand under it, each with all that it stands under; one more than are looked
    through."""
    if not words:
        return {}
    asked = " OR ".join(f'"{word}"' for word in sorted(words))
    found: dict[str, set[str]] = defaultdict(set)
    for row in store.rows(
        "SELECT c.id, c.text, o.title, o.heading FROM chunks c LEFT JOIN origins o ON o.chunk_id = c.id WHERE c.id IN"
        " (SELECT * FROM (SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH ? LIMIT ?) UNION SELECT * FROM"
        "  (SELECT dc.chunk_id FROM headings_fts h JOIN document_chunks dc ON dc.document_id = h.rowid / 1048576"
        "   AND dc.position = h.rowid % 1048576 WHERE headings_fts MATCH ? LIMIT ?))",
        asked,
        MOST_PASSAGES + 1,
        asked,
        MOST_PASSAGES + 1,
    ):
        found[row["text"]] |= {row["title"] or "", row["heading"] or ""}
    return {text: " ".join(sorted(places)) for text, places in found.items()}


def _also_called(text: str, words: set[str]) -> set[str]:
    """What else a passage calls it: "our dog Zephyrine", "Zephyrine is a whippet"."""
    called = chain.from_iterable(form.findall(text) for form in (CALLED, IS_A))
    pairs = [(set(telling_words(one)), set(telling_words(other))) for one, other in called]
    return {
        word for pair in pairs for one, other in (pair, pair[::-1]) if one & words for word in other
    }


def _folded(text: str) -> str:
    """Without capitals and accents."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _stem(word: str) -> str:
    """What its plural begins with, too."""
    folded = _folded(word)
    return folded[:-1] if folded.endswith("y") else folded
