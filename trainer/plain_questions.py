"""Questions that need no model: where the build of a sentence is plain, a question word takes the place of a part.

A small base aims many of its questions badly. What a sentence begins with, what or who something is, and what it is
called can be asked for in the sentence's own words; so the value is also asked back to its subject. English alone, and only
where the patterns leave no doubt: of a sentence of another build nothing is asked here.
"""

import re
from collections.abc import Iterator, Set

from .facts import DATE, KIN, NOT_NAMES

TITLE = r"(?:Mrs?|Ms|Dr|Prof)\."
WORD = r"[A-ZÀ-ÖØ-Þ][\w'’-]*"
NAME = rf"(?:{TITLE} )?{WORD}(?: (?:(?:of|de|van|von|la|du|the) )?{WORD}){{0,3}}"
THING = r"(?:The|Our|My) (?:[a-z'’-]+ ){0,2}?[a-z'’-]+"
# When or where, before the subject: "Last year", "On 3 May", "In the spring". Where no comma ends it, it is of dates and small
# letters, and an article in the midst of it comes after a preposition; else it is the subject's: "On the way back the ferry".
ARTICLE = r"(?:the|an?|my|our|his|her|its|their|this|that|these|those)"
PREPOSITION = (
    r"(?:of|in|on|at|to|from|with|by|for|after|before|near|under|over|behind|between|since|during)"
)
PLAIN = rf"(?:{DATE.pattern}|(?!{ARTICLE}\b)[a-z0-9][\w'-]*)"
PLACE_OR_TIME = rf"(?:{ARTICLE} )?{PLAIN}(?: (?:{PREPOSITION} {ARTICLE} )?{PLAIN}){{0,6}}"
SETTING = rf"(?:(?:Last|This|Next|Every) [a-z]+,?|(?:In|On|At|Since|During) (?:[^,:;.]{{1,30}},|{PLACE_OR_TIME})) "
VERB = (
    r"(?:is|was|are|were|has|have|had|costs?|lasts?|leads|lies|runs|comes|came|goes|went|gets|got|makes|made|takes|took|"
    r"gives|gave|keeps|kept|lives|works|wants|plays|sings|sells|sold|buys|bought|builds|built|wins|won|wrote|writes|"
    r"breaks|broke|teaches|taught|meets|met|begins|began|starts|opens|closes|[a-z]{3,}ed)"
)
# People whom one has, and animals; also the last word of "my younger brother".
# What only people do, also as a club: of something that is none, nothing is asked.
DOING = re.compile(
    r"(?:(?:has|have|had) )?(?:wants?|wanted|sings|sells|sold|buys|bought|builds|built|writes|wrote|written|teaches|taught|"
    r"hired|ordered|decided|promised|agreed|invited|offered)\b"
)
# Ends of other words for people, as far as they are not surely so for things: those are asked nothing.
MAYBE_SOMEBODY = re.compile(r"(?:er|or|ist|ant|man|woman|ess)$")
# What a sentence may begin with in front of its subject.
NO_SUBJECT = NOT_NAMES | {
    *("Although", "Though", "Unless", "Whenever", "Where", "Whereas", "Yesterday", "Today", "Tomorrow", "Now", "Here", "Once"),
    *("Nobody", "Everybody", "Somebody", "Everyone", "Someone", "Perhaps", "Maybe", "Even", "Only", "Just", "Still", "However"),
    *("Meanwhile", "Later", "Finally", "Poor", "Dear", "Old", "Young", "Little"),
}  # fmt: skip

