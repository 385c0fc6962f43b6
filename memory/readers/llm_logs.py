"""The log of the command-line tool `llm`: `logs.db`, in each of the forms it has had.

Today a thread points at the last of a chain of messages, whose words are parts
(https://llm.datasette.io/en/stable/logging.html). Before, `responses` held a prompt and its answer;
at first `logs`, and before that `log`, did. A file may hold several of these at once.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from ..records import Conversation, Document, Item, Message, Section
from .chat_text import as_text, message, role_of, title_of
from .dates import utc_moment
from .sqlite import Database, Row, is_database, open_database

_RESPONSES = ("id", "conversation_id", "prompt", "response", "datetime_utc")
_LOGS = ("id", "chat_id", "prompt", "response", "datetime_utc", "timestamp_utc", "timestamp")
_TURNS = ("id", "thread_id", "parent_message_hash", "tip_message_hash", "datetime_utc")
_ANY_ORIGIN = "Fragment"


def matches(path: Path, head: bytes) -> bool:
    """A database with one of the tables that `llm` has logged to, under their own columns."""
    if not is_database(head):
        return False
    with open_database(path) as database:
        return (
            {"thread_id", "tip_message_hash"} <= database.columns("turns")
            or {"prompt", "response", "conversation_id"} <= database.columns("responses")
            or any(
                {"prompt", "response", "chat_id"} <= database.columns(table)
                for table in ("logs", "log")
            )
        )


def read(path: Path) -> Iterator[Item]:
    """The conversations, oldest form first, then the fragments given to prompts as documents.

    Raises:
        UnreadableSource: a damaged database. Some may have come before.
        OSError: it cannot be opened.
    """
    with open_database(path) as database:
        for table in ("log", "logs"):
            yield from _first_logs(database, table)
        threads = _Threads(database)
        names = _fragment_names(database)
        continued: dict[str, Conversation] = {}
        for conversation in _responses(database, threads.turn_ids, names):
            if conversation.external_id in threads.ids:
                continued[conversation.external_id or ""] = conversation
            else:
                yield conversation
        for thread in threads.conversations(names):
            yield _joined(continued.get(thread.external_id or ""), thread)
        yield from _fragments(database, names)


def _first_logs(database: Database, table: str) -> Iterator[Conversation]:
    """A chat's first row is named by the `chat_id` of the others."""
    chats: dict[object, list[Row]] = {}
    for place, row in enumerate(database.rows(table, _LOGS)):
        key = row["id"] if row["chat_id"] is None else row["chat_id"]
        chats.setdefault(place if key is None else key, []).append(row)
    for rows in chats.values():
        yield _of_rows(rows, None, None, {})


def _responses(
    database: Database, logged_anew: set[str], names: dict[str, list[str]]
) -> Iterator[Conversation]:
    titles = {
        as_text(row["id"]): row["name"] for row in database.rows("conversations", ("id", "name"))
    }
    # Sorted without their texts, which may be large.
    sorted_ids = [
        (as_text(row["conversation_id"]), as_text(row["id"]))
        for row in database.rows("responses", ("id", "conversation_id"), "conversation_id, id")
        if as_text(row["id"]) not in logged_anew
    ]
    for key, group in groupby(sorted_ids, key=itemgetter(0)):
        ids = [number for _, number in group]
        for together in [ids] if key else ([number] for number in ids):
            rows = [
                row
                for number in together
                for row in database.rows("responses", _RESPONSES, where=("id", number))
            ]
            yield _of_rows(rows, key or None, titles.get(key), names)


def _of_rows(
    rows: list[Row], number: str | None, title: object, names: dict[str, list[str]]
) -> Conversation:
    messages = tuple(said for row in rows for said in _exchange(row, names))
    return Conversation(
        title=title_of(title, messages, "Untitled conversation"),
        messages=messages,
        external_id=number,
        started_at=_moment(rows[0]) if rows else None,
    )


def _exchange(row: Row, names: dict[str, list[str]]) -> Iterator[Message]:
    """A prompt and its answer; a step between two calls of tools may have only one of them."""
    prompt = as_text(row["prompt"]) or ", ".join(names.get(f"response {row['id']}", ()))
    for role, text in (("user", prompt), ("assistant", row["response"])):
        said = message(role, text, _moment(row))
        if said:
            yield said


def _moment(row: Row) -> str | None:
    for name in ("datetime_utc", "timestamp_utc", "timestamp"):
        moment = utc_moment(row.get(name))
        if moment:
            return moment
    return None


@dataclass(frozen=True)
class _Turn:
    thread: str
    parent: str
    tip: str
    moment: str | None


