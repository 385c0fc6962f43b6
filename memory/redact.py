"""Secrets out of text, before anything else sees it: each becomes a placeholder of its kind.

Patterns are strict on purpose. What has no form of its own (a password in prose) stays, and nothing
that people write about secrets is touched. No pattern can take more than linear time: repeats are
bounded or possessive, and start at a fixed word.

In a store a placeholder has a number, `[API TOKEN 417]`, and the same secret always gets the same one,
so that two keys can be told apart and a text stays one chunk wherever it comes from. The number is
taken from a hash with a random key of the store, cut down to 999 values: nothing has to be kept that
a guessed password could be checked against, as a table of hashes could even with its key beside it.
Two secrets of a kind may therefore share a number, which does no harm.
"""

import hmac
import re
import secrets
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from .checksums import is_iban, passes_luhn
from .contacts import ADDRESS, EMAIL, PHONE, find_contacts
from .errors import LearnctlError
from .home import Home
from .store import Store
from .token_forms import TOKENS

PRIVATE_KEY = "PRIVATE KEY"
API_TOKEN = "API TOKEN"
CARD_NUMBER = "CARD NUMBER"
IBAN = "IBAN"
PASSWORD = "PASSWORD"
PLACEHOLDER = re.compile(
    rf"\[(?:{PRIVATE_KEY}|{API_TOKEN}|{CARD_NUMBER}|{IBAN}|{PASSWORD}|{EMAIL}|{PHONE}|{ADDRESS})"
    r"(?: \d{1,3})?\]"
)

# A setting: the random key that numbers are made with.
KEY = "redaction_key"

# A paste may be cut off before the end; then only the lines of letters belong to the key.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:"
    r"(?:(?!-----).){0,20000}+-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:\s{1,9}[A-Za-z0-9+/=]{20,128}(?![A-Za-z0-9+/=])){0,500})",
    re.DOTALL,
)
_PUTTY_KEY = re.compile(
    r"(Private-Lines: \d{1,4})(?P<secret>(?:\s{1,2}[A-Za-z0-9+/=]{4,80}+){1,200})"
)
_BEARER = re.compile(
    r"(?i)(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic|token)\s{1,3})"
    r"(?!\[)(?P<secret>[A-Za-z0-9._~+/=-]{8,}+)"
)
_WEBHOOK = re.compile(
    r"((?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks"
    r"|\.webhook\.office\.com/webhookb2)/)(?P<secret>[A-Za-z0-9/_@+-]{20,}+)"
)
_CURL = re.compile(
    r"(\bcurl [^\n]{0,200}?(?:-u|--user)[ =][\"']?[^\s:\"']{1,60}:)(?P<secret>[^\s\"'\[$]{3,100})"
)
_PASSWORD_HASH = re.compile(
    r"(?<![A-Za-z0-9$])(?P<secret>\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"
    r"|[56]\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}"
    r"|argon2(?:id|i|d)\$v=\d{1,3}\$[a-z0-9=,]{5,40}\$[A-Za-z0-9+/]{8,90}\$[A-Za-z0-9+/]{20,90}))"
    r"(?![A-Za-z0-9])"
)
# A value counts only behind an assignment; ones that are called, looked up or left open do not.
_SIGN = re.compile(r":=|=>|[:=：]")
_VALUE = re.compile(
    r"\s{0,3}(?:\"(?P<double>[^\"\s\n]{4,200})\"|'(?P<single>[^'\s\n]{4,200})'"
    r"|(?P<plain>[^\s\"'`,;<>(){}\[\]&]{4,200}))"
)
_RANDOM_VALUE = re.compile(r"\s{0,3}[\"']?(?P<secret>[A-Za-z0-9+/_.=~-]{20,}+)")
_IN_URL = re.compile(r"(://[^\s:/@\"'<>\[\]]{1,60}:)(?P<secret>[^\s:/@\[$<{\"']{3,100})(?=@)")
_CARD = re.compile(r"\d(?<![\d.,/+:_#$€£=-].)(?:[ -]?\d){12,18}(?![\d/_]|[ -]\d|[.,:-]\d)")
_CARD_FORM = re.compile(  # brand prefixes, each with its lengths
    r"4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}"
)
_CARD_GROUPS = re.compile(
    r"\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5}"
)
_IBAN = re.compile(r"[A-Z](?<![A-Za-z0-9].)[A-Z]\d\d(?:[ \u00a0-]?[A-Z0-9]){11,32}+")

