"""Paragraphs that are worth nothing to anybody: too short to say something, made by machines for machines,
or what is left of another format's markup. They are left out before chunks are made, each with a reason.

Prose with a little of such things in it stays, and so does code that people can read.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from .glance import finder, may_have_word

TOO_SHORT = "too short"
ENCODED = "encoded data"
HASHES = "a table of hashes"
LOG = "lines of a log"
TRACE = "a stack trace"
MINIFIED = "minified code"
MARKUP = "leftover markup"

# Of a paragraph, what must be of one kind for it to count as that.
MOST = 0.6
BEGINNING = 60

# Said alone these tell nothing; with any other word they may.
_FILLERS_SPACED = """
ok okay okey k kk yes yeah yep yup no nope nah lol lmao rofl haha hahaha hehe hihi xd hm hmm mhm ah oh
aha wow cool nice great thanks thx ty please hi hey hello bye ciao good night morning sure right omg brb
np ja nein doch danke bitte hallo tschüss gut genau klar oui non merci salut bonjour bonsoir d'accord si sí
no gracias hola adiós vale jaja jajaja да нет ок спасибо привет пока ага угу хаха ахаха 好 好的 嗯 是 是的
不 谢谢 哈哈 哈哈哈 对 はい いいえ うん ありがとう 笑 w ww www
"""
_FILLERS = frozenset(_FILLERS_SPACED.split())
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_LONG = re.compile(r"[A-Za-z0-9+/=_-]{40,}+")
_SHORTEST_HASH = 32
# Enough of a paragraph to tell minified code.
_LOOKED_AT = 5000
_signs = finder("{};=()<&\\\n")
_HASH = re.compile(r"(?<![A-Za-z0-9])(?:[0-9a-f]{32,128}|[0-9A-F]{32,128})(?![A-Za-z0-9])")
_TIME = r"(?:\d{4}[-/]\d\d[-/]\d\d[T ]|\w{3} [ \d]\d )?\d\d:\d\d:\d\d"
_LOG_LINE = re.compile(
    rf"\[?{_TIME}.{{0,40}}?(?:\b(?:INFO|WARN|WARNING|ERROR|DEBUG|TRACE|FATAL|NOTICE|CRITICAL)\b|[\w./-]+\[\d+\]:)"
    r"|(?:INFO|WARN|WARNING|ERROR|DEBUG|TRACE|FATAL|CRITICAL)[:\]| ]\s{0,9}[\[\w]"
    r"|[\d.:a-f]{3,40} \S{1,40} \S{1,40} \[[^\]]{10,40}\] \"[A-Z]{3,7} \S{1,2000} HTTP/"
)
_TRACE_LINE = re.compile(
    r"\s*(?:Traceback \(most recent call last\):|File \"[^\"]{1,300}\", line \d+"
    r"|at [\w.$<>/ \[\]]{1,200}\([^()]{0,300}\)|at (?:async )?\S{1,300}:\d+:\d+|Caused by: [\w.$]+"
    r"|\.\.\. \d+ more|goroutine \d+ \[|#\d+\s+0x[0-9a-f]{6,16} |\d+: +0x[0-9a-f]{6,16} -)"
)
_TAG = re.compile(r"</?[A-Za-z!][^<>]{0,400}>|&(?:[a-z]{2,8}|#\d{1,6});")
_COMMAND = re.compile(r"\\[A-Za-z@]+\*?(?:\[[^\[\]]{0,80}\])?(?:\{[\w.,:/*-]{0,80}\})?")


@dataclass(frozen=True)
class LeftOut:
    """Attributes:
    beginning: its first words, on one line.
    """

    reason: str
    beginning: str


def sift(text: str, is_message: bool = False) -> tuple[str, list[LeftOut]]:
    """The paragraphs of a text that are worth keeping, and what was left out.

    Args:
        is_message: it was said in a chat, where a line such as "ok" stands alone.
    """
    paragraphs = re.split(r"(\n[ \t]*\n\s*)", text)
    left_out = []
    for place in range(0, len(paragraphs), 2):
        paragraph = paragraphs[place]
        reason = _why(paragraph)
        if reason:
            beginning = " ".join(paragraph[: 4 * BEGINNING].split())[:BEGINNING]
            left_out.append(LeftOut(reason, beginning))
            paragraphs[place] = ""
    if is_message and text.strip() and not left_out and _says_nothing(text):
        return "", [LeftOut(TOO_SHORT, " ".join(text[: 4 * BEGINNING].split())[:BEGINNING])]
    return ("".join(paragraphs) if left_out else text), left_out


def _why(paragraph: str) -> str | None:
    size = len(paragraph)
    if size < 40:
        return None
    if may_have_word(paragraph, _SHORTEST_HASH):
        longest = max(map(len, paragraph.split()), default=0)
        if (
            longest >= _SHORTEST_HASH
            and len(_HASH.findall(paragraph)) >= 3
            and _share(_HASH, paragraph) > MOST - 0.2
        ):
            return HASHES
        # One long key in a sentence is not much.
        if size >= 120 and longest >= 60 and _share_encoded(paragraph) > MOST:
            return ENCODED
    signs = _signs(paragraph)
    # Minified code is full of them.
    if (
        len(signs) > 0.08 * min(size, _LOOKED_AT)
        and max(map(len, paragraph.split("\n"))) >= 400
        and _is_minified(paragraph)
    ):
        return MINIFIED
    if signs.count(b"<") + signs.count(b"&") >= 4 and _share(_TAG, paragraph) > MOST - 0.2:
        return MARKUP
    if signs.count(b"\\") >= 5 and _share(_COMMAND, paragraph) > MOST - 0.2:
        return MARKUP
    if signs.count(b"\n") < 2:
        return None
    lines = [line for line in paragraph.split("\n") if line.strip()]
    if len(lines) >= 3:
        if sum(bool(_LOG_LINE.match(line)) for line in lines) > MOST * len(lines):
            return LOG
        n_traced = sum(bool(_TRACE_LINE.match(line)) for line in lines)
        # In Python's traces each line is followed by one of code.
        if n_traced > 0.4 * len(lines) and n_traced >= 2:
            return TRACE
    return None


def _share(pattern: re.Pattern[str], text: str) -> float:
    return sum(len(found[0]) for found in pattern.finditer(text)) / _n_seen(text)


def _share_encoded(text: str) -> float:
    return sum(len(word) for word in _LONG.findall(text) if _is_encoded(word)) / _n_seen(text)


def _n_seen(text: str) -> int:
    return max(1, sum(map(len, text.split())))


def _is_encoded(word: str) -> bool:
    """Large and small letters and digits in no order: no word, path or identifier is so."""
    head = word[:200]
    kinds = [
        "d" if c.isdigit() else "l" if c.islower() else "u" if c.isupper() else "" for c in head
    ]
    changes = sum(a != b for a, b in pairwise(kinds) if a and b)
    return changes > len(head) / 5


def _is_minified(paragraph: str) -> bool:
    head = paragraph[:_LOOKED_AT]
    n_signs = sum(head.count(sign) for sign in "{};=()")
    if n_signs <= 0.08 * len(head):
        return False
    n_spaces = len(head) - _n_seen(head)
    return n_spaces < 0.1 * len(head)


def _says_nothing(text: str) -> bool:
    if len(text) > 60:
        return False
    words = _WORD.findall(text.lower())
    return all(word in _FILLERS for word in words)
