"""What a question asks for, its *answer type*, and whether an answer holds such a thing.

Asked how old somebody is whose age is in no note, a version says something else of them, which stands in the notes and is about them: only
that it holds no age tells that it is no answer. After the question classes of Li and Roth, https://aclanthology.org/C02-1150/, as far
as English question words show them: a number (of a measure), a time, a place, a person, a name. A question of which this is not plain, or in
another language, asks for anything. Where it is not plain what an answer holds, it counts as holding it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..memory.search import telling_words
from .facts import (
    DATE,
    MONTH,
    NAME,
    NOT_NAMES,
    SHORTEST_FACT,
    WORD_NUMBER,
    is_of_the_writer,
)

NUMBER, TIME, PLACE, PERSON, A_NAME = "number", "time", "place", "person", "name"
# Units, and the words of a question or an answer that speak of the measure without one.
UNITS = {
    "money": "euro euros dollar dollars pound pounds quid franc francs crown crowns krona kronor krone kroner koruna cent cents pence yen yuan won"
    " rupee rupees rouble roubles ruble rubles zloty peso pesos real reais rand lira dinar dinars dirham eur usd gbp chf $ € £ ¥",
    "duration": "second seconds minute minutes hour hours day days night nights week weeks month months year years decade decades century centuries",
    "length": "millimetre millimetres millimeter millimeters centimetre centimetres centimeter centimeters metre metres meter meters kilometre"
    " kilometres kilometer kilometers mm cm m km inch inches foot feet yard yards mile miles",
    "weight": "gram grams gramme grammes kilo kilos kilogram kilograms g kg ounce ounces stone tonne tonnes ton tons",
    "temperature": "degree degrees celsius fahrenheit °",
}
MEASURE_OF = {unit: measure for measure, units in UNITS.items() for unit in units.split()}
SPEAKS_OF = {
    "money": re.compile(
        r"(?i)\b(?:costs?|price[sd]?|pays?|paid|earn(?:s|ed)?|spen[dt]s?|charge[sd]?|fees?)\b"
    ),
    "weight": re.compile(r"(?i)\b(?:weigh(?:s|ed|t)?|heavy)\b"),
    "duration": re.compile(r"(?i)\b(?:old|aged?|lasts?|lasted|took|takes)\b"),
    "length": re.compile(r"(?i)\b(?:long|far|wide|tall|high|deep|away)\b"),
}
OF_HOW = {
    "old": {"duration"}, "far": {"length", "duration"}, "long": {"length", "duration"}, "tall": {"length"},
    "high": {"length"}, "deep": {"length"}, "wide": {"length"}, "heavy": {"weight"}, "hot": {"temperature"},
    "cold": {"temperature"},
}  # fmt: skip

_AT_FIRST = r"(?i)^(?:(?:about|at|by|for|from|in|on|since|to|until|with) )?"
HOW = re.compile(rf"{_AT_FIRST}how (\w+)(?: (\w+))?")
WHEN = re.compile(
    rf"{_AT_FIRST}(?:when\b|(?:what|which) (?:time|day|date|year|month|weekday|season|hour)\b)"
)
WHERE = re.compile(
    rf"{_AT_FIRST}(?:where\b|(?:what|which) (?:place|town|city|village|country|street)\b)"
)
WHO = re.compile(rf"{_AT_FIRST}who(?:m|se)?\b")
CALLED = re.compile(
    r"(?i)^what(?: is| was|['’]s) (?:[\w'’-]+ )*name\b|^what (?:is|was|are|were) .*\b(?:called|named)\?$"
    r"|^what name\b|^what (?:do|does|did) .*\bcall .*\?$"
)
WHAT_MONEY = re.compile(
    r"(?i)^what (?:is|was|are|were) (?:[\w'’-]+ )*(?:price|cost|fee|fare|rent|salary|wage)\b"
    r"|^what (?:do|does|did|will|would|must) .*\b(?:cost|pay for|earn(?= (?:a|an|per|each|in|as|for|at)\b|\?))\b"
)

A_NUMBER = re.compile(
    rf"(?P<sign>[$€£¥] ?)?\b\d(?:[\d,.]*\d)?|\b(?i:{WORD_NUMBER}|half|dozen|thousand|million|once|twice"
    r"|all|few|free|lot|most|none|nothing|several|some)\b"
)
A_UNIT = re.compile(r"(?: ?([€$£¥°])|[ -](?:and a half )?([^\W\d_]+))")
A_DAY = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}|{MONTH} \d{{1,2}}\b(?!:)")
A_YEAR = re.compile(r"(?:1\d|20)\d\d")
A_TIME = re.compile(
    r"(?i)\b(?:spring|summer|autumn|winter|morning|afternoon|evening|night|noon|midnight|every|last|next|this|ago|today"
    r"|yesterday|tomorrow|now|after|before|when|while|since|until|during)\b"
)
A_PLACE = re.compile(
    r"\b(?:in|at|on|near|behind|beside|under|over|from|to|into|between|through|opposite|above|below|off|across|along|around|by"
    r"|outside|inside) ((?:[\w'’-]+ ?){1,3})"
)
SOMEWHERE = re.compile(
    r"(?i)\b(?:abroad|everywhere|here|home|nowhere|online|upstairs|downstairs)\b"
)
# A name behind one of these is of a place.
IN_A_PLACE = re.compile(r"\b(?:in|at|near|behind|over|under|into|through|across) (?:the )?$")
SOMEBODY = re.compile(r"(?i)^(?:I|you|we|nobody|no one|everybody|everyone|somebody|someone)\b")
A_ROLE = re.compile(
    r"(?:(?i:\b(?:my|our|your|his|her|their))|^(?:A|An|The)|\b(?:by|from|is|was|with) (?:an?|the)) ([\w'’-]+)"
)


@dataclass(frozen=True)
class AnswerType:
    """kind: of NUMBER, TIME, PLACE, PERSON, A_NAME; measures: of a number, in any of these; none: of a plain count; None: in whatever."""

    kind: str
    measures: frozenset[str] | None = None


def answer_type(question: str) -> AnswerType | None:
    """What a question asks for; None where that is not plain."""
    if how := HOW.match(question):
        first, second = how[1].lower(), (how[2] or "").lower()
        if first == "many":
            measure = MEASURE_OF.get(second)
            return AnswerType(NUMBER, frozenset({measure} if measure else ()))
        if first == "much":
            return AnswerType(NUMBER, _spoken_of(question, ("money", "weight")))
        return AnswerType(NUMBER, frozenset(OF_HOW[first])) if first in OF_HOW else None
    for kind, asks in ((TIME, WHEN), (PLACE, WHERE), (PERSON, WHO)):
        if asks.match(question):
            return AnswerType(kind)
    if WHAT_MONEY.match(question):
        return AnswerType(NUMBER, frozenset({"money"}))
    return AnswerType(A_NAME) if CALLED.match(question) else None


def fits(question: str, answer: str) -> bool:
    """Whether an answer holds something of the type that a question asks for and does not say itself."""
    wanted = answer_type(question)
    if wanted is None or not _is_plain(answer):
        return True
    if wanted.kind == NUMBER:
        return _has_number(answer, wanted.measures)
    if wanted.kind == TIME:
        return any(sought.search(answer) for sought in (DATE, A_NUMBER, A_TIME))
    asked = _words(question)
    if wanted.kind == PLACE:
        some = [found[1] for found in A_PLACE.finditer(answer)]
        return bool(
            _new_names(answer, asked)
            or any(not _words(one) <= asked for one in some)
            or SOMEWHERE.search(answer)
        )
    if wanted.kind == PERSON:
        # Asked about what is the asker's, one does not mean the asker.
        is_somebody = SOMEBODY.match(answer) and not is_of_the_writer(question)
        roles = {found[1].lower() for found in A_ROLE.finditer(answer)}
        return bool(is_somebody or roles - asked or _new_names(answer, asked, places=False))
    return bool(_new_names(answer, asked) or re.search(r"\b(?:call(?:ed|s)?|named)\b", answer))


def _is_plain(answer: str) -> bool:
    """Whether an answer is a sentence in English, as its common words show."""
    words = answer.split()
    return len(words) >= SHORTEST_FACT and len(telling_words(answer)) < len(words)


def _spoken_of(question: str, measures: Iterable[str]) -> frozenset[str] | None:
    found = {measure for measure in measures if SPEAKS_OF[measure].search(question)}
    return frozenset(found) or None


def _has_number(answer: str, measures: frozenset[str] | None) -> bool:
    days = [found.span() for found in A_DAY.finditer(answer)]
    for number in A_NUMBER.finditer(answer):
        if any(start <= number.start() < end for start, end in days):
            continue
        unit = A_UNIT.match(answer, number.end())
        said = (unit[1] or unit[2]).lower() if unit else ""
        measure = "money" if number["sign"] else MEASURE_OF.get(said)
        if measure is None and A_YEAR.fullmatch(number[0]) and not telling_words(said):
            # Since when tells how long, and when it was made how old it is.
            if measures and "duration" in measures:
                return True
            continue
        if measures is None or measure in measures or _is_bare(answer, said, measure, measures):
            return True
    return False


def _is_bare(answer: str, said: str, measure: str | None, measures: frozenset[str]) -> bool:
    """Whether a number is of no other measure than is asked for, as far as one sees."""
    if measure is not None:
        return False
    speaks = (SPEAKS_OF[one].search(answer) for one in measures if one in SPEAKS_OF)
    return not measures or not telling_words(said) or any(speaks)


def _new_names(answer: str, asked: set[str], places: bool = True) -> list[str]:
    """The names of an answer of which the question has no word."""
    found = []
    for name in NAME.finditer(answer):
        words = [word for word in name[0].split() if word not in NOT_NAMES]
        is_place = IN_A_PLACE.search(answer[: name.start()])
        if words and not _words(" ".join(words)) & asked and (places or not is_place):
            found.append(name[0])
    return found


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))