Name = Callable[[str, str], str]


def redact(text: str, key: bytes = b"", contacts: bool = False) -> str:
    """`text` with keys, tokens, card and account numbers, and assigned passwords replaced by placeholders.

    Args:
        key: what the numbers of placeholders are made with; without one they have none.
        contacts: also replace e-mail addresses, phone numbers and postal addresses.
    """

    def name(kind: str, secret: str) -> str:
        return _numbered(kind, secret, key) if key else f"[{kind}]"

    if "-----BEGIN " in text:
        text = _PRIVATE_KEY.sub(lambda found: name(PRIVATE_KEY, found[0]), text)
    if "Private-Lines" in text:
        text = _PUTTY_KEY.sub(
            lambda found: f"{found[1]}\n{name(PRIVATE_KEY, found['secret'])}", text
        )
    for hint, pattern, kind in _BEHIND_A_NAME:
        if hint in text:
            text = pattern.sub(_replacing(kind, name), text)
    # Tokens have no spaces and are long: most texts have no such word.
    words = text.split()
    if max(map(len, words), default=0) >= 20:
        long_words = " ".join(word for word in words if len(word) >= 20)
        for beginning, pattern in TOKENS:
            if beginning in long_words:
                text = pattern.sub(lambda found: name(API_TOKEN, found[0]), text)
    text = _assignments(text, name)
    text = _CARD.sub(lambda found: _card(found, name), text)
    text = _IBAN.sub(lambda found: _iban(found, name), text)
    return find_contacts(text, name) if contacts else text


@dataclass(frozen=True)
class Redactor:
    """Redaction for one store, with its numbers and its owner's wishes. Call it with a text."""

    key: bytes
    contacts: bool

    @classmethod
    def of(cls, store: Store) -> "Redactor":
        """
        Raises:
            LearnctlError: the config file is broken.
        """
        key = store.setting(KEY)
        if not key:
            key = secrets.token_hex(16)
            store.set_setting(KEY, key)
        return cls(bytes.fromhex(key), _wants_contacts(store.home))

    def __call__(self, text: str) -> str:
        return redact(text, self.key, self.contacts)


def _wants_contacts(home: Home) -> bool:
    if not home.config.exists():
        return False
    try:
        return tomllib.loads(home.config.read_text()).get("redact") == "contacts"
    except (ValueError, OSError) as error:
        raise LearnctlError(f"{home.config}: {error}") from error


def _numbered(kind: str, secret: str, key: bytes) -> str:
    digest = hmac.digest(key, f"{kind}\0{secret}".encode(), "sha256")
    return f"[{kind} {1 + int.from_bytes(digest[:8]) % 999}]"


def _replacing(kind: str, name: Name) -> Callable[[re.Match[str]], str]:
    """What stands in front stays; the secret goes."""
    return lambda found: (
        found[0][: found.start("secret") - found.start()] + name(kind, found["secret"])
    )


def _card(found: re.Match[str], name: Name) -> str:
    digits = re.sub(r"[ -]", "", found[0])
    is_card = (
        _CARD_GROUPS.fullmatch(found[0]) and _CARD_FORM.fullmatch(digits) and passes_luhn(digits)
    )
    return name(CARD_NUMBER, digits) if is_card else found[0]


def _iban(found: re.Match[str], name: Name) -> str:
    """The number may be followed by a word in capitals: its country says where it ends."""
    text = found[0]
    account = ""
    for place, letter in enumerate(text):
        if letter.isalnum():
            account += letter
        if is_iban(account) and not text[place + 1 : place + 2].isalnum():
            rest = text[place + 1 :]
            after = found.string[found.end() : found.end() + 1]
            return found[0] if not rest and after.isalnum() else name(IBAN, account) + rest
    return found[0]