SUBJECT = re.compile(
    rf"(?P<setting>{SETTING})?(?:(?P<name>{NAME})|(?P<thing>{THING})) (?P<rest>{VERB}\b(?! (?:\S+ ){{1,2}}?(?:is|was|are|were|has|have|had)\b).*)"
)
CLAUSE_END = re.compile(
    r"(?:,| –| -|;) (?:and|but|so|who|whose|which|where|because|since|while|as)\b|[;!?]|:(?!\d)"
    rf"| and (?={VERB}\b)|(?<=[a-z]{{3}})\. (?=[A-Z])"
)
IS = re.compile(
    rf"(?P<thing>{THING}) (?P<verb>is|was) (?P<called>called |named )?(?:the )?(?P<name>{NAME})"
    r"(?=[.,;!]|$| (?:and|who|which|but|in|from|since)\b)"
)
ROLE = re.compile(rf"(?P<thing>{THING}), (?P<name>{NAME}),")
OWN = re.compile(rf"\b(?P<thing>(?:[Mm]y|[Oo]ur) (?:[a-z]+ )?{KIN}) (?P<name>{NAME})")
CALLED = re.compile(
    rf"(?:(?<![\w'’-])(?P<owner>{NAME}) (?:has|had) )?\ban? (?P<thing>(?:[a-z'’-]+ ){{0,2}}[a-z'’-]+) (?:called|named)"
    rf" (?=[\"“]?{WORD})"
)
LEAST_REST, MOST_REST = 3, 14  # words: "Who is he?" asks nothing


def plain_questions(sentence: str, names: Set[str] = frozenset()) -> list[str]:
    """What can be asked of a sentence by its build alone; the answer to each is the sentence.

    Args:
        names: single words that are known for names; two capitalised ones after each other are taken for somebody.
    """
    straight = sentence.replace("’", "'")
    found = [
        *_of_the_subject(straight, names),
        *_of_what_it_is(straight, names),
        *_of_what_it_is_called(straight, names),
    ]
    return list(dict.fromkeys(found))


def _of_the_subject(sentence: str, names: Set[str]) -> Iterator[str]:
    found = SUBJECT.match(sentence)
    if not found or IS.match(sentence):
        return
    asked = _somebody(found["name"], names) if found["name"] else _who_or_what(found["thing"])
    if asked == "What" and DOING.match(found["rest"]):
        return
    rest = CLAUSE_END.split(found["rest"], maxsplit=1)[0].strip(" ,.")
    if asked and LEAST_REST <= len(rest.split()) <= MOST_REST:
        when = f" {_small(found['setting']).strip(' ,')}" if found["setting"] else ""
        yield f"{asked} {rest}{when}?"


def _of_what_it_is(sentence: str, names: Set[str]) -> Iterator[str]:
    found = IS.match(sentence)
    if not found or found["name"].endswith(("'s", "s'")):
        return
    thing, verb, name = _small(found["thing"]), found["verb"], found["name"]
    if found["called"]:
        yield f"What {verb} {thing} called?"
        return
    who = _somebody(name, names)
    asked = who or _who_or_what(found["thing"])
    if asked:
        yield f"{asked} {verb} {thing}?"
    if who:
        yield f"{who} {verb} {name}?"


def _of_what_it_is_called(sentence: str, names: Set[str]) -> Iterator[str]:
    for found in ROLE.finditer(sentence):
        if who := _somebody(found["name"], names):
            yield f"{who} is {_small(found['thing'])}?"
    for found in OWN.finditer(sentence):
        if not NO_SUBJECT.intersection(found["name"].split()) and not DATE.match(found["name"]):
            yield f"What is {_small(found['thing'])} called?"
    for found in CALLED.finditer(sentence):
        if found["owner"] and not _somebody(found["owner"], names):
            continue
        whose = f"{found['owner']}'s" if found["owner"] else "the"
        yield f"What is {whose} {found['thing']} called?"
        yield f"What is the name of {whose} {found['thing']}?"


def _somebody(name: str, names: Set[str]) -> str:
    """ "Who" for a name that is most likely somebody's, else nothing."""
    words = name.split()
    if NO_SUBJECT.intersection(words) or DATE.search(name):
        return ""
    is_titled = bool(re.match(TITLE, name))
    is_known = len(words) == 1 and words[0].removesuffix("'s") in names
    return "Who" if is_titled or is_known or (len(words) in (2, 3) and " the " not in name) else ""


def _who_or_what(thing: str) -> str:
    """The question word for something that has no name; nothing where it may be either."""
    last = thing.split()[-1]
    if re.fullmatch(KIN, last):
        return "Who"
    return "" if MAYBE_SOMEBODY.search(last) else "What"


def _small(text: str) -> str:
    return text[0].lower() + text[1:]
