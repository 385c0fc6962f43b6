"""Exports of chats between people, on small files in each program's form."""

import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import UnreadableSource
from learnctl.memory.readers import detect, read
from learnctl.memory.records import Conversation

Said = list[tuple[str | None, str | None, str]]


def chats(path: Path, expected: str) -> list[Conversation]:
    assert detect(path) == expected
    found = list(read(path))
    assert all(isinstance(item, Conversation) for item in found)
    return [item for item in found if isinstance(item, Conversation)]


def said(conversation: Conversation) -> Said:
    return [(m.created_at, m.speaker or m.role, m.text) for m in conversation.messages]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A file of some name with text, or a value as JSON."""

    def to(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return to


# Telegram

TELEGRAM = [
    {"id": 1, "type": "service", "date": "2024-01-02T10:00:00", "actor": "Ann", "action": "x"},
    {"id": 2, "type": "message", "date": "2024-01-02T11:00:00", "date_unixtime": "1704189600"}
    | {"from": "Ann", "from_id": "user1", "text": ["See ", {"type": "link", "text": "a.org"}, "!"]},
    {"id": 3, "type": "message", "date": "2024-01-02T11:01:00", "from": None, "from_id": "user2"}
    | {"text": "Deleted since", "reply_to_message_id": 2},
    {"id": 4, "type": "message", "date": "2024-01-02T11:02:00", "from": "Bob", "text": ""}
    | {"photo": "p.jpg"},
    {"id": 5, "type": "message", "date": "2024-01-02T11:03:00", "from": "Bob", "text": "News"}
    | {"forwarded_from": "Paper"},
]
TELEGRAM_SAID: Said = [
    ("2024-01-02T10:00:00+00:00", "Ann", "See a.org!"),
    ("2024-01-02T11:01:00", "user2", "Deleted since"),
    ("2024-01-02T11:03:00", "Paper", "News"),
]


def test_telegram_one_chat(write: Callable[..., Path]) -> None:
    export = {"name": "Trip", "type": "private_group", "id": 7, "messages": TELEGRAM}
    (found,) = chats(write("result.json", export), "telegram")
    assert (found.title, found.external_id, said(found)) == ("Trip", "7", TELEGRAM_SAID)
    assert found.left_out == {"system": 1, "media": 1}


def test_telegram_whole_account(write: Callable[..., Path]) -> None:
    export = {
        "about": "Here is the data you requested. Remember: Telegram is ad free.",
        "contacts": {"list": [{"first_name": "x" * 100}] * 1000},
        "chats": {
            "list": [
                {"name": "Trip", "type": "private_group", "id": 7, "messages": TELEGRAM},
                {"type": "saved_messages", "id": 8, "messages": TELEGRAM[1:2]},
            ]
        },
        "left_chats": {"list": [{"name": "Old", "id": 9, "messages": TELEGRAM[1:2]}]},
    }
    found = chats(write("result.json", export), "telegram")
    assert [chat.title for chat in found] == ["Trip", "Saved messages", "Old"]
    assert said(found[0]) == TELEGRAM_SAID


def test_a_telegram_account_names_its_owner(write: Callable[..., Path]) -> None:
    chat = {"name": "Trip", "type": "private_group", "id": 7, "messages": TELEGRAM}
    about = {"about": "The data you requested. Telegram.", "personal_information": {"user_id": 1}}
    (found,) = chats(write("result.json", about | {"chats": {"list": [chat]}}), "telegram")
    assert [m.speaker or m.role for m in found.messages] == ["user", "user2", "Paper"]


def test_what_a_telegram_account_forwards_is_not_its_owner_s(write: Callable[..., Path]) -> None:
    """Unless they wrote it themselves, elsewhere."""
    ann = {"type": "message", "from": "Ann", "from_id": "user1"}
    messages = [
        {**ann, "text": f"News {n}", "forwarded_from": origin}
        for n, origin in enumerate(["Paper", None, "Ann"])
    ]
    about = {"about": "The data you requested. Telegram.", "personal_information": {"user_id": 1}}
    (found,) = chats(
        write("result.json", about | {"chats": {"list": [{"messages": messages}]}}), "telegram"
    )
    assert [m.speaker or m.role for m in found.messages] == ["Paper", "unknown", "user"]


def test_telegram_html(write: Callable[..., Path]) -> None:
    page = """<!DOCTYPE html><html><head><title>Exported Data</title></head><body><div class="page_wrap">
    <div class="page_header"><div class="content"><div class="text bold"> Trip &amp; co </div></div></div>
    <div class="page_body chat_page"><div class="history">
    <div class="message service" id="m-1"><div class="body details"> 2 January 2024 </div></div>
    <div class="message default clearfix" id="m1"><div class="body">
      <div class="pull_right date details" title="02.01.2024 11:00:00 UTC+01:00">11:00</div>
      <div class="from_name"> Ann </div>
      <div class="text">One<br>two <a href="x">three</a></div></div></div>
    <div class="message default clearfix joined" id="m2"><div class="body">
      <div class="pull_right date details" title="02.01.2024 11:01:00">11:01</div>
      <div class="reply_to details">In reply to <a>this message</a></div>
      <div class="text">Again</div></div></div>
    <div class="message default clearfix" id="m3"><div class="body">
      <div class="pull_right date details" title="02.01.2024 11:02:00">11:02</div>
      <div class="from_name"> Bob </div>
      <div class="forwarded body"><div class="from_name"> Paper <span class="date details"> 1.1. </span></div>
        <div class="text">News</div></div></div></div>
    <div class="message default clearfix joined" id="m4"><div class="body">
      <div class="pull_right date details" title="02.01.2024 11:03:00">11:03</div>
      <div class="media_wrap clearfix"><a class="photo_wrap"><img></a></div></div></div>
    </div></div></div></body></html>"""
    (found,) = chats(write("messages.html", page), "telegram")
    assert said(found) == [
        ("2024-01-02T10:00:00+00:00", "Ann", "One\ntwo three"),
        ("2024-01-02T11:01:00", "Ann", "Again"),
        ("2024-01-02T11:02:00", "Paper", "News"),
    ]
    assert (found.title, found.left_out) == ("Trip & co", {"system": 1, "media": 1})


# Slack

USERS = [
    {"id": "U01", "name": "ann", "profile": {"display_name": "", "real_name": "Ann Lee"}},
    {"id": "U02", "name": "bob", "profile": {"display_name": "bobby"}},
    {"id": "U03", "name": "robot", "is_bot": True, "profile": {"real_name": "Robot"}},
]
DAY_1 = [
    {
        "type": "message",
        "subtype": "channel_join",
        "user": "U01",
        "text": "<@U01> has joined the channel",
    }
    | {"ts": "1704189599.000100"},
    {"type": "message", "user": "U01", "ts": "1704189600.000200", "thread_ts": "1704189600.000200"}
    | {"text": "Hi <@U02>, see <#C02|plans> or <#C01>, <https://a.org|the site> &amp; <!here>"},
    {"type": "message", "user": "U02", "ts": "1704189700.000300", "text": "Another matter"},
    {"type": "message", "user": "U03", "ts": "1704189800.000300", "text": "I am a robot"},
    {"type": "message", "subtype": "bot_message", "ts": "1704189801.000300", "text": "Build done"},
    {"type": "message", "user": "U02", "ts": "1704189802.000300", "text": "", "files": [{}]},
]
DAY_2 = [
    {"type": "message", "user": "U02", "ts": "1704276000.000400", "thread_ts": "1704189600.000200"}
    | {"text": "In the thread", "subtype": "thread_broadcast"},
    {"type": "message", "user": "U99", "ts": "1704276001.000400", "text": "Guest"}
    | {"user_profile": {"display_name": "Gus"}},
]
SLACK = {
    "users.json": USERS,
    "channels.json": [{"id": "C01", "name": "general"}, {"id": "C02", "name": "plans"}],
    "dms.json": [{"id": "D0123456789", "members": ["U01", "U02"]}],
    "general/2024-01-02.json": DAY_1,
    "general/2024-01-03.json": DAY_2,
    "D0123456789/2024-01-02.json": DAY_1[2:3],
    "integration_logs.json": [],
}
SLACK_SAID: Said = [
    (
        "2024-01-02T10:00:00+00:00",
        "Ann Lee",
        "Hi @bobby, see #plans or #general, the site (https://a.org) & @here",
    ),
    ("2024-01-03T10:00:00+00:00", "bobby", "In the thread"),
    ("2024-01-02T10:01:40+00:00", "bobby", "Another matter"),
    ("2024-01-03T10:00:01+00:00", "Gus", "Guest"),
]


@pytest.mark.parametrize("top", ["", "Workspace/"])
def test_slack_zip(tmp_path: Path, top: str) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in SLACK.items():
            archive.writestr(top + name, json.dumps(value))
    direct, general = chats(path, "slack")
    assert (direct.title, general.title) == ("Ann Lee, bobby", "#general")
    assert said(general) == SLACK_SAID
    assert general.left_out == {"system": 1, "bot": 2, "media": 1}


def test_slack_folder_and_single_day(write: Callable[..., Path]) -> None:
    for name, value in SLACK.items():
        write(f"export/{name}", value)
    day = write("export/general/2024-01-02.json", DAY_1)
    direct, general = chats(day.parent.parent, "slack")
    assert (direct.title, said(general)) == ("Ann Lee, bobby", SLACK_SAID)
    (alone,) = chats(day, "slack")
    assert (alone.title, [m.speaker for m in alone.messages]) == ("#general", ["Ann Lee", "bobby"])


def test_slack_messages_whose_words_are_in_blocks(write: Callable[..., Path]) -> None:
    leaves = [
        {"type": "text", "text": "Hi "},
        {"type": "user", "user_id": "U02"},
        {"type": "text", "text": ", see "},
        {"type": "link", "url": "https://a.org", "text": "a & b"},
        {"type": "emoji", "name": "tada"},
    ]
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": t}]} for t in "xy"]
    rich = [
        {"type": "rich_text_section", "elements": leaves},
        {"type": "rich_text_list", "style": "bullet", "elements": items},
    ]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "*Bold* &amp; <@U01>"}}
    shared = {"author_name": "Bob", "text": "His words", "fallback": "…", "is_share": True}
    bodies: list[Any] = [
        {"blocks": [{"type": "rich_text", "elements": rich}]},
        {"blocks": [section, {"type": "divider"}]},
        {"attachments": [shared]},
        {"blocks": [{"type": "image", "image_url": "x"}]},
    ]
    day = [
        {"type": "message", "user": "U01", "ts": f"170418960{n}.000200", "text": ""} | body
        for n, body in enumerate(bodies)
    ]
    write("export/users.json", USERS)
    (found,) = chats(write("export/general/2024-01-02.json", day), "slack")
    assert [m.text for m in found.messages] == [
        "Hi @bobby, see a & b (https://a.org):tada:\nx\ny",
        "*Bold* & @Ann Lee",
        "Shared from Bob:\nHis words",
    ]
    assert found.left_out == {"media": 1}


# Discord


def discord_message(kind: str, text: str, bot: bool = False, nickname: str = "Ann") -> Any:
    return {
        "id": "1",
        "type": kind,
        "timestamp": "2024-01-02T11:00:00.1234567+01:00",
        "content": text,
        "author": {"id": "5", "name": "ann5", "nickname": nickname, "isBot": bot},
        "attachments": [],
        "mentions": [{"id": "123456", "name": "bob", "nickname": "Bobby"}],
    }


def test_discord_json(write: Callable[..., Path]) -> None:
    export = {
        "guild": {"id": "1", "name": "Home"},
        "channel": {"id": "2", "type": "GuildTextChat", "category": "Text", "name": "general"},
        "messages": [
            discord_message("GuildMemberJoin", "Joined the server."),
            discord_message("Default", "Hello <@!123456>"),
            discord_message("Reply", "Yes", nickname=""),
            discord_message("Default", "Beep", bot=True),
            discord_message("Default", ""),
        ],
        "messageCount": 5,
    }
    (found,) = chats(write("general.json", export), "discord")
    moment = "2024-01-02T11:00:00.123456+01:00"
    assert said(found) == [(moment, "Ann", "Hello @Bobby"), (moment, "ann5", "Yes")]
    assert (found.title, found.external_id) == ("Home / Text / general", "2")
    assert found.left_out == {"system": 1, "bot": 1, "media": 1}


def test_discord_csv(write: Callable[..., Path]) -> None:
    rows = [
        "AuthorID,Author,Date,Content,Attachments,Reactions",
        '"5","ann#1234","2024-01-02T11:00:00.0000000+01:00","Two\nlines, ""quoted""","",""',
        '"6","bob","2024-01-02T11:01:00.0000000+01:00","","http://x/a.png",""',
        '"6","bob","2024-01-02T11:02:00.0000000+01:00","Joined the server.","",""',
    ]
    (found,) = chats(write("Home - general [22].csv", "\n".join(rows)), "discord")
    assert said(found) == [("2024-01-02T11:00:00.000000+01:00", "ann", 'Two\nlines, "quoted"')]
    assert found.title == "Home - general"


