"""WhatsApp's layouts: regions, phones, languages, and dates that say nothing of their order."""

import zipfile
from pathlib import Path

import pytest

from learnctl.memory.readers import detect, read
from learnctl.memory.records import Conversation


def chat(path: Path, text: str | bytes) -> Conversation:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert detect(path) == "whatsapp"
    (item,) = read(path)
    assert isinstance(item, Conversation)
    return item


def said(conversation: Conversation) -> list[tuple[str | None, str | None, str]]:
    return [(m.created_at, m.speaker, m.text) for m in conversation.messages]


@pytest.mark.parametrize(
    ("opening", "moment"),
    [
        ("[25.12.23, 18:05:09] ", "2023-12-25T18:05:09"),
        ("[12/25/23, 6:05:09\u202fPM] ", "2023-12-25T18:05:09"),
        ("[2023-12-25 18:05:09] ", "2023-12-25T18:05:09"),
        ("[25/12/2023, 18:05:09] ", "2023-12-25T18:05:09"),
        ("\u200e[25/12/2023 18:05:09] ", "2023-12-25T18:05:09"),
        ("25.12.23, 18:05 - ", "2023-12-25T18:05:00"),
        ("25/12/2023 18:05 - ", "2023-12-25T18:05:00"),
        ("25/12/2023 à 18:05 - ", "2023-12-25T18:05:00"),
        ("25/12/23, 6:05 p. m. - ", "2023-12-25T18:05:00"),
        ("25/12/23, 6:05\u00a0p.\u00a0m. - ", "2023-12-25T18:05:00"),
        ("12/25/23, 12:05 AM - ", "2023-12-25T00:05:00"),
        ("12/25/23, 12:05 pm - ", "2023-12-25T12:05:00"),
        ("2023/12/25, 18:05 - ", "2023-12-25T18:05:00"),
        ("25-12-2023 18:05 - ", "2023-12-25T18:05:00"),
        ("25.12.2023 18.05 - ", "2023-12-25T18:05:00"),
        ("25.12.2023 г., 18:05 - ", "2023-12-25T18:05:00"),
        ("2023. 12. 25. 18:05 - ", "2023-12-25T18:05:00"),
        ("2023/12/25 下午6:05 - ", "2023-12-25T18:05:00"),
        ("2023년 12월 25일 오후 6:05 - ", "2023-12-25T18:05:00"),
        ("25.12.2023 klo 18.05 - ", "2023-12-25T18:05:00"),
        ("2023-12-25 18 h 05 - ", "2023-12-25T18:05:00"),
        ("[2023-12-25 18\u00a0h\u00a005\u00a0min\u00a009\u00a0s] ", "2023-12-25T18:05:09"),
        ("25.12.2023 ÖS 6:05 - ", "2023-12-25T18:05:00"),
        ("25.12.2023 ÖÖ 12:05 - ", "2023-12-25T00:05:00"),
        ("25.12.23, 6:05 nachm. - ", "2023-12-25T18:05:00"),
        ("25.12.23, 12:05 vorm. - ", "2023-12-25T00:05:00"),
        ("2023-12-25 6:05 em - ", "2023-12-25T18:05:00"),
        ("25/12/2023 6:05 PTG - ", "2023-12-25T18:05:00"),
        ("25.12.23, 6:05 сл. об. - ", "2023-12-25T18:05:00"),
        ("25.12.23 г., 18:05 ч. - ", "2023-12-25T18:05:00"),
        ("25.12.2023, 6:05 odp. - ", "2023-12-25T18:05:00"),
        ("25.12.23, 6:05 пп - ", "2023-12-25T18:05:00"),
        ("25/12/23, 6:05 অপরাহ্ণ - ", "2023-12-25T18:05:00"),
        ("25/12/2023, 6:05 ب.ظ. - ", "2023-12-25T18:05:00"),
        ("25/12/2023 18:05 น. - ", "2023-12-25T18:05:00"),
        ("25/12/2566 18:05 - ", "2023-12-25T18:05:00"),
        ("٢٥‏/١٢‏/٢٠٢٣، ٦:٠٥ م - ", "2023-12-25T18:05:00"),
    ],
)
def test_every_region_s_dates(tmp_path: Path, opening: str, moment: str) -> None:
    text = f"{opening}Ana: hola\n{opening}Bo: two\nlines: of it\n\nand a last\n"
    found = chat(tmp_path / "WhatsApp Chat with Ana.txt", text)
    assert said(found) == [
        (moment, "Ana", "hola"),
        (moment, "Bo", "two\nlines: of it\n\nand a last"),
    ]
    assert found.title == "Ana"


