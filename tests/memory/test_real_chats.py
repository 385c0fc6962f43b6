"""Other people's exports: what is found in them, against counts made in another way."""

import json
import os
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.ingest import look

DATA = Path(os.environ.get("LEARNCTL_TEST_DATA") or "no folder")
EXPORTS = DATA / "chat_exports"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no folder of real files: set LEARNCTL_TEST_DATA"
)


def found(name: str) -> Any:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not among the real files")
    report = look([path])
    assert not report.refused
    (file,) = report.files
    return file


def target(program: str) -> Any:
    return json.loads((EXPORTS / "chat-miner_MIT" / program / "target.json").read_text())


@pytest.mark.parametrize(
    "name",
    ["[mmddyy]_24hrs", "ddmmyy_24hrs", "mmddyy_24hrs", "mmddyyyy_12hrs", "yyyymmdd_24hrs"],
)
def test_whatsapp_layouts(name: str) -> None:
    file = found(f"chat_exports/chat-miner_MIT/whatsapp/test_{name}.txt")
    expected = target("whatsapp")
    assert (file["format"], file["messages"]) == ("whatsapp", len(expected))
    assert file["speakers"] == sorted({each["author"] for each in expected})
    moments = sorted(each["timestamp"] for each in expected)
    assert (file["first"], file["last"]) == (moments[0], moments[-1])


@pytest.mark.parametrize(
    "name", ["examples/whatsapp_chat.txt", "unit_tests/chat_loaders/data/whatsapp_chat.txt"]
)
def test_whatsapp_by_a_line_pattern(name: str) -> None:
    file = found(f"chat_exports/langchain_MIT/{name}")
    lines = (EXPORTS / "langchain_MIT" / name).read_text().splitlines()
    said = [
        line for line in lines if re.search(r"\d[^:]*:\d\d.*?(?:\]| -) [^:]+: [^\u200e<]", line)
    ]
    said = [line for line in said if not line.endswith("This message was deleted")]
    assert (file["format"], file["messages"]) == ("whatsapp", len(said))
    assert file["first"] < file["last"]


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("instagram/test_export.json", "instagram"),
        ("signal/test_export.txt", "signal"),
        ("telegram/test_batch_export.json", "telegram"),
        ("telegram/test_single_export.json", "telegram"),
    ],
)
def test_small_exports(name: str, program: str) -> None:
    file = found(f"chat_exports/chat-miner_MIT/{name}")
    expected = target(program)
    assert (file["format"], file["conversations"], file["messages"]) == (program, 1, len(expected))
    assert file["speakers"] == sorted({each["author"] for each in expected})


@pytest.mark.parametrize(
    "name",
    [
        "unit_tests/chat_loaders/data/telegram_chat_json/result.json",
        "unit_tests/document_loaders/test_docs/telegram.json",
        "unit_tests/document_loaders/test_docs/telegram_channel.json",
    ],
)
def test_telegram_json(name: str) -> None:
    file = found(f"chat_exports/langchain_MIT/{name}")
    export = json.loads((EXPORTS / "langchain_MIT" / name).read_text())
    messages = export if isinstance(export, list) else export["messages"]
    assert (file["format"], file["messages"]) == ("telegram", len(messages))
    assert len(file["speakers"]) == len({m.get("from_id", m.get("sender_id")) for m in messages})


def test_telegram_html() -> None:
    name = (
        "chat_exports/langchain_MIT/unit_tests/chat_loaders/data/telegram_chat_html/messages.html"
    )
    file = found(name)
    page = (DATA / name).read_text()
    assert (file["format"], file["messages"]) == ("telegram", page.count('<div class="text">'))
    assert len(file["speakers"]) == len(set(re.findall(r'"from_name">\s*(.+)', page)))


def test_messenger() -> None:
    file = found("chat_exports/langchain_MIT/examples/facebook_chat.json")
    export = json.loads((EXPORTS / "langchain_MIT/examples/facebook_chat.json").read_text())
    with_words = [m for m in export["messages"] if m.get("content")]
    assert (file["format"], file["messages"]) == ("messenger", len(with_words))
    assert file["speakers"] == sorted(p["name"] for p in export["participants"])


@pytest.mark.parametrize(
    "name", ["langchain_MIT/examples/slack_export.zip", "slack-export-viewer_MIT/testarchive.zip"]
)
def test_slack(name: str) -> None:
    file = found(f"chat_exports/{name}")
    channels, n_messages = set(), 0
    with zipfile.ZipFile(EXPORTS / name) as archive:
        for member in archive.namelist():
            if not re.search(r"/\d{4}-\d\d-\d\d\.json$", member):
                continue
            for message in json.loads(archive.read(member)):
                words = re.sub(r"^<@\S+> (?:uploaded|shared) a file: <[^>]+>", "", message["text"])
                is_service = message.get("subtype", "") in (
                    "channel_join",
                    "bot_add",
                    "bot_message",
                )
                if words and not is_service:
                    channels.add(member.split("/")[-2])
                    n_messages += 1
    assert (file["format"], file["messages"]) == ("slack", n_messages)
    assert file["conversations"] == len(channels)
    assert not [speaker for speaker in file["speakers"] if re.fullmatch(r"U[A-Z0-9]{8,}", speaker)]


@pytest.mark.parametrize("name", ["imessage_chat.db", "imessage_chat_upgrade_osx_11.db"])
def test_imessage(name: str) -> None:
    path = "chat_exports/langchain_MIT/unit_tests/chat_loaders/data/" + name
    file = found(path)
    with closing(sqlite3.connect(f"file:{DATA / path}?mode=ro&immutable=1", uri=True)) as database:
        query = "SELECT count(*), count(DISTINCT is_from_me) FROM message WHERE associated_message_type = 0"
        n_messages, n_sides = database.execute(query).fetchone()
    assert (file["format"], file["messages"]) == ("imessage", n_messages)
    assert len(file["speakers"]) == n_sides
    assert "user" in file["speakers"]


def test_irc_logs() -> None:
    logs = sorted((DATA / "ubuntu_irc").rglob("*.raw.txt"))
    if not logs:
        pytest.skip("ubuntu_irc is not among the real files")
    for log in logs:
        file = found(log.relative_to(DATA).as_posix())
        lines = log.read_text().split("\n")
        said = [
            line for line in lines if re.match(r"\[\d\d:\d\d\] (?:<\S+> .*\S|  ?\* \S+ .)", line)
        ]
        assert (file["format"], file["messages"]) == ("irc", len(said)), log
        assert file["first"].startswith(log.name[:10])
