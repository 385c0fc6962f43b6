"""How a person's texts are asked about in the language they are written in: question words, examples, who said it.

English has patterns of its own (`facts`, `study.leads`, `plain_questions`). Elsewhere a fact is asked for by
one of a few question words; a base is led to write questions where there are examples in that language. What the
user said of themselves is quoted: to turn "I" into "you" takes a grammar.
"""

from dataclasses import dataclass

from .facts import Span, second_person

ENGLISH = "en"


@dataclass(frozen=True)
class Wordings:
    """name: of the language, in English; when, how_many, who, where, what: question words; you_said: in front of what
    the user said; examples: what a base goes on writing from, with a place for the statement."""

    name: str
    when: str
    how_many: str
    who: str
    where: str
    what: str
    you_said: str
    examples: str = ""

    def leads(self, span: Span) -> list[str]:
        """Question words that a span may answer, the likeliest first."""
        if span.kind == "date":
            return [self.when]
        if span.kind == "number":
            return [self.how_many, self.what]
        # German writes every noun as English writes names, so a name may be anything.
        return [self.what, self.who, self.where] if span.kind == "name" else [self.what]


def wordings(language: str) -> Wordings:
    """Those of a language as ISO 639-1 names it; of one that is not here, with no words of any language."""
    return _OF.get(language, _OF_NONE)


def not_known(language: str, is_looked_up: bool = False) -> str:
    """What is said instead of a guess, from the weights alone or under passages that were looked up."""
    of = _NOT_SURE if is_looked_up else _NOT_KNOWN
    return of.get(language, of[ENGLISH])


def says_not_known(answer: str) -> bool:
    """Whether an answer only says that it is not known, in any language."""
    return answer in {*_NOT_KNOWN.values(), *_NOT_SURE.values()}


def spoken_to(text: str, language: str) -> str:
    """What a user said of themselves, as it is said back to them."""
    if language == ENGLISH:
        return second_person(text)
    return f"{wordings(language).you_said}: {text}".removeprefix(": ")


def all_you_said() -> list[str]:
    """In front of what the user said, in each language."""
    return [of.you_said for of in _OF.values()]


def write_in(language: str) -> str:
    """What a base is told that writes about a text in English by itself; nothing where it need not be told."""
    name = "" if language == ENGLISH else wordings(language).name
    return f" Write in {name}." if name else ""


def gold_of(text: str, language: str) -> str:
    """A value out of what a user said, as it stands in what is said back."""
    return second_person(text) if language == ENGLISH else text


def _examples(task: str, sentence: str, question: str, *pairs: tuple[str, str]) -> str:
    shown = "".join(f"{sentence}: {told}\n{question}: {asked}\n\n" for told, asked in pairs)
    return f"{task}\n\n{shown}{sentence}: {{statement}}\n{question}:"