def test_discord_text(write: Callable[..., Path]) -> None:
    line = "=" * 62
    text = (
        f"{line}\nGuild: Home\nChannel: Text / general\n{line}\n\n"
        "[1/2/2024 11:00 AM] ann#1234\nHello\n[1] see below\n\n{Attachments}\nhttp://x/a.png\n\n"
        "[1/14/2024 1:05 PM] bob (pinned)\nYes\n\n\n"
        "[1/14/2024 1:06 PM] bob\nPinned a message.\n\n\n"
        f"{line}\nExported 3 message(s)\n{line}\n"
    )
    (found,) = chats(write("general.txt", text), "discord")
    assert said(found) == [
        ("2024-01-02T11:00:00", "ann", "Hello\n[1] see below"),
        ("2024-01-14T13:05:00", "bob", "Yes"),
    ]
    assert found.title == "Text / general"


def test_discord_html(write: Callable[..., Path]) -> None:
    def container(inner: str) -> str:
        return f'<div class="chatlog__message-container"><div class="chatlog__message">{inner}</div></div>'

    def text(words: str) -> str:
        return f'<div class="chatlog__content chatlog__markdown"><span class="chatlog__markdown-preserve">{words}</span></div>'

    header = '<span class="chatlog__author" title="ann#1">Ann</span><span class="chatlog__timestamp">14/01/2024 11:00</span>'
    reply = '<div class="chatlog__reply"><div class="chatlog__reply-content">Old words</div></div>'
    page = f"""<!DOCTYPE html><html><head><title>Home - general</title><style>.chatlog__message {{}}</style></head><body>
    <div class="preamble"><div class="preamble__entry">Home</div><div class="preamble__entry">Text / general</div></div>
    <div class="chatlog"><div class="chatlog__message-group">{container(reply + header + text("One<br>two"))}
    {container('<div class="chatlog__short-timestamp" title="14/01/2024 11:01">11:01</div>' + text("Three"))}</div>
    <div class="chatlog__message-group">{container('<span class="chatlog__system-notification-content">joined</span>')}</div>
    <div class="chatlog__message-group">{container(header + '<span class="chatlog__author-tag">BOT</span>' + text("Beep"))}</div>
    </div></body></html>"""
    (found,) = chats(write("general.html", page), "discord")
    assert said(found) == [
        ("2024-01-14T11:00:00", "Ann", "One\ntwo"),
        ("2024-01-14T11:01:00", "Ann", "Three"),
    ]
    assert (found.title, found.left_out) == ("Home / Text / general", {"system": 1, "bot": 1})


