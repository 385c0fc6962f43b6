"""Cut text into sentences, knowing abbreviations, initials, decimals and list lines."""

import re

from .list_numbers import MONTHS, names_a_month


def _words(spaced: str) -> frozenset[str]:
    return frozenset(spaced.split())


# Names and numbers follow these: they never end a sentence.
_NEVER_LAST = _words(
    "mr mrs ms mx dr prof gen sen rep gov capt lt col sgt cpl cmdr maj adm rev hon pres messrs mme "
    "mlle sra dra e.g eg i.e ie vs cf viz fig figs eq eqs vol vols pp chap ca approx "
    "incl resp nr z.b d.h bzw "
    # German
    "vgl bd hr fr frl hrsg ggf evtl inkl zzgl z.t u.a o.ä i.d.r s.o s.u geb gest str abs bspw sog "
    "v.a z.z m.e u.u i.a "
    # French, Spanish
    "env m mlles mm p.ex av j.-c éd apr sr sras srta srtas dña p.ej núm pág págs aprox ee.uu "
    # Russian
    "т.е т.н т.к т.ч ул им см ср напр просп пер корп кв стр тел г-н г-жа проф акад"
)
# These stand in the middle or at the end: what follows decides.
_PERHAPS_LAST = _words(
    "inc ltd co corp llc plc bros jr sr esq st ave blvd rd al dept univ est ext tel no nos p ch "
    "sec ed eds ph.d b.a m.a b.sc m.sc min max usw "
    "v.chr n.chr janv févr fév avr juil sept oct nov déc ene abr dic "
    "т.д т.п н.э др г гг в вв руб коп тыс млн млрд"
)
# What is written "z. B." or "z.B." by its parts as they come: z.b, i.d, i.d.r.
_DOTTED_PARTS = frozenset(
    abbreviation[:end]
    for abbreviation in _NEVER_LAST | _PERHAPS_LAST | {"a.m", "p.m"}
    for end in range(1, len(abbreviation) + 1)
    if "." in abbreviation[:end] and abbreviation[end : end + 1] in ("", ".")
)
# Lower case, these are words ("the sun.", "he sat."), so only the capitalised form counts.
_CALENDAR = _words(
    "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun"
)
_BEFORE_NUMBERS = _words("no nos p ch sec min max ext tel")
_AFTER_CLOCK = _words(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May "
    "June July August September October November December Eastern Pacific Central Mountain "
    "Greenwich EST EDT PST PDT CST CDT MST MDT GMT UTC CET CEST BST"
)
_STARTERS = _words(
    "The A An This That These Those He She It They We You I There Here My Our Your His Her Its "
    "Their In On At By For From With Without To Of As After Before During Since Until While When "
    "Where Why How What Who Which If Although Though Because However But And Or So Then Also Both "
    "Each Every All Some Many Most Several No Not Now Today Later Once Only Even Yet Still Thus "
    "Therefore Meanwhile Moreover Another One Two Three Please Do Does Did Is Are Was Were Can "
    "Could Should Would Will Let "
    "Der Die Das Den Dem Ein Eine Er Sie Es Wir Ihr Ich Im Am Auf Mit Nach Vor Wenn Als Aber Und Oder Dann Da Dort "
    "Le La Les Un Une Il Elle Nous Vous Ils Elles Je Ce Cette Ces Dans En Mais Et Puis "
    "El Los Las Una Él Ella Yo Este Esta Pero Y Entonces "
    "Он Она Они Мы Вы Я Это Этот Эта В На С И Но А Потом Затем"
)

_LIST_MARK = re.compile(r"^\s*(?:[-*+•‣◦▪·–—]|(?P<number>\d{1,2})\.|\d{1,2}\)|[A-Za-z]\))\s+")
# Starting only at the first mark of a run, and never giving back, keeps this linear. The mark comes first,
# then what may not stand before it: so everything else is passed over quickly.
_STOP = re.compile(
    r"""[.!?؟…।۔。！？](?:(?<=[.!?؟…।۔])(?<![.!?؟…।۔].)[.!?؟…।۔]*+["'”’»)\]]*+(?:\[\d{1,3}\])*+(?=\s)"""
    r"|(?<=[。！？])(?<![。！？].)[。！？]*+[」』”’）]*+)"
)
_NUMBER = re.compile(r"\s{0,20}\d{1,20}\s?")
_OPENERS = "\"'“‘«([{¿¡„*_"
_WORD = re.compile(r"[^\W_]+")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W\d_]{1,2}\.\s){1,2}[^\W\d_]{1,4}\Z")
_NEXT_PART = re.compile(r"[^\W\d_]{1,4}(?=\.)")
_LONGEST_ABBREVIATION = 12
_LONGEST_PART = 4


