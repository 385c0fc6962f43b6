"""Passages that talk to a model instead of a reader: kept back until their owner lets them in.

What comes from others is looked at strictly. A person's own notes may well speak of such things: what
stands between quotation marks or in code is a mention there, and only plain orders count.

A passage is looked at as it reads: whatever spaces and marks stand between its words, in one form of each
character, and with letters of other alphabets that look like ours within a word of ours.
"""

import re
import unicodedata
from collections.abc import Iterable

from .glance import finder
from .invisible import MARK

HIDDEN = "hidden characters or hidden text"
ROLE_TAG = "marks of a chat's roles"
ORDER = "orders to a model"

_ROLE_TAG = re.compile(
    r"(?i)[<‹]\|(?:im_\w{1,10}|system|user|assistant|tool|channel|message|end\w{0,20}|eo[mt]_id|start_\w{1,20}"
    r"|begin\w{1,20}|python_tag)\|[>›]"
    # Others too, unless such is the name of who speaks on a line of a chat.
    r"|(?<![\d\]] )[<‹]\|[\w▁]{2,40}\|[>›]"
    r"|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
    r"|</?(?:system|system_prompt|assistant|tool_calls?|tool_response|function_calls?)>"
    r"|(?m:^)\W{0,3}#{2,4} ?(?:system|instruction|assistant|human|user)s?(?: prompt| message)?:"
    # As chats are written down for a model.
    r"|(?-i:(?m:^)(?:Human:[^\n]{0,500}(?:\n[^\n]{0,500}){0,5}?\nAssistant:"
    r"|Assistant:[^\n]{0,500}(?:\n[^\n]{0,500}){0,5}?\nHuman:))"
    r"|(?m:^)\W{0,4}system(?: prompt| message)?\s{0,2}:\s{0,3}(?:you (?:are|must|will|have)|ignore|disregard"
    r"|forget|from now on|new)\b"
)
_EARLIER = (
    "previous|prior|above|earlier|preceding|foregoing|initial|original|system|existing|safety"
)
# In Italian, Portuguese, Dutch, Polish, Czech and the languages of Scandinavia.
_FORGET_ABROAD = "z?ignor|negeer|vergeet|dimentica|esque[cç]a|zapom[ine]|glem|glöm"
_EARLIER_ABROAD = (
    r"precedenti|anteriores|prévias|(?:vorig|eerder|voorgaand|bovenstaand)e|poprzedni\w{1,3}|wcześniejsz\w{1,3}"
    r"|powyższ\w{1,3}|předchoz\w{1,3}|föregående|tidigare|tidligere|forrige"
)
_RULES_ABROAD = (
    r"istruzioni|regole|indicazioni|instruções|regras|orientações|ordens|instructies|regels|opdrachten|aanwijzingen"
    r"|instrukcj\w{1,3}|poleceni\w{1,3}|zasady|instrukce|pokyny|pravidla|instruktion\w{1,5}|instruks\w{1,5}"
    r"|regler\w{0,3}|anvisning\w{1,4}"
)
_PLAIN_ORDER = re.compile(
    r"(?i)\b(?:ignore|disregard|forget|override|bypass|do not follow|don['’]t follow):?\s{1,3}"
    r"(?:(?:all|any|every|the|your|of|these|those|each|other|and)\s{1,3}){0,5}"
    rf"(?:(?:(?:{_EARLIER})\s{{1,3}}(?:\w{{1,20}}\s{{1,3}}){{0,2}}?"
    r"(?:instructions?|prompts?|rules|directions|directives|guidelines|commands)"
    r"|(?:instructions|prompts?|rules|directives|guidelines)\s{1,3}(?:above|before|you (?:were|have)"
    r"|(?:(?:that|which)\s)?(?:came|come|(?:were\s|was\s)?(?:given|written|stated))\s(?:\w{1,20}\s){0,2}?"
    r"(?:above|before|earlier|previously)))"
    r"|(?<=your\s)(?:programming|safety guidelines)|everything (?:you (?:were|have been) told|above this))\b"
    r"|\byou(?:\sare|['’]re)\snow\s(?:(?:an?|the|my)\s(?:[\w-]{1,20}\s){0,3}?"
    r"(?:ai|assistant|model|chatbot|bot|agent|gpt|llm|hacker|pirate|terminal|persona|character)\b"
    r"|no\slonger\s(?:bound|restricted|limited|an\sai)|(?:unrestricted|unfiltered|jailbroken)\b"
    r"|in\s(?:\w{1,20}\s){0,2}?(?:developer|dev|dan|god|debug|admin|jailbreak|unrestricted|maintenance)\smode"
    r"|(?-i:DAN|[A-Z][a-z]{1,20}[A-Z])\w{0,20})"
    r"|\b(?:reveal|print|show|repeat|output|leak|disclose|display)\s(?:me\s)?(?:your|the)\s(?:\w{1,20}\s){0,2}?"
    r"(?:system|initial|hidden)\s(?:prompt|instructions?)\b"
    r"|\bdo anything now\b|\bdeveloper mode enabled\b"
    r"|\bignorier\w{0,4}\s(?:\w{1,20}\s){0,4}?(?:vorherigen?|bisherigen?|obigen?|früheren?|vorigen?)\s"
    r"(?:\w{1,20}\s)?(?:anweisung|instruktion|befehl|regel|vorgabe)"
    r"|\b(?:ignore[zr]?|oublie[zr]?)\s(?:\w{1,20}\s){0,4}?(?:instructions?|consignes?|règles|directives)\s"
    r"(?:précédentes?|ci-dessus|antérieures?|initiales?)"
    r"|\b(?:ignor[ae]|olvid[ae])\s(?:\w{1,20}\s){0,4}?(?:instrucciones|indicaciones|reglas|órdenes)\s"
    r"(?:anteriores|previas|de arriba)"
    rf"|\b(?:{_FORGET_ABROAD})\w{{0,6}}\s(?:\w{{1,20}}\s){{0,4}}?(?:(?:{_EARLIER_ABROAD})\s(?:\w{{1,20}}\s)?"
    rf"(?:{_RULES_ABROAD})|(?:{_RULES_ABROAD})\s(?:{_EARLIER_ABROAD}))\b"
    r"|(?:игнорируй|проигнорируй|забудь|ігноруй|проігноруй)\w{0,3}\s(?:\w{1,20}\s){0,4}?"
    r"(?:предыдущ|прежн|вышеуказанн|все|попередн)\w{0,5}\s"
    r"(?:\w{1,20}\s)?(?:инструкци|указани|правил|команд|інструкц|вказівк)"
    r"|(?:이전|위)[^.\n]{0,8}(?:지시|명령|지침|규칙)[^.\n]{0,6}무시"
    r"|(?:忽略|无视|無視|忘记|忘掉)[^。！？\n]{0,12}(?:指令|指示|提示词|规则|規則|说明|說明)"
    r"|(?:以前|前|上記|これまで|先)の[^。！？\n]{0,8}(?:指示|命令|ルール|プロンプト)[^。！？\n]{0,8}(?:無視|忘れ)"
)
_STRICTER_ORDER = re.compile(
    r"(?i)\b(?:ignore|disregard|forget)\s{1,3}(?:(?:all|any|every|the|your|my|our|of|these|those)\s{1,3}){0,4}"
    rf"(?:{_EARLIER}|past)\s{{1,3}}(?:\w{{1,20}}\s{{1,3}}){{0,2}}?(?:messages?|context|conversation|training|text)\b"
    r"|\b(?:ignore|disregard|forget)\s(?:everything|all(?:\sof\sthat)?|what\syou)\b"
    r"|\byou(?:\sare|['’]re)\snow\s(?:an?|the|my|no\slonger|in|dan|free|acting|going\sto|under)\b"
    r"|\bfrom now on,?\s(?:you|always|never|answer|respond|reply|act|speak)\b"
    r"|(?m:^)\W{0,4}(?:new|updated|important|additional|real)\s(?:system\s)?instructions?\s?:"
    r"|\b(?:pretend|act\sas\sif|imagine)\s(?:that\s)?you\s(?:are|have|can|were)\b"
    r"|\b(?:to|for)\s(?:the\s)?(?:ai|llm|language)\s(?:models?|assistants?|agents?)\s?(?:reading|processing|:)"
    r"|\b(?:dear|attention|hey),?\s(?:ai|llm|chatgpt|claude|assistant)\b"
)
# Words that have to be there, in lower case, before a pattern is tried at all.
_TAG_HINTS = (
    "<|",
    "‹|",
    "tool_",
    "function_call",
    "inst]",
    "sys>>",
    "_of_turn>",
    "system",
    "assistant>",
    "assistant:",
    "###",
)
# All others than "system" and "assistant:" have one of them.
_tag_signs = finder("|_]>#")
_FORGETTING = (
    *("ignor", "disregard", "forget", "overrid", "bypass", "follow", "oubli", "olvid", "negeer"),
    *("vergeet", "dimentic", "esque", "zapom", "glem", "glöm"),
)
_RULES = (
    *("instru", "prompt", "rules", "directi", "guideline", "command", "programming", "everything"),
    *(
        "anweis",
        "befehl",
        "regel",
        "vorgabe",
        "consigne",
        "règle",
        "indicacion",
        "reglas",
        "órdenes",
    ),
    *("istruzion", "regole", "indicazion", "regras", "orientaç", "ordens", "opdracht", "aanwijz"),
    *("poleceni", "zasady", "pokyny", "pravidla", "regler", "anvisning"),
)
_TELLING = ("reveal", "print", "show", "repeat", "output", "leak", "disclose", "display")
_TOLD = ("prompt", "instruction")
_PHRASES = (
    *("you are now", "you're now", "you’re now", "anything now", "developer mode"),
    *("игнорир", "забуд", "ігнор", "무시", "忽略", "无视", "無視", "忘"),
)
_BETWEEN = re.compile(r"[\s,;*~–—-]{2,}")
_WORD = re.compile(r"\w+")
_OUR_LETTER = re.compile("[A-Za-z]")
_OTHER_ALPHABET = re.compile("[\u0370-\u052f]")
_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһԛԝӏАВЕКМНОРСТУХІЈЅԚԜαορνικυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhqwlABEKMHOPCTYXIJSQWaopvikuABEZHIKMNOPTYX",
)
_PAIRS = (
    ("“", "”"),
    ("„", "“"),
    ("«", "»"),
    ("»", "«"),
    ("‹", "›"),
    ("「", "」"),
    ("『", "』"),
    ("‘", "’"),
)