def test_discord_html_of_today(write: Callable[..., Path]) -> None:
    """Dates in words stand in the titles; the moment is in each message's number."""
    page = """<!DOCTYPE html><html lang=en><head><title>Home - general</title></head><body><div class=chatlog>
    <div class=chatlog__message-group><div id=chatlog__message-container-1202556816384000000 class=chatlog__message-container
    data-message-id=1202556816384000000><div class=chatlog__message><div class=chatlog__message-primary><div class=chatlog__header>
    <span class=chatlog__author title=ann data-user-id=5>Ann</span> <span class=chatlog__timestamp
    title="Thursday, February 1, 2024 10:00 AM"><a href=#chatlog__message-container-1202556816384000000>02/01/2024 10:00 AM</a></span></div>
    <div class="chatlog__content chatlog__markdown"><span class=chatlog__markdown-preserve>Hi <img loading=lazy
    class="chatlog__emoji" alt=wave title=wave src=x></span></div></div></div></div>
    <div class=chatlog__message-container><div class=chatlog__message><div class=chatlog__short-timestamp
    title="Thursday, February 15, 2024 10:01 PM">10:01 PM</div>
    <div class="chatlog__embed"><span class=chatlog__markdown-preserve>Of a page</span></div></div></div>
    <div class=chatlog__message-container><div class=chatlog__message><div class="chatlog__content chatlog__markdown">Two</div>
    <span class=chatlog__timestamp title="Thursday, February 15, 2024 10:02 PM"><a href=#x>02/15/2024 10:02 PM</a></span></div></div>
    </div></div></body></html>"""
    (found,) = chats(write("general.html", page), "discord")
    assert said(found) == [
        ("2024-02-01T10:11:27+00:00", "Ann", "Hi :wave:"),
        ("2024-02-15T22:02:00", "Ann", "Two"),
    ]
    assert found.left_out == {"media": 1}


