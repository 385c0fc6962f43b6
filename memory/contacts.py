"""E-mail addresses, phone numbers and postal addresses, for people who want those replaced too.

A choice, not the rule: in most notes an address is what one wants to find again.
"""

import re
from collections.abc import Callable

EMAIL = "E-MAIL"
PHONE = "PHONE NUMBER"
ADDRESS = "ADDRESS"

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}+@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
# With a country's code, with a leading zero, or in the groups of North America.
_PHONE = re.compile(
    r"(?<![\w.,/:#+-])(?:"
    r"(?:\+|00)[1-9]\d{0,2}(?:[ ./()-]{0,2}\d){6,13}"
    r"|\(?0[1-9]\d{1,4}\)?[ /-]{1,3}\d{2,4}(?:[ .-]?\d{1,4}){1,4}|0[1-9]\d{8,10}"
    r"|\(?[2-9]\d\d\)?[ .-]{1,2}[2-9]\d\d[.-]\d{4}"
    r")(?![\w/]|[.,:-]\d)"
)
_NAME = r"[A-ZÀ-ÖØ-Þ][\w'’-]{0,30}"
_ADDRESS = re.compile(
    # 12 Long Lane, Oxford OX1 2AB
    rf"(?<![\w.,-])\d{{1,5}}[a-z]?,? (?:{_NAME} ){{1,3}}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr"
    r"|Boulevard|Blvd|Court|Ct|Square|Sq|Terrace|Crescent|Close|Way|Place|Pl|Highway)\b\.?"
    rf"(?:(?:,? {_NAME}){{0,3}}?,? (?:(?:[A-Z]{{2}} )?\d{{5}}(?:-\d{{4}})?|[A-Z]{{1,2}}\d[A-Z\d]? \d[A-Z]{{2}})"
    rf"|(?:, {_NAME})?)"
    # Lange Gasse 12a, 12345 Neustadt
    r"|(?<!\w)(?:[A-ZÄÖÜ][\wäöüß-]{1,30}(?:straße|strasse|str\.|weg|gasse|allee|platz|ufer|ring|damm)"
    rf"|(?:{_NAME} ){{1,2}}(?:Straße|Strasse|Str\.|Weg|Gasse|Allee|Platz|Ufer|Ring|Damm)) \d{{1,4}}"
    rf"(?: ?[a-z]\b)?(?:,? (?:[A-Z]{{1,2}}-)?\d{{4,5}} {_NAME})?"
    # 12 bis, rue de la Paix, 75002 Paris
    r"|(?<![\w.,-])\d{1,4}(?: bis| ter)?,? (?:rue|avenue|boulevard|place|chemin|allée|quai|impasse)"
    rf" (?:d[eu] |des |de la |d['’]|de l['’])?(?:{_NAME}[ ,]{{0,2}}){{1,3}}(?:\d{{5}} {_NAME})?"
    # Calle Mayor 12, 28013 Madrid
    rf"|(?<!\w)(?:Calle|Avenida|Avda\.|Plaza|Paseo|Via|Viale|Piazza) (?:de |del |de la )?(?:{_NAME} ?){{1,3}}"
    rf",? \d{{1,4}}(?:,? \d{{5}} {_NAME})?"
    # ул. Ленина, д. 12
    r"|(?<!\w)(?:ул\.|улица|проспект|пр-т|переулок) [А-ЯЁ][\w-]{1,30},? (?:д\. ?|дом )?\d{1,4}"
)


def find_contacts(text: str, name: Callable[[str, str], str]) -> str:
    """`text` with what `name` makes of each kind and what was found of it."""
    if "@" in text:
        text = _EMAIL.sub(lambda found: name(EMAIL, found[0].lower()), text)
    text = _ADDRESS.sub(lambda found: name(ADDRESS, found[0]), text)
    return _PHONE.sub(
        lambda found: name(PHONE, re.sub(r"\D", "", found[0])) if _is_phone(found[0]) else found[0],
        text,
    )


def _is_phone(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return 8 <= len(digits) <= 15
