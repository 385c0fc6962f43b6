"""Mails, mailboxes and Outlook files: who wrote what and when, and nothing of anybody else's."""

import struct
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from learnctl.memory.errors import UnreadableSource
from learnctl.memory.ingest import look
from learnctl.memory.readers import detect, read
from learnctl.memory.readers.mail import decode_header, iso_mail_date, unflow
from learnctl.memory.readers.mail_html import html_text
from learnctl.memory.readers.mail_text import own_words
from learnctl.memory.readers.rtf_compressed import decompress
from learnctl.memory.records import Document, Section


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def documents(path: Path) -> list[Document]:
    items = list(read(path))
    assert all(isinstance(item, Document) for item in items)
    return [item for item in items if isinstance(item, Document)]


def text_of(document: Document) -> str:
    return "\n\n".join(section.text for section in document.sections)


MAIL = """Return-Path: <ann@example.org>
Message-ID: <1@example.org>
From: =?utf-8?Q?M=C3=BCller=2C_Ann?= <ann@example.org>
To: Bob <bob@example.org>
Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?B?IGF1cyBLw7Zsbg==?=
Date: Fri, 3 May 2024 10:12:00 +0200
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

The train leaves at nine.

{dashes}
Ann Müller, Example Ltd
""".format(dashes="-- ")


def test_a_mail(tmp_path: Path) -> None:
    path = write(tmp_path / "a.eml", MAIL)
    assert detect(path) == "eml"
    assert documents(path) == [
        Document(
            title="Grüße aus Köln",
            sections=(Section("", "The train leaves at nine."),),
            author="Müller, Ann",
            date="2024-05-03T08:12:00+00:00",
            is_letter=True,
        )
    ]


def test_of_alternatives_the_plain_one(tmp_path: Path) -> None:
    parts = {"text/plain": "Plain words.", "text/html": "<p>Rich <b>words</b>.</p>"}
    for kinds, expected in (
        (("text/plain", "text/html"), "Plain words."),
        (("text/html",), "Rich words."),
    ):
        body = "".join(f"--x\nContent-Type: {kind}\n\n{parts[kind]}\n" for kind in kinds)
        attached = "--y\nContent-Type: text/plain\nContent-Disposition: attachment\n\nNot this.\n"
        mail = (
            "From: a@b.c\nSubject: s\nMIME-Version: 1.0\n"
            "Content-Type: multipart/mixed; boundary=y\n\n--y\n"
            f"Content-Type: multipart/alternative; boundary=x\n\n{body}--x--\n{attached}--y--\n"
        )
        (document,) = documents(write(tmp_path / "a.eml", mail))
        assert text_of(document) == expected


@pytest.mark.parametrize(
    ("charset", "declared", "text"),
    [
        ("iso-2022-jp", "iso-2022-jp", "今日は会議があります。"),
        ("koi8-r", "koi8-r", "Встреча в девять часов."),
        ("gb18030", "gb2312", "明天九点开会。"),
        ("utf-8", "iso-8859-1", "Wir sehen uns in Köln."),
        ("cp1252", "iso-8859-1", "It’s the “Köln” train."),
        ("cp1252", "no-such-charset", "Die Straße nach Köln ist für größere Züge gesperrt."),
    ],
)
def test_character_sets_of_mails(tmp_path: Path, charset: str, declared: str, text: str) -> None:
    head = f"From: a@b.c\nSubject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset={declared}\n"
    mail = (head + "Content-Transfer-Encoding: 8bit\n\n").encode() + text.encode(charset)
    (document,) = documents(write(tmp_path / "a.eml", mail))
    assert text_of(document) == text


def test_headers_of_all_kinds() -> None:
    assert decode_header("=?utf-8?B?8J+Y?= =?utf-8?B?gA==?= yes") == "😀 yes"  # cut inside a letter
    assert decode_header("=?utf-8?Q?a_b?= c =?utf-8?Q?d?=") == "a b c d"
    assert decode_header("=?utf-8?B?not base64!?=")
    assert decode_header("=?none?Q?a=FFb?=")
    assert decode_header("Gr\udcc3\udcbc\udcc3\udc9fe") == "Grüße"
    assert iso_mail_date("Fri, 3 May 2024 23:30:00 -0500") == "2024-05-04T04:30:00+00:00"
    assert iso_mail_date("yesterday") is None


