"""From a chunk to facts: sentences that stand alone, and the spans in them worth asking for.

All by pattern, no model: what is found here is true of the text by construction. Patterns know
English best; elsewhere numbers, dates and capitalised names are still found, and where words have no spaces
between them, numbers, what is quoted, and how a sentence ends.
"""

import re
import unicodedata
from dataclasses import dataclass

from ..memory.combining import words_with_marks
from ..memory.search import telling_words
from ..memory.sentences import sentences
from ..memory.unspaced import is_mostly_unspaced

SPANS_PER_FACT = 4
# Words; what somebody says of themselves may be shorter: "I quit smoking."
SHORTEST_FACT = 4
LONGEST_FACT = 60

MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
DATE = re.compile(
    rf"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? )?(?:\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}"
    rf"|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b)(?:,? \d{{4}})?|\b{MONTH}(?: \d{{4}})\b"
    r"|\b(?:1[0-9]|20)\d{2}(?:-\d{2}-\d{2})?\b|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
    rf"|\b{MONTH}\b(?! \w+ed\b)|\b\d{{1,2}}[:.]\d{{2}}(?: ?[ap]\.?m\.?)?\b|\bhalf past \w+\b"
)
WORD_NUMBER = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)"
)
UNIT = r"(?: ?%| (?!(?:of|past|to|and|or|in|on|at|a|the|is|are|for|by|from|with|but|who|which|since|until|after|before|now)\b)[a-z]+)?"
NUMBER = re.compile(
    rf"(?:[$€£] ?)?\b\d(?:[\d,.]*\d)?\b{UNIT}|(?i:\b{WORD_NUMBER}(?:[- ]{WORD_NUMBER})*\b){UNIT}"
)
NAME = re.compile(
    r"\b[A-ZÀ-ÖØ-Þ][\w'’-]*(?:(?: (?:of|the|de|van|von|la|du|and) (?=[A-ZÀ-ÖØ-Þ]))?"
    r"(?: ?[A-ZÀ-ÖØ-Þ0-9][\w'’-]*))*"
)
QUOTED = re.compile(r"[\"“”«]([^\"“”«»]{2,60})[\"”»]")
TAIL = re.compile(
    r"\b(?:a|an|the|my|our|his|her|its|their|with|in|on|at|from|to|for|by|is|are|was|were|as|into)"
    r" ((?:[\w'’-]+ ){0,3}[\w'’-]+)[.!]?$"
)
# Where a sentence has nothing else to ask for.
LAST_WORDS = re.compile(
    r"\b(?:of|about|than|like|without|under|over|through|behind|near|between|until|after|before|and|or|but|so|very|not)"
    r" ((?:[\w'’-]+ ){0,2}[\w'’-]+)[.!]?$"
)
# Or where it has not even that, and is of who wrote it: "My sister loves skiing."
OF_ONESELF = re.compile(
    r"(?:I|We|My|Our)(?: [\w'’-]+)+ (?!(?:\w+ly|here|there|now|then|again|too|today|together|alone|back|home|soon)\b)([\w'’-]+)[.!]?$"
)
# What shows that a number before it is no year and no clock's.
MEASURE = re.compile(
    r"\d| ?(?:%|[€£$]|k?m\b|[cm]m\b|k?g\b|(?:euro|dollar|pound|franc|crown|cent|kilo|gram|ton|lit(?:re|er)|"
    r"(?:kilo|centi|milli)?met(?:re|er)|mile|degree|hour|minute|calorie|watt)s?\b)"
)
BEFORE_AN_AMOUNT = re.compile(r"(?i)\b(?:version|release|costs?|paid|pays?|price(?: is| was)?) $")
# A number of four digits behind one of these, and before a noun in the plural, counts things: "he sold 1800 books".
COUNTED = re.compile(
    r"(?i)\b(?:have|has|had|holds?|held|sells?|sold|buys?|bought|pays?|paid|costs?|counts?|counted|needs?|needed|are|were) $"
)
# Where words have no spaces between them.
UNSPACED_DATE = re.compile(
    r"\d{1,4}\s?[年년](?:\s?\d{1,2}\s?[月월](?:\s?\d{1,2}\s?[日일号])?)?|\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일号]"
)
PIECE = re.compile(r"\d[\d,.:]*|[^\W\d]{1,2}")
UNSPACED_NUMBER = re.compile(r"\d(?:[\d,.:]*\d)?")
UNSPACED_QUOTED = re.compile(r"[「『《“]([^」』》”]{1,40})[」』》”]")
UNSPACED_TAIL = re.compile(r"(\w{2,6})[。！.!]?$")
PRONOUN = re.compile(
    r"(?i)^(?:(?:and|but|so|then|also)\W+)?(?:he|she|it|they|his|her|its|their|"
    r"(?:this|that|these|those)(?! (?:year|month|week|day|morning|evening|summer|winter|time)s?\b)|"
    r"both|there|one of them|the former|the latter)\b"
)
# A time in front of the subject: "In 1987 she moved to Bree." Only a time: in "When the doctor came, he left" somebody else may be meant.
TIME = (
    rf"(?:(?:In|On|Since|Until|By|From|After|Before|During|At) (?:the )?(?:{DATE.pattern}|(?:early |late )?(?:spring|summer|autumn|winter)"
    r"|(?:same|following|next) (?:day|week|month|year)|noon|midnight|night)"
    r"|(?:Last|This|Next|Every|That) (?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|day|night|morning|afternoon|evening|week|weekend|month|year"
    r"|spring|summer|autumn|winter|time)"
    r"|(?:A|One|Two|Three|Some|Many) (?:day|night|week|month|year)s? (?:later|before)|Today|Yesterday|Later|Then|Now)"
)
# The pronoun that is the subject of a sentence, and the time before it.
SUBJECT_PRONOUN = re.compile(
    rf"(?P<time>{TIME},? )(?P<later>he|she|they)\b|(?P<first>He|She|It|They)\b(?!['’])"
)
# The subject of a plain sentence: a name, or an article and up to three words, before a common verb.
SUBJECT = re.compile(
    r"((?:The|Our|My|His|Her) (?:[\w'’-]+ ){0,2}?[\w'’-]+|[A-Z][\w'’-]+(?: [A-Z][\w'’-]+){0,2}) "
    r"(?P<verb>is|was|has|had|are|were|lies|leads|comes|came|goes|went|lasted|costs?|meets|makes|made|lives|"
    r"works|worked|built|bought|got|took|takes|wants|plays|broke|passed|arrived|won|stands|runs|keeps)\b"
)
# Of these verbs, those without an object: what else stands in such a sentence is not what the next one speaks of.
IT_SAYS = frozenset(
    ["is", "was", "cost", "costs", "lasted", "lies", "stands", "arrived", "passed", "broke"]
)
THEY_SAYS = frozenset(["are", "were"])
OF_A_PLACE = re.compile(
    r"\b(?:in|at|on|near|since|until|(?:village|town|city|port|island|hamlet|district|parish|county) of|(?:comes|came|goes|went) (?:to|from)) $"
)
# Somebody, though no name.
KIN = (
    r"(?:mother|father|mum|mom|dad|sister|brother|son|daughter|wife|husband|partner|girlfriend|boyfriend|cousin|aunt|uncle|"
    r"niece|nephew|grand(?:mother|father|son|daughter)|friend|neighbour|neighbor|colleague|boss|teacher|landlord|landlady|"
    r"doctor|dentist|vet|trainer|coach|plumber|lawyer|cleaner|nanny|tenant|flatmate|dog|cat|horse|pony|parrot|rabbit)"
)
NOT_NAMES = frozenset(
    [
        "I",
        "I'm",
        "I've",
        "I'll",
        "I'd",
        "He",
        "She",
        "It",
        "They",
        "We",
        "You",
        "The",
        "A",
        "An",
        "My",
        "Our",
        "His",
        "Her",
        "Its",
        "Their",
        "This",
        "That",
        "These",
        "Those",
        "There",
        "In",
        "On",
        "At",
        "And",
        "But",
        "So",
        "Then",
        "Also",
        "Both",
        "From",
        "For",
        "To",
        "By",
        "With",
        "As",
        "If",
        "When",
        "While",
        "After",
        "Before",
        "Since",
        "Because",
        "Until",
        "Yes",
        "No",
        "Not",
        "One",
        "Every",
        "Each",
        "All",
        "Some",
        "Please",
        "Mr",
        "Mrs",
        "Ms",
        "Dr",
    ]
)


