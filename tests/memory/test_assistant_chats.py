"""Exports of chats with assistants: every form of them in small, and other people's where they are."""

import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory import sandbox
from learnctl.memory.errors import UnreadableSource
from learnctl.memory.ingest import ingest, look
from learnctl.memory.readers import detect, read
from learnctl.memory.readers.chat_text import SEVERAL_PEOPLE
from learnctl.memory.records import Conversation, Document
from learnctl.memory.store import Store

Json = Any
DATA = Path(os.environ.get("LEARNCTL_TEST_DATA") or "no folder")
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="no folder of real files: set LEARNCTL_TEST_DATA"
)


def write(path: Path, value: Json) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def lines(*values: Json) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def zipped(path: Path, members: dict[str, Json]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(name, json.dumps(value))
    return path


def talks(path: Path) -> list[Conversation]:
    return [item for item in read(path) if isinstance(item, Conversation)]


def only(path: Path) -> Conversation:
    (talk,) = talks(path)
    return talk


def said(talk: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in talk.messages]


def instead(talk: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in talk.alternatives]


def reason(path: Path) -> str:
    with pytest.raises(UnreadableSource) as caught:
        list(read(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Claude

ROOT = "00000000-0000-4000-8000-000000000000"


def claude_message(
    name: str, sender: str, text: str, minute: int, parent: str | None = None, **more: Json
) -> Json:
    raw = {"uuid": name, "sender": sender, "text": text, "attachments": [], "files": []}
    raw["created_at"] = f"2024-10-18T05:{minute:02}:20.458713Z"
    return raw | ({"parent_message_uuid": parent} if parent else {}) | more


def claude_old(title: str = "Trip") -> Json:
    return {
        "uuid": "c-1",
        "name": title,
        "created_at": "2024-10-18T05:30:10.325754Z",
        "updated_at": "2024-10-18T05:30:10.325754Z",
        "account": {"uuid": "a-1"},
        "chat_messages": [  # not in order, as in real ones
            claude_message("2", "assistant", " In Norway.<antThinking>easy</antThinking>", 2),
            claude_message("1", "human", "Where is Oslo?", 1),
            claude_message("3", "human", "", 3),
        ],
    }


def claude_new() -> Json:
    blocks = [
        {"type": "thinking", "thinking": "They ask for a place."},
        {"type": "text", "text": "Let me look.", "citations": []},
        {"type": "tool_use", "name": "web_search", "input": {"query": "Oslo"}},
        {"type": "tool_result", "content": [{"type": "text", "text": "a page"}]},
        {"type": "text", "text": "In Norway.", "citations": []},
    ]
    paste = [{"file_name": "", "file_type": "txt", "extracted_content": "A long letter."}]
    report = [{"file_name": "report.pdf", "extracted_content": "Sales rose by a tenth."}]
    question = [{"type": "text", "text": "Where is Oslo?"}]
    return claude_old("") | {
        "summary": "",
        "chat_messages": [
            claude_message("1", "human", "", 1, ROOT, content=question, attachments=report),
            claude_message("2", "assistant", "not shown", 2, "1", content=blocks),
            claude_message("2b", "assistant", "In Sweden.", 3, "1"),
            claude_message("3", "human", "", 4, "2", content=[], attachments=paste),
            claude_message("4", "assistant", "Thank you.", 5, "3"),
        ],
    }


@pytest.mark.parametrize("form", ["array", "one", "zip"])
def test_claude_as_it_was(tmp_path: Path, form: str) -> None:
    if form == "zip":
        members: dict[str, list[Json]] = {f"data/{name}.json": [] for name in ("users", "projects")}
        members["data/conversations.json"] = [claude_old()]
        path = zipped(tmp_path / "data-2024.zip", members)
    else:
        path = write(tmp_path / "x.json", claude_old() if form == "one" else [claude_old()])
    assert detect(path) == "claude"
    talk = only(path)
    assert (talk.title, talk.external_id) == ("Trip", "c-1")
    assert talk.started_at == "2024-10-18T05:30:10+00:00"
    assert said(talk) == [("user", "Where is Oslo?"), ("assistant", "In Norway.")]
    assert talk.messages[0].created_at == "2024-10-18T05:01:20+00:00"


def test_projects_of_claude(tmp_path: Path) -> None:
    about = {"uuid": "p", "name": "Garden", "description": "What grows", "is_private": True}
    doc = {
        "uuid": "d",
        "filename": "beds.md",
        "content": "Beans in bed two.",
        "created_at": "2025-03-02T10:00:00Z",
    }
    project = about | {
        "prompt_template": "Answer in metres.",
        "created_at": "2025-03-01T10:00:00Z",
        "docs": [doc],
    }
    starter = project | {"is_starter_project": True, "name": "How to use Claude"}
    memory = [{"conversations_memory": "Ann has a garden.", "account_uuid": "a"}]
    expected = [
        ("Garden", ["What grows", "Answer in metres."], "2025-03-01T10:00:00+00:00"),
        ("beds.md", ["Beans in bed two."], "2025-03-02T10:00:00+00:00"),
    ]

    def documents(path: Path) -> list[tuple[str, list[str], str | None]]:
        found = [item for item in read(path) if isinstance(item, Document)]
        return [(each.title, [part.text for part in each.sections], each.date) for each in found]

    alone = write(tmp_path / "projects.json", [project, starter])
    assert (detect(alone), documents(alone)) == ("claude", expected)
    members = {
        "conversations.json": [claude_old()],
        "projects/p.json": project,
        "memories.json": memory,
    }
    path = zipped(tmp_path / "data.zip", members)
    assert documents(path) == expected
    assert only(path).notes == ("left out: what Claude keeps in mind of you, in its own words",)
    assert "in its own words" in reason(write(tmp_path / "memories.json", memory))


@pytest.mark.parametrize("leaf", [None, "2b"])
def test_claude_with_branches_blocks_and_attachments(tmp_path: Path, leaf: str | None) -> None:
    raw = claude_new() | ({"current_leaf_message_uuid": leaf} if leaf else {})
    path = write(tmp_path / "conversations.json", [raw])
    talk = only(path)
    long_way = [
        ("user", "Where is Oslo?"),
        ("assistant", "Let me look.\n\nIn Norway."),
        ("user", "Pasted text"),
        ("assistant", "Thank you."),
    ]
    other = ("assistant", "In Sweden.")
    assert talk.title == ""
    assert said(talk) == ([long_way[0], other] if leaf else long_way)
    assert instead(talk) == (long_way[1:] if leaf else [other])
    documents = [item for item in read(path) if isinstance(item, Document)]
    assert [(d.title, d.sections[0].text, d.date) for d in documents] == [
        ("report.pdf", "Sales rose by a tenth.", "2024-10-18T05:01:20+00:00"),
        ("Pasted text", "A long letter.", "2024-10-18T05:04:20+00:00"),
    ]


# Grok


def grok_response(name: str, sender: str, text: str, time: Json, parent: str | None = None) -> Json:
    raw = {"response_id": name, "sender": sender, "message": text, "create_time": time}
    thinking = {"thinking_trace": "hm", "is_control": False}
    return {"response": raw | thinking | {"parent_response_id": parent}, "share_link": None}


def grok(leaf: str | None = None) -> Json:
    card = '<grok:render card_id="1" card_type="citation_card"><argument>1</argument></grok:render>'
    about = {"conversation_id": "g-1", "title": "Trip", "leaf_response_id": leaf}
    return {
        "conversation": about | {"create_time": "2025-06-21T19:28:21.177720Z"},
        "responses": [
            grok_response("1", "human", "Where is Oslo?", "2025-06-21T19:28:21.194663Z"),
            grok_response(
                "2",
                "ASSISTANT",
                f"In Norway.{card}",
                {"$date": {"$numberLong": "1750534105468"}},
                "1",
            ),
            grok_response("3", "assistant", "In Sweden.", {"$date": "2025-06-21T19:28:26Z"}, "1"),
        ],
    }


@pytest.mark.parametrize("form", ["export", "array", "zip"])
def test_grok(tmp_path: Path, form: str) -> None:
    export = {"conversations": [grok("2"), grok()], "projects": [], "tasks": []}
    if form == "zip":
        members = {"prod-grok-backend.json": export, "prod-mc-billing.json": {}}
        below = {f"ttl/30d/export_data/u-1/{name}": value for name, value in members.items()}
        path = zipped(tmp_path / "grok.zip", below)
    else:
        path = write(tmp_path / "x.json", export["conversations"] if form == "array" else export)
    assert detect(path) == "grok"
    first, second = talks(path)
    assert (first.title, first.external_id) == ("Trip", "g-1")
    assert first.started_at == "2025-06-21T19:28:21+00:00"
    assert said(first) == [("user", "Where is Oslo?"), ("assistant", "In Norway.")]
    assert first.messages[1].created_at == "2025-06-21T19:28:25+00:00"
    assert instead(first) == [("assistant", "In Sweden.")]
    assert said(second)[1] == ("assistant", "In Sweden.")


def test_grok_in_an_archive_of_x(tmp_path: Path) -> None:
    def item(chat: str, sender: str, text: str, second: int) -> Json:
        raw: Json = {"chatId": chat, "sender": {"name": sender, "originalName": sender.upper()}}
        raw |= {"createdAt": f"2025-10-23T13:11:{second:02}.692Z", "message": text}
        return {"grokChatItem": raw}

    items = [item("1", "Agent", "In Norway.", 5), item("1", "User", "Where is Oslo?", 1)]
    items.append(item("2", "User", "Thanks", 9))
    text = "window.YTD.grok_chat_item.part0 = " + json.dumps(items, indent=2)
    path = write(tmp_path / "grok-chat-item.js", text)
    assert detect(path) == "grok"
    first, second = talks(path)
    assert said(first) == [("user", "Where is Oslo?"), ("assistant", "In Norway.")]
    assert (first.external_id, said(second)) == ("1", [("user", "Thanks")])
    assert "broken JSON" in reason(write(path, text[:-5]))


# AI Studio


def ai_studio() -> Json:
    chunks = [
        {"role": "user", "text": "Where is Oslo?", "createTime": "2025-01-01T00:00:01.5Z"},
        {"role": "user", "driveImage": {"id": "x"}, "tokenCount": 258},
        {"role": "model", "text": "They ask for a place.", "isThought": True},
        {"role": "model", "text": "", "parts": [{"text": "In "}, {"text": "Norway."}]},
    ]
    return {"runSettings": {"model": "models/x"}, "chunkedPrompt": {"chunks": chunks}}


def test_ai_studio(tmp_path: Path) -> None:
    path = write(tmp_path / "My trip", ai_studio())
    assert detect(path) == "ai-studio"
    talk = only(path)
    assert (talk.title, talk.started_at) == ("My trip", "2025-01-01T00:00:01+00:00")
    assert said(talk) == [("user", "Where is Oslo?"), ("assistant", "In Norway.")]


# Gemini


def activity(title: str, *answers: str) -> Json:
    about = {"header": "Gemini Apps", "products": ["Gemini Apps"], "title": title}
    html = [{"html": answer} for answer in answers]
    return about | {"time": "2026-02-02T07:24:02.806Z"} | ({"safeHtmlItem": html} if html else {})


def test_gemini_in_takeout(tmp_path: Path) -> None:
    entries = [
        activity("Prompted Where is Oslo?", "<p>In <b>Norway</b>.</p>", "<p>In Sweden.</p>"),
        activity("Prompted And Bergen?"),
        activity("Gave feedback: Good response"),
        activity("Prompted "),
    ]
    path = write(tmp_path / "My Activity.json", entries)
    assert detect(path) == "gemini"
    first, second = talks(path)
    assert said(first) == [("user", "Where is Oslo?"), ("assistant", "In Norway.")]
    assert first.messages[0].created_at == "2026-02-02T07:24:02+00:00"
    assert instead(first) == [("assistant", "In Sweden.")]
    assert said(second) == [("user", "And Bergen?")]
    watched = activity("Watched a film") | {"header": "YouTube", "products": ["YouTube"]}
    assert reason(write(path, [watched])) == "JSON that is no chat export of a known form"


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("Gemini-Apps", "Eingegebener Prompt: Wo liegt Oslo?"),
        ("Applications Gemini", "Prompt\xa0: Wo liegt Oslo?"),
        ("Gemini アプリ", "送信したメッセージ: Wo liegt Oslo?"),
    ],
)
def test_gemini_in_other_languages(tmp_path: Path, header: str, title: str) -> None:
    entry = activity(title, "<p>In Norwegen.</p>") | {"header": header, "products": [header]}
    path = write(tmp_path / "MeineAktivitäten.json", [entry])
    assert detect(path) == "gemini"
    assert said(only(path)) == [("user", "Wo liegt Oslo?"), ("assistant", "In Norwegen.")]


def test_gemini_in_takeout_as_a_page(tmp_path: Path) -> None:
    def cell(product: str, body: str) -> str:
        return (
            '<div class="outer-cell mdl-cell mdl-cell--12-col mdl-shadow--2dp"><div class="mdl-grid">'
            f'<div class="header-cell mdl-cell mdl-cell--12-col"><p class="mdl-typography--title">{product}<br></p></div>'
            f'<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">{body}</div>'
            '<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1 mdl-typography--text-right"></div>'
            '<div class="content-cell mdl-cell mdl-cell--12-col mdl-typography--caption"><b>Products:</b><br>&emsp;'
            f"{product}<br><b>Why is this here?</b><br>&emsp;This activity was saved.</div></div></div>"
        )

    style = f"<style>.mdl-cell {{ color: red }} {'.mdl-x { top: 0 } ' * 8000}</style>"
    answer = "<p>In <b>Norway</b> &amp; north.</p><ul><li>Cold</li></ul>"
    page = (
        f"<html><head><title>My Activity History</title>{style}</head><body><div class='mdl-grid'>"
        + cell(
            "Gemini Apps",
            f"Prompted\xa0Where is<br>Oslo?<br>Feb 2, 2026, 8:24:02\u202fAM CET<br>{answer}",
        )
        + cell(
            "Gemini Apps",
            "Prompted\xa0And this?<br>Attached 1 file.<br>- <a>a.jpg</a><br>1 Feb 2026, 08:24:02 CET",
        )
        + cell("Gemini Apps", "Gave feedback: Good response<br>1 Feb 2026, 08:24:02 CET<br>")
        + cell("Search", "Searched for <a>gemini</a><br>1 Feb 2026, 08:24:02 CET")
        + "</div></body></html>"
    )
    path = tmp_path / "MyActivity.html"
    path.write_text(page)
    assert detect(path) == "gemini"
    first, second = talks(path)
    assert said(first) == [
        ("user", "Where is\nOslo?"),
        ("assistant", "In Norway & north.\n\nCold"),
    ]
    assert first.messages[0].created_at == "2026-02-02T07:24:02+00:00"
    assert said(second) == [("user", "And this?")]
    path.write_text(page.replace("Gemini Apps", "Search"))
    assert detect(path) == "html"


# Open WebUI


def open_webui(title: str = "Trip", user: str = "u-1") -> Json:
    def entry(name: str, parent: str | None, role: str, text: str, second: int) -> Json:
        raw: Json = {"id": name, "parentId": parent, "childrenIds": [], "role": role}
        return raw | {"content": text, "timestamp": 1744577557 + second}

    thoughts = '<details type="reasoning" done="true">\n<summary>x</summary>\n> hm\n</details>\n'
    tree = [
        entry("1", None, "user", "Where is Oslo?", 0),
        entry("2", "1", "assistant", thoughts + "In Norway.", 1),
        entry("3", "1", "assistant", "<think>hm</think>In Sweden.", 2),
    ]
    history = {"messages": {raw["id"]: raw for raw in tree}, "currentId": "2"}
    chat = {"title": title, "models": ["m"], "history": history, "messages": tree[:2]}
    return {
        "id": "w-1",
        "user_id": user,
        "title": title,
        "chat": chat | {"timestamp": 1744577557127},
        "created_at": 1744577557,
        "updated_at": 1744577567,
    }


def webui_database(path: Path, *rows: Json) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TABLE chat (id VARCHAR(255) NOT NULL, user_id VARCHAR(255), title TEXT,"
            " share_id VARCHAR(255), archived INTEGER, created_at DATETIME, updated_at DATETIME,"
            " chat JSON, pinned BOOLEAN)"
        )
        for row in rows:
            place = [row["id"], row["user_id"], row["title"], row["created_at"]]
            db.execute(
                "INSERT INTO chat (id, user_id, title, created_at, chat) VALUES (?, ?, ?, ?, ?)",
                [*place, json.dumps(row["chat"])],
            )
        db.commit()
    return path


def sql_of(row: Json) -> str:
    chat = json.dumps(row["chat"] | {"note": "it's"}).replace("'", "''")
    return (
        f"""INSERT INTO "main"."chat" ("id", "meta", "chat") VALUES ('it''s', '{{}}', '{chat}');"""
    )


WEBUI_FORMS: dict[str, Callable[[Path], Path]] = {
    "export": lambda path: write(path, [open_webui(), open_webui("Copy", "shared-w-1")]),
    "one": lambda path: write(path, open_webui()),
    "inner": lambda path: write(path, open_webui()["chat"]),
    "sql": lambda path: write(path, sql_of(open_webui())),
    "database": lambda path: webui_database(
        path, open_webui(), open_webui("Copy", "shared-w-1"), open_webui() | {"chat": None}
    ),
}


@pytest.mark.parametrize("form", WEBUI_FORMS)
def test_open_webui(tmp_path: Path, form: str) -> None:
    path = WEBUI_FORMS[form](tmp_path / "webui.db")
    assert detect(path) == "open-webui"
    talk = only(path)
    assert (talk.title, talk.started_at) == ("Trip", "2025-04-13T20:52:37+00:00")
    assert said(talk) == [("user", "Where is Oslo?"), ("assistant", "In Norway.")]
    assert talk.messages[1].created_at == "2025-04-13T20:52:38+00:00"
    assert instead(talk) == [("assistant", "In Sweden.")]


@pytest.mark.parametrize("form", ["json", "database", "claude"])
def test_chats_of_several_people_are_told_of_once(tmp_path: Path, form: str) -> None:
    path = tmp_path / "webui.db"
    chats = [open_webui(user=user) | {"id": n} for n, user in enumerate(("a", "a", "b", "a", "c"))]
    if form == "database":
        webui_database(path, *chats)
    elif form == "json":
        write(path, chats)
    else:
        write(path, [claude_old() | {"account": {"uuid": chat["user_id"]}} for chat in chats])
    notes = [item.notes for item in read(path) if isinstance(item, Conversation)]
    assert notes == [(), (), (SEVERAL_PEOPLE,), (), ()]


# llm


def database(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)
    return path


LOG = """
CREATE TABLE log (id INTEGER PRIMARY KEY, provider TEXT, system TEXT, prompt TEXT, chat_id INTEGER,
    response TEXT, model TEXT, timestamp TEXT);
INSERT INTO log (id, prompt, chat_id, response, timestamp) VALUES
    (1, 'Where is Oslo?', NULL, 'In Norway.', '2023-04-03 10:20:30.123456'),
    (2, 'Hello', NULL, 'Hi.', '2023-04-03 10:21:00'),
    (3, 'And Bergen?', 1, 'There too.', '2023-04-03 10:22:00');
"""

RESPONSES = """
CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, response TEXT,
    conversation_id TEXT, datetime_utc TEXT, reasoning TEXT);
CREATE TABLE fragments (id INTEGER PRIMARY KEY, hash TEXT, content TEXT, datetime_utc TEXT, source TEXT);
CREATE TABLE fragment_aliases (alias TEXT PRIMARY KEY, fragment_id INTEGER);
CREATE TABLE prompt_fragments (response_id TEXT, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE system_fragments (response_id TEXT, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE tool_results (id INTEGER PRIMARY KEY, response_id TEXT, name TEXT, output TEXT);
INSERT INTO conversations VALUES ('c1', 'Trip', 'm'), ('c2', '', 'm');
INSERT INTO responses (id, prompt, response, conversation_id, datetime_utc, reasoning) VALUES
    ('r2', 'And Bergen?', 'There too.', 'c1', '2025-02-16T22:35:30.374882+00:00', 'hm'),
    ('r1', 'Where is Oslo?', 'In Norway.', 'c1', '2025-02-16T22:34:30.374882+00:00', NULL),
    ('r3', '', 'A poem.', 'c2', '2025-02-17T08:00:00', NULL),
    ('r4', '', '', 'c2', '2025-02-17T08:01:00', NULL),
    ('r5', 'Alone', 'Yes.', NULL, '2025-02-17T09:00:00', NULL);
INSERT INTO fragments VALUES (1, 'h1', 'The old oak stands alone.', '2025-02-17T08:00:00', 'oak.txt'),
    (2, 'h2', 'Answer briefly.', '2025-02-17T08:00:00', 'brief.txt');
INSERT INTO prompt_fragments VALUES ('r3', 1, 0);
INSERT INTO system_fragments VALUES ('r3', 2, 0);
"""

THREADS = """
CREATE TABLE messages (hash TEXT PRIMARY KEY, parent_hash TEXT, role TEXT, provider_metadata TEXT);
CREATE TABLE parts (id INTEGER PRIMARY KEY, message_hash TEXT, position INTEGER, type TEXT,
    tool_name TEXT, text TEXT, payload TEXT);
CREATE TABLE threads (id TEXT PRIMARY KEY, name TEXT, tip_message_hash TEXT, forked_from TEXT,
    datetime_utc TEXT);
CREATE TABLE turns (id TEXT PRIMARY KEY, thread_id TEXT, parent_message_hash TEXT,
    tip_message_hash TEXT, model TEXT, datetime_utc TEXT);
CREATE TABLE IF NOT EXISTS fragments (id INTEGER PRIMARY KEY, hash TEXT, content TEXT,
    datetime_utc TEXT, source TEXT);
CREATE TABLE part_fragments (part_id INTEGER, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE turn_fragments (turn_id TEXT, fragment_id INTEGER, "order" INTEGER, kind TEXT);
INSERT INTO messages VALUES ('s', NULL, 'system', NULL), ('q1', 's', 'user', NULL),
    ('a1', 'q1', 'assistant', NULL), ('a1b', 'q1', 'assistant', NULL), ('q2', 'a1', 'user', NULL),
    ('call', 'q2', 'assistant', NULL), ('result', 'call', 'tool', NULL),
    ('a2', 'result', 'assistant', NULL);
INSERT INTO parts (id, message_hash, position, type, text, payload) VALUES
    (1, 's', 0, 'text', 'Be kind.', NULL), (2, 'q1', 0, 'text', 'Where is Oslo?', NULL),
    (3, 'a1', 0, 'reasoning', 'hm', NULL), (4, 'a1', 1, 'text', 'In Norway.', NULL),
    (5, 'a1b', 0, 'text', 'In Sweden.', NULL),
    (6, 'q2', 0, 'text', NULL,
     '{"text_ref": [{"fragment": 7}, {"literal": "\\nWho wrote this?"}]}'),
    (7, 'call', 0, 'tool_call', NULL, '{}'), (8, 'result', 0, 'tool_result', 'a page', NULL),
    (9, 'a2', 0, 'text', 'Ann.', NULL);
INSERT INTO fragments (id, content, datetime_utc, source)
    VALUES (7, 'Signed, Ann.', '2026-01-02T03:05:00', 'letter.txt');
INSERT INTO part_fragments VALUES (6, 7, 0);
INSERT INTO turn_fragments VALUES ('t3', 7, 0, 'prompt');
INSERT INTO threads VALUES ('c1', 'Trip', 'a2', NULL, '2026-01-02T03:04:05+00:00');
INSERT INTO turns VALUES ('t1', 'c1', 'q1', 'a1b', 'm', '2026-01-02T03:04:05+00:00'),
    ('t2', 'c1', 'q1', 'a1', 'm', '2026-01-02T03:04:10+00:00'),
    ('t3', 'c1', 'q2', 'call', 'm', '2026-01-02T03:05:00+00:00'),
    ('t4', 'c1', 'result', 'a2', 'm', '2026-01-02T03:05:05+00:00');
"""
OSLO = [("user", "Where is Oslo?"), ("assistant", "In Norway.")]
BERGEN = [("user", "And Bergen?"), ("assistant", "There too.")]
LETTER = [("user", "Who wrote this?"), ("assistant", "Ann.")]


@pytest.mark.parametrize("table", ["log", "logs"])
def test_llm_as_it_was_first(tmp_path: Path, table: str) -> None:
    path = database(tmp_path / "logs.db", LOG)
    if table == "logs":
        database(path, "ALTER TABLE log RENAME TO logs")
        database(path, "ALTER TABLE logs RENAME COLUMN timestamp TO datetime_utc")
    assert detect(path) == "llm"
    first, second = talks(path)
    assert said(first) == OSLO + BERGEN
    assert first.started_at == "2023-04-03T10:20:30+00:00"
    assert said(second) == [("user", "Hello"), ("assistant", "Hi.")]


def test_llm_with_responses(tmp_path: Path) -> None:
    path = database(tmp_path / "logs.db", RESPONSES)
    assert detect(path) == "llm"
    found = {talk.external_id: talk for talk in talks(path)}
    assert said(found["c1"]) == OSLO + BERGEN
    assert found["c1"].title == "Trip"
    assert found["c1"].messages[0].created_at == "2025-02-16T22:34:30+00:00"
    assert said(found["c2"]) == [("user", "oak.txt"), ("assistant", "A poem.")]
    assert said(found[None]) == [("user", "Alone"), ("assistant", "Yes.")]
    documents = [item for item in read(path) if isinstance(item, Document)]
    assert [(d.title, d.sections[0].text) for d in documents] == [
        ("oak.txt", "The old oak stands alone.")
    ]


def test_llm_with_threads(tmp_path: Path) -> None:
    path = database(tmp_path / "logs.db", THREADS)
    assert detect(path) == "llm"
    talk = only(path)
    assert said(talk) == OSLO + LETTER
    assert instead(talk) == [("assistant", "In Sweden.")]
    assert talk.messages[1].created_at == "2026-01-02T03:04:10+00:00"
    documents = [item for item in read(path) if isinstance(item, Document)]
    assert [d.title for d in documents] == ["letter.txt"]


def test_llm_that_went_on_after_its_form_changed(tmp_path: Path) -> None:
    path = database(tmp_path / "logs.db", LOG + RESPONSES + THREADS)
    found = talks(path)
    assert len(found) == 5
    (trip,) = [talk for talk in found if talk.external_id == "c1"]
    # What the thread repeats of the older form, it says differently after the first two.
    assert said(trip) == OSLO + BERGEN + OSLO + LETTER
    database(path, "DELETE FROM responses WHERE id = 'r2'")
    (trip,) = [talk for talk in talks(path) if talk.external_id == "c1"]
    assert said(trip) == OSLO + LETTER


# Databases of others


@pytest.fixture
def in_use(tmp_path: Path) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """A database that its program has open, with changes in the log beside it."""
    folder = tmp_path / "data"
    folder.mkdir()
    path = webui_database(folder / "webui.db", open_webui())
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("UPDATE chat SET title = 'Newer'")
        for number in range(300):
            row = [str(number), "More", json.dumps(open_webui()["chat"])]
            db.execute("INSERT INTO chat (id, title, chat) VALUES (?, ?, ?)", row)
        db.commit()
        yield path, db


def titles(path: Path) -> list[str]:
    """Through the process that reads files, which can write nothing."""
    return [talk.title for talk in sandbox.read(path) if isinstance(talk, Conversation)]


def test_a_database_in_use_is_read_as_it_stands(
    in_use: tuple[Path, sqlite3.Connection],
) -> None:
    path, db = in_use
    folder = path.parent
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(before["webui.db-wal"]) > 100_000
    assert titles(path) == ["Newer"] + ["More"] * 300
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    db.execute("PRAGMA wal_checkpoint(RESTART)")  # the log begins anew over its old bytes
    db.execute("UPDATE chat SET title = 'Last' WHERE title = 'Newer'")
    db.execute("DELETE FROM chat WHERE title = 'More'")
    db.commit()
    assert titles(path) == ["Last"]


def test_a_log_that_was_cut_off_counts_up_to_its_last_whole_change(
    in_use: tuple[Path, sqlite3.Connection],
) -> None:
    path, db = in_use
    whole = path.with_name("webui.db-wal").read_bytes()
    db.execute("UPDATE chat SET title = 'Torn'")
    db.commit()
    longer = path.with_name("webui.db-wal").read_bytes()
    other = path.with_name("other.db")
    shutil.copyfile(path, other)
    for log in (longer[: len(whole) + 5000], longer[:-100] + bytes(100), whole + b"x" * 9000):
        path.with_name("other.db-wal").write_bytes(log)
        assert set(titles(other)) == {"Newer", "More"}
    path.with_name("other.db-wal").write_bytes(b"no log")
    assert titles(other) == ["Trip"]


def test_a_database_left_in_the_middle_of_a_change(tmp_path: Path) -> None:
    path = webui_database(tmp_path / "webui.db", open_webui())
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA cache_size = 1")
        db.execute("UPDATE chat SET title = ?", ["x" * 100_000])
        assert reason(path) == ("a database left in the middle of a change: open its program once")


def test_a_database_in_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "a folder #1%20?"
    folder.mkdir()
    webui_database(folder / "webui.db", open_webui())
    folder.chmod(0o500)
    try:
        assert only(folder / "webui.db").title == "Trip"
    finally:
        folder.chmod(0o700)


def test_hostile_databases(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i"
    view = f"CREATE VIEW chat AS {endless} AS id, i AS title, i AS chat FROM n"
    path = database(tmp_path / "view.db", view)
    assert reason(path) == "a database, not text"
    made = "CREATE TABLE chat (id, title, chat AS (hex(zeroblob(400000000))))"
    path = database(tmp_path / "made.db", made)
    assert reason(path) == "a database, not text"
    path = webui_database(tmp_path / "cut.db", open_webui("x" * 20_000))
    path.write_bytes(path.read_bytes()[:6000])
    assert reason(path) == "a damaged database"
    whole = webui_database(tmp_path / "schema.db", open_webui()).read_bytes()
    path.write_bytes(whole.replace(b"VARCHAR(255)", b"VARCHAR(25\xab)"))
    assert reason(path) == "a damaged database"
    path.write_bytes(b"SQLite format 3\x00" + bytes(5000))
    assert reason(path) == "a damaged database"
    path = webui_database(tmp_path / "odd.db", open_webui() | {"chat": "not a chat"})
    assert reason(path) == "no chat of Open WebUI in it"


def test_a_folder_passes_over_databases_that_nothing_reads(tmp_path: Path) -> None:
    database(tmp_path / "other.db", "CREATE TABLE songs (id)")
    webui_database(tmp_path / "webui.db", open_webui())
    report = look([tmp_path])
    assert [Path(entry["path"]).name for entry in report.files] == ["webui.db"]
    assert [entry["reason"] for entry in report.skipped] == ["a database, not text"]


# Lists of messages, and ShareGPT's


MESSAGES = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Where is Oslo?"},
    {"role": "assistant", "content": "<think>hm</think>\n\nIn Norway."},
]
SHAREGPT = [
    {"from": "system", "value": "Be kind."},
    {"from": "human", "value": "Where is Oslo?"},
    {"from": "gpt", "value": "In Norway."},
    {"from": "tool", "value": "a page"},
]


@pytest.mark.parametrize(
    ("content", "format_name", "n_talks"),
    [
        (lines({"messages": MESSAGES}, {"messages": MESSAGES}), "messages-jsonl", 2),
        (lines(MESSAGES, MESSAGES), "messages-jsonl", 2),
        (json.dumps(MESSAGES), "messages-jsonl", 1),
        (json.dumps(MESSAGES, indent=1), "messages-jsonl", 1),
        (json.dumps({"messages": MESSAGES}, indent=1), "messages-jsonl", 1),
        (json.dumps([{"messages": MESSAGES}] * 2), "messages-jsonl", 2),
        (lines({"conversations": SHAREGPT}, {"conversations": SHAREGPT}), "sharegpt", 2),
        (json.dumps([{"id": "x", "conversations": SHAREGPT}] * 2), "sharegpt", 2),
        (json.dumps([{"id": "x", "items": SHAREGPT}], indent=1), "sharegpt", 1),
        (json.dumps({"conversations": SHAREGPT}), "sharegpt", 1),
        (lines({"conversations": MESSAGES}), "sharegpt", 1),
    ],
)
def test_lists_of_turns(tmp_path: Path, content: str, format_name: str, n_talks: int) -> None:
    path = write(tmp_path / "a.json", content)
    assert detect(path) == format_name
    found = talks(path)
    assert len(found) == n_talks
    assert all(said(talk) == OSLO for talk in found)


def test_a_record_of_another_form_is_named(tmp_path: Path) -> None:
    one = {"conversations": SHAREGPT}
    assert reason(write(tmp_path / "a.jsonl", lines(one, {"x": 1}))) == "no conversation at line 2"
    assert reason(write(tmp_path / "a.json", [one, 3])) == "no conversation at record 2"


# All of them


def test_no_export_is_taken_for_another(tmp_path: Path) -> None:
    quoting = 'It has "mapping": {} and "chat_messages": [] and "chunkedPrompt": {"chunks": []}'
    for name, value in {
        "claude": [claude_old(quoting)],
        "grok": {"conversations": [grok() | {"summary": quoting}]},
        "ai-studio": ai_studio() | {"systemInstruction": {"text": quoting}},
        "open-webui": [open_webui(quoting)],
        "messages-jsonl": {"messages": [{"role": "user", "content": quoting}]},
        "sharegpt": [{"id": quoting, "conversations": SHAREGPT}],
    }.items():
        assert detect(write(tmp_path / "conversations.json", value)) == name


@pytest.mark.parametrize(
    "value",
    [
        {"conversations": []},
        {"messages": []},
        [{"uuid": "1", "name": "x"}],
        {"title": "mapping", "chunks": []},
        [{"conversations": {"a": 1}}],
        [1, 2],
    ],
)
def test_json_of_unknown_form(tmp_path: Path, value: Json) -> None:
    known = "JSON that is no chat export of a known form"
    assert reason(write(tmp_path / "conversations.json", value)) == known


def test_odd_values_inside_cost_nothing(tmp_path: Path) -> None:
    odd: list[Json] = [None, 3, [], {}, "x", {"role": 3}, {"sender": []}, {"response": None}]
    for name, value in {
        "claude": [{"chat_messages": odd + claude_old()["chat_messages"], "created_at": 1e300}],
        "grok": {"conversations": [grok("2") | {"responses": grok()["responses"] + odd}]},
        "ai-studio": {"chunkedPrompt": {"chunks": ai_studio()["chunkedPrompt"]["chunks"] + odd}},
        "open-webui": [{"chat": {"history": {"messages": {"1": 3}}, "messages": MESSAGES + odd}}],
        "messages-jsonl": [{"messages": MESSAGES + odd, "created_at": 10**18}],
        "sharegpt": [{"conversations": SHAREGPT + odd}],
    }.items():
        path = write(tmp_path / "a.json", value)
        assert detect(path) == name
        assert said(talks(path)[0])[:2] == OSLO


# Other people's exports, counted from their structure


def openai_count(raw: Json) -> Iterator[int]:
    """Messages on the way up from the node shown last that have a text for a person."""
    for talk in raw if isinstance(raw, list) else [raw]:
        n_messages, name = 0, talk["current_node"]
        while name:
            message = talk["mapping"][name]["message"] or {}
            meta, content = message.get("metadata", {}), message.get("content", {})
            n_messages += (
                message.get("author", {}).get("role") in ("user", "assistant")
                and content.get("content_type") in ("text", "multimodal_text")
                and message["recipient"] == "all"
                and not meta.get("is_visually_hidden_from_conversation")
                and any(isinstance(part, str) and part.strip() for part in content["parts"])
            )
            name = talk["mapping"][name]["parent"]
        yield n_messages


def claude_count(raw: Json) -> Iterator[int]:
    for talk in raw:
        yield sum(
            bool(message["text"].strip() or any(b.get("text") for b in message.get("content", ())))
            for message in talk["chat_messages"]
        )


def grok_count(raw: Json) -> Iterator[int]:
    for talk in raw["conversations"]:
        yield sum(bool(entry["response"]["message"]) for entry in talk["responses"])


def studio_count(raw: Json) -> Iterator[int]:
    yield sum(not chunk.get("isThought") for chunk in raw["chunkedPrompt"]["chunks"])


def webui_count(raw: Json) -> Iterator[int]:
    yield len(raw["messages"])


def sql_count(raw: str) -> Iterator[int]:
    """One chat, whose messages stand in it twice: as a tree and as a list."""
    yield raw.count('"role":') // 2


IMPORTER = "openwebui-importer_MIT"


@needs_data
@pytest.mark.parametrize(
    ("pattern", "format_name", "count"),
    [
        ("openai-conversations_MIT/samples/*.json", "chatgpt", openai_count),
        (f"{IMPORTER}/examples/gpt_example.json", "chatgpt", openai_count),
        ("claude-to-sqlite_Apache/*.json", "claude", claude_count),
        (f"{IMPORTER}/examples/claude*.json", "claude", claude_count),
        (f"{IMPORTER}/examples/grok_example.json", "grok", grok_count),
        (f"{IMPORTER}/examples/aistudio_example.json", "ai-studio", studio_count),
        (f"{IMPORTER}/examples/webui-json.json", "open-webui", webui_count),
        (f"{IMPORTER}/examples/chat.sql", "open-webui", sql_count),
        (f"{IMPORTER}/tests/expected/*.json", "open-webui", webui_count),
    ],
)
def test_real_exports_are_counted_right(
    pattern: str, format_name: str, count: Callable[[Json], Iterator[int]]
) -> None:
    paths = sorted((DATA / "chat_exports").glob(pattern))
    if not paths:
        pytest.skip(f"{pattern} is not among the real files")
    for path in paths:
        raw = path.read_text(encoding="utf-8")
        expected = [n for n in count(raw if path.suffix == ".sql" else json.loads(raw)) if n]
        report = look([path])
        (file,) = report.files
        assert file["format"] == format_name
        assert (file["conversations"], file["messages"]) == (len(expected), sum(expected)), path
        assert file["speakers"] == ["assistant", "user"]
        assert [len(talk.messages) for talk in talks(path)] == expected


@needs_data
def test_a_converter_s_results_say_the_same_as_what_it_converted() -> None:
    folder = DATA / "chat_exports" / IMPORTER
    for made, source in (
        ("chatgpt", "gpt"),
        ("claude", "claude"),
        ("claude_thinking", "claude_thinking"),
        ("grok", "grok"),
    ):
        paths = (
            folder / "examples" / f"{source}_example.json",
            folder / "tests" / "expected" / f"{made}_output.json",
        )
        if not all(path.exists() for path in paths):
            pytest.skip("the converter's examples are not among the real files")
        original, converted = map(only, paths)
        assert said(original) == said(converted)
        assert original.title == converted.title


@needs_data
def test_other_branches_of_a_real_conversation() -> None:
    name = "openai-conversations_MIT/samples/india-map-with-khargone.json"
    path = DATA / "chat_exports" / name
    if not path.exists():
        pytest.skip(f"{name} is not among the real files")
    assert [role for role, _ in instead(only(path))] == ["user", "assistant", "user"]


@needs_data
def test_a_real_log_takes_what_llm_would_write(tmp_path: Path) -> None:
    path = DATA / "chat_exports/llm_logsdb_Apache/logs_empty.db"
    if not path.exists():
        pytest.skip("logs_empty.db is not among the real files")
    assert detect(path) == "llm"
    copy = tmp_path / "logs.db"
    shutil.copyfile(path, copy)
    for script in (RESPONSES, THREADS):
        rows = script[script.index("INSERT") :]
        columns = "(id, thread_id, parent_message_hash, tip_message_hash, model, datetime_utc)"
        database(copy, rows.replace("turns VALUES", f"turns {columns} VALUES"))
    assert len(talks(copy)) == 3


@pytest.mark.parametrize("before", range(12))
def test_half_of_a_character_costs_that_character_alone(tmp_path: Path, before: int) -> None:
    """Programs that cut texts by 16-bit units leave halves of pairs; whole ones and backslashes stay,
    wherever the file is cut in reading."""
    marks = r"\ud83d\ude00 \ud83d \\ud83d C:\\new \u00e9 \ud83d\ude00\ude00\ud83d\""
    said = "x" * (65_460 + before) + 9 * marks
    message = f'{{"role": "user", "content": "{said}"}}'
    file = tmp_path / "chats.json"
    file.write_text(f'[{{"messages": [{message}]}}]')
    (chat,) = list(read(file))
    assert isinstance(chat, Conversation)
    assert chat.messages[0].text.lstrip("x") == 9 * '😀 � \\ud83d C:\\new é 😀��"'


def test_half_of_a_character_in_an_id_costs_no_other_file(store: Store, folder: Path) -> None:
    half = "a\ud800b"
    person = {"sender_name": "Ann", "timestamp_ms": 1, "content": "Where is Oslo?"}
    write(folder / "1.jsonl", lines({"id": half, "messages": MESSAGES}))
    write(folder / "2.jsonl", lines({"id": half + "2", "conversations": SHAREGPT}))
    messenger = {"participants": [], "messages": [person], "title": "x", "thread_path": half}
    write(folder / "3.json", messenger)
    write(folder / "4.json", {"messages": MESSAGES})
    report = ingest(store, [folder])
    assert report.refused == []
    assert report.conversations == 4