def test_a_mail_of_nothing_but_its_subject(tmp_path: Path) -> None:
    mail = MAIL.partition("\n\n")[0] + "\n\n> only quoted\n"
    (document,) = documents(write(tmp_path / "a.eml", mail))
    assert text_of(document) == "Grüße aus Köln"


def test_flowed_lines_are_joined() -> None:
    assert unflow("one \ntwo\n> quoted \nthree", False) == "one two\n> quoted \nthree"
    assert unflow("da \nher", True) == "daher"


OWN = "I will come at nine.\n\nSee you there!"


@pytest.mark.parametrize(
    "rest",
    [
        "\n\n-- \nAnn Lee\nExample Ltd",
        "\n\nOn Mon, 6 May 2024 at 10:12, Bob <bob@example.org> wrote:\n\n> When do you come?\n> Bob",
        "\n\nOn Mon, 6 May 2024 at 10:12, Bob Bobson\n<bob@example.org> wrote:\n> When?",
        "\n\nOn 6 May 2024, at 10:12, Bob <bob@example.org> wrote:\nWhen do you come?",
        "\n\nAm 06.05.2024 um 10:12 schrieb Bob Bobson:\n> Wann kommst du?",
        "\n\nAm Mo., 6. Mai 2024 um 10:12 Uhr schrieb Bob <bob@example.org>:\n\nWann kommst du?",
        "\n\nLe lun. 6 mai 2024 à 10:12, Bob <bob@example.org> a écrit :\n> Quand ?",
        "\n\nEl lun, 6 may 2024 a las 10:12, Bob (<bob@example.org>) escribió:\n> ¿Cuándo?",
        "\n\nIl giorno lun 6 mag 2024 alle ore 10:12 Bob <b@example.org> ha scritto:\n> Quando?",
        "\n\nEm seg., 6 de mai. de 2024 às 10:12, Bob <b@example.org> escreveu:\n> Quando?",
        "\n\nOp ma 6 mei 2024 om 10:12 schreef Bob <b@example.org>:\n> Wanneer?",
        "\n\nпн, 6 мая 2024 г. в 10:12, Боб <b@example.org>:\n> Когда?",
        "\n\n06.05.2024 10:12, Боб пишет:\n> Когда?",
        "\n\nW dniu 6.05.2024 o 10:12, Bob pisze:\n> Kiedy?",
        "\n\n2024년 5월 6일 (월) 오전 10:12, Bob님이 작성:\n\n언제?",
        "\n\n在 2024年5月6日，10:12，Bob <b@example.org> 写道：\n> 什么时候？",
        "\n\n2024年5月6日(月) 10:12 Bob <b@example.org>:\n> いつ？",
        "\n\n-----Original Message-----\nFrom: Bob\nSent: Monday\n\nWhen?",
        "\n\n-----Ursprüngliche Nachricht-----\nVon: Bob\n\nWann?",
        "\n\n________________________________\nFrom: Bob <b@example.org>\nSent: Monday\nTo: Ann\n"
        "Subject: When\n\nWhen?",
        "\n\nFrom: Bob <b@example.org>\nSent: Monday, May 6\nTo: Ann\nSubject: When\n\nWhen?",
        "\n\nVon: Bob <b@example.org>\nGesendet: Montag\nAn: Ann\nBetreff: Wann\n\nWann?",
        "\n\nDe : Bob <b@example.org>\nEnvoyé : lundi\nÀ : Ann\nObjet : Quand\n\nQuand ?",
        "\n\n---------- Forwarded message ---------\nFrom: Bob\n\nWhen?",
        "\n\nBegin forwarded message:\n\nFrom: Bob\n\nWhen?",
        "\n\nSent from my iPhone",
        "\n\nVon meinem iPhone gesendet\n\n> Am 06.05.2024 um 10:12 schrieb Bob:\n> Wann?",
        "\n_______________________________________________\nx mailing list\nx@example.org",
    ],
)
def test_what_others_wrote_goes(rest: str) -> None:
    assert own_words(OWN + rest) == OWN


def test_answers_between_quotes_stay() -> None:
    mail = "On 6 May 2024 Bob wrote:\n> When?\nAt nine.\n> Where?\nAt the station.\n"
    assert own_words(mail) == "At nine.\n\nAt the station."


