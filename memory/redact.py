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
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .assignments import API_TOKEN, PASSWORD, assigned, is_left_open, is_secret
from .checksums import IBAN_LENGTHS, is_iban, passes_luhn
from .contacts import ADDRESS, EMAIL, PHONE, find_contacts
from .errors import LearnctlError
from .glance import finder, may_have_word
from .home import Home
from .store import Store
from .token_forms import TOKENS

PRIVATE_KEY = "PRIVATE KEY"
CARD_NUMBER = "CARD NUMBER"
IBAN = "IBAN"
PLACEHOLDER = re.compile(
    rf"\[(?:{PRIVATE_KEY}|{API_TOKEN}|{CARD_NUMBER}|{IBAN}|{PASSWORD}|{EMAIL}|{PHONE}|{ADDRESS})"
    r"(?: \d{1,3})?\]"
)

# A setting: the random key that numbers are made with.
KEY = "redaction_key"

# A paste may be cut off before the end; then only the lines of letters belong to the key, and what names
# them. The lines may be quoted, or one text in which `\\n` stands for their ends.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:"
    r"(?:(?!-----).){0,20000}+-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:(?:[\s>|]|\\[nr]){1,12}[A-Z][A-Za-z-]{1,30}: [^\n\\]{1,100}){0,5}"
    r"(?:(?:[\s>|]|\\[nr]){1,12}[A-Za-z0-9+/=]{20,4000}+){0,500}"
    r"(?:(?:[\s>|]|\\[nr]){1,12}[A-Za-z0-9+/]{1,19}={1,2}){0,2})",
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
_LONE_BEARER = re.compile(r"(?i)(\bbearer\s{1,3})(?P<secret>[A-Za-z0-9._~+/=-]{20,}+)")
_CURL = re.compile(
    r"(\bcurl [^\n]{0,200}?(?:-u|--user)[ =][\"']?[^\s:\"']{1,60}:)(?P<secret>[^\s\"'\[$]{3,100})"
)
_PASSWORD_HASH = re.compile(
    r"(?<![A-Za-z0-9$])(?P<secret>\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"
    r"|[56]\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}"
    r"|argon2(?:id|i|d)\$v=\d{1,3}\$[a-z0-9=,]{5,40}\$[A-Za-z0-9+/]{8,90}\$[A-Za-z0-9+/]{20,90}))"
    r"(?![A-Za-z0-9])"
)
_IN_URL = re.compile(r"(://[^\s:/@\"'<>\[\]]{0,60}:)(?P<secret>[^\s/\"'<>]{3,100})(?=@)")
_IN_TAG = re.compile(
    r"(?i)(<[\w:.-]{0,40}(?:password|passwd|passphrase|passcode|passwort|pwd|secret|api[_-]?key|token)"
    r"(?: [^<>\n]{0,200})?>\s{0,9})(?P<secret>[^<>\s][^<>\n]{2,199})(?=</)"
)
_FLAG = re.compile(
    r"(--(?:[a-z]{1,20}-){0,3}(?:password|passwd|passphrase|passcode|pass|pwd|secret|token|api-?key)[ \t]{1,3}[\"']?)"
    r"(?P<secret>(?!-)[^\s\"'`]{5,199}[^\s\"'`.,;:])"
)
_SSHPASS = re.compile(
    r"(\bsshpass (?:-[a-oq-zA-Z] ?\S{1,60} ){0,3}-p ?[\"']?)(?P<secret>[^\s\"'`]{3,100})"
)
# What a square code for a network holds.
_WIFI_CODE = re.compile(
    r"(?i)(\bWIFI:(?:[A-Z]\d?:(?:\\.|[^;\\\n]){0,100};){0,5}?P:)(?P<secret>(?:\\.|[^;\\\n]){3,100})(?=;)"
)
_NETRC = re.compile(
    r"(\b(?:machine\s{1,9}\S{1,200}|default)\s{1,20}login\s{1,9}\S{1,200}\s{1,20}password\s{1,9})"
    r"(?P<secret>\S{3,200})"
)
# In one piece or in the groups that are printed on cards, whatever digits stand beside them.
_JOINT = r"[ \u00a0\u202f-]"
_CARD = re.compile(
    r"\d(?<![0-9_/+$€£].)(?<!\d\..)(?<![0-9A-Za-z]-.)(?:\d{12,18}"
    rf"|\d{{3}}(?P<joint>{_JOINT})(?:\d{{6}}(?P=joint)\d{{4,5}}"
    r"|(?P<fours>(?:\d{4}(?P=joint)){2}\d{1,4}(?:(?P=joint)\d{1,4})*)))(?![\d_]|\.\d|-\d{5})"
)
# Behind a sign stand other numbers too.
_CALLED_CARD = re.compile(
    r"(?i)(?:card|kart[ae]|carte|tarjeta|visa|amex|(?<![a-z])(?:cc|pan|number|nummer|num|n[ro]))"
    r"[_ -]?(?:number|nummer|num|n[ro])?\s?[:=]\Z"
)
_WORD_BEFORE = re.compile(r"(?<!\w)[^\W\d_]{1,20}\Z")
_CARD_FORM = re.compile(  # brand prefixes, each with its lengths
    r"4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}"
    r"|62\d{14}(?:\d{3})?|220[0-4]\d{12}"
)
# Found by its digits, which are rarer than letters.
_IBAN = re.compile(
    r"\d\d(?<=[A-Za-z]{2}\d\d)(?<![A-Za-z0-9][A-Za-z]{2}\d\d)"
    r"(?=((?:[ \u00a0-]?[A-Za-z0-9]){11,32}+))"
)