@dataclass(frozen=True)
class Span:
    kind: str  # date, number, name, phrase
    text: str


@dataclass(frozen=True)
class Fact:
    """One sentence of a chunk. `statement` stands alone: what a leading pronoun needs goes before it."""

    sentence: str
    statement: str
    spans: tuple[Span, ...]
    language: str = "en"


def find_facts(text: str, language: str = "en") -> list[Fact]:
    """The facts of a chunk, in order; questions, headings and fragments are left out."""
    found = []
    before = ""
    known_names = inner_names(text)
    for sentence in sentences(text):
        words = words_of(sentence)
        is_leaning = leans(sentence)
        if len(words) <= LONGEST_FACT and not sentence.endswith(("?", ":", "？", "：")):
            alone = stand_alone(sentence, before) if is_leaning else sentence
            spans = tuple(_spans(sentence, known_names)) if len(words) >= SHORTEST_FACT else ()
            if not spans and language == "en":
                spans = tuple(_of_oneself(sentence))
            if spans:
                found.append(Fact(sentence, alone, spans, language))
        if not is_leaning:
            before = sentence
    return found


def leans(sentence: str) -> bool:
    """Whether a sentence begins with a pronoun, or with a time and one."""
    return bool(PRONOUN.match(sentence) or SUBJECT_PRONOUN.match(sentence))