def test_discord_html_of_old(write: Callable[..., Path]) -> None:
    """The author stood above the messages of a group."""
    page = """<!DOCTYPE html><html><body><div class="chatlog"><div class="chatlog__message-group"><div class="chatlog__messages">
    <span class="chatlog__author-name" title="ann#1" data-user-id="5">Ann</span><span class="chatlog__timestamp">14-Jan-24 11:00 AM</span>
    <div class="chatlog__message" data-message-id="1" id="message-1"><div class="chatlog__content"><div class="markdown">One</div></div></div>
    <div class="chatlog__message" data-message-id="2" id="message-2"><div class="chatlog__content"><div class="markdown">Two</div></div></div>
    </div></div></div></body></html>"""
    (found,) = chats(write("general.html", page), "discord")
    assert said(found) == [
        ("2024-01-14T11:00:00", "Ann", "One"),
        ("2024-01-14T11:00:00", "Ann", "Two"),
    ]


def test_discord_marks_are_shown_as_discord_shows_them(write: Callable[..., Path]) -> None:
    marks = "<:smile:123> <a:run:4> <#2> <#5> <@&77> <@9> </help:1> <t:1706781600:R> <3 <b>"
    export = {
        "guild": {"id": "1", "name": "Home"},
        "channel": {"id": "2", "name": "general"},
        "messages": [discord_message("Default", marks)],
    }
    (found,) = chats(write("general.json", export), "discord")
    shown = ":smile: :run: #general #channel @role @9 /help 2024-02-01 10:00:00 <3 <b>"
    assert [m.text for m in found.messages] == [shown]


PACKAGE = {
    "messages/index.json": {"123": "general in Home", "456": "Direct Message with bob#0"},
    "messages/c123/channel.json": {"id": "123", "name": "general", "guild": {"name": "Home"}},
    "messages/c123/messages.json": [
        {"ID": 2, "Timestamp": "2024-02-01 10:01:00", "Contents": "<@5> later", "Attachments": ""},
        {"ID": 1, "Timestamp": "2024-02-01 10:00:00", "Contents": "Hello", "Attachments": ""},
        {"ID": 3, "Timestamp": "2024-02-01 10:02:00", "Contents": "", "Attachments": "http://x"},
    ],
    "messages/c456/channel.json": {"id": "456", "type": 1, "recipients": ["1", "2"]},
    "messages/c456/messages.csv": "ID,Timestamp,Contents,Attachments\n"
    '1202556816384000000,2021-01-02 10:00:00.123000+00:00,"Two\nlines",\n',
    "account/user.json": {"id": "1", "username": "ann"},
}
HELLO_LATER: Said = [
    ("2024-02-01T10:00:00+00:00", "user", "Hello"),
    ("2024-02-01T10:01:00+00:00", "user", "@5 later"),
]


def test_discord_s_own_package(tmp_path: Path, write: Callable[..., Path]) -> None:
    """All in it are its owner's words."""
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in PACKAGE.items():
            archive.writestr(name, value if isinstance(value, str) else json.dumps(value))
    general, direct = chats(path, "discord")
    assert (general.title, said(general), general.left_out) == (
        "Home / general",
        HELLO_LATER,
        {"media": 1},
    )
    assert (direct.title, said(direct)) == (
        "Direct Message with bob#0",
        [("2021-01-02T10:00:00+00:00", "user", "Two\nlines")],
    )
    for name, value in PACKAGE.items():
        write(f"package/{name}", value)
    (alone,) = chats(tmp_path / "package/messages/c123/messages.json", "discord")
    assert (alone.title, said(alone)) == ("Home / general", HELLO_LATER)
    (alone,) = chats(tmp_path / "package/messages/c456/messages.csv", "discord")
    assert alone.title == "Direct Message with bob#0"


# Messenger and Instagram


def mangled(text: str) -> str:
    return text.encode().decode("latin-1")


def meta(*messages: Any, **more: Any) -> Any:
    thread = {
        "participants": [{"name": mangled("José")}, {"name": "Ann"}],
        "title": mangled("José"),
    }
    return {**thread, "messages": list(messages), "thread_path": "inbox/jose_1", **more}