# What a text must have for a pattern to be tried.
_SHORTEST_TOKEN = 20
_FEWEST_CARD_DIGITS = 13
_ANY_NUMBER = 99
_signs = finder("$:/<-=")
_digits = finder("0123456789")

Name = Callable[[str, str], str]
Test = Callable[[str], bool]


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
    signs = _signs(text)
    if signs or "login" in text or "earer " in text:
        for hint, sign, pattern, kind, is_it in _BEHIND_A_NAME:
            if sign in signs and hint in text:
                text = pattern.sub(_replacing(kind, is_it, name), text)
    # Tokens have no spaces and are long: most texts have no such word.
    if may_have_word(text, _SHORTEST_TOKEN):
        long_words = " ".join(word for word in text.split() if len(word) >= _SHORTEST_TOKEN)
        for beginning, pattern in TOKENS:
            if beginning in long_words:
                text = pattern.sub(lambda found: name(API_TOKEN, found[0]), text)
    if b":" in signs or b"=" in signs or "：" in text:
        text = _assignments(text, name)
    n_digits = len(_digits(text)) if text.isascii() else _ANY_NUMBER  # there are other digits too
    if n_digits >= _FEWEST_CARD_DIGITS:
        text = _CARD.sub(lambda found: _card(found, name), text)
    if n_digits >= 2:
        text = _accounts(text, name)
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


def _replacing(kind: str, is_it: Test, name: Name) -> Callable[[re.Match[str]], str]:
    """What stands in front stays; the secret goes."""

    def replaced(found: re.Match[str]) -> str:
        secret = found["secret"]
        if not is_it(secret):
            return found[0]
        return found[0][: found.start("secret") - found.start()] + name(kind, secret)

    return replaced


def _card(found: re.Match[str], name: Name) -> str:
    before = found.string[max(0, found.start() - 32) : found.start()]
    if before.endswith((":", "=")) and not _CALLED_CARD.search(before):
        return found[0]
    if before[-1:].isalpha() and not _WORD_BEFORE.search(before):
        return found[0]  # within an identifier
    groups = found[0].split(found["joint"]) if found["fours"] else [found[0]]
    done = None
    for start, end in _card_places(groups):
        if done is not None and end > done:
            continue
        digits = "".join(
            str(int(digit)) for digit in "".join(groups[start:end]) if digit.isdecimal()
        )
        if _CARD_FORM.fullmatch(digits) and passes_luhn(digits):
            groups[start:end] = [name(CARD_NUMBER, digits)]
            done = start
    return (found["joint"] or "").join(groups)