def stand_alone(sentence: str, before: str) -> str:
    """A sentence that begins with a pronoun, made to stand without the one before it.

    Where the pronoun plainly means the subject of the sentence before, that takes its place; else the
    sentence before is put in front.
    """
    pronoun = SUBJECT_PRONOUN.match(sentence)
    subject = SUBJECT.match(before)
    if pronoun and subject:
        time, said = pronoun["time"] or "", (pronoun["first"] or pronoun["later"]).lower()
        name = subject.group(1)
        person = bool(re.fullmatch(r"(?:[A-Z][\w'’-]+ ?){1,3}", name)) and not name.startswith(
            "The "
        )
        if said in {"he", "she"}:
            plain = person and not _somebody_else(before[subject.start("verb") :])
        else:
            # What else stands in it may be meant, but where its verb has no object; and somebody is no "it".
            says = IT_SAYS if said == "it" else THEY_SAYS
            somebody = person or re.search(rf"\b{KIN}s?$", name)
            plain = not (time or somebody) and subject["verb"] in says
        if plain:
            return time + name + sentence[pronoun.end() :]
    return f"{before} {sentence}".strip()


def _somebody_else(rest: str) -> bool:
    """Whether what follows a subject, from its verb on, tells of another who may be meant: by name, but for places and days, or as a sister."""
    return bool(re.search(rf"\b{KIN}s?\b", rest)) or any(
        not DATE.fullmatch(match[0]) and not OF_A_PLACE.search(rest[: match.start()])
        for match in NAME.finditer(rest)
        if match[0] not in NOT_NAMES
    )


def second_person(text: str) -> str:
    """What a user said of themselves, as it is said back to them: "my" becomes "your"."""

    def swap(match: re.Match[str]) -> str:
        word = match.group(0)
        other = SWAPS[re.sub("’", "'", word.lower())]
        return (
            other[:1].upper() + other[1:] if match.start() == 0 or _starts(text, match) else other
        )

    return SWAP.sub(swap, text)


def is_of_the_writer(text: str) -> bool:
    """Whether a text speaks of who wrote it: "I", "my", "we"."""
    return bool(SWAP.search(text))


def normalise(text: str) -> str:
    """Lower case, no punctuation, no articles, one space: the form in which answers are compared.

    After the SQuAD evaluation script, https://rajpurkar.github.io/SQuAD-explorer/.
    """
    text = re.sub(r"(?<=\d),(?=\d{3})", "", unicodedata.normalize("NFC", text.lower()))
    return " ".join(word for word in words_with_marks(text) if word not in {"a", "an", "the"})


def words_of(text: str) -> list[str]:
    """The words of a text in order; where they have no spaces between them, pieces of a word's length."""
    return PIECE.findall(text) if is_mostly_unspaced(text) else text.split()


def contains(answer: str, gold: str) -> bool:
    """Whether an answer holds the gold span as whole words, both normalised."""
    if is_mostly_unspaced(answer):
        found, wanted = (normalise(text).replace(" ", "") for text in (answer, gold))
        # A number or a Latin word ends where the next letter is of another script.
        before = r"(?<![0-9a-z])" if re.match("[0-9a-z]", wanted) else ""
        behind = r"(?![0-9a-z])" if re.search("[0-9a-z]$", wanted) else ""
        return bool(wanted) and bool(re.search(f"{before}{re.escape(wanted)}{behind}", found))
    found, wanted = (normalise(DECIMAL.sub(r"\1_\2", text)) for text in (answer, gold))
    return bool(wanted) and f" {wanted} " in f" {found} "


# What is behind a point, a comma or a colon between digits belongs to what is before: "5.2 km" holds no "2 km". A comma before three digits
# only parts thousands.
DECIMAL = re.compile(r"(?<![\d.,:])(\d+)(?:[.:]|,(?!\d{3}))(\d{1,3})(?!\d|[.,:]\d)")


def supported(answer: str, source: str) -> bool:
    """Whether every telling word of an answer stands in its source: string support."""
    words = set(telling_words(source))
    return all(word in words for word in telling_words(answer))