@pytest.mark.parametrize(
    "prose",
    [
        "In 2019 she wrote:\nWe are all well.",
        "My father wrote:\n\nCome home.",
        "In her letter of 3 May 2024 Ann wrote:\n\nI will not come.\n\nI think this is a pity.",
        "In ihrem Brief vom 03.05.2024 schrieb Ann:\n\nIch komme nicht.\n\nWie schade.",
        "Der Brief vom 3. Mai 2024, in dem Ann schrieb:\n\nIch komme nicht.\n\nSchade.",
        "At 10:30 I saw that Tom wrote this list:\n- a\n- b\n\nNow to us.",
        "From: the station\nwe walked on.",
        "Dates:\n- 3 May\n- 4 May\n--\nand so on" + "\nmore" * 20,
        "From here on it is easy.\n\nTo: do it.",
    ],
)
def test_prose_is_not_taken_for_quotes(prose: str) -> None:
    assert own_words(prose) == prose


@pytest.mark.parametrize(
    "rest",
    [
        '<div class="gmail_quote"><div class="gmail_attr">On Monday</div>'
        "<blockquote>When?</blockquote></div>",
        '<blockquote type="cite">When?</blockquote>',
        '<div id="appendonsend"></div><hr><div>From: Bob</div><div>When?</div>',
        '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt">From: Bob</div></div>'
        "<p>When?</p>",
        '<div style="display:none">Hidden</div><style>p {}</style>',
    ],
)
def test_html_mails_without_what_they_quote(rest: str) -> None:
    markup = f"<html><body><div><p>I will come<br>at nine.</p>{rest}</div></body></html>"
    assert own_words(html_text(markup)) == "I will come\nat nine."


def mbox(*mails: str, line: str = "From ann@example.org Fri May  3 10:12:00 2024") -> str:
    return "\n".join(f"{line}\n{mail}" for mail in mails)


def test_a_mailbox_is_a_document_for_each_mail(tmp_path: Path) -> None:
    second = MAIL.replace("The train", "From here the train\n>From now on\n\nFrom nine:\nThe train")
    path = write(tmp_path / "Inbox", mbox(MAIL, second, MAIL.replace("nine", "ten")))
    assert detect(path) == "mbox"
    first, middle, last = documents(path)
    assert text_of(first) == "The train leaves at nine."
    assert "From here the train\nFrom now on\n\nFrom nine:" in text_of(middle)
    assert text_of(last) == "The train leaves at ten."


def test_text_that_looks_like_a_mailbox_parts_no_mail(tmp_path: Path) -> None:
    second = MAIL.replace("The train", "Hello.\n\nFrom there on:\nNote: the train")
    first, middle, last = documents(write(tmp_path / "Inbox", mbox(MAIL, second, MAIL)))
    assert text_of(middle) == "Hello.\n\nFrom there on:\nNote: the train leaves at nine."
    assert text_of(first) == text_of(last) == "The train leaves at nine."


def test_a_mailbox_of_thunderbird_or_with_other_line_ends(tmp_path: Path) -> None:
    for text in (mbox(MAIL, MAIL, line="From "), mbox(MAIL, MAIL).replace("\n", "\r\n")):
        path = write(tmp_path / "a", text)
        assert [text_of(x) for x in documents(path)] == ["The train leaves at nine."] * 2


def test_a_broken_mail_costs_itself_alone(tmp_path: Path) -> None:
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(5000))
    broken = "Message-ID: <2@b.c>\nSubject: Deep\n" + deep
    found = documents(write(tmp_path / "a", mbox(MAIL, broken, MAIL)))
    assert [document.title for document in found] == ["Grüße aus Köln", "Deep", "Grüße aus Köln"]


def test_a_length_that_a_program_wrote_says_where_a_mail_ends(tmp_path: Path) -> None:
    body = "He said:\n\nFrom bob Thu Feb  1 10:00:00 2024\nNote: the train leaves at six.\n"
    head = "From: a@b.c\nMessage-ID: <1>\nSubject: Trains\n"
    whole = f"{head}Content-Length: {len(body)}\n\n{body}"
    found = documents(write(tmp_path / "a", mbox(whole, MAIL, whole)))
    assert [document.title for document in found] == ["Trains", "Grüße aus Köln", "Trains"]
    assert "at six" in text_of(found[0])
    wrong = f"{head}Content-Length: 9999\n\nAt nine.\n"
    found = documents(write(tmp_path / "b", mbox(wrong, MAIL)))
    assert [document.title for document in found] == ["Trains", "Grüße aus Köln"]


