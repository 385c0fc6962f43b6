"""Which language a text is in, by its script and its commonest words; and those words, to search without them.

No model is asked: a passage of a few sentences holds so many of the words below that they decide.
"""

import re

from .glance import spacer

_WORD = re.compile(r"[^\W\d_]+")
_letters_apart = spacer()
# Enough to tell; a long text does not change its mind.
_LOOKED_AT = 1000
# So many more common words of another language than of the default must be there.
_LEAST_LEAD = 2

COMMON_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "de": "aber alle als also am an auch auf aus bei bin bis bist da damit dann das dass dein deine dem den der "
        "des dich die dir doch du durch ein eine einem einen einer eines er es euer für gegen habe haben hat hatte "
        "hatten hier ich ihm ihn ihnen ihr ihre ihren im in ist ja jede jeder kann kein keine können man mein meine "
        "mich mir mit nach nicht noch nun nur ob oder ohne schon sehr sein seine sich sie sind so soll über um und uns "
        "unser unter vom von vor wann war waren warum was weil welche welcher wenn wer werden wie wieder wir wird wo "
        "wurde wurden zu zum zur zwischen",
        "fr": "à ai au aux avec c ce ces cette comment d dans de des dont du elle elles en est et étaient était être "
        "eu fait il ils j je l la le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on ont ou où par "
        "pas plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se ses si son sont sur t ta "
        "te tes toi ton tu un une vos votre vous y",
        "es": "a al algo como cómo con cual cuál cuando cuándo cuándo de del desde donde dónde e el él ella ellas ellos "
        "en era eran es esa ese eso esta está estaba están este esto fue fueron ha han hay la las le les lo los más me "
        "mi mis muy ni no nos o para pero por porque qué que quien quién se ser si sí sin sobre son su sus también te "
        "tiene tu tus un una uno y ya yo",
        "it": "al alla anche che chi ci come con cosa da dal dalla de dei del della delle di dove è e gli ha hanno i il "
        "in io la le lo ma mi mia mio nel nella non o per perché più quando quella quello questa questo sono su sua suo "
        "ti tu un una uno",
        "pt": "a ao aos as até com como da das de do dos e é ela ele em essa esse esta este eu foi foram há isso isto já "
        "lhe mais mas me meu minha muito na não nas no nos o onde os ou para pela pelo por porque qual quando que quem "
        "se sem ser seu sua são também te tem um uma você",
        "nl": "aan als bij dan dat de der deze die dit door een en er ge geen had heb hebben heeft het hier hij hoe ik in "
        "is je kan maar me meer met mijn naar niet nog of om onze ook op over te tot uit van veel voor waar wanneer was "
        "wat we wel werd wie wij worden wordt zal ze zei zich zij zijn zo",
        "ru": "а без бы был была были было быть в вам вас весь во вот все всё вы где да для до его ее её если есть еще "
        "ещё же за здесь и из или им их к как какая какой когда кто ли между меня мне мы на над нас не него нет но ну о "
        "об он она они оно от по под после почему при про с себя со так также там то того тоже только тот ты у уже что "
        "чтобы эта эти это этот я",
        "en": "a about after all also an and any are as at be because been but by can could did do does for from had has "
        "have he her here him his how i if in into is it its just me more my no not of on one or our out she should so "
        "some that the their them then there these they this to up us was we were what when where which who why will "
        "with would you your",
        "zh": "什么 哪里 哪儿 怎么 为什 多少 时候 我们 你们 他们 的是 是什 么时 是谁 在哪",
        "ja": "です ます でし した まし いつ どこ なに 何で ので から まで です こと もの する して いる ある ない だれ "
        "誰が 何が 何を はど はい は何 すか ので",
    }.items()
}
_LATIN = ("en", "de", "fr", "es", "it", "pt", "nl")
# Seven counters in one number, so that a text is gone through once: each common word adds one to
# the counters of its languages. None can run over: what is looked at has fewer than 2**16 words.
_COUNTER_BITS = 16
_SHIFTS = range(0, len(_LATIN) * _COUNTER_BITS, _COUNTER_BITS)
_ADDS: dict[str, int] = {}
for _shift, _language in zip(_SHIFTS, _LATIN, strict=True):
    for _word in COMMON_WORDS[_language]:
        _ADDS[_word] = _ADDS.get(_word, 0) + (1 << _shift)
# The letters of one script, and the language they most probably write.
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("ko", re.compile("[\u1100-\u11ff\uac00-\ud7af]")),
    ("ru", re.compile("[\u0400-\u052f]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
)
_LATIN_LETTER = re.compile("[A-Za-z\u00c0-\u024f]")


def language_of(text: str, default: str = "en") -> str:
    """The language as ISO 639-1 names it; `default` where nothing tells."""
    head = text[:_LOOKED_AT]
    if not head.isascii() and (by_script := _by_script(head)):
        return by_script
    lowered = head.lower()
    words = _letters_apart(lowered).decode().split() if head.isascii() else _WORD.findall(lowered)
    counters = sum(filter(None, map(_ADDS.get, set(words))))
    if not counters:
        return default
    scores = [counters >> shift & 0xFFFF for shift in _SHIFTS]
    most = max(scores)
    # Names of one language are common words of another: "Al met Dan in Las Vegas".
    if default in _LATIN and most - scores[_LATIN.index(default)] < _LEAST_LEAD:
        return default
    return _LATIN[scores.index(most)]


def _by_script(text: str) -> str | None:
    counts = {language: len(letters.findall(text)) for language, letters in _SCRIPTS}
    # Japanese is written with Han letters too, and each letter of these is half a word.
    if counts["ja"] * 10 > counts["zh"]:
        counts["ja"] += counts["zh"]
        counts["zh"] = 0
    best = max(counts, key=lambda language: counts[language])
    weight = 3 if best in ("ja", "zh", "ko") else 1
    if weight * counts[best] <= len(_LATIN_LETTER.findall(text)):
        return None
    return "uk" if best == "ru" and re.search("[іїєґІЇЄҐ]", text) else best
