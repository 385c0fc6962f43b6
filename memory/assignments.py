"""Passwords and keys that are assigned to a name: where the value begins and ends, and whether it is one.

What stands behind a name may as well be a word about passwords, a call, a variable or a gap to fill in;
those stay. A value goes as a whole: one that is cut in its middle would leave half a secret.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

API_TOKEN = "API TOKEN"
PASSWORD = "PASSWORD"

# What a name ends with, in lower case.
_PASSWORDS = (
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "passwort",
    "kennwort",
    "mot de passe",
    "contraseña",
    "wachtwoord",
    "senha",
    "пароль",
    "密码",
    "密碼",
    "パスワード",
    "비밀번호",
    "hasło",
    "heslo",
    "lösenord",
    "adgangskode",
    "passord",
    "salasana",
    "şifre",
    "ŞİFRE".lower(),  # the dot stands apart
    "mật khẩu",
    "كلمة المرور",
    "pwd",
    "_pass",
    "-pass",
    "_pw",
    "-pw",
)
_KEYS = tuple(
    first + joint + last
    for first, last in (
        ("api", "key"),
        ("secret", "key"),
        ("access", "key"),
        ("private", "key"),
        ("account", "key"),
        ("encryption", "key"),
        ("client", "secret"),
        ("auth", "token"),
        ("access", "token"),
        ("refresh", "token"),
        ("api", "token"),
    )
    for joint in ("", "_", "-", " ")
)
# Words that are used for much else: only a value that can be nothing but a secret counts.
_CALLED_SECRET = ("token", "secret", "credential", "credentials", "signature", "sig", "key", "auth")
# The same, but their values are short: letters and digits mixed.
_SHORT = ("pass", "pw", "secret")
_SHORT_NAME = re.compile(rf"(?<![^\W_])(?:{'|'.join(_SHORT)})\Z")
_LONGEST_NAME = 24

_SIGN = re.compile(r":=|=>|[:=：]")
_MARKUP = " \t\"'`*\\"
_VALUE = re.compile(
    r"\s{0,3}(?:[*_]{1,3}\s{1,3})?(?:\\?\"(?P<double>[^\"\n]{4,200}?)\\?\"|'(?P<single>[^'\n]{4,200})'"
    r"|`(?P<code>[^`\s]{4,200})`|(?P<plain>\S{4,200}+))"
)
# Where a value ends that no space ends: the next assignment, a quote, a tag, a bracket from before.
_END = re.compile(
    r"[\"`，。、；）」]|'(?!\w)|&(?=[\w.%-]{1,60}=)|[;,](?=[\w.-]{1,40}[=:])|\\[nrt]|</|<[a-z]{1,10}/?>"
    r"|[;,:]+$"
)
_OPENED_BY = {")": "(", "]": "[", "}": "{", ">": "<"}
_CLOSING = re.compile(r"[)\]}>](?![^\W_])")
_NEXT_CELL = re.compile(r"(?:\r?\n|\Z|; [^:;\n]{1,60}: )")
_RANDOM_VALUE = re.compile(r"\s{0,3}[\"']?(?P<secret>(?:[A-Za-z0-9+/_.=~-]|%[0-9A-Fa-f]{2}){20,}+)")

_NO_SECRET = re.compile(
    r"(?i)none|null|true|false|undefined|str(?:ing)?|int|bytes|bool(?:ean)?|text|required|optional|"
    r"unknown|forgotten|hidden|changed|nothing|missing|expired|redacted|removed|n/a|tbd|todo|"
    r"(?:str|bytes|object|any) ?\|.{0,20}"
)
# Gaps, masks, and names of variables in templates, shells and C.
_LEFT_OPEN = re.compile(
    r"(?:[\[({<].*|\.\.\..*|[*•.…xX#_-]{3,}|(?:your|YOUR|Your)[A-Za-z_. -]*\d?|\$[({].*|\$[A-Za-z_]*\d?|\$[A-Z0-9_]*"
    r"|%(?:\w*%|[a-z]|\(.*)|&[A-Za-z_]*)[.,;]?"
)
_LOOKED_UP = re.compile(r"(?i)(?:os\.|process\.|env\.|self\.|config\.|settings\.|https?:|file:)")
# f(x), a[0], List<String>; what goes on with letters behind the bracket is none.
_CALLED = re.compile(
    r"[A-Za-z_][\w.:]{0,80}(?:->|[(\[<][^)\]>\n]{0,200}[)\]>](?![^\s;,.(){}\[\]<>:\"'`?-]))"
)
_ABOUT_PASSWORDS = re.compile(
    r"(?i)\b(?:pass(?:word|wd|wort|phrase|code)s?|your|please|enter|must|should|may|can|cannot|is|are|was|not"
    r"|required|optional|invalid|incorrect|wrong|characters|forgot|reset|change|confirm)\b|[.:?…]$"
)


def assigned(text: str) -> Iterator[tuple[int, int, str]]:
    """Begin, end and kind of each secret that is assigned to a name, in order."""
    done = 0
    for sign in _SIGN.finditer(text):
        if sign.start() < done:
            continue
        before = text[max(0, sign.start() - _LONGEST_NAME) : sign.start()]
        called = before.rstrip(_MARKUP).lower()
        if called.endswith(_PASSWORDS):
            found, kind = _value(text, sign), PASSWORD
        elif called.endswith(_KEYS):
            found, kind = _without_spaces(text, sign), API_TOKEN
        elif called.endswith(_CALLED_SECRET) and (found := _random(text, sign)):
            kind = API_TOKEN
        elif called.endswith(_SHORT) and _SHORT_NAME.search(called):
            found, kind = _mixed(text, sign), PASSWORD
        else:
            continue
        if found:
            yield *found, kind
            done = found[1]


def is_secret(value: str, is_quoted: bool, is_alone: bool = False) -> bool:
    """Whether a value can be a password.

    Args:
        is_alone: it has its line, or its cell of a table, to itself.
    """
    if is_left_open(value) or _NO_SECRET.fullmatch(value.strip("*_.!?")) or _LOOKED_UP.match(value):
        return False
    if " " in value:
        return is_quoted and not _ABOUT_PASSWORDS.search(value)
    if is_quoted or (is_alone and len(value) >= 6):
        return True
    # A word of letters alone may be prose.
    return len(value) >= 6 and (re.search(r"\d", value) is not None or _is_symbolic(value))


def is_left_open(value: str) -> bool:
    """Whether it stands for a value: a placeholder, a mask, a variable."""
    return _LEFT_OPEN.fullmatch(value) is not None


def _value(text: str, sign: re.Match[str]) -> tuple[int, int] | None:
    found = _bounds(text, sign)
    if not found:
        return None
    start, end, is_quoted = found
    is_alone = _NEXT_CELL.match(text, end) is not None and _begins_a_cell(text, sign.start())
    return (start, end) if is_secret(text[start:end], is_quoted, is_alone) else None


def _bounds(text: str, sign: re.Match[str]) -> tuple[int, int, bool] | None:
    """Begin and end of the value behind a sign, and whether it is quoted."""
    value = _VALUE.match(text, sign.end())
    if not value:
        return None
    kind = value.lastgroup or ""
    start, end = value.span(kind)
    if kind != "plain":
        return start, end, kind != "code"
    if text[start] in "[({<" or _CALLED.match(text, start):
        return None
    end = start + _end_of_plain(value["plain"])
    return (start, end, False) if end - start >= 4 else None


def _end_of_plain(run: str) -> int:
    found = _END.search(run)
    end = found.start() if found else len(run)
    for closing in _CLOSING.finditer(run, 0, end):
        place = closing.start()
        if run.count(closing[0], 0, place + 1) > run.count(_OPENED_BY[closing[0]], 0, place):
            return place
    return end


def _begins_a_cell(text: str, end: int) -> bool:
    """In front of a name is nothing but a list's mark or a word such as `export` or `wifi`."""
    start = text[max(0, end - 60) : end].rpartition("\n")[2].rpartition("; ")[2]
    return len(start) < 60 and len(start.split()) <= 3


def _random(text: str, sign: re.Match[str]) -> tuple[int, int] | None:
    value = _RANDOM_VALUE.match(text, sign.end())
    return value.span("secret") if value and _is_random(value["secret"]) else None


def _without_spaces(text: str, sign: re.Match[str]) -> tuple[int, int] | None:
    found = _value(text, sign)
    return found if found and " " not in text[slice(*found)] else None


def _mixed(text: str, sign: re.Match[str]) -> tuple[int, int] | None:
    """A value of letters and digits, as no word is."""
    found = _without_spaces(text, sign)
    value = text[slice(*found)] if found else ""
    return found if re.search(r"\d", value) and re.search(r"[^\W\d_]", value) else None


def _is_symbolic(value: str) -> bool:
    return re.search(r"[A-Za-z][!@#$%^&*+=?~|]+[A-Za-z0-9]", value) is not None


def _is_random(value: str) -> bool:
    """Letters and digits mixed as no word, path or number mixes them."""
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(value[:200]))
    return changes >= 4 and len(set(value[:200])) >= 10 and _LOOKED_UP.match(value) is None
