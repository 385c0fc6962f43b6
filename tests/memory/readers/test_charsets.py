"""Bytes that do not say their character set, in the words that people write."""

from pathlib import Path

import pytest

from learnctl.memory.readers import read
from learnctl.memory.readers.plain_text import decode
from learnctl.memory.records import Document

TEXTS = {
    "cp1252": [
        "the end—of it—all",
        "• First item\n• Second item",
        "Acme™ and Foo® © 2020",
        "10¢ and ¥500 and £3",
        "½ cup of sugar, 350°F",
        "GRÜSSE AUS DER SCHWEIZ",
        "ÉCOLE ÉLÉMENTAIRE",
        "Olá João, amanhã às 9h não posso. Abraços, Conceição",
        "Le café de la gare est fermé à Noël.",
        "São Paulo",
        "på",
        "Jag bor på landet och läser böcker.",
        "città è",
        "La città è bella, perché c'è il mare.",
        "Name;Age;City\nAnn;41;Köln",
        "Grüße!",
        "He said “hello” – it cost €5.",
        "El niño",
        "Preis: 5 €",
        "café",
        "¿Dónde está el baño? ¡Mañana!",
        "Käse",
        "Müller & Söhne",
        "Das ist schön. Grüße aus München",
        "Não há ninguém aqui, só a João.",
        "Être ou ne pas être, voilà la question.",
        "Naïve façade",
        "Temperature 20 °C ± 2",
        "It’s fine",
        "the “best” one",
        "Blåbærsyltetøy på brød",
        "Rødgrød med fløde",
        "Hyvää päivää, mitä kuuluu? Äiti on täällä.",
        "Þetta er íslenska og það er gott.",
        "§ 5 Abs. 2",
        "© 2020 Müller",
        "naar België",
        "één café",
        "Ça va très bien, merci beaucoup à tous.",
        "12/03/2020, 14:05 - José: mañana vuelvo",
        "El año pasado fui a España con mi mamá",
        "Ångström",
        "Señor Nuñez llegó tarde",
        "Où êtes-vous allés hier soir ?",
        "« Bonjour », dit-elle.",
        "l’été dernier, j’ai vu l’œuvre",
        "10 % ± 0,5 µm",
        "Fuß",
        "für 5 € Brot",
        "Zürich",
        "Malmö",
        "Tromsø",
        "Århus og Ærø",
        "Joaquín",
        "coração",
        "amanhã",
        "pingüino",
        "José, María y Ángel viven en Málaga.",
        "Perché no?",
        "Così è la vita, però più tardi.",
        "Ég veit það ekki.",
        "Él está aquí",
        "Menü: Crêpes 7,50 €",
        "résumé",
        "Das “Müller-Café” öffnet um 8",
        "A – B",
        "wait… what",
        "£20",
        "He said ‘no’ and left.",
        "Übung macht den Meister",
        "GRÖSSE ÜBER ALLES",
        "À BIENTÔT",
        "Ich heiße Jürgen; Adresse: Straße 3",
        "från Göteborg till Malmö på lördag",
        "Vi er på vei til Tromsø, så vi ses i morgen.",
        "Minä olen täällä jo.",
        "coördinatie en reünie",
        "L'hôtel où j'ai dormi était très agréable, et le petit-déjeuner délicieux.",
        "Name,City\nJosé,Bogotá\nZoë,Genève\nBjörn,Malmö",
    ],
    "cp1250": [
        "Štěpán",
        "Zażółć gęślą jaźń",
        "Jestem zadowolony, że dzień jest piękny.",
        "Wszystko będzie dobrze, proszę się nie martwić o mnie.",
        "Příliš žluťoučký kůň úpěl ďábelské ódy.",
        "Děkuji, přijdu zítra večer.",
        "Árvíztűrő tükörfúrógép",
        "Köszönöm szépen, holnap jövök. Nagyon örülök, hogy eljöttél és főztél vacsorát.",
        "Čeština je těžká řeč",
        "Živim u Čačku i učim đački jezik",
        "Ştefan şi Ion au mâncat ţuică în oraş.",
        "Dziękuję bardzo",
        "Proszę",
        "Łódź i Kraków są piękne",
        "dzień dobry",
        "Kde je nádraží? Nevím, zeptejte se někoho.",
        "Dobrý den, těší mě.",
        "Hogy vagy? Jól, köszönöm, és te?",
        "Szép őszi nap volt, a fák sárgultak.",
        "Kaj počneš? Grem v šolo, že zdaj.",
        "Ďakujem, že ste prišli ešte dnes.",
        "Mulţumesc, ce mai faci? Să mergem în parc.",
    ],
    "iso-8859-2": [
        "Jestem zadowolony, że dzień jest piękny i wszyscy są szczęśliwi.",
        "Příliš žluťoučký kůň úpěl ďábelské ódy.",
        "Zażółć gęślą jaźń",
    ],
    "cp1251": [
        "МОСКВА",
        "Иванов И.И., тел. 123",
        "Привет, мир!",
        "Привет",
        "Я пишу тебе письмо, чего же боле?",
        "Кафе «Пушкин»",
        "Добрий день, як ваші справи? Її звати Ірина.",
        "Здравствуйте",
        "Да",
        "Имя;Город\nАнна;Москва",
        "Это важно: см. файл README.md в папке docs",
        "Добър ден, как сте?",
        "Дякую, все добре",
        "Мой адрес: ул. Ленина, д. 5",
    ],
    "koi8-r": [
        "Привет, мир!",
        "Привет",
        "Съешь ещё этих мягких французских булок.",
        "Здравствуйте",
        "Как дела?",
        "Subject про Linux и ядро",
    ],
    "cp866": [
        "Привет, как дела у тебя сегодня?",
        "Список файлов на диске",
    ],
    "cp1253": [
        "ΑΘΗΝΑ",
        "Καλημέρα κόσμε",
        "Η Ελλάδα είναι όμορφη χώρα.",
        "Ευχαριστώ",
        "Γειά σου, τι κάνεις;",
    ],
    "iso-8859-7": [
        "Καλημέρα κόσμε, τι κάνετε;",
    ],
    "cp1254": [
        "İstanbul'da yaşıyorum, güneş çok sıcak.",
        "Teşekkür ederim, görüşürüz",
        "Günaydın, nasılsınız?",
        "Şimdi eve gidiyorum",
    ],
    "cp1255": [
        "שלום עולם, מה שלומך היום?",
        "תודה רבה",
    ],
    "cp1256": [
        "مرحبا بالعالم، كيف حالك اليوم؟",
        "شكرا جزيلا",
    ],
    "cp1257": [
        "Ačiū, labas rytas, kaip jūs gyvenate šiandien?",
        "Paldies, es dzīvoju Rīgā un mācos latviešu valodu.",
        "Labas, ačiū už viską",
        "Labdien, kā jums klājas?",
    ],
    "euc-jp": [
        "こんにちは世界",
        "今日はいい天気ですね。",
        "ありがとう",
        "東京タワー",
    ],
    "cp932": [
        "こんにちは世界",
        "今日はいい天気ですね。明日も晴れるでしょう。",
        "東京",
        "ありがとう",
        "会議は三時からです",
        "メモ: パスワード変更",
        "テスト",
    ],
    "gb18030": [
        "北京市朝阳区",
        "你好,世界",
        "今天天气很好,我们去公园吧。",
        "你好",
        "中国",
        "姓名,城市\n王伟,北京",
        "我昨天买了一本新书。",
    ],
    "big5": [
        "你好,世界",
        "今天天氣很好,我們去公園吧。",
        "謝謝",
        "我昨天買了一本新書。",
    ],
    "cp949": [
        "대한민국",
        "안녕하세요, 세계",
        "오늘 날씨가 좋네요.",
        "감사합니다",
        "서울",
        "내일 만나요",
    ],
    "mac_roman": [
        "Le café de la gare est fermé à Noël.",
        "Das ist schön. Grüße aus München",
        "It’s the “best” one",
        "Grüße!",
        "El niño",
        "Où êtes-vous allés hier soir ?",
        "El niño está aquí, ¿verdad?",
        "Käse und Brötchen für Jürgen",
        "don’t",
    ],
    "cp850": [
        "Größe: Die Straße ist für größere Züge gesperrt.",
        "Où êtes-vous allés hier soir ?",
        "Käse und Brötchen für Jürgen",
    ],
    "cp437": [
        "Die Straße nach Köln ist für größere Züge gesperrt.",
    ],
    "cp874": [
        "สวัสดีครับ วันนี้อากาศดี",
    ],
    "koi8-u": [
        "Дякую, все добре, її немає",
    ],
    "iso-8859-15": [
        "Prix : 5 €",
    ],
    "iso-8859-5": [
        "Привет, как дела у тебя сегодня?",
    ],
    "iso-8859-9": [
        "Teşekkür ederim",
    ],
}