def sentences(text: str) -> list[str]:
    """The sentences of `text` in order, each one a stripped stretch of it; a line end ends one.

    List marks at the start of a line are left off; a number is one beside lines with its neighbours, and 1 alone.
    Never raises; empty text has no sentences.
    """
    lines = [(line, _LIST_MARK.match(line)) for line in text.splitlines()]
    numbers = {int(mark["number"]) for _, mark in lines if mark and mark["number"]}
    return [
        found
        for line, mark in lines
        for found in _of_line(line[mark.end() :] if mark and _is_mark(mark, numbers) else line)
    ]


def _is_mark(mark: re.Match[str], numbers: set[int]) -> bool:
    if not mark["number"]:
        return True
    number = int(mark["number"])
    counts = number < 2 or not numbers.isdisjoint((number - 1, number + 1))
    return counts and not names_a_month(mark.string[mark.end() :])


def _of_line(line: str) -> list[str]:
    found: list[str] = []
    start = 0
    for stop in _STOP.finditer(line):
        if _ends_here(line, start, stop):
            found.append(line[start : stop.end()].strip())
            start = stop.end()
    found.append(line[start:].strip())
    return [sentence for sentence in found if _WORD.search(sentence)]


def _ends_here(line: str, start: int, stop: re.Match[str]) -> bool:
    if stop[0][0] in "。！？":
        return True
    following = line[stop.end() : stop.end() + 60].lstrip().lstrip(_OPENERS)
    if not following:
        return True
    if following[0].islower():
        return False
    if stop[0][0] != "." or stop[0].startswith(".."):
        return True
    if not start and _NUMBER.fullmatch(line, 0, stop.start()):  # "1984. Ein Jahr"
        return False
    token = _token_before(line, start, stop.start())
    if 0 < len(token) <= _LONGEST_PART:
        spaced = _SPACED.search(
            line, max(start, stop.start() - _LONGEST_ABBREVIATION), stop.start()
        )
        token = "".join(spaced[0].split()) if spaced else token
        part = _NEXT_PART.match(following)
        if part and f"{token}.{part[0]}".lower() in _DOTTED_PARTS:
            return False
    return _period_ends(token, following)


def _token_before(line: str, start: int, end: int) -> str:
    """The word in front of the stop; empty when it is too long to be an abbreviation."""
    tail = line[max(start, end - _LONGEST_ABBREVIATION) : end]
    token = tail.split()[-1] if tail and not tail[-1].isspace() else ""
    return "" if len(token) == _LONGEST_ABBREVIATION else token.lstrip(_OPENERS)


def _period_ends(token: str, following: str) -> bool:
    lowered = token.lower()
    if lowered in _NEVER_LAST:
        return False
    if token.isdigit() and len(token) <= 2 and _first_word(following) in MONTHS:
        return False
    if lowered in ("a.m", "p.m"):
        return _first_word(following) not in _AFTER_CLOCK
    if token in _CALENDAR:
        return _starts_a_sentence(following)
    if lowered in _BEFORE_NUMBERS and following[0].isdigit():
        return False
    if lowered == "no":
        return True
    if lowered in _PERHAPS_LAST or _is_initials(token):
        return _starts_a_sentence(following)
    return True


def _is_initials(token: str) -> bool:
    return (len(token) == 1 and token.isupper()) or _DOTTED.fullmatch(token) is not None


def _first_word(following: str) -> str:
    word = _WORD.match(following)
    return word[0] if word else ""


def _starts_a_sentence(following: str) -> bool:
    word = _first_word(following)
    is_an_initial = len(word) == 1 and following[1:2] == "."
    return word in _STARTERS and not is_an_initial