SWAPS = {
    "i": "you", "i'm": "you're", "i've": "you've", "i'll": "you'll", "i'd": "you'd", "me": "you",
    "my": "your", "mine": "yours", "myself": "yourself", "i am": "you are", "i was": "you were",
    "am i": "are you", "we": "you", "us": "you", "our": "your", "ours": "yours",
    "we're": "you're", "we've": "you've", "we'll": "you'll",
}  # fmt: skip
# "World War I", "Part I", "Elizabeth I of England".
_NUMERAL = "".join(
    f"(?<!{word} )" for word in ("War", "Part", "Type", "Phase", "Class", "Volume", "Chapter", "Book", "Act", "Level")
)  # fmt: skip
# Where it is dug in.
_NO_PIT = "".join(
    f"(?<!\\b{word} )" for word in ("a", "the", "this", "that", "old", "gold", "coal", "salt", "silver", "copper", "iron", "land")
)  # fmt: skip
SWAP = re.compile(
    rf"(?i)\b(?:am i|i['’](?:m|ve|ll|d)|we['’](?:re|ve|ll)|(?-i:{_NUMERAL})(?:i am|i was|i(?! of (?!all\b|course\b)))|me|myself"
    rf"|{_NO_PIT}mine|my|we|(?-i:[Uu]s)|ours|our)\b"
)


def _starts(text: str, match: re.Match[str]) -> bool:
    return bool(re.search(r"[.!?]\s+$", text[: match.start()]))


def inner_names(text: str) -> set[str]:
    """Capitalised words that stand somewhere other than at the start of a sentence."""
    found = set()
    for sentence in sentences(text):
        for match in NAME.finditer(sentence):
            if match.start() > 0:
                found.update(match.group(0).split())
    return found - NOT_NAMES


def _spans(sentence: str, known_names: set[str]) -> list[Span]:
    if is_mostly_unspaced(sentence):
        return _unspaced_spans(sentence)
    taken: list[tuple[int, int]] = []
    found: list[tuple[int, Span]] = []

    def take(kind: str, start: int, end: int) -> None:
        text = sentence[start:end].strip(" ,.;:'’\"")
        if text and not any(start < stop and begin < end for begin, stop in taken):
            taken.append((start, end))
            found.append((start, Span(kind, text)))

    for match in DATE.finditer(sentence):
        if not _is_amount(sentence, match):
            take("date", *match.span())
    for match in QUOTED.finditer(sentence):
        take("name", *match.span(1))
    for match in NUMBER.finditer(sentence):
        take("number", *match.span())
    for match in NAME.finditer(sentence):
        start, words = match.start(), match.group(0).split()
        while words and words[0] in NOT_NAMES:
            start += len(words[0]) + 1
            words = words[1:]
        first_alone = match.start() == 0 and start == 0 and len(words) == 1
        if words and not (first_alone and words[0] not in known_names and len(words) == 1):
            take("name", start, match.end())
    tail = TAIL.search(sentence) or (None if found else LAST_WORDS.search(sentence))
    if tail:
        take("phrase", *tail.span(1))
    found.sort(key=lambda item: item[0])
    # What comes late in a sentence is what it says; what it is about comes first.
    spans = [span for _, span in found if len(normalise(span.text)) > 1]
    return spans[-SPANS_PER_FACT:]


def _is_amount(sentence: str, found: re.Match[str]) -> bool:
    """Whether four digits are no year, or a point between digits no clock's: "1250 euros", "2.10 metres"."""
    text, before, ahead = found[0], sentence[: found.start()], sentence[found.end() :]
    if re.search(r"[€£$] ?$", before):
        return True
    if re.fullmatch(r"\d{4}", text):
        counts = re.match(r" [a-z]{2,}s\b", ahead) and COUNTED.search(before)
        return bool(counts or MEASURE.match(ahead))
    if re.fullmatch(r"\d{1,2}\.\d{2}", text):
        hour, minute = map(int, text.split("."))
        return (
            hour > 23
            or minute > 59
            or bool(MEASURE.match(ahead) or BEFORE_AN_AMOUNT.search(before))
        )
    return False


def _of_oneself(sentence: str) -> list[Span]:
    """The last word of what somebody says of themselves, where another word is left to ask for it by."""
    found = OF_ONESELF.match(sentence)
    is_telling = found and telling_words(found[1]) and len(telling_words(sentence)) > 1
    return [Span("phrase", found[1])] if found and is_telling else []


def _unspaced_spans(sentence: str) -> list[Span]:
    found = [(m.start(), Span("date", m[0])) for m in UNSPACED_DATE.finditer(sentence)]
    rest = UNSPACED_DATE.sub(lambda m: " " * len(m[0]), sentence)
    found += [(m.start(), Span("number", m[0])) for m in UNSPACED_NUMBER.finditer(rest)]
    found += [(m.start(1), Span("name", m[1])) for m in UNSPACED_QUOTED.finditer(sentence)]
    if not found and (tail := UNSPACED_TAIL.search(sentence)):
        found = [(tail.start(1), Span("phrase", tail[1]))]
    found.sort(key=lambda item: item[0])
    return [span for _, span in found if normalise(span.text)][-SPANS_PER_FACT:]