class _Threads:
    """The chains of messages, and which of them each thread took."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.ids = {as_text(row["id"]) for row in database.rows("threads", ("id",))}
        self.turn_ids: set[str] = set()
        self._turns: dict[str, list[_Turn]] = {}
        for row in database.rows("turns", _TURNS, order="id"):
            self.turn_ids.add(as_text(row["id"]))
            turn = _Turn(
                as_text(row["thread_id"]),
                as_text(row["parent_message_hash"]),
                as_text(row["tip_message_hash"]),
                utc_moment(row["datetime_utc"]),
            )
            self._turns.setdefault(turn.thread, []).append(turn)
        self._messages = {
            as_text(row["hash"]): (as_text(row["parent_hash"]), role_of(row["role"]))
            for row in database.rows("messages", ("hash", "parent_hash", "role"))
        }

    def conversations(self, names: dict[str, list[str]]) -> Iterator[Conversation]:
        for row in self._database.rows("threads", ("id", "name", "tip_message_hash"), order="id"):
            number = as_text(row["id"])
            turns = self._turns.get(number, [])
            moments = _moments(turns)
            tip = as_text(row["tip_message_hash"])
            if tip not in self._messages and turns:
                tip = turns[-1].tip
            path = self._chain(tip)
            seen = set(path)
            others: dict[str, None] = {}  # in order, once each
            for turn in turns:
                others.update(dict.fromkeys(m for m in self._chain(turn.tip) if m not in seen))
            messages = self._said(path, moments, names)
            yield Conversation(
                title=title_of(row["name"], messages, "Untitled conversation"),
                messages=messages,
                external_id=number or None,
                started_at=next((turn.moment for turn in turns if turn.moment), None),
                alternatives=self._said(others, moments, names),
            )

    def _chain(self, tip: str) -> list[str]:
        chain: dict[str, None] = {}
        while tip in self._messages and tip not in chain:
            chain[tip] = None
            tip = self._messages[tip][0]
        return list(chain)[::-1]

    def _said(
        self, chain: Iterable[str], moments: dict[str, str], names: dict[str, list[str]]
    ) -> tuple[Message, ...]:
        return tuple(
            said
            for digest in chain
            if (role := self._messages[digest][1])
            and (said := message(role, self._text(digest, names), moments.get(digest)))
        )

    def _text(self, digest: str, names: dict[str, list[str]]) -> str:
        parts = self._database.rows(
            "parts", ("id", "type", "text", "payload"), "position", ("message_hash", digest)
        )
        kept = [part for part in parts if part["type"] == "text"]
        written = "".join(map(_part_text, kept))
        named = (name for part in kept for name in names.get(f"part {part['id']}", ()))
        return written if written.strip() else ", ".join(named)


def _part_text(part: Row) -> str:
    """Its text; where fragments were mixed in, what was written around them."""
    if isinstance(part["text"], str):
        return part["text"]
    try:
        pieces = json.loads(part["payload"] or "{}")["text_ref"]
        return "".join(piece.get("literal", "") for piece in pieces)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""


def _moments(turns: list[_Turn]) -> dict[str, str]:
    """When a message was first given to a model, or came from it."""
    moments: dict[str, str] = {}
    for turn in turns:
        for digest in (turn.parent, turn.tip):
            if turn.moment:
                moments.setdefault(digest, turn.moment)
    return moments


def _joined(before: Conversation | None, thread: Conversation) -> Conversation:
    """A conversation that began in an older form: the newer one may repeat what it went on from."""
    if before is None:
        return thread
    known = [(said.role, said.text) for said in before.messages]
    repeated = [(said.role, said.text) for said in thread.messages[: len(known)]] == known
    rest = thread.messages[len(known) :] if repeated else thread.messages
    return Conversation(
        title=before.title,
        messages=before.messages + rest,
        external_id=thread.external_id,
        started_at=before.started_at,
        alternatives=thread.alternatives,
    )


def _fragment_names(database: Database) -> dict[str, list[str]]:
    """For each response and part, and each fragment itself, what the fragments are called."""
    called = {
        row["id"]: as_text(row["source"]) or _ANY_ORIGIN
        for row in database.rows("fragments", ("id", "source"))
    }
    for row in database.rows("fragment_aliases", ("alias", "fragment_id")):
        if called.get(row["fragment_id"]) == _ANY_ORIGIN:
            called[row["fragment_id"]] = as_text(row["alias"])
    names: dict[str, list[str]] = {}
    for table, owner, kind in (
        ("prompt_fragments", "response_id", "response"),
        ("part_fragments", "part_id", "part"),
        ("turn_fragments", "kind", "given as"),
    ):
        for row in database.rows(table, (owner, "fragment_id"), order=f"{owner}, order"):
            if row["fragment_id"] in called:
                name = called[row["fragment_id"]]
                names.setdefault(f"{kind} {row[owner]}", []).append(name)
                if kind == "response" or row[owner] == "prompt":  # no system prompts
                    names[f"fragment {row['fragment_id']}"] = [name]
    return names


def _fragments(database: Database, names: dict[str, list[str]]) -> Iterator[Document]:
    for row in database.rows("fragments", ("id", "content", "datetime_utc")):
        name = names.get(f"fragment {row['id']}")
        if name and as_text(row["content"]):
            yield Document(
                title=name[0],
                sections=(Section("", as_text(row["content"])),),
                date=utc_moment(row["datetime_utc"]),
            )