def _card_places(groups: list[str]) -> Iterator[tuple[int, int]]:
    """Where in groups of digits a card may stand, the last place first: alone, with a number beside it, or one
    card after the other from either end; anywhere in a long row each would be found that has the right sum by chance."""
    n_fours = next((n for n, group in enumerate(groups) if len(group) != 4), len(groups))
    starts = set(range(max(n_fours - 3, 1)))
    if n_fours > 5:
        starts = {*range(0, n_fours - 3, 4), *range(n_fours % 4, n_fours - 3, 4)}
    for start in sorted(starts, reverse=True):
        yield start, start + 4
        yield start, start + 5


def _accounts(text: str, name: Name) -> str:
    kept: list[str] = []
    done = 0
    for found in _IBAN.finditer(text):
        start = found.start() - 2
        end = start + _account_length(text[start : found.end(1)])
        if done <= start < end and not text[end : end + 1].isalnum():
            account = re.sub(r"[ \u00a0-]", "", text[start:end]).upper()
            kept += (text[done:start], name(IBAN, account))
            done = end
    return "".join([*kept, text[done:]]) if kept else text


def _account_length(text: str) -> int:
    """How much of a text is an account number, 0 for none: its country says where it ends, for a word may
    follow."""
    length = IBAN_LENGTHS.get(text[:2].upper(), 0)
    places = [found.end() for found in re.finditer("[A-Za-z0-9]", text)][:length]
    if not 0 < length == len(places):
        return 0
    account = re.sub(r"[ \u00a0-]", "", text[: places[-1]])
    # Words in a row give the right sum too, now and then.
    is_likely = account.isupper() or sum(map(str.isdigit, account)) * 2 >= length
    return places[-1] if is_likely and is_iban(account.upper()) else 0


def _assignments(text: str, name: Name) -> str:
    """`text` without what is assigned to names of passwords and keys."""
    kept: list[str] = []
    done = 0
    for start, end, kind in assigned(text):
        kept += (text[done:start], name(kind, text[start:end]))
        done = end
    return "".join([*kept, text[done:]]) if kept else text


def _is_filled_in(secret: str) -> bool:
    return not is_left_open(secret)


def _is_a_bearer_s(secret: str) -> bool:
    return re.search(r"\d", secret) is not None or (len(secret) >= 32 and secret.isalpha())


def _is_in_a_tag(secret: str) -> bool:
    return is_secret(secret, is_quoted=True)


def _is_behind_a_flag(secret: str) -> bool:
    return is_secret(secret, is_quoted=False)


# A word that has to be there, a sign without which it says nothing, what follows it, what that is, and
# whether it is that.
_BEHIND_A_NAME: tuple[tuple[str, bytes, re.Pattern[str], str, Test], ...] = (
    ("uthorization", b"", _BEARER, API_TOKEN, _is_filled_in),
    ("AUTHORIZATION", b"", _BEARER, API_TOKEN, _is_filled_in),
    ("earer ", b"", _LONE_BEARER, API_TOKEN, _is_a_bearer_s),
    ("sshpass ", b"-", _SSHPASS, PASSWORD, _is_filled_in),
    ("WIFI:", b":", _WIFI_CODE, PASSWORD, _is_filled_in),
    ("hooks.slack", b"/", _WEBHOOK, API_TOKEN, _is_filled_in),
    ("/webhook", b"/", _WEBHOOK, API_TOKEN, _is_filled_in),
    ("webhook.office", b"/", _WEBHOOK, API_TOKEN, _is_filled_in),
    ("curl ", b"-", _CURL, PASSWORD, _is_filled_in),
    ("$", b"$", _PASSWORD_HASH, PASSWORD, _is_filled_in),
    ("://", b"://", _IN_URL, PASSWORD, _is_filled_in),
    ("</", b"</", _IN_TAG, PASSWORD, _is_in_a_tag),
    ("--", b"--", _FLAG, PASSWORD, _is_behind_a_flag),
    ("login", b"", _NETRC, PASSWORD, _is_filled_in),
)