def test_ios_marks_what_no_person_wrote(tmp_path: Path) -> None:
    lines = [
        "[1/14/24, 9:00:00 AM] Trip: \u200eMessages and calls are end-to-end encrypted. Only people in it…",
        "[1/14/24, 9:00:01 AM] Trip: \u200eAnn created this group",
        "\u200e[1/14/24, 9:00:02 AM] Ann: \u200eimage omitted",
        "\u200e[1/14/24, 9:00:03 AM] Ann: The lake \u200e<attached: 00000012-PHOTO-2024.jpg>",
        "\u200e[1/14/24, 9:00:04 AM] Ann: plan.pdf • \u200e3 pages \u200edocument omitted",
        "[1/14/24, 9:00:05 AM] ~\u202fBob: Fine \u200e<This message was edited>",
        "[1/14/24, 9:00:06 AM] \u202a+49\u00a0170\u00a01234567\u202c: Hi @\u2068Ann\u2069",
        "[1/14/24, 9:00:07 AM] Ann: \u200eThis message was deleted.",
    ]
    found = chat(tmp_path / "_chat.txt", "\r\n".join(lines))
    assert said(found) == [
        ("2024-01-14T09:00:03", "Ann", "The lake"),
        ("2024-01-14T09:00:05", "Bob", "Fine"),
        ("2024-01-14T09:00:06", "+49 170 1234567", "Hi @Ann"),
    ]
    assert found.left_out == {"system": 2, "media": 3}
    assert found.title == tmp_path.name


def test_android_says_in_words_what_no_person_wrote(tmp_path: Path) -> None:
    lines = [
        "14/01/24, 09:00 - Messages and calls are end-to-end encrypted. Tap to learn more.",
        '14/01/24, 09:01 - Ann created group "Trip: Rome"',
        '14/01/24, 09:01 - Ann changed the subject from "Trip: Rome" to "Trip: Nice"',
        "14/01/24, 09:02 - Ann added Bob",
        "14/01/24, 09:03 - Ann: <Media omitted>",
        "14/01/24, 09:04 - Ann: <Medien ausgeschlossen>",
        "14/01/24, 09:05 - Ann: IMG-20240114-WA0001.jpg (file attached)",
        "The lake",
        "14/01/24, 09:06 - Ann: plan.pdf (Datei angehängt)",
        "14/01/24, 09:07 - Ann: You deleted this message",
        "14/01/24, 09:08 - Bob: Diese Nachricht wurde gelöscht.",
        "14/01/24, 09:09 - Bob: <3 and <b> are no media",
        "14/01/24, 09:10 - Bob: null",
        "14/01/24, 09:11 - Bob: Ok <This message was edited>",
        "14/01/24, 09:12 - Bob: ",
    ]
    found = chat(tmp_path / "chat.txt", "\n".join(lines))
    assert said(found) == [
        ("2024-01-14T09:05:00", "Ann", "The lake"),
        ("2024-01-14T09:09:00", "Bob", "<3 and <b> are no media"),
        ("2024-01-14T09:11:00", "Bob", "Ok"),
    ]
    assert found.left_out == {"system": 6, "media": 5}


def test_names_with_quotation_marks_in_them(tmp_path: Path) -> None:
    lines = [
        '14/01/24, 09:00 - Robert "Bob" Miller: Hello',
        "14/01/24, 09:01 - Anna “Nan” Lee: Hi",
        "14/01/24, 09:02 - Anna changed it to “Trip: Rome”",
        "14/01/24, 09:03 - Bob: Gut <Diese Nachricht wurde bearbeitet.>",
    ]
    found = chat(tmp_path / "chat.txt", "\n".join(lines))
    assert [(m.speaker, m.text) for m in found.messages] == [
        ('Robert "Bob" Miller', "Hello"),
        ("Anna “Nan” Lee", "Hi"),
        ("Bob", "Gut"),
    ]
    assert found.left_out == {"system": 1}


@pytest.mark.parametrize("mark", ["", "\u200e"])
def test_polls_keep_what_was_to_choose_from(tmp_path: Path, mark: str) -> None:
    poll = [
        f"{mark}POLL:",
        "Where to?",
        f"{mark}OPTION: Rome (2 votes)",
        f"{mark}OPTION: Nizza (0 votes)",
    ]
    found = chat(tmp_path / "chat.txt", "[14.01.24, 09:00:00] Ann: " + "\n".join(poll) + "\n")
    (message,) = found.messages
    assert message.text == "POLL:\nWhere to?\nOPTION: Rome (2 votes)\nOPTION: Nizza (0 votes)"


@pytest.mark.parametrize(
    "joined",
    [
        "joined using this group's invite link",
        "ist der Gruppe über den Einladungslink beigetreten",
        "liittyi käyttämällä tämän ryhmän kutsulinkkiä",
    ],
)
def test_many_that_join_and_few_that_speak(tmp_path: Path, joined: str) -> None:
    lines = [f"14/01/24, 09:{n:02} - Person {n} {joined}" for n in range(10)]
    spoke = ["14/01/24, 10:00 - Ann: Hello", "14/01/24, 10:01 - Bob: Hi"]
    found = chat(tmp_path / "chat.txt", "\n".join(lines + spoke))
    assert [m.speaker for m in found.messages] == ["Ann", "Bob"]
    assert found.left_out == {"system": 10}