NEWEST_FIRST = (
    {"sender_name": "Ann", "timestamp_ms": 1704189660000, "content": "Liked a message"},
    {"sender_name": "Ann", "timestamp_ms": 1704189650000, "content": "Ann sent a photo."},
    {"sender_name": "Ann", "timestamp_ms": 1704189640000, "photos": [{"uri": "x"}]},
    {"sender_name": "Ann", "timestamp_ms": 1704189630000, "content": "x", "is_unsent": True},
    {"sender_name": "Ann", "timestamp_ms": 1704189620000, "content": mangled("Ça va 🎉")},
    {
        "sender_name": mangled("José"),
        "timestamp_ms": 1704189600000,
        "content": "Café, already right",
    },
)
META_SAID: Said = [
    ("2024-01-02T10:00:00+00:00", "José", "Café, already right"),
    ("2024-01-02T10:00:20+00:00", "Ann", "Ça va 🎉"),
]


def test_messenger_with_a_mark_and_mangled_letters(write: Callable[..., Path]) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(meta(*NEWEST_FIRST[1:])).encode()
    (found,) = chats(write("messages/inbox/jose_1/message_1.json", content), "messenger")
    assert (found.title, said(found)) == ("José", META_SAID)
    assert found.left_out == {"media": 2, "system": 1}


def test_instagram(write: Callable[..., Path]) -> None:
    name = "your_instagram_activity/messages/inbox/jose_1/message_1.json"
    (found,) = chats(write(name, meta(*NEWEST_FIRST)), "instagram")
    assert said(found) == META_SAID
    assert found.left_out == {"reaction": 1, "media": 2, "system": 1}
    # Away from its folder, what it says tells.
    assert detect(write("message_1.json", meta(*NEWEST_FIRST))) == "instagram"


def test_reactions_of_meta_are_not_telegram_s(write: Callable[..., Path]) -> None:
    reacted = {"reactions": [{"reaction": mangled("❤"), "actor": mangled("José")}]}
    (found,) = chats(write("message_1.json", meta(NEWEST_FIRST[4] | reacted)), "messenger")
    assert said(found) == META_SAID[1:]
    chat = {"participants": ["Ann", "José"], "threadName": "José_12"}
    message = {"senderName": "Ann", "text": "Hé", "timestamp": 1704189600000, "type": "text"}
    message["reactions"] = [{"actor": "José", "reaction": "❤"}]
    (found,) = chats(write("José_12.json", chat | {"messages": [message]}), "messenger")
    assert said(found) == [("2024-01-02T10:00:00+00:00", "Ann", "Hé")]


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ("your_instagram_activity/messages", "instagram"),
        ("your_facebook_activity/messages", "messenger"),
    ],
)
def test_zips_of_meta_put_chats_together(tmp_path: Path, top: str, expected: str) -> None:
    path = tmp_path / "download.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{top}/inbox/jose_1/message_1.json", json.dumps(meta(*NEWEST_FIRST[:5])))
        archive.writestr(f"{top}/inbox/jose_1/message_2.json", json.dumps(meta(*NEWEST_FIRST[5:])))
        archive.writestr(f"{top}/inbox/ben_2/message_1.json", json.dumps(meta(NEWEST_FIRST[5])))
        archive.writestr("preferences/settings.json", "{}")
    ben, jose = chats(path, expected)
    assert (said(ben), said(jose)) == (META_SAID[:1], META_SAID)


def test_a_broken_chat_in_a_zip_of_meta_costs_that_chat_alone(tmp_path: Path) -> None:
    """Its other parts too are read; only where nothing can be is the whole refused."""
    path = tmp_path / "download.zip"
    for more in ({"ben_2/message_1.json": json.dumps(meta(NEWEST_FIRST[5]))}, {}):
        files: dict[str, str | bytes] = {
            "ann_1/message_1.json": '{"messages": [',
            "ben_2/message_2.json": "[" * 100_000,
            "eve_3/message_1.json": b"\xff\xfe",
            "jo_4/message_1.json": json.dumps(meta(NEWEST_FIRST[0])),
        }
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**files, **more}.items():
                archive.writestr(f"your_facebook_activity/messages/inbox/{name}", content)
        if more:
            (ben,) = chats(path, "messenger")
            assert said(ben) == META_SAID[:1]
            (note,) = ben.notes
            assert note.startswith("left out, for they cannot be read: 3 of its files (")
            assert "inbox/ann_1/message_1.json" in note
        else:
            with pytest.raises(UnreadableSource, match="broken JSON in the zip"):
                list(read(path))


