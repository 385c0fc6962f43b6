"""Moments as programs write them for people: a month by its name, or numbers in the order of a language."""

import re
from datetime import UTC, datetime, timedelta, timezone

# How the names of months begin, in the languages that programs are set to most often.
_MONTHS = (
    "jan ene gen sty янв led oca tammi ιαν",
    "feb fev fév lut фев úno şub helmi φεβ",
    "mar mär mrt mrz maa març мар bře μαρ",
    "apr avr abr kwi апр dub nis huhti απρ",
    "may mai maj mei mag май мая kvě touko μαΐ μάι",
    "jun juin giu cze июн kesä haz ιουν",
    "jul juil lug lip июл heinä tem ιουλ",
    "aug aoû aou ago sie авг srp ağu elo αυγ",
    "sep set wrz сен zář eyl syys σεπ",
    "oct okt out ott paź окт říj eki loka οκτ",
    "nov lis ноя kas marras νοε",
    "dec déc dez dic gru дек pro ara joulu δεκ",
)
_MONTH_OF = sorted(
    ((name, n) for n, names in enumerate(_MONTHS, 1) for name in names.split()),
    key=lambda named: -len(named[0]),
)
_CLOCK = re.compile(
    r"(?P<before>[AaPp]\.?[Mm]\.?|上午|下午|午前|午後|오전|오후)?\s?(?<!\d)(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?"
    r"(?!\d|[./]\d)(?:\s?(?P<after>[AaPp])\.?\s?[Mm]\b\.?)?"
)
_AFTERNOON = ("下午", "午後", "오후")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\D{1,2}(\d{1,2})\D{1,3}(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([./-]) ?(\d{1,2})[./-] ?(\d{4})(?!\d)")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DAY = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
_WORD = re.compile(r"[^\W\d_]{3,}")
_OFFSET = re.compile(r"(?:UTC|GMT)(?:([+-])(\d{1,2})(?::?(\d\d))?)?")
# Those that mean one thing; hours east of Greenwich.
_ZONES = {
    zone: hours
    for hours, zones in {
        0: "WET",
        1: "CET MEZ BST WEST",
        2: "CEST MESZ EET",
        3: "EEST MSK",
        9: "JST KST",
        -4: "EDT",
        -5: "EST CDT",
        -6: "MDT",
        -7: "MST PDT",
        -8: "PST",
    }.items()
    for zone in zones.split()
}


def moment_in_words(written: str) -> str | None:
    """`Feb 1, 2024, 3:04:05 PM CET` in ISO 8601; in UTC where the zone is known, else without one.

    None where there is no day with a time in it.
    """
    clock = _CLOCK.search(written)
    if not clock:
        return None
    around = written[: clock.start()] + " " + written[clock.end() :]
    half = (clock["before"] or clock["after"] or "").lower()
    day = _day(around, month_first=bool(half))
    hour = int(clock["hour"])
    if half and hour <= 12:
        hour = hour % 12 + (12 if half[0] == "p" or half in _AFTERNOON else 0)
    if not day:
        return None
    try:
        moment = datetime(*day, hour, int(clock["minute"]), int(clock["second"] or 0))
        offset = _offset(around)
        if offset is not None:
            moment = moment.replace(tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat()


def _day(written: str, month_first: bool) -> tuple[int, int, int] | None:
    found = _YEAR_FIRST.search(written)
    if found:
        return int(found[1]), int(found[2]), int(found[3])
    found = _YEAR_LAST.search(written)
    if found:
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        if second > 12 or (month_first and found[2] == "/" and first <= 12):
            first, second = second, first
        return year, second, first
    year_found, month = _YEAR.search(written), _month(written)
    day = _DAY.search(_YEAR.sub(" ", written))
    return (int(year_found[0]), month, int(day[0])) if year_found and month and day else None


def _month(written: str) -> int | None:
    """By the last word that is a month's: a weekday may look like one (`mar.`) and stands before."""
    for word in reversed(_WORD.findall(written)):
        if word not in _ZONES:
            for name, number in _MONTH_OF:
                if word.lower().startswith(name):
                    return number
    return None


def _offset(written: str) -> timedelta | None:
    found = _OFFSET.search(written)
    if found:
        size = timedelta(hours=int(found[2] or 0), minutes=int(found[3] or 0))
        return -size if found[1] == "-" else size
    hours = next((_ZONES[word] for word in _WORD.findall(written) if word in _ZONES), None)
    return timedelta(hours=hours) if hours is not None else None