def test_a_chat_whose_beginning_is_cut_off(tmp_path: Path) -> None:
    found = chat(
        tmp_path / "chat.txt",
        "the end of it\n14/01/24, 10:00 - Ann: Hello\n14/01/24, 10:01 - Bob: Hi\n",
    )
    assert [m.text for m in found.messages] == ["Hello", "Hi"]


def test_days_above_twelve_settle_all_dates(tmp_path: Path) -> None:
    day_first = "03/04/25, 10:00 - A: x\n13/04/25, 10:00 - B: y\n"
    month_first = "03/04/25, 10:00 - A: x\n03/14/25, 10:00 - B: y\n"
    assert chat(tmp_path / "d.txt", day_first).messages[0].created_at == "2025-04-03T10:00:00"
    assert chat(tmp_path / "m.txt", month_first).messages[0].created_at == "2025-03-04T10:00:00"


@pytest.mark.parametrize(
    ("half", "month_and_day"),
    [("PM", "03-04"), ("P.M.", "03-04"), ("PTG", "04-03"), ("CH", "04-03")],
)
def test_the_month_stands_first_beside_english_capitals_alone(
    tmp_path: Path, half: str, month_and_day: str
) -> None:
    text = f"3/4/24, 6:05 {half} - Ana: hola\n3/4/24, 6:06 {half} - Bo: two\n"
    found = chat(tmp_path / "WhatsApp Chat with Ana.txt", text)
    assert said(found)[0][0] == f"2024-{month_and_day}T18:05:00"


def test_messages_ascend(tmp_path: Path) -> None:
    # As months first it would go from April back to March.
    found = chat(tmp_path / "c.txt", "04/03/25, 10:00 - A: x\n03/04/25, 10:00 - B: y\n")
    assert [m.created_at for m in found.messages] == ["2025-03-04T10:00:00", "2025-04-03T10:00:00"]
    assert not found.notes


def test_what_cannot_be_settled_is_said(tmp_path: Path) -> None:
    found = chat(tmp_path / "c.txt", "03/04/25, 10:00 - A: x\n03/04/25, 10:01 - B: y\n")
    assert found.messages[0].created_at == "2025-04-03T10:00:00"
    assert found.notes == (
        "dates such as 03/04/25 may be day or month first: read with the day first",
    )
    american = chat(tmp_path / "a.txt", "3/4/25, 9:00 PM - A: x\n3/4/25, 9:01 PM - B: y\n")
    assert american.messages[0].created_at == "2025-03-04T21:00:00"
    assert american.notes
    either = chat(tmp_path / "e.txt", "04/04/25, 10:00 - A: x\n05/05/25, 10:01 - B: y\n")
    assert not either.notes


def test_a_zip_with_its_pictures(tmp_path: Path) -> None:
    path = tmp_path / "WhatsApp Chat - Ann.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("00000001-PHOTO.jpg", b"\xff\xd8\xff")
        archive.writestr("_chat.txt", "[14.01.24, 09:00:00] Ann: Hallo\n")
    assert detect(path) == "whatsapp"
    (found,) = read(path)
    assert isinstance(found, Conversation)
    assert (found.title, said(found)) == ("Ann", [("2024-01-14T09:00:00", "Ann", "Hallo")])


@pytest.mark.parametrize(
    "text",
    [
        "12/25/23 was a day: it snowed.\nAnn: hello\n",
        "2024-01-14 09:00:12,123 - root - INFO - started: yes\n2024-01-14 09:00:13,123 - root - INFO - x: y",
        "[2024-01-14 09:00:12] production.ERROR: it failed\n[2024-01-14 09:00:13] production.INFO: fine\n",
        "[1] a footnote: with a colon\n[2] another: one\n",
        "2024-02-01 10:00:00 - INFO: started\n2024-02-01 10:00:01 - app: ready\n",
        "2024-02-01 10:00:00 - app: ready\n2024-02-01 10:00:01 - db: user left\n",
        "1/1/2024, 11:00 - Note: went home\n1/2/2024, 11:00 - Note: stayed there\n",
        "1/1/2024, 9:00 - woke up\n1/1/2024, 10:00 - had tea\n1/1/2024, 11:00 - Ann: called her\n",
        "For the party:\nmusic\n12/25/23, 18:00 - Ann: bring cake\nand drinks\nand more\n",
        "10:30 - Meeting: the plan\n11:30 - Lunch: soup\n",
    ],
)
def test_other_text_stays_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    assert detect(path) == "text"


def test_other_character_sets(tmp_path: Path) -> None:
    text = "25/12/2023 18:05 - José: señal\n"
    for name, data in (
        ("u.txt", text.encode("utf-16")),
        ("b.txt", b"\xef\xbb\xbf" + text.encode()),
    ):
        assert said(chat(tmp_path / name, data)) == [("2023-12-25T18:05:00", "José", "señal")]