def test_a_chat_of_meta_as_a_page(write: Callable[..., Path]) -> None:
    def block(who: str, words: str, date: str, more: str = "") -> str:
        return (
            f'<div class="pam _3-95 _2ph- _a6-g uiBoxWhite noborder"><h2 class="_3-95 _2pim _a6-h _a6-i">{who}</h2>'
            f'<div class="_3-95 _a6-p"><div><div></div><div>{words}</div><div></div><div>{more}</div></div></div>'
            f'<div class="_3-94 _a6-o">{date}</div></div>'
        )

    liked = '<div><ul class="_a6-q"><li>❤José</li></ul></div>'
    page = (
        "<html><head><title>José</title></head><body><h1>José</h1><main>"
        '<div class="pam _a6-g"><div class="_2lek">Participants: José and Ann</div></div>'
        + block("Ann", "Liked a message", "Feb 01, 2024 10:04 am")
        + block("Ann", "Ann sent an attachment.", "Feb 01, 2024 10:03 am")
        + block("Ann", "", "Feb 01, 2024 10:02 am", '<a href="photos/1.jpg"><img src="x"></a>')
        + block("Ann", "Ça va &amp; toi<br>?", "Feb 01, 2024 10:01 am", liked)
        + block("José", "Café", "Jan 31, 2024 9:00 pm")
        + "</main></body></html>"
    )
    name = "messages/inbox/jose_1/message_1.html"
    (found,) = chats(write(f"your_instagram_activity/{name}", page.encode()), "instagram")
    assert said(found) == [
        ("2024-01-31T21:00:00", "José", "Café"),
        ("2024-02-01T10:01:00", "Ann", "Ça va & toi\n?"),
    ]
    assert (found.title, found.left_out) == ("José", {"reaction": 1, "media": 2})
    (found,) = chats(write(f"your_facebook_activity/{name}", page.encode()), "messenger")
    assert len(found.messages) == 2
    for new, old in (("g", "_2lej"), ("h", "_2lek"), ("p", "_2let"), ("o", "_2lem")):
        page = page.replace(f"_a6-{new}", old)
    (found,) = chats(write("message_1.html", page.encode()), "instagram")
    assert len(found.messages) == 2
    # Posts have the same classes.
    assert detect(write("posts/your_posts_1.html", page.encode())) == "html"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("reaction", "Hat mit 😆 auf deine Nachricht reagiert"),
        ("reaction", "A réagi 😆 à votre message "),
        ("reaction", "Reaccionó con 😆 a tu mensaje"),
        ("reaction", "Reagiu com 😆 à sua mensagem"),
        ("reaction", "Heeft gereageerd met 😆 op je bericht"),
        ("media", "Zoe hat einen Anhang gesendet."),
        ("media", "Zoe a envoyé une pièce jointe."),
        ("media", "Zoe envió un archivo adjunto."),
        ("media", "Zoe ha inviato un allegato."),
        ("media", "Zoe enviou um anexo."),
        ("media", "Zoe heeft een bijlage verzonden."),
        ("system", "You started a video chat"),
        ("system", "Zoe missed your video chat"),
        ("system", "Zoe hat einen Videochat gestartet."),
        ("system", "Zoe named the group Trip."),
        ("system", "Zoe left the group."),
        ("", "I left the group of runners last week"),
        ("", "She left the group"),
        ("", "My boss sent a photo. Look!"),
        ("", "Hat jemand auf deine Nachricht reagiert? Ich warte noch."),
    ],
)
def test_what_meta_has_people_say(write: Callable[..., Path], kind: str, text: str) -> None:
    plain = {"sender_name": "Zoe", "timestamp_ms": 1704189600000, "content": "Plain words"}
    chat = meta(plain, plain | {"content": mangled(text), "timestamp_ms": 1704189660000})
    (found,) = chats(write("message_1.json", chat), "messenger")
    assert found.left_out == ({kind: 1} if kind else {})
    assert len(found.messages) == (1 if kind else 2)


def test_messenger_end_to_end_encrypted(tmp_path: Path, write: Callable[..., Path]) -> None:
    def message(sender: str, text: str, at: int, **more: Any) -> Any:
        return {
            "isUnsent": False,
            "media": [],
            "reactions": [],
            "senderName": sender,
            "text": text,
        } | {
            "timestamp": at,
            "type": "text",
            **more,
        }

    chat = {
        "participants": ["Ann", "José"],
        "threadName": "José_12",
        "messages": [
            message("José", "Salut", 1704189660000),
            message("Ann", "", 1704189630000, type="media"),
            message("Ann", "Hé", 1704189600000),
        ],
    }
    expected: Said = [
        ("2024-01-02T10:00:00+00:00", "Ann", "Hé"),
        ("2024-01-02T10:01:00+00:00", "José", "Salut"),
    ]
    (found,) = chats(write("José_12.json", chat), "messenger")
    assert (found.title, said(found), found.left_out) == ("José", expected, {"media": 1})
    path = tmp_path / "messages.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("José_12.json", json.dumps(chat))
        archive.writestr("media/a.jpg", b"\xff\xd8\xff")
    (zipped,) = chats(path, "messenger")
    assert said(zipped) == expected


# Signal


def test_signal_export_markdown(write: Callable[..., Path]) -> None:
    text = (
        "[2024-01-02 10:00:00] Ann: Hello  \nthere  \n(- Me: 👍 -)\n\n"
        "[2024-01-02 10:01:00] Me: \n\n> Hello\n\nHi  \n"
        "[2024-01-02 10:02:00] Ann:   ![a.jpg](./media/a.jpg)  \n"
        "[2024-01-02 10:03:00] Ann: (This message was deleted)\n"
        "[2024-01-02 10:04:00] Me: Outgoing voice call (unanswered)  \n"
    )
    (found,) = chats(write("Ann/chat.md", text), "signal")
    assert said(found) == [
        ("2024-01-02T10:00:00", "Ann", "Hello  \nthere"),
        ("2024-01-02T10:01:00", "user", "Hi"),
    ]
    assert (found.title, found.left_out) == ("Ann", {"media": 1, "system": 2})