def why_kept_back(text: str, is_own: bool) -> str | None:
    """Why a passage is not to be learned or put into a prompt as it is; None where nothing speaks against it.

    Args:
        text: or its title, heading or speaker, with the marks that `invisible` left.
        is_own: it comes from its owner, who may quote such things.
    """
    if MARK in text:
        return HIDDEN
    if is_own and text.isascii() and not _may_speak_to_a_model(text.lower()):
        return None
    text = _as_it_reads(text)
    lowered = text.lower()
    if _has(lowered, _TAG_HINTS) and _found(_ROLE_TAG, text, is_own):
        return ROLE_TAG
    if (_has(lowered, _PHRASES) or _may_order(lowered)) and _found(_PLAIN_ORDER, text, is_own):
        return ORDER
    if not is_own and _STRICTER_ORDER.search(text):
        return ORDER
    return None


def first_reason(lines: Iterable[str | None], is_own: bool) -> str | None:
    """Why something is kept back that stands with all of some lines."""
    reasons = (why_kept_back(line, is_own) for line in lines if line)
    return next(filter(None, reasons), None)


def _as_it_reads(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        if _OTHER_ALPHABET.search(text):
            text = _WORD.sub(_in_our_letters, text)
    return _BETWEEN.sub(lambda found: "\n" if "\n" in found[0] else " ", text)


def _in_our_letters(word: re.Match[str]) -> str:
    return word[0].translate(_LOOK_ALIKES) if _OUR_LETTER.search(word[0]) else word[0]


def _may_speak_to_a_model(lowered: str) -> bool:
    """Whether something is there without which nothing is found in a source of one's own; False is certain.

    For texts in ASCII, whose words are the same as they read."""
    return (
        "system" in lowered
        or (_tag_signs(lowered) and _has(lowered, _TAG_HINTS))
        or "assistant:" in lowered
        or _may_order(lowered)
        or ("now" in lowered and ("you" in lowered or "anything" in lowered))
        or "developer" in lowered
    )


def _may_order(lowered: str) -> bool:
    return (_has(lowered, _FORGETTING) and _has(lowered, _RULES)) or (
        _has(lowered, _TOLD) and _has(lowered, _TELLING)
    )


def _has(lowered: str, words: tuple[str, ...]) -> bool:
    return any(map(lowered.__contains__, words))


def _found(pattern: re.Pattern[str], text: str, is_own: bool) -> bool:
    return any(
        not (is_own and _is_mentioned(text, found.start(), found.end()))
        for found in pattern.finditer(text)
    )


def _is_mentioned(text: str, start: int, end: int) -> bool:
    """It stands between quotation marks or back quotes on its line."""
    before = text[max(0, start - 300) : start].rpartition("\n")[2]
    after = text[end : end + 300].partition("\n")[0]
    if any(before.count(mark) % 2 and mark in after for mark in '"`'):
        return True
    if re.search(r"(?:^|\W)'[^']{0,40}$", before) and "'" in after:
        return True
    return any(before.rfind(a) > before.rfind(b) and b in after for a, b in _PAIRS)