@pytest.mark.parametrize(
    "field",
    [
        "X-Mozilla-Status: 0009",
        "X-Gmail-Labels: Opened,Trash",
        "X-Gmail-Labels: Spam",
        "X-Gmail-Labels: =?UTF-8?Q?Gel=C3=B6schte_Elemente?=,Important",
    ],
)
def test_what_was_thrown_away_stays_away(tmp_path: Path, field: str) -> None:
    deleted = f"{field}\n{MAIL.replace('nine', 'ten')}"
    kept = f"X-Mozilla-Status: 0001\nX-Gmail-Labels: Inbox,Trash talk\n{MAIL}"
    found = documents(write(tmp_path / "a", mbox(deleted, kept, deleted)))
    assert [text_of(document) for document in found] == ["The train leaves at nine."]
    with pytest.raises(UnreadableSource, match="thrown away"):
        documents(write(tmp_path / "a.eml", deleted))


def test_folders_and_marks_of_what_was_thrown_away(tmp_path: Path) -> None:
    for top in ("", ".Trash/", ".INBOX.Spam/"):
        for folder in ("cur", "new", "tmp"):
            (tmp_path / "Mail" / f"{top}{folder}").mkdir(parents=True)
    for name in ("1:2,S", "2:2,ST", "../.Trash/cur/3:2,S", "../.INBOX.Spam/new/4"):
        write(tmp_path / "Mail/cur" / name, MAIL)
    for name in ("Inbox", "Trash"):
        write(tmp_path / name, mbox(MAIL))
        write(
            tmp_path / f"{name}.msf",
            '// <!-- <mdb:mork:z v="1.4"/> -->\n< <(a=c)> // (f=iso-8859-1)\n',
        )
    report = look([tmp_path])
    assert [Path(file["path"]).name for file in report.files] == ["Inbox", "1:2,S"]
    reasons = {Path(line["path"]).name: line["reason"] for line in report.skipped}
    thrown_away = "mail that was thrown away"
    assert {name for name, why in reasons.items() if why == thrown_away} == {
        "2:2,ST",
        ".Trash",
        ".INBOX.Spam",
        "Trash",
    }
    assert reasons["Inbox.msf"] == "an index of a mail program, not text"