def test_signal_export_data(write: Callable[..., Path]) -> None:
    common: Any = {"quote": "", "sticker": None, "reactions": [], "attachments": []}
    lines = [
        {"date": "2024-01-02T10:00:00", "sender": "Ann", "body": "Hello  ", **common},
        {"date": "2024-01-02T10:01:00", "sender": "Me", "body": "Hi", **common},
        {"date": "2024-01-02T10:02:00", "sender": "Ann", "body": "", **common},
    ]
    (found,) = chats(write("Ann/data.json", "\n".join(map(json.dumps, lines))), "signal")
    assert said(found) == [
        ("2024-01-02T10:00:00", "Ann", "Hello"),
        ("2024-01-02T10:01:00", "user", "Hi"),
    ]


def test_signal_desktop_messages(write: Callable[..., Path]) -> None:
    rows = [
        {
            "conversationId": "c1",
            "type": "incoming",
            "body": "Hello",
            "sent_at": 1704189600000,
            "source": "+1",
        },
        {"conversationId": "c1", "type": "outgoing", "body": "Hi", "sent_at": 1704189660000},
        {"conversationId": "c2", "type": "outgoing", "body": "You?", "sent_at": 1704189660000},
        {"conversationId": "c2", "type": "keychange", "body": None, "sent_at": 1704189660000},
    ]
    first, second = chats(write("messages.json", rows), "signal")
    assert said(first) == [
        ("2024-01-02T10:00:00+00:00", "+1", "Hello"),
        ("2024-01-02T10:01:00+00:00", "user", "Hi"),
    ]
    assert (len(second.messages), second.left_out) == (1, {"system": 1})


def test_a_chat_of_signal_as_a_page_is_no_document(write: Callable[..., Path]) -> None:
    page = (
        "<!DOCTYPE html><html lang='en'><head><title>Ann</title></head><body><div class='msg me'>"
        "<span class=date>2024-01-02</span><span class=sender>Me</span><p class=body>Hi</p></div></body></html>"
    )
    with pytest.raises(UnreadableSource, match=r"a chat as HTML: take chat\.md or data\.json"):
        detect(write("index.html", page))


# iMessage


def typedstream(text: str) -> bytes:
    data = text.encode()
    length = bytes([len(data)]) if len(data) < 128 else b"\x81" + len(data).to_bytes(2, "little")
    return (
        b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00\x84\x84\x08NSObject\x00"
        b"\x85\x92\x84\x84\x84\x08NSString\x01\x94\x84\x01+" + length + data + b"\x86\x84\x02iI\x01"
    )


def test_imessage(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    day = 725_882_400  # 2024-01-02 10:00 UTC, in seconds since 2001
    rows = [
        # text, attributedBody, date, from me, item type, associated type
        ("Hello", None, day * 10**9, 0, 0, 0),
        (None, typedstream("Ünd now"), (day + 60) * 10**9, 1, 0, 0),
        (None, typedstream("long " * 60), (day + 120) * 10**9, 0, 0, 0),
        ("\ufffc", None, (day + 180) * 10**9, 0, 0, 0),
        ("Loved “Hello”", None, (day + 240) * 10**9, 1, 0, 2000),
        (None, None, (day + 300) * 10**9, 0, 2, 0),
        ("A sticker", None, (day + 310) * 10**9, 0, 0, 1000),
        ("Long ago", None, day - 10**8, 0, 0, 0),
        (None, b"\x04\x0bstreamtyped\x00NSString\x84\x01+\x81", (day + 360) * 10**9, 0, 0, 0),
    ]
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT);"
            "CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT, chat_identifier TEXT, display_name TEXT);"
            "CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER);"
            "CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);"
            "CREATE TABLE message (ROWID INTEGER PRIMARY KEY, text TEXT, attributedBody BLOB, date INTEGER,"
            " is_from_me INTEGER, item_type INTEGER, associated_message_type INTEGER, handle_id INTEGER);"
            "INSERT INTO handle VALUES (3, '+4915112345');"
            "INSERT INTO chat VALUES (1, 'iMessage;-;+4915112345', '+4915112345', '');"
            "INSERT INTO chat_handle_join VALUES (1, 3);"
        )
        for number, row in enumerate(rows, 1):
            database.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, 3)", (number, *row))
            database.execute("INSERT INTO chat_message_join VALUES (1, ?)", (number,))
        database.commit()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    (found,) = chats(path, "imessage")
    assert said(found) == [
        ("2020-11-01T00:13:20+00:00", "+4915112345", "Long ago"),
        ("2024-01-02T10:00:00+00:00", "+4915112345", "Hello"),
        ("2024-01-02T10:01:00+00:00", "user", "Ünd now"),
        ("2024-01-02T10:02:00+00:00", "+4915112345", ("long " * 60).strip()),
    ]
    assert (found.title, found.left_out) == (
        "+4915112345",
        {"media": 3, "reaction": 1, "system": 1},
    )
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    with pytest.raises(UnreadableSource, match="database"):
        list(read(path))


# IRC