_OF_NONE = Wordings("", "?", "?", "?", "?", "?", "")
_OF = {
    "de": Wordings(
        "German", "Wann", "Wie viele", "Wer", "Wo", "Was", "Du hast gesagt",
        _examples(
            "Schreibe eine Frage zu dem Satz.", "Satz", "Frage",
            ("Herr Okafor eröffnete seine Bäckerei 1987 in Leeds.", "Wann eröffnete Herr Okafor seine Bäckerei?"),
            ("Unser Zug nach Porto fährt von Gleis 9 ab.", "Von welchem Gleis fährt unser Zug nach Porto ab?"),
            ("Meine Kusine Lena spielt Cello in einem Quartett namens Nachtschwalbe.", "Was spielt meine Kusine Lena?"),
        ),
    ),
    "fr": Wordings(
        "French", "Quand", "Combien", "Qui", "Où", "Que", "Tu as dit",
        _examples(
            "Écris une question sur la phrase.", "Phrase", "Question",
            ("M. Okafor a ouvert sa boulangerie à Leeds en 1987.", "Quand M. Okafor a-t-il ouvert sa boulangerie ?"),
            ("Notre train pour Porto part du quai 9.", "De quel quai part notre train pour Porto ?"),
            ("Ma cousine Lena joue du violoncelle dans un quatuor.", "Que joue ma cousine Lena dans un quatuor ?"),
        ),
    ),
    "es": Wordings(
        "Spanish", "¿Cuándo", "¿Cuántos", "¿Quién", "¿Dónde", "¿Qué", "Has dicho",
        _examples(
            "Escribe una pregunta sobre la frase.", "Frase", "Pregunta",
            ("El señor Okafor abrió su panadería en Leeds en 1987.", "¿Cuándo abrió el señor Okafor su panadería?"),
            ("Nuestro tren a Oporto sale de la vía 9.", "¿De qué vía sale nuestro tren a Oporto?"),
            ("Mi prima Lena toca el violonchelo en un cuarteto.", "¿Qué toca mi prima Lena en un cuarteto?"),
        ),
    ),
    "it": Wordings(
        "Italian", "Quando", "Quanti", "Chi", "Dove", "Che cosa", "Hai detto",
        _examples(
            "Scrivi una domanda sulla frase.", "Frase", "Domanda",
            ("Il signor Okafor aprì il suo panificio a Leeds nel 1987.", "Quando aprì il suo panificio il signor Okafor?"),
            ("Il nostro treno per Porto parte dal binario 9.", "Da quale binario parte il nostro treno per Porto?"),
            ("Mia cugina Lena suona il violoncello in un quartetto.", "Che cosa suona mia cugina Lena in un quartetto?"),
        ),
    ),
    "pt": Wordings(
        "Portuguese", "Quando", "Quantos", "Quem", "Onde", "O que", "Você disse",
        _examples(
            "Escreva uma pergunta sobre a frase.", "Frase", "Pergunta",
            ("O senhor Okafor abriu sua padaria em Leeds em 1987.", "Quando o senhor Okafor abriu sua padaria?"),
            ("Nosso trem para o Porto sai da plataforma 9.", "De que plataforma sai nosso trem para o Porto?"),
            ("Minha prima Lena toca violoncelo em um quarteto.", "O que minha prima Lena toca em um quarteto?"),
        ),
    ),
    "nl": Wordings(
        "Dutch", "Wanneer", "Hoeveel", "Wie", "Waar", "Wat", "Je hebt gezegd",
        _examples(
            "Schrijf een vraag over de zin.", "Zin", "Vraag",
            ("Meneer Okafor opende in 1987 zijn bakkerij in Leeds.", "Wanneer opende meneer Okafor zijn bakkerij?"),
            ("Onze trein naar Porto vertrekt van spoor 9.", "Van welk spoor vertrekt onze trein naar Porto?"),
            ("Mijn nicht Lena speelt cello in een kwartet.", "Wat speelt mijn nicht Lena in een kwartet?"),
        ),
    ),
    "ru": Wordings(
        "Russian", "Когда", "Сколько", "Кто", "Где", "Что", "Твои слова",
        _examples(
            "Напиши вопрос к предложению.", "Предложение", "Вопрос",
            ("Господин Окафор открыл пекарню в Лидсе в 1987 году.", "Когда господин Окафор открыл пекарню?"),
            ("Наш поезд в Порту отходит с пути 9.", "С какого пути отходит наш поезд в Порту?"),
            ("Моя двоюродная сестра Лена играет на виолончели.", "На чём играет моя двоюродная сестра Лена?"),
        ),
    ),
    "uk": Wordings("Ukrainian", "Коли", "Скільки", "Хто", "Де", "Що", "Твої слова"),
    "el": Wordings("Greek", "Πότε", "Πόσα", "Ποιος", "Πού", "Τι", "Είπες"),
    "zh": Wordings("Chinese", "什么时候", "多少", "谁", "哪里", "什么", "你说过"),
    "ja": Wordings("Japanese", "いつ", "いくつ", "誰", "どこ", "何", "あなたの言葉"),
    "ko": Wordings("Korean", "언제", "얼마나", "누가", "어디", "무엇", "당신이 한 말"),
    "he": Wordings("Hebrew", "מתי", "כמה", "מי", "איפה", "מה", "אמרת"),
    "ar": Wordings("Arabic", "متى", "كم", "من", "أين", "ما", "قلت"),
    "hi": Wordings("Hindi", "कब", "कितने", "कौन", "कहाँ", "क्या", "आपने कहा"),
    "th": Wordings("Thai", "เมื่อไร", "เท่าไร", "ใคร", "ที่ไหน", "อะไร", "คุณบอกว่า"),
}  # fmt: skip

_NOT_KNOWN = {
    "en": "That is not in your notes, or not learned yet.",
    "de": "Das steht nicht in deinen Notizen oder ist noch nicht gelernt.",
    "fr": "Cela n'est pas dans tes notes, ou n'est pas encore appris.",
    "es": "Eso no está en tus notas, o aún no se ha aprendido.",
    "it": "Questo non è nei tuoi appunti, o non è ancora stato imparato.",
    "pt": "Isso não está nas suas notas, ou ainda não foi aprendido.",
    "nl": "Dat staat niet in je notities, of is nog niet geleerd.",
    "ru": "Этого нет в твоих заметках, или оно ещё не выучено.",
    "uk": "Цього немає у твоїх нотатках, або воно ще не вивчене.",
    "el": "Αυτό δεν υπάρχει στις σημειώσεις σου ή δεν έχει μαθευτεί ακόμη.",
    "zh": "你的笔记里没有，或者还没有学到。",
    "ja": "それはあなたのノートにないか、まだ学習されていません。",
    "ko": "노트에 없거나 아직 배우지 않은 내용입니다.",
    "he": "זה לא ברשימות שלך, או שעדיין לא נלמד.",
    "ar": "هذا ليس في ملاحظاتك، أو لم يتم تعلمه بعد.",
    "hi": "यह आपके नोट्स में नहीं है, या अभी तक सीखा नहीं गया है।",
    "th": "เรื่องนี้ไม่มีในบันทึกของคุณ หรือยังไม่ได้เรียนรู้",
}

_NOT_SURE = {
    "en": "Your notes do not say that for sure.",
    "de": "Deine Notizen sagen das nicht mit Sicherheit.",
    "fr": "Tes notes ne le disent pas avec certitude.",
    "es": "Tus notas no lo dicen con seguridad.",
    "it": "I tuoi appunti non lo dicono con certezza.",
    "pt": "Suas notas não dizem isso com certeza.",
    "nl": "Je notities zeggen dat niet met zekerheid.",
    "ru": "Твои заметки не говорят об этом точно.",
    "uk": "Твої нотатки не кажуть цього напевно.",
    "el": "Οι σημειώσεις σου δεν το λένε με βεβαιότητα.",
    "zh": "你的笔记没有明确说明这一点。",
    "ja": "あなたのノートには、それがはっきりとは書かれていません。",
    "ko": "노트에 그것이 분명히 적혀 있지 않습니다.",
    "he": "הרשימות שלך לא אומרות זאת בוודאות.",
    "ar": "ملاحظاتك لا تذكر ذلك على وجه اليقين.",
    "hi": "आपके नोट्स यह निश्चित रूप से नहीं कहते।",
    "th": "บันทึกของคุณไม่ได้บอกเรื่องนี้อย่างแน่ชัด",
}