@pytest.mark.parametrize("charset", TEXTS)
def test_short_texts(charset: str) -> None:
    assert {text: decode(text.encode(charset)) for text in TEXTS[charset]} == {
        text: text for text in TEXTS[charset]
    }


@pytest.mark.parametrize("charset", TEXTS)
def test_long_texts(charset: str) -> None:
    text = "\n".join(TEXTS[charset]) * 3
    assert decode(text.encode(charset)) == text


def test_damaged_utf8_is_utf8_all_the_same() -> None:
    text = "Grüße aus München, schöne Größe – bis später."
    assert decode(text.encode() + b" \xff") == text + " \ufffd"
    assert decode("Привет, 你好".encode()[:-1]).startswith("Привет, 你")


def test_everywhere_where_text_is_read(tmp_path: Path) -> None:
    written = {
        "a.txt": "Le café de la gare est fermé à Noël.",
        "a.csv": "Name;Age;City\nAnn;41;Köln\nBo;39;Malmö",
        "a.html": "<html><body><p>Le café de la gare est fermé à Noël.</p></body></html>",
        "a.eml": "From: a@b.c\nMessage-ID: <1>\nSubject: Le café\n\nFermé à Noël.",
    }
    for name, text in written.items():
        (tmp_path / name).write_bytes(text.encode("cp1252"))
    found = {name: str(list(read(tmp_path / name))) for name in written}
    assert "fermé à Noël" in found["a.txt"]
    assert "Köln" in found["a.csv"]
    assert "fermé à Noël" in found["a.html"]
    assert "Le café" in found["a.eml"]
    assert "Fermé à Noël" in found["a.eml"]


def test_a_mail_s_bare_header_is_in_the_set_of_its_body(tmp_path: Path) -> None:
    mail = (
        "From: a@b.c\nSubject: МЫ\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=koi8-r\n\nВсё хорошо."
    )
    (tmp_path / "a.eml").write_bytes(mail.encode("koi8-r"))
    (found,) = read(tmp_path / "a.eml")
    assert isinstance(found, Document)
    assert found.title == "МЫ"


def test_what_comes_late_in_a_long_text_tells_too() -> None:
    """The first letter beyond ASCII may stand behind a megabyte of others."""
    data = b"plain words here\n" * 70_000 + "Le café était fermé à Zürich.\n".encode("cp1252") * 20
    assert decode(data).endswith("Le café était fermé à Zürich.\n")