def test_a_maildir_is_a_mail_for_each_file(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (tmp_path / "Mail" / folder).mkdir(parents=True)
    write(tmp_path / "Mail/cur/1714.M1P2.host:2,S", MAIL)
    write(tmp_path / "Mail/new/1715.M1P2.host", MAIL)
    write(tmp_path / "Mail/.Sent/cur/1716.M1P2.host:2,S", MAIL)
    write(tmp_path / "Mail/tmp/half", MAIL[:300])
    write(tmp_path / "Mail/dovecot-uidlist", "3 V1 N2 G1\n1 :1714\n")
    report = look([tmp_path])
    assert [Path(file["path"]).parent.name for file in report.files] == ["cur", "cur", "new"]
    assert {file["format"] for file in report.files} == {"eml"}
    assert report.documents == 3
    assert sorted(Path(line["path"]).name for line in report.skipped) == [
        "dovecot-uidlist",
        "tmp",
        "tmp",
    ]


def test_apple_s_form_of_a_mail(tmp_path: Path) -> None:
    path = write(tmp_path / "1.emlx", f"{len(MAIL.encode())}\n{MAIL}<?xml version='1.0'?><plist/>")
    (document,) = documents(path)
    assert text_of(document) == "The train leaves at nine."


def test_a_typed_memo_is_no_mail(tmp_path: Path) -> None:
    memo = "From: Ann\nTo: Bob\nSubject: Trains\n\nThey leave at nine.\n"
    assert detect(write(tmp_path / "memo.txt", memo)) == "text"
    assert detect(write(tmp_path / "memo.eml", memo)) == "eml"
    assert detect(write(tmp_path / "a.txt", "Dear Ann,\n\nthe date: Monday.\n")) == "text"
    assert (
        detect(write(tmp_path / "b.txt", "From the hill one sees\n\nReceived: nothing\n")) == "text"
    )


# Outlook


def compound(path: Path, streams: dict[str, bytes]) -> Path:
    """A compound file as small as they come: one sector table, every stream in sectors of its own."""
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    padded = {name: data.ljust(4096, b"\0") for name, data in streams.items()}
    n_entries = -(-(len(streams) + 1) // 4)
    chain = [table, *range(2, n_entries + 1), end]
    entries = [("Root Entry", 5, 1, end, 0)]
    body = b""
    for name, data in padded.items():
        start = len(chain)
        n_sectors = len(data) // 512
        chain += [*range(start + 1, start + n_sectors), end]
        entries.append((name, 2, free, start, len(data)))
        body += data
    directory = b""
    for position, (name, kind, child, start, size) in enumerate(entries):
        right = position + 1 if 0 < position < len(entries) - 1 else free
        encoded = (name + "\0").encode("utf-16-le")
        directory += struct.pack(
            "<64sHBBIII16sIQQIQ",
            encoded, len(encoded), kind, 1, free, right, child, b"", 0, 0, 0, start, size,
        )  # fmt: skip
    directory = directory.ljust(n_entries * 512, b"\0")
    assert len(chain) <= 128
    fat = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII109I",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6,
        0, 1, 1, 0, 4096, end, 0, end, 0, 0, *[free] * 108,
    )  # fmt: skip
    return write(path, header + fat + directory + body)


def outlook(**texts: str) -> dict[str, bytes]:
    numbers = {"subject": "0037", "sender": "0C1A", "body": "1000", "html": "1013"}
    since_1601 = datetime(2024, 5, 3, 8, 12) - datetime(1601, 1, 1)
    sent = (since_1601 // timedelta(microseconds=1) * 10).to_bytes(8, "little")
    streams = {
        f"__substg1.0_{numbers[name]}001F": text.encode("utf-16-le").ljust(64, b"\0")
        for name, text in texts.items()
    }
    properties = bytes(32) + struct.pack("<HHI8s", 0x0040, 0x0039, 6, sent)
    return {**streams, "__properties_version1.0": properties}


def test_an_outlook_mail(tmp_path: Path) -> None:
    body = "I come at nine.\r\n\r\n-----Original Message-----\r\nFrom: Bob\r\n"
    path = compound(tmp_path / "a.msg", outlook(subject="Trains", sender="Ann Lee", body=body))
    assert detect(path) == "msg"
    assert documents(path) == [
        Document(
            "Trains",
            (Section("", "I come at nine."),),
            "Ann Lee",
            "2024-05-03T08:12:00+00:00",
            is_letter=True,
        )
    ]


def test_an_outlook_mail_of_html_alone(tmp_path: Path) -> None:
    path = compound(tmp_path / "a.msg", outlook(subject="Trains", html="<p>At <b>nine</b>.</p>"))
    assert text_of(documents(path)[0]) == "At nine."


def test_packed_rich_text() -> None:
    # The example of [MS-OXRTFCP] 3.1.1.
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"
        "0af32068656c090020627705b06c647d0a800fa0"
    )
    assert decompress(packed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert decompress(packed[:40]).startswith(b"{\\rtf1\\ansi")
    with pytest.raises(UnreadableSource):
        decompress(b"x" * 40)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("EncryptedPackage", "an Office file protected by a password"),
        ("WordDocument", "an old Word file: save it as .docx"),
        ("Workbook", "an old Excel file: save it as .xlsx"),
        ("Else", "an Office file of no known kind"),
    ],
)
def test_other_compound_files_are_named(tmp_path: Path, stream: str, expected: str) -> None:
    path = compound(tmp_path / "a.doc", {stream: b"x"})
    with pytest.raises(UnreadableSource, match=expected):
        list(read(path))


def test_a_damaged_compound_file(tmp_path: Path) -> None:
    whole = compound(tmp_path / "a.msg", outlook(subject="x", body="y")).read_bytes()
    for size in (8, 100, 512, 600):
        with pytest.raises(UnreadableSource):
            list(read(write(tmp_path / "b.msg", whole[:size])))
