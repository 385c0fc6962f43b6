"""Whether two prompts ask for the same thing, in the same or in other words.

What a model is measured with must not be what it rehearses. Two prompts are compared by the content words that
they share (Jaccard: shared over all). Words that say only what kind of request it is ("write", "explain",
"three") are left out, because two prompts may well ask for the same kind of thing; the rest is cut to five
letters, so that "heat" and "heating" or "France" and "Franc" meet.

A prompt has two to four content words. A paraphrase keeps the topic, and so most of these: two of three
shared, one of them replaced, is 2/4; one of two kept beside two new ones is 1/4. Two prompts on different topics
that happen to share one word out of three each have 1/5. So 1/4 is the lowest value at which a paraphrase is
likely. A paraphrase that keeps no word at all is not seen.
"""

import re

THRESHOLD = 0.25

_FORM_WORDS = """
    a an the this that these those there here it its they them their he she his her we us our
    i me my you your who whom whose what which when where why how is are was were be been being am
    do does did done have has had can could will would should may might must shall not no nor
    of in on at to for from by with about into before after between through during as than
    and or but so if then because while very much too also just now right some any all each
    every other one two three four five ten many few
    write explain give name list tell describe suggest summarise translate correct say mean help
    word words sentence short simple kind kinds difference thing things
    """
_FORM = frozenset(_FORM_WORDS.split())


def content(prompt: str) -> frozenset[str]:
    """The words that carry the topic; all words where nothing else is left ("Who are you?")."""
    words = re.findall(r"[^\W\d_]+|[0-9]+", prompt.lower().replace("'s", ""))
    topic = [word.removesuffix("s") for word in words if word not in _FORM]
    return frozenset(word[:5] for word in topic or words)


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of the content words of two prompts that both have."""
    return len(one & other) / max(1, len(one | other))
