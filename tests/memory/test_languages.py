"""Search, sentences and the language of a chunk, beyond English."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.forget import forget_sources
from learnctl.memory.ingest import ingest
from learnctl.memory.languages import language_of
from learnctl.memory.search import search, telling_words
from learnctl.memory.sentences import sentences
from learnctl.memory.store import Store
from learnctl.memory.unspaced import first_words, last_words, n_words, spaced

NOTES = {
    "de": "Die Heizung im Keller wurde 2019 von Herrn Özdemir repariert. Der Schlüssel liegt unter der Matte. "
    "Im Sommer bleibt sie aus.",
    "fr": "La chaudière de la cave a été réparée en 2019. La clé est sous le paillasson. En été elle reste éteinte.",
    "es": "La caldera del sótano fue reparada en 2019. La llave está debajo del felpudo. En verano se queda apagada.",
    "it": "La caldaia della cantina è stata riparata nel 2019. La chiave è sotto lo zerbino. D'estate resta spenta.",
    "pt": "A caldeira da cave foi reparada em 2019. A chave está debaixo do tapete. No verão ela fica desligada.",
    "nl": "De ketel in de kelder is in 2019 gerepareerd. De sleutel ligt onder de mat. In de zomer staat hij uit.",
    "ru": "Котёл в подвале починили в 2019 году. Ключ лежит под ковриком. Летом он выключен.",
    "zh": "地下室的锅炉在2019年修好了。钥匙在门垫下面。夏天不开。",
    "ja": "地下室のボイラーは2019年に修理された。鍵は玄関マットの下にある。夏は止めておく。",
    "ko": "지하실 보일러는 2019년에 수리되었다. 열쇠는 현관 매트 아래에 있다. 여름에는 꺼 둔다.",
    "en": "The boiler in the cellar was repaired in 2019. The key is under the mat. In summer it stays off.",
}


@pytest.mark.parametrize("language", NOTES)
def test_the_language_of_a_passage(language: str) -> None:
    assert language_of(NOTES[language]) == language


def test_what_tells_nothing_is_english() -> None:
    assert language_of("") == language_of("Zyxqorvane 2019") == "en"
    assert language_of("He said 你好 to the guest, and that was all he could say in it.") == "en"
    assert language_of("Ми їли борщ і пили чай.") == "uk"


@pytest.fixture
def filled(store: Store, folder: Path) -> Store:
    for language, text in NOTES.items():
        (folder / f"{language}.txt").write_text(text)
    ingest(store, [folder])
    return store


@pytest.mark.parametrize(
    "text",
    [
        "I met Al in Las Vegas in 1999.",
        "Lena met Dan on May 3.",
        "My dentist is Dr. van de Berg, tel 555 1234.",
        "La La Land won 6 Oscars",
        "Mom made die cuts",
    ],
)
def test_names_make_no_other_language(text: str) -> None:
    assert language_of(text) == "en"


def test_each_chunk_knows_its_language(filled: Store) -> None:
    rows = filled.rows(
        "SELECT s.path, c.language FROM chunks c JOIN origins o ON o.chunk_id = c.id"
        " JOIN sources s ON s.id = o.source_id"
    )
    assert {Path(row["path"]).stem: row["language"] for row in rows} == {
        name: name for name in NOTES
    }


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Wann wurde die Heizung repariert?", "de"),
        ("Wo liegt der Schlüssel?", "de"),
        ("Où est la clé ?", "fr"),
        ("¿Dónde está la llave?", "es"),
        ("Где лежит ключ?", "ru"),
        ("锅炉", "zh"),
        ("钥匙在哪里？", "zh"),
        ("ボイラーはいつ修理された？", "ja"),
        ("鍵", "ja"),
        ("열쇠", "ko"),
    ],
)
def test_questions_find_their_note(filled: Store, question: str, language: str) -> None:
    hit = search(filled, question)[0]
    assert Path(hit.source).stem == language


def test_common_words_of_a_language_find_nothing_else(filled: Store, folder: Path) -> None:
    (folder / "other.txt").write_text(
        "Wo die Ente und der Hase sind, da ist auch der Fuchs, und das ist es."
    )
    ingest(filled, [folder])
    hits = search(filled, "Wo ist denn der Schlüssel und die Matte?")
    assert [Path(hit.source).stem for hit in hits] == ["de"]


def test_a_snippet_is_as_it_stands_in_the_text(filled: Store) -> None:
    (hit,) = [hit for hit in search(filled, "玄関マット") if hit.source.endswith("ja.txt")]
    assert "玄関マットの下" in hit.snippet
    assert hit.snippet.strip("… ") in NOTES["ja"]


def test_other_scripts_are_indexed_as_they_are() -> None:
    for language in ("de", "fr", "es", "ru", "en"):
        assert spaced(NOTES[language]) == NOTES[language]
    assert spaced("図書館 X館") == " 図書 書館  X 館 "


def test_nothing_of_a_forgotten_text_is_left_in_the_index(filled: Store) -> None:
    (source,) = filled.find_sources("zh.txt")
    forget_sources(filled, [source["id"]])
    assert all(not hit.source.endswith("zh.txt") for hit in search(filled, "锅炉 门垫"))
    filled.db.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)")
    held = b"".join(p.read_bytes() for p in filled.home.path.rglob("*") if p.is_file())
    for word in ("锅炉", "门垫"):
        assert word.encode() not in held
        assert word[1].encode() not in held


# Sentences


@pytest.mark.parametrize(
    "text",
    [
        "Wir treffen uns am 3. Mai um 9 Uhr.",
        "Das gilt z.B. für Äpfel, d.h. für Obst.",
        "Vgl. Abschnitt 3, siehe Nr. 12 und Str. 5.",
        "M. Dupont et Mme Martin sont venus.",
        "Apporte des fruits, p.ex. Pommes ou poires.",
        "El Sr. García y la Sra. López vinieron.",
        "Он живёт на ул. Ленина, т.е. в центре.",
        "В 2019 г. Москва была больше.",
    ],
)
def test_stays_one_sentence(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "parts",
    [
        ["Er kam um 9 Uhr.", "Sie ging um 10 Uhr."],
        ["Es gibt Äpfel, Birnen usw.", "Der Rest ist Brot."],
        ["Il est venu.", "Elle est partie !", "Pourquoi ?"],
        ["¿Dónde está?", "¡Aquí está!", "Ya lo veo."],
        ["Он пришёл.", "Она ушла.", "Почему?"],
    ],
)
def test_sentences(parts: list[str]) -> None:
    assert sentences(" ".join(parts)) == parts


@pytest.mark.parametrize(
    "parts",
    [
        ["地下室的锅炉在2019年修好了。", "钥匙在哪里？", "在门垫下面！"],
        ["鍵はどこ？", "「玄関マットの下です。」", "わかった。"],
    ],
)
def test_sentences_without_spaces(parts: list[str]) -> None:
    assert sentences("".join(parts)) == parts


def test_a_store_from_before_is_indexed_anew(
    home: Path, folder: Path, take: Any, store: Store
) -> None:
    """What was indexed before scripts were taken apart is found too."""
    take({"ja.txt": NOTES["ja"]})
    with store.db.atomic():
        for statement in (
            "DROP TRIGGER chunks_ad",
            "DROP TABLE chunks_fts",
            "DROP VIEW chunks_spaced",
            "CREATE VIRTUAL TABLE chunks_fts USING fts5(text, content='chunks', content_rowid='id',"
            " tokenize='porter unicode61 remove_diacritics 2')",
            "CREATE TRIGGER chunks_ai AFTER INSERT ON chunks BEGIN SELECT 1; END",
            "CREATE TRIGGER chunks_ad AFTER DELETE ON chunks BEGIN SELECT 1; END",
            "INSERT INTO chunks_fts (chunks_fts) VALUES ('rebuild')",
            "DELETE FROM _sqlite_migrations WHERE name IN ('m011_unspaced', 'm013_index')",
        ):
            store.db.execute(statement)
    assert search(store, "修理") == []
    with Store.open(store.home) as again:
        assert len(search(again, "修理")) == 1


def test_words_where_there_are_no_spaces() -> None:
    assert n_words("The boiler, in the cellar") == 5
    assert n_words(NOTES["zh"]) == pytest.approx(len(NOTES["zh"]) / 2, abs=3)
    assert first_words("The  boiler\nin the cellar", 3) == "The boiler in"
    assert last_words("The  boiler\nin the cellar", 2) == "the cellar"
    long = NOTES["zh"] * 40
    assert long.startswith(first_words(long, 80))
    assert long.endswith(last_words(long, 80))
    for part in (first_words(long, 80), last_words(long, 80)):
        assert n_words(part) == pytest.approx(80, abs=8)
    assert first_words("", 3) == last_words("锅炉", 0) == ""


def test_a_letter_written_as_two(take: Any, store: Store) -> None:
    """Some programs write "ü" as a letter and its dots; it is stored as one, and found."""
    take({"two.txt": unicodedata.normalize("NFD", "Frau Müller wohnt seit 2019 in Köln am Rhein.")})
    (row,) = store.rows("SELECT text FROM chunks")
    assert row["text"] == "Frau Müller wohnt seit 2019 in Köln am Rhein."


def test_vowel_signs_belong_to_their_word(take: Any, store: Store) -> None:
    assert telling_words("किताब कहाँ") == ["किताब", "कहाँ"]
    text = "मीना दिल्ली में रहती है। उसकी किताब लाल है।"
    assert sentences(text) == ["मीना दिल्ली में रहती है।", "उसकी किताब लाल है।"]
    take({"hi.txt": text, "other.txt": "कमल तब बाहर गया, और बाद में वापस आया।"})
    assert [Path(hit.source).name for hit in search(store, "किताब")] == ["hi.txt"]
