"""Secrets out of text, before anything else sees it: each becomes a placeholder of its kind.

Patterns are strict on purpose. What has no form of its own (a password in prose) stays, and nothing
that people write about secrets is touched. No pattern can take more than linear time: repeats are
bounded or possessive, and start at a fixed word.
"""

import re
from collections.abc import Callable

PRIVATE_KEY = "[PRIVATE KEY]"
API_TOKEN = "[API TOKEN]"
CARD_NUMBER = "[CARD NUMBER]"
PASSWORD = "[PASSWORD]"

# A paste may be cut off before the end; then only the lines of letters belong to the key.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:"
    r"(?:(?!-----).){0,20000}+-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:\s{1,9}[A-Za-z0-9+/=]{20,128}(?![A-Za-z0-9+/=])){0,500})",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_+/-])(?:"
    r"(?:AKIA|ASIA|AGPA|AROA|AIDA)[A-Z2-7]{16}"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"
    r"|glpat-[A-Za-z0-9_-]{20,64}"
    r"|xox[abposre]-[A-Za-z0-9-]{10,250}|xapp-\d-[A-Za-z0-9-]{20,250}"  # Slack
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,247}|whsec_[A-Za-z0-9]{24,64}"  # Stripe
    r"|sk-ant-[A-Za-z0-9_-]{20,200}"  # Anthropic
    r"|sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,250}|sk-[A-Za-z0-9]{32,64}"  # OpenAI
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,500}|GOCSPX-[A-Za-z0-9_-]{28}"  # Google
    r"|hf_[A-Za-z]{34,40}|npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{50,500}"
    r"|SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"  # SendGrid
    r"|key-[a-f0-9]{32}"  # Mailgun
    r"|dop_v1_[a-f0-9]{64}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"  # DigitalOcean, Shopify
    r"|\d{8,10}:AA[A-Za-z0-9_-]{33}"  # Telegram
    r"|eyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{16,4000}"  # JWT
    r")(?![A-Za-z0-9_])"
)
_BEARER = re.compile(
    r"(?i)(\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic|token)\s{1,3})"
    r"(?!\[)[A-Za-z0-9._~+/=-]{8,4000}"
)
# A value counts only behind an assignment; ones that are called, looked up or left open do not.
_ASSIGNED = re.compile(
    r"(?i)(?<![A-Za-z0-9])"
    r"(?P<name>(?:[A-Za-z0-9]{1,20}[_-]){0,3}"
    r"(?P<kind>password|passwd|passphrase|pwd|api[_-]?key|secret[_-]?key|access[_-]?key|"
    r"private[_-]?key|client[_-]?secret|auth[_-]?token|access[_-]?token|api[_-]?token|"
    r"secret[_-]?access[_-]?key)"
    r"[\"']?\s{0,3}(?::=|=>|[:=])\s{0,3})"
    r"(?P<value>\"[^\"\s\n]{4,200}\"|'[^'\s\n]{4,200}'|[^\s\"'`,;<>(){}\[\]]{6,200})"
)
_IN_URL = re.compile(
    r"(?<![A-Za-z0-9])([a-z][a-z0-9+]{1,15}://[^\s:/@]{1,60}:)[^\s:/@]{3,100}(?=@)"
)
_CARD = re.compile(r"(?<![\d.,/+:_#$€£=-])(?:\d[ -]?){12,18}\d(?![\d/_]|[.,:-]\d)")
_CARD_FORM = re.compile(  # brand prefixes, each with its lengths
    r"4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}"
)
_CARD_GROUPS = re.compile(
    r"\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5}"
)


def redact(text: str) -> str:
    """`text` with keys, tokens, card numbers and assigned passwords replaced by placeholders."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def _card(found: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", found[0])
    is_card = (
        _CARD_GROUPS.fullmatch(found[0]) and _CARD_FORM.fullmatch(digits) and passes_luhn(digits)
    )
    return CARD_NUMBER if is_card else found[0]


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the checksum of the others, as on every payment card."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _assignment(found: re.Match[str]) -> str:
    value = found["value"].strip("\"'")
    if not _is_secret(value, is_quoted=found["value"] != value or _is_whole_line(found)):
        return found[0]
    is_password = found["kind"].lower().startswith(("pass", "pwd"))
    quote = found["value"][0] if found["value"] != value else ""
    placeholder = PASSWORD if is_password else API_TOKEN
    return f"{found['name']}{quote}{placeholder}{quote}"


def _is_whole_line(found: re.Match[str]) -> bool:
    """Nothing else on the line but a list's mark or a word such as `export` or `wifi`."""
    before = found.string[max(0, found.start() - 20) : found.start()]
    start = before.rpartition("\n")[2]
    is_first = len(start) < 20 and len(start.split()) < 2
    return is_first and found.string[found.end() : found.end() + 1] in ("", "\n")


def _is_secret(value: str, is_quoted: bool) -> bool:
    """A word of letters alone may be prose, unless it is quoted or has the line to itself."""
    if value.startswith(("[", "&", "$", "%", "{", "<", "*", "...", "xxx", "XXX", "your", "YOUR")):
        return False
    if re.fullmatch(
        r"(?i)(?:none|null|true|false|undefined|str|string|required|optional|"
        r"unknown|forgotten|hidden|changed|nothing|missing|expired)",
        value,
    ):
        return False
    if re.match(r"(?i)(?:os\.|process\.|env\.|self\.|config\.|settings\.|https?:|file:)", value):
        return False
    return is_quoted or re.search(r"\d", value) is not None or _is_symbolic(value)


def _is_symbolic(value: str) -> bool:
    return re.search(r"[A-Za-z][!@#$%^&*+=?~|]+[A-Za-z0-9]", value) is not None


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_PRIVATE_KEY, PRIVATE_KEY),
    (_BEARER, rf"\g<1>{API_TOKEN}"),
    (_TOKEN, API_TOKEN),
    (_IN_URL, rf"\g<1>{PASSWORD}"),
    (_ASSIGNED, _assignment),
    (_CARD, _card),
)