@pytest.mark.parametrize(
    ("name", "text", "moments"),
    [
        (
            "channel.log",
            "--- Log opened Tue Jan 02 00:00:00 2024\n23:58 -!- cat [~c@h] has joined #x\n23:58 <@ann> one\n"
            "23:59  * bob waves\n--- Day changed Wed Jan 03 2024\n00:01 < bob> two\n",
            ["2024-01-02T23:58:00", "2024-01-02T23:59:00", "2024-01-03T00:01:00"],
        ),
        (
            "irc.weechatlog",
            "2024-01-02 23:58:01\t-->\tcat (~c@h) has joined #x\n2024-01-02 23:58:02\t@ann\tone\n"
            "2024-01-02 23:59:03\t *\tbob waves\n2024-01-03 00:01:04\tbob\ttwo\n",
            ["2024-01-02T23:58:02", "2024-01-02T23:59:03", "2024-01-03T00:01:04"],
        ),
        (
            "2024-01-02.log",
            "[23:58:01] *** Joins: cat (~c@h)\n[23:58:02] <ann> one\n[23:59:03] * bob waves\n[00:01:04] <bob> two\n",
            ["2024-01-02T23:58:02", "2024-01-02T23:59:03", "2024-01-03T00:01:04"],
        ),
        (
            "#x_20240102.txt",
            "=== cat [~c@h] has joined #x\n[23:58] <ann> one\n[23:59]  * bob waves\n[00:01] <bob> two\n",
            ["2024-01-02T23:58:00", "2024-01-02T23:59:00", "2024-01-03T00:01:00"],
        ),
        (
            "hexchat.log",
            "**** BEGIN LOGGING AT Tue Jan  2 23:00:00 2024\n\nJan 02 23:58:02 *\tcat (~c@h) has joined\n"
            "Jan 02 23:58:02 *\tcat gives channel operator status to ann\nJan 02 23:58:02 <ann>\tone\nJan 02 23:59:03 *\tbob waves\nJan 03 00:01:04 <bob>\ttwo\n",
            ["2024-01-02T23:58:02", "2024-01-02T23:59:03", "2024-01-03T00:01:04"],
        ),
        (
            "mirc.txt",
            "[23:58] * cat (c@h) has joined #x\n[23:58] <ann> \x0304one\x03\n[23:59] * bob waves\n"
            "[23:59] * cat is now known as dog\n[23:59] * dog sets mode: +o ann\n[00:01] <bob> \x02two\x0f\n"
            "[00:02] * dog (c@h) Quit (Leaving)\n[00:02] * ann has quit (Ping timeout)\n",
            [None] * 3,
        ),
        (
            "lounge.log",
            "[2024-02-01T10:00:00.000Z] *** cat (~c@h) joined\n[2024-02-01T10:00:01.250Z] <ann> one\n"
            "[2024-02-01T10:00:02.000Z] * bob waves\n[2024-02-01T10:00:03.000Z] <bob> two\n",
            [f"2024-02-01T10:00:0{n}+00:00" for n in (1, 2, 3)],
        ),
        (
            "textual.txt",
            "[2024-02-01T11:00:00+0100] cat (~c@h) joined the channel\n[2024-02-01T11:00:01+0100] <ann> one\n"
            "[2024-02-01T11:00:02+0100] • bob waves\n[2024-02-01T11:00:03+0100] <bob> two\n",
            [f"2024-02-01T10:00:0{n}+00:00" for n in (1, 2, 3)],
        ),
        (
            "konversation.log",
            "[Thursday, February 1, 2024] [11:00:00 CET] Join\tcat (~c@h) has joined this channel.\n"
            "[Thursday, February 1, 2024] [11:00:01 CET] <ann>\tone\n"
            "[Thursday, February 1, 2024] [11:00:02 CET] *\tbob waves\n"
            "[Thursday, February 1, 2024] [11:00:03 CET] <bob>\ttwo\n",
            [f"2024-02-01T10:00:0{n}+00:00" for n in (1, 2, 3)],
        ),
    ],
)
def test_irc(write: Callable[..., Path], name: str, text: str, moments: list[str | None]) -> None:
    (found,) = chats(write(name, text), "irc")
    assert [(m.speaker, m.text) for m in found.messages] == [
        ("ann", "one"),
        ("bob", "* bob waves"),
        ("bob", "two"),
    ]
    assert [m.created_at for m in found.messages] == moments
    assert bool(found.notes) == (moments == [None] * 3)


# Hostile files


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("01/01/20, 10:00 - A: x <media" + " <media" * 300_000, "whatsapp"),
        ("01/01/20, 10:00 - A: x\n" + "1/" * 500_000, "whatsapp"),
        ("[2020-01-01, 10:00] A: x\n" + "(- " * 500_000, "signal"),
        ("[2020-01-01, 10:00] A: x\n" + "[x](" * 300_000, "signal"),
        ("[10:00] <a> x\n[10:01] <a> " + "\x03" * 1_000_000 + "y", "irc"),
    ],
)
def test_huge_lines_are_read_or_refused(
    write: Callable[..., Path], line: str, expected: str
) -> None:
    (found,) = chats(write("chat.txt", line), expected)
    assert found.messages


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "x", "type": "personal_chat", "messages": [{"date_unixtime": "1", "text": "cut',
        '[{"type": "message", "ts": "1704189600.000200", "text": "cut',
        '{"guild": {"id": "1"}, "channel": {"id": "2"}, "messages": [{"content": "cut',
        '{"participants": [], "messages": [{"sender_name": "A", "timestamp_ms": 1, "content": "cut',
        '[{"type": "incoming", "sent_at": 1, "body": "cut',
        '[{"ID": 1, "Timestamp": "2024-02-01 10:00:00", "Contents": "cut',
    ],
)
def test_broken_json_is_refused(write: Callable[..., Path], text: str) -> None:
    with pytest.raises(UnreadableSource, match="broken JSON"):
        list(read(write("export.json", text)))
