"""What a question asks for, its *answer type*, and whether an answer holds such a thing.

Asked how old somebody is whose age is in no note, a version says something else of them, which stands in the notes and is about them: only
that it holds no age tells that it is no answer. After the question classes of Li and Roth, https://aclanthology.org/C02-1150/, as far
as English question words show them: a number (of a measure), a time, a place, a person, a name. A question of which this is not plain, or in
another language, asks for anything. Where it is not plain what an answer holds, it counts as holding it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..memory.languages import language_of
from ..memory.search import telling_words
from .facts import (
    DATE,
    MONTH,
    NAME,
    NOT_NAMES,
    QUOTED,
    SHORTEST_FACT,
    WORD_NUMBER,
    is_of_the_writer,
)
from .wordings import ENGLISH

NUMBER, TIME, PLACE, PERSON, A_NAME = "number", "time", "place", "person", "name"
# Units, and the words of a question or an answer that speak of the measure without one.
UNITS = {
    "money": "euro euros dollar dollars pound pounds quid franc francs crown crowns krona kronor krone kroner koruna cent cents pence yen yuan won"
    " rupee rupees rouble roubles ruble rubles zloty peso pesos real reais rand lira dinar dinars dirham bucks eur usd gbp chf $ € £ ¥",
    "duration": "second seconds minute minutes hour hours day days night nights week weeks month months year years decade decades century centuries",
    "length": "millimetre millimetres millimeter millimeters centimetre centimetres centimeter centimeters metre metres meter meters kilometre"
    " kilometres kilometer kilometers mm cm m km inch inches foot feet yard yards mile miles",
    "weight": "gram grams gramme grammes kilo kilos kilogram kilograms g kg ounce ounces pound pounds lb lbs stone tonne tonnes ton tons",
    "temperature": "degree degrees celsius fahrenheit °",
}
MEASURES_OF = {
    unit: {measure for measure, others in UNITS.items() if unit in others.split()}
    for units in UNITS.values()
    for unit in units.split()
}
SPEAKS_OF = {
    "money": re.compile(
        r"(?i)\b(?:costs?|price[sd]?|pays?|paid|earn(?:s|ed)?|spen[dt]s?|charge[sd]?|fees?)\b"
    ),
    "weight": re.compile(r"(?i)\b(?:weigh(?:s|ed|t)?|heavy)\b"),
    "duration": re.compile(r"(?i)\b(?:old|aged?|lasts?|lasted|took|takes)\b"),
    "length": re.compile(r"(?i)\b(?:long|far|wide|tall|high|deep|away)\b"),
}
OF_HOW = {
    "old": {"duration"}, "far": {"length", "duration"}, "tall": {"length"}, "deep": {"length"}, "wide": {"length"},
    "heavy": {"weight"}, "hot": {"temperature"}, "cold": {"temperature"},
}  # fmt: skip

_AT_FIRST = r"(?i)^(?:(?:about|at|by|for|from|in|on|since|to|until|with) )?"
HOW = re.compile(rf"{_AT_FIRST}how (\w+)(?: (\w+))?")
# "When I was in Rome, what did I eat?" asks for no time.
_VERB = r"(?: (?:am|is|are|was|were|do|does|did|have|has|had|will|would|can|could|shall|should|must)\b|['’]s\b)"
WHEN = re.compile(
    rf"{_AT_FIRST}(?:when|(?:what|which) (?:time|day|date|year|month|weekday|season|hour)){_VERB}"
)
WHERE = re.compile(
    rf"{_AT_FIRST}(?:where|(?:what|which) (?:place|town|city|village|country|street)){_VERB}"
)
WHO = re.compile(rf"{_AT_FIRST}who(?:m|se)?\b")
CALLED = re.compile(
    r"(?i)^what(?: is| was|['’]s) (?:[\w'’-]+ )*name\b|^what (?:is|was|are|were) .*\b(?:called|named)\??$"
    r"|^what name\b|^what (?:do|does|did) .*\bcall\b"
)
WHAT_MONEY = re.compile(
    r"(?i)^what (?:is|was|are|were) (?:[\w'’-]+ )*(?:price|cost|fee|fare|rent|salary|wage)(?: (?:of|for|per|a|an|in)\b|\??$)"
    r"|^what (?:do|does|did|will|would|must) .*\b(?:cost\b|pay for (?=\w)|earn(?: (?:a|an|per|each|in|as|for|at)\b|\??$))"
)

_A_UNIT = "|".join(unit for unit in MEASURES_OF if unit.isalpha())
A_NUMBER = re.compile(
    rf"(?P<sign>[$€£¥] ?)?\b\d(?:[\d,.]*\d)?|\b(?i:{WORD_NUMBER}|one(?! (?:of|who|that|which|made|is|in|with)\b)"
    rf"|an?(?= (?:{_A_UNIT})\b)|half|couple|dozens?|hundreds|thousands?|millions?|once|twice"
    r"|all|few|free|lot|most|none|nothing|several|some)\b"
)
A_UNIT = re.compile(r"(?: ?([€$£¥°])|[ -]?(?:and a half )?([^\W\d_]+))")
A_DAY = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}|{MONTH} \d{{1,2}}\b(?!:)")
A_YEAR = re.compile(r"(?:1\d|20)\d\d")
OF_A_YEAR = re.compile(rf"\b(?:in|since|from|until|by|of|before|after|{MONTH}),? $")
A_TIME = re.compile(
    r"(?i)\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|springs?|summers?|autumns?|winters?|mornings?|afternoons?|evenings?|nights?|noon"
    r"|midnight|days?|weeks?|weekends?|months?|years?|daily|weekly|monthly|yearly|early|late|always|never|christmas|easter|every|last|next|this"
    r"|ago|today|yesterday|tomorrow|now|after|before|when|while|since|until|during)\b"
)
# A phrase that may tell a place or a time.
A_PHRASE = re.compile(
    r"(?i)\b(?:in|at|on|near|behind|beside|under|over|from|to|into|between|through|opposite|above|below|off|across|along|around|by"
    r"|outside|inside|as|for|with|past|beyond|against|towards|within) ((?:[\w'’-]+ ?){1,3})"
)
SOMEWHERE = re.compile(
    r"(?i)\b(?:abroad|away|everywhere|here|home|indoors|next door|nowhere|online|outdoors|overseas|upstairs|downstairs)\b"
)
# A name behind one of these is of a place.
IN_A_PLACE = re.compile(r"\b(?:in|at|near|behind|over|under|into|through|across) (?:the )?$")
SOMEBODY = re.compile(r"(?i)^(?:I|you|we|nobody|no one|everybody|everyone|somebody|someone)\b")
ONESELF = re.compile(r"(?i)\b(?:yourself|yourselves|myself|ourselves|mine|yours)\b")
A_ROLE = re.compile(
    r"(?i)(?:\b(?:my|our|your|his|her|their)|^(?:an?|the|both|all|one of the|some of the)(?: the)?|\b(?:by|from|to|with|for)(?: (?:an?|the))?|\b(?:is|was) (?:an?|the)) ([^\W\d][\w'’-]*)"
)
# A name in lower case, or such as "homenet5".
SAYS_NAME = re.compile(r"(?i)\b(?:call(?:ed|s)?|named)\b|\b(?:is|was) (?:the )?([\w.'’-]+)[.!]?$")


@dataclass(frozen=True)
class AnswerType:
    """kind: of NUMBER, TIME, PLACE, PERSON, A_NAME; measures: of a number, those that it may be of; empty: it is a plain count; None: it
    may be of any."""

    kind: str
    measures: frozenset[str] | None = None


def answer_type(question: str) -> AnswerType | None:
    """What a question asks for; None where that is not plain."""
    if how := HOW.match(question):
        first, second = how[1].lower(), (how[2] or "").lower()
        if first == "many":
            return AnswerType(NUMBER, frozenset(MEASURES_OF.get(second, ())))
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
    asked = _words(question)
    has_phrase = any(not _words(found[1]) <= asked for found in A_PHRASE.finditer(answer))
    if wanted.kind == TIME:
        return has_phrase or any(sought.search(answer) for sought in (DATE, A_NUMBER, A_TIME))
    if wanted.kind == PLACE:
        return bool(has_phrase or SOMEWHERE.search(answer) or _new_names(answer, asked))
    if wanted.kind == PERSON:
        # Asked about what is the asker's, one does not mean the asker.
        is_somebody = SOMEBODY.match(answer) and not is_of_the_writer(question)
        roles = {found[1].lower() for found in A_ROLE.finditer(answer)}
        return bool(
            is_somebody
            or ONESELF.search(answer)
            or roles - asked
            or _new_names(answer, asked, places=False)
        )
    said = SAYS_NAME.search(answer)
    is_named = said and (said[1] is None or _words(said[1]) - asked)
    return bool(is_named or QUOTED.search(answer) or _new_names(answer, asked))


def _is_plain(answer: str) -> bool:
    """Whether an answer is a sentence in English, as its common words show."""
    words = answer.split()
    has_common = len(telling_words(answer)) < len(words)
    return len(words) >= SHORTEST_FACT and has_common and language_of(answer) == ENGLISH


def _spoken_of(question: str, measures: Iterable[str]) -> frozenset[str] | None:
    found = {measure for measure in measures if SPEAKS_OF[measure].search(question)}
    return frozenset(found) or None


def _has_number(answer: str, measures: frozenset[str] | None) -> bool:
    # When it began tells how old it is; and "a son and a daughter" is how many.
    if measures is not None and "duration" in measures and DATE.search(answer):
        return True
    if (
        measures is not None
        and not measures
        and re.search(r"(?i)\b(?:(?:an?|no) \w|nobody|no one|none)", answer)
    ):
        return True
    days = [found.span() for found in A_DAY.finditer(answer)]
    for number in A_NUMBER.finditer(answer):
        is_of_a_day = any(start <= number.start() < end for start, end in days)
        is_year = A_YEAR.fullmatch(number[0]) and OF_A_YEAR.search(answer[: number.start()])
        if not is_of_a_day and not is_year and _may_be_of(measures, answer, number):
            return True
    return False


def _may_be_of(measures: frozenset[str] | None, answer: str, number: re.Match[str]) -> bool:
    """Whether a number is of one of these measures, as far as its unit or the words around it tell."""
    unit = A_UNIT.match(answer, number.end())
    said = (unit[1] or unit[2]).lower() if unit else ""
    found = {"money"} if number["sign"] else MEASURES_OF.get(said, set())
    if measures is None or found & measures:
        return True
    if found:
        return False
    # Behind a number, words in -s are mostly what was counted: "four crates".
    is_counted = said.endswith("s") and bool(telling_words(said))
    speaks = (SPEAKS_OF[one].search(answer) for one in measures if one in SPEAKS_OF)
    return not measures or not is_counted or any(speaks)


def _new_names(answer: str, asked: set[str], places: bool = True) -> list[str]:
    """The names of an answer that the question does not say, nor begins: "Ludmila Vasterholm" is whom it asks about as "Ludmila"."""
    found = []
    for name in NAME.finditer(answer):
        words = [word for word in name[0].split() if word not in NOT_NAMES]
        is_place = IN_A_PLACE.search(answer[: name.start()])
        if words and not _words(words[0]) & asked and (places or not is_place):
            found.append(name[0])
    return found


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", re.sub(r"['’]s\b", "", text.lower())))
