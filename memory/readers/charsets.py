"""Which character set bytes are in that do not say so: the one in which they read most like a language.

Each set is tried with the languages written in it. What counts are the letters beyond ASCII: how common each
is in one language, taken together, so that a text in which `é`, `ŕ` and `ë` stand beside each other is
unlikely to be Slovak; how they stand in words, for no word has a capital in its middle, a sign between two
letters, or letters of two scripts; and common words. Figures are nats, roughly: the smaller the likelier.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import log

_LOOKED_AT_BYTES = 2**20
_BEYOND = re.compile(rb"[\x80-\xff]")
_SAMPLE_BYTES = 2**12
_UNDECODABLE = 15.0
_STRANGE_LETTER = 7.0
_STRANGE_SIGN = 9.0
_CAPITAL = 0.8
# In a language of Latin letters, one letter in twenty is beyond ASCII.
_BEYOND_ASCII = 3.0
_COMMON_WORD = 4.0
_ALLOWANCE = 60.0
_MOST_FOR_A_LETTER = 9.0

# Letters beyond ASCII, the commonest first, and words that hold some.
_LATIN = {
    "fr": ("éèàêçôîûùâïœëæÿ", "à été où même être après là déjà très ça voilà père mère français"),
    "de": ("üäöß", "für über können schön größe grüße müssen würde während straße natürlich hätte"),
    "es": ("óíáéñúü", "está más qué él también sí años día niño español mañana así según"),
    "pt": ("ãçáéóíêõâúàô", "não é são à está até você também já só então há três irmão"),
    "it": ("àèòùìé", "è più perché città già può così né sarà c'è cioè"),
    "nl": ("ëéïöüè", "één België coördinatie"),
    "sv": ("äåöé", "på är för från att så också där när år även två"),
    "da": ("øåæéö", "på er så også når år før få må væk være blåbær"),
    "fi": ("äöå", "että ei tämä hän mitä myös päivää sitä vielä kyllä"),
    "is": ("áðíéóþöúýæ", "að það þetta er því með við ég sé þú"),
    "ca": ("àèéòíóçúïü", "és què això també més però català"),
    "et": ("äõüöšž", "mõned või ära nüüd küll"),
    "pl": (
        "łęążśćóńź",
        "się że dziękuję jest być są już też będzie może tylko proszę dzień więc który",
    ),
    "cs": ("íáěéýčřžšůúťňďó", "že je jsem není být když také ještě už více můžete děkuji"),
    "sk": ("áíčéýžšľúťôňďóäĺŕ", "že je som nie byť keď tiež ešte už môže ďakujem"),
    "hu": ("áéőöóíüúű", "és hogy nem is már még köszönöm szépen én több után"),
    "ro": ("ăîâşţșț", "şi în că să mai până după fără română"),
    "hr": ("čšžćđ", "što će još već može biti išao"),
    "tr": ("ıüşğöçİâî", "için şimdi çok değil şey güzel teşekkür gün nasıl"),
    "lt": ("ėšųįžūąčę", "yra ačiū kaip į tačiau šis ką"),
    "lv": ("āīēšņģķļūčžŗ", "ir kā arī būt šo tā vēl kāpēc"),
}
_ALPHABETS = {
    "ru": (
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        "и в не на я что он с как это но то по все так мы вы за от мир из у для да нет к о",
    ),
    "uk": ("оанивітерслкудмпязьбгчхцюжїйєшщфґ", "і в не на що як це з до та є його її ви ми у за"),
    "bg": ("аиоентрсвлдкпмзбъгучящжхцфйшюь", "и в на не се да е за от си по той аз като със"),
    "el": (
        "αοιετσνηυρπκμλςωδγχάθέίόήφβξύώζψ",
        "και το η τι να του με την για είναι από που της θα",
    ),
    "he": ("יוהלאתרמשבנדקחעפםכצגסןזטףךץ", "של את לא על זה אני הוא עם כל מה יש"),
    "ar": ("اليمنرتبعوةدسفهكقحجصأشطخضذثىزإءغئظآؤًّ", "من في على أن إلى هذا لا ما مع كان عن"),
    "th": ("านรอกเง่มลยตวส้ดทปับะไคใีจแิขหพชูุซโ็ืศณ์ฐผญ", ""),
}
_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用"
    "道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日者"
    "意无力它与长把机十民第公此已工使情明性知全三又关点正外将两高间由问很最重并物手应向头文体美相见被什二等"
    "或新己制身果加西月话合回特代内信表化老给世位次度门常先海通教东水名真走入几口认平题活更别打女四电数安少"
    "报才太再感做件期市山书白光路记今让候气园界谢请吗吧京海台"
)
_TRADITIONAL = _SIMPLIFIED + (
    "這個們來為國說時會對於著過發後裡種經麼學現當沒動還進樣開從實無與長機關點將兩間問應頭體見話給門東幾認題別電數報"
    "書記讓氣園謝請嗎"
)
_KANJI = (
    "日一国人年大十二本中長出三時行見月分後前生五間上東京四今金九入学高円子外八六下来気小七山話女北百書先名川"
    "千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨世界明会社事自者的方地場新田手力問思"
)
_SYLLABLES = (
    "이다는에의가을하고지로를어사기도은한서자대리나인그시아일수해정라있부게보장과만들원제우거세전상구스면주니"
    "음조소신경공야개여요되했말동생연안국화오와관계으성위선비간유적미모등없것내문당물분업녕네날씨좋습"
)
_COMMON_SIGNS = "’“”–—„…€«»°§£±µ½\u00a0"
_SIGNS = "‘‚‹›©®™•·²³¼¾×¿¡´ªº¹№¢¥¶†‡\u00ad"
_WIDE_SIGNS = "，。、？！：；「」『』（）《》～・ー…“”‘’—"


@dataclass(frozen=True)
class _Language:
    costs: dict[str, float]
    words: frozenset[str]


def _zipf(letters: str) -> dict[str, float]:
    total = sum(1 / rank for rank in range(2, len(letters) + 2))
    return {letter: log(rank * total) for rank, letter in enumerate(letters, 2)}


def _signs() -> dict[str, float]:
    costs = dict.fromkeys(_SIGNS, _BEYOND_ASCII + 3.5)
    return costs | dict.fromkeys(_COMMON_SIGNS, _BEYOND_ASCII + 2.0)


def _alphabet(letters: str, words: str, beyond: float) -> _Language:
    small = {letter: beyond + cost for letter, cost in _zipf(letters).items()}
    capitals = {letter.upper(): cost + _CAPITAL for letter, cost in small.items()}
    return _Language({**_signs(), **capitals, **small}, frozenset(words.split()))


@cache
def _languages() -> dict[str, _Language]:
    found = {name: _alphabet(*how, _BEYOND_ASCII) for name, how in _LATIN.items()}
    found |= {name: _alphabet(*how, 0.5) for name, how in _ALPHABETS.items()}
    signs = dict.fromkeys(_WIDE_SIGNS, 4.0)
    kana = {chr(n): 4.0 for n in range(0x3041, 0x30FF)}
    hangul = {chr(n): 9.0 for n in range(0xAC00, 0xD7A4)}
    for name, costs in (
        ("zh-cn", _level(_SIMPLIFIED, "gb2312", 0xB0, 0xD8)),
        ("zh-tw", _level(_TRADITIONAL, "big5", 0xA4, 0xC7)),
        ("ja", _level(_KANJI, "cp932", 0x88, 0x98) | kana),
        ("ko", hangul | dict.fromkeys(_SYLLABLES, 5.0)),
    ):
        found[name] = _Language(costs | signs, frozenset())
    return found


def _level(commonest: str, charset: str, first: int, end: int) -> dict[str, float]:
    """The characters that a set lays first are those that are in use."""
    pairs = (bytes((a, b)) for a in range(first, end) for b in range(0x40, 0xFF))
    letters = "".join(pair.decode(charset, "ignore") for pair in pairs)
    return {**dict.fromkeys(letters, 9.0), **dict.fromkeys(commonest, 6.0)}


# Each set with what speaks against it beforehand, and the languages that are written in it.
_WEST = ("fr", "de", "es", "pt", "it", "nl", "sv", "da", "fi", "is", "ca", "et")
_CENTRAL = ("pl", "cs", "sk", "hu", "ro", "hr", "de")
_EVERYWHERE = (*_LATIN, *_ALPHABETS, "zh-cn", "zh-tw", "ja", "ko")
_SETS = (
    ("utf_8", 0.0, _EVERYWHERE),  # with damage, else it were no question
    ("cp1252", 0.0, _WEST),
    ("cp1250", 2.0, _CENTRAL),
    ("cp1251", 2.0, ("ru", "uk", "bg")),
    ("gb18030", 3.0, ("zh-cn",)),
    ("cp932", 3.0, ("ja",)),
    ("big5hkscs", 3.0, ("zh-tw",)),
    ("cp949", 3.0, ("ko",)),
    ("euc_jp", 3.0, ("ja",)),
    ("koi8_r", 4.0, ("ru",)),
    ("koi8_u", 4.5, ("uk",)),
    ("cp1253", 2.5, ("el",)),
    ("iso8859_7", 3.0, ("el",)),
    ("cp1254", 2.5, ("tr",)),
    ("cp1255", 3.0, ("he",)),
    ("cp1256", 3.0, ("ar",)),
    ("cp1257", 3.0, ("lt", "lv", "et")),
    ("cp874", 3.0, ("th",)),
    ("iso8859_2", 3.0, _CENTRAL),
    ("iso8859_5", 5.0, ("ru", "uk", "bg")),
    ("iso8859_15", 3.0, _WEST),
    ("mac_roman", 4.0, _WEST),
    ("cp850", 5.0, _WEST),
    ("cp852", 6.0, _CENTRAL),
    ("cp866", 5.0, ("ru",)),
)


class _Kinds(dict[int, str]):
    """Of each character a letter that says what it is, to look for patterns in words."""

    def __missing__(self, code: int) -> str:
        kind = self[code] = _kind(chr(code))
        return kind


def _kind(letter: str) -> str:
    if letter.isascii():
        return "0" if letter.isdigit() else "." if not letter.isalpha() else "aA"[letter.isupper()]
    if letter in "’\u00ad":
        return "."
    if letter in "–—":
        return "-"
    if not letter.isalpha() or letter in "µªº":
        return "c" if letter == "ー" else "m" if unicodedata.category(letter)[0] == "M" else "s"
    name = unicodedata.name(letter, "")
    if name.startswith("LATIN"):
        return "lL"[letter.isupper()]
    if name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH", "HANGUL")):
        return "c"
    return "gG"[letter.isupper()]


_kinds = _Kinds({ord(" "): " "})
_ODD = (  # what no word looks like
    (re.compile("(?<=[al])L|(?<=g)G"), 4.0),
    (re.compile("[aAlL](?=[gGm])|[gG](?=[aAlL])"), 6.0),
    (re.compile("[aAlL](?=c)|c(?=[aAlL])"), 3.0),
    (re.compile("(?<=[alALgG])s(?=[alALgG])"), 4.0),
    (re.compile("(?<=[alALgG])-(?=[alALgG])"), 1.0),
    (re.compile("[lL](?=[lL])"), 1.5),
    (re.compile("0(?=[lLgG])|[lLgG](?=0)"), 3.0),
    (re.compile("(?<![gGm])[gG](?![gGm])"), 4.0),
)


def likeliest(data: bytes) -> str | None:
    """The set that `data` reads best in, as Python calls it; None where it reads like nothing."""
    first = _BEYOND.search(data)
    start = max(0, first.start() - _SAMPLE_BYTES) if first else 0
    words = (word for word in data[start : start + _LOOKED_AT_BYTES].split() if not word.isascii())
    sample = b" ".join(dict.fromkeys(words))[:_SAMPLE_BYTES]
    costs = {name: prior + _cost(sample, name, spoken) for name, prior, spoken in _SETS}
    best = min(costs, key=costs.__getitem__)
    n_beyond = sum(not letter.isascii() for letter in sample.decode(best, "replace"))
    return best if costs[best] <= _ALLOWANCE + _MOST_FOR_A_LETTER * n_beyond else None


def _cost(sample: bytes, charset: str, spoken: Iterable[str]) -> float:
    text = sample.decode(charset, "replace")
    kinds = text.translate(_kinds)
    odd = sum(cost * len(pattern.findall(kinds)) for pattern, cost in _ODD)
    letters = Counter(letter for letter in text if not letter.isascii())
    words = set(re.findall(r"[\w'’]+", text.lower()))
    return odd + min(_read_as(_languages()[name], letters, words) for name in spoken)


def _read_as(language: _Language, letters: Counter[str], words: set[str]) -> float:
    costs = language.costs
    return sum(
        n * (costs[letter] if letter in costs else _strange(letter))
        for letter, n in letters.items()
    ) - _COMMON_WORD * len(language.words & words)


def _strange(letter: str) -> float:
    if letter == "\ufffd":
        return _UNDECODABLE
    return _BEYOND_ASCII + (_STRANGE_LETTER if letter.isalpha() else _STRANGE_SIGN)