def _assignments(text: str, name: Name) -> str:
    """`text` without what is assigned to names of passwords and keys."""
    kept: list[str] = []
    done = 0
    for sign in _SIGN.finditer(text):
        if sign.start() < done:
            continue
        called = text[max(0, sign.start() - 24) : sign.start()].rstrip(" \t\"'").lower()
        if called.endswith(_PASSWORDS):
            found, kind = _assigned(text, sign), PASSWORD
        elif called.endswith(_KEYS):
            found, kind = _assigned(text, sign), API_TOKEN
        elif called.endswith(_CALLED_SECRET):
            found, kind = _random(text, sign), API_TOKEN
        else:
            continue
        if found:
            start, end = found
            kept += (text[done:start], name(kind, text[start:end]))
            done = end
    return "".join([*kept, text[done:]]) if kept else text


def _assigned(text: str, sign: re.Match[str]) -> tuple[int, int] | None:
    value = _VALUE.match(text, sign.end())
    if not value:
        return None
    start, end = value.span(value.lastgroup or 0)
    is_quoted = value.lastgroup != "plain"
    is_alone = text[end : end + 1] in ("", "\n", "\r") and _begins_a_line(text, sign.start())
    return (start, end) if _is_secret(text[start:end], is_quoted, is_alone) else None


def _begins_a_line(text: str, end: int) -> bool:
    """In front of a name is nothing but a list's mark or a word such as `export` or `wifi`."""
    start = text[max(0, end - 60) : end].rpartition("\n")[2]
    return len(start) < 60 and len(start.split()) <= 3


def _random(text: str, sign: re.Match[str]) -> tuple[int, int] | None:
    value = _RANDOM_VALUE.match(text, sign.end())
    return value.span("secret") if value and _is_random(value["secret"]) else None


def _is_secret(value: str, is_quoted: bool, is_whole_line: bool) -> bool:
    """A word of letters alone may be prose, unless it is quoted or has the line to itself."""
    if PLACEHOLDER.match(value):
        return False
    if value.startswith(("[", "&", "$", "%", "{", "<", "*", "...", "xxx", "XXX", "your", "YOUR")):
        return False
    if _NO_SECRET.fullmatch(value) or _LOOKED_UP.match(value):
        return False
    if is_quoted or (is_whole_line and len(value) >= 6):
        return True
    return len(value) >= 6 and (re.search(r"\d", value) is not None or _is_symbolic(value))


_NO_SECRET = re.compile(
    r"(?i)none|null|true|false|undefined|str(?:ing)?|int|bytes|bool(?:ean)?|text|required|optional|"
    r"unknown|forgotten|hidden|changed|nothing|missing|expired|redacted|removed|n/a|tbd|todo|"
    r"(?:str|bytes|object|any) ?\|.{0,20}"
)
_LOOKED_UP = re.compile(r"(?i)(?:os\.|process\.|env\.|self\.|config\.|settings\.|https?:|file:)")


def _is_symbolic(value: str) -> bool:
    return re.search(r"[A-Za-z][!@#$%^&*+=?~|]+[A-Za-z0-9]", value) is not None


def _is_random(value: str) -> bool:
    """Letters and digits mixed as no word, path or number mixes them."""
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(value[:200]))
    return changes >= 4 and len(set(value[:200])) >= 10 and _LOOKED_UP.match(value) is None


# A word that has to be there, what follows it, and what that is.
_BEHIND_A_NAME: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("uthorization", _BEARER, API_TOKEN),
    ("AUTHORIZATION", _BEARER, API_TOKEN),
    ("hooks.slack", _WEBHOOK, API_TOKEN),
    ("/webhook", _WEBHOOK, API_TOKEN),
    ("webhook.office", _WEBHOOK, API_TOKEN),
    ("curl ", _CURL, PASSWORD),
    ("$", _PASSWORD_HASH, PASSWORD),
    ("://", _IN_URL, PASSWORD),
)
# What a name ends with, in lower case.
_PASSWORDS = (
    "password",
    "passwd",
    "passphrase",
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
    "pwd",
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
