"""Files into the store: each one read, redacted, cut into chunks, and put in as one transaction.

A file that cannot be read costs one line and nothing else. The same path again takes only what
changed; what a file no longer holds leaves the store, its samples and the replay with it. A file that is
gone is named, and given back only on demand: a folder may be away for a day.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from . import (
    archives,
    contents,
    folders,
    forgotten_files,
    passed_over,
    people,
    sandbox,
    source_bytes,
)
from .errors import LearnctlError, UnreadableSource, why_unreadable
from .home import Home
from .manner import Manner, keep_for_watched, kept_for_watched
from .names import name_of
from .prepare import Prepared, PreparedConversation, Preparer
from .preparing import prepared
from .records import Conversation, Item
from .sizes import refuse_too_large
from .store import Record, Store, marks, now
from .walk import IGNORED, NOT_THERE, Entry, Found, Refused, Skipped, walk

# What is said of sources whose file is gone, or is passed over by now; and when they are given back.
VANISHED = "vanished: kept until `--prune` gives it back"
IGNORED_NOW = "ignored now: kept until `--prune` gives it back"
PRUNED = {VANISHED: "vanished: given back", IGNORED_NOW: "ignored now: given back"}
UNCHANGED = "unchanged"
FORGOTTEN = "forgotten before: it comes in again when `learnctl ingest` is told to"


# The file at hand, the bytes done so far, and those of all files.
OnFile = Callable[[Path, int, int], None]


@dataclass
class IngestReport:
    """Counts of what was new, and a reason for each path that was not taken.

    Attributes:
        left_out: paragraphs and messages that are worth nothing; `learnctl show --skipped` lists them.
        kept_back: chunks that wait for `learnctl trust`.
        unseen: characters that nobody sees, taken out.
    """

    documents: int = 0
    conversations: int = 0
    messages: int = 0
    chunks: int = 0
    left_out: int = 0
    kept_back: int = 0
    unseen: int = 0
    skipped: list[Record] = field(default_factory=list)
    refused: list[Record] = field(default_factory=list)
    files: list[Record] = field(default_factory=list)
    notes: list[Record] = field(default_factory=list)  # what could not be settled
    # The speakers of chats without an owner, with their messages.
    strangers: list[Counter[str]] = field(default_factory=list)
    others: set[str] = field(default_factory=set)  # by whom such chats of two are called


def ingest(
    store: Store,
    paths: Iterable[Path],
    on_file: OnFile = lambda path, done, total: None,
    prune: bool = False,
    trust: str | None = None,
    learn: str | None = None,
    piped: Iterable[Entry] = (),
    forgotten_too: bool = True,
) -> IngestReport:
    """Take in files and folders, and patterns that mean some.

    Args:
        on_file: called with each file before it is read, and now and then while it is, with the bytes done
            and those of all files.
        prune: give back the sources under `paths` whose file is gone or ignored; else they are only named.
        trust: whom the sources are trusted as (`trust.TIERS`); None keeps what is known, else
            what was said of a watched folder, else "own". Said of a watched folder, it is kept for later files.
        learn: what they may teach (`learning.LEARN`); likewise, else "facts".
        piped: what is taken in beside them, as `piped.piped` gives it.
        forgotten_too: also the files whose source was forgotten by name.

    Raises:
        LearnctlError: the store itself cannot be written (a full disk); the file at hand is not in.
    """
    report = IngestReport()
    me = {name_of(name) for name in people.known(store)}
    given = [_absolute(path) for path in paths]
    manner = Manner(trust, learn)
    try:
        keep_for_watched(store, given, manner)
        entries = list(chain(walk(given, store.home.path), piped))
        for entry, on_read in _with_progress(entries, on_file):
            if isinstance(entry, Found):
                _take(store, entry, report, me, manner, forgotten_too, on_read)
            else:
                _pass_over(entry, report)
        _keep_passed_over(store, {*given, *map(_shown, entries)}, report)
        ignored = {entry.path for entry in entries if _is_ignored(entry)}
        _report_gone(store, folders.vanished(store, given), report, VANISHED, prune)
        _report_gone(store, folders.ignored(store, ignored), report, IGNORED_NOW, prune)
        store.erase_traces()
    except sqlite3.OperationalError as error:
        raise LearnctlError(
            f"the store cannot be written: {error}",
            hint="free some disk"
            if "readonly" not in str(error)
            else "`learnctl doctor` looks for the cause",
        ) from error
    return report


def look(
    paths: Iterable[Path],
    names: Iterable[str] = (),
    piped: Iterable[Entry] = (),
    home: Home | None = None,
    on_file: OnFile = lambda path, done, total: None,
) -> IngestReport:
    """What `ingest` would read, by file, without a store: the dry run.

    Args:
        names: the owner's names in chats.
        home: where the settings lie.
        on_file: as in `ingest`.
    """
    report = IngestReport()
    me = {name_of(name) for name in names}
    own = home.path if home else None
    entries = list(chain(walk(map(_absolute, paths), own), piped))
    for entry, on_read in _with_progress(entries, on_file):
        if not isinstance(entry, Found):
            _pass_over(entry, report)
            continue
        try:
            name = sandbox.detect(entry.path)
            refuse_too_large(entry.path, name, home)
            found = _look_into(entry.path, name, report, me, on_read)
        except UnreadableSource as error:
            report.refused.append(_line(entry.shown, str(error)))
            continue
        except OSError as error:
            report.refused.append(_line(entry.shown, why_unreadable(error)))
            continue
        for file in found:
            if entry.known_as:
                file["path"] = entry.known_as
            report.files.append(file)
            report.documents += file["documents"]
            report.conversations += file["conversations"]
            report.messages += file["messages"]
    return report


def _with_progress(entries: list[Entry], on_file: OnFile) -> Iterator[tuple[Entry, sandbox.OnRead]]:
    """Each entry with what is to be called with the bytes of it that were read."""
    done, total = 0, sum(map(_size, entries))
    for entry in entries:
        size = _size(entry)

        def on_read(n_bytes: int, entry: Entry = entry, done: int = done, size: int = size) -> None:
            if isinstance(entry, Found):
                on_file(entry.shown, done + min(n_bytes, size), total)

        on_read(0)
        yield entry, on_read
        done += size


def _look_into(
    path: Path, name: str, report: IngestReport, me: Collection[str], on_read: sandbox.OnRead
) -> list[Record]:
    if name != archives.FORMAT:
        return [_describe(path, name, _items(path, path, report, me, on_read))]
    found = []
    inside = IngestReport()
    for member in archives.members(path, on_read):
        if not isinstance(member, archives.Member):
            _pass_over(member, inside)
            continue
        try:
            items = _items(member.path, member.shown, report, me)
            found.append(_describe(member.shown, member.format, items))
        except UnreadableSource as error:
            inside.refused.append(_line(member.shown, str(error)))
    _add_inside(report, inside, len(found))
    return found


def _take(
    store: Store,
    entry: Found,
    report: IngestReport,
    me: Collection[str],
    manner: Manner,
    forgotten_too: bool,
    on_read: sandbox.OnRead,
) -> None:
    path = str(entry.shown)
    try:
        digest = source_bytes.sha256(entry.path)
        known = store.row("SELECT id, sha256 FROM sources WHERE path = ?", path)
        if known:
            manner.give(store, known["id"])
        is_current = known is not None and not people.is_outdated(store, known["id"], me)
        if known and known["sha256"] == digest and is_current:
            report.skipped.append(_line(entry.shown, UNCHANGED))
            return
        moved = None if known or entry.known_as else folders.moved_from(store, digest)
        if moved and Path(moved["path"]).name == entry.path.name:
            _rename(store, moved["id"], entry)
            manner.give(store, moved["id"])
            report.skipped.append(_line(entry.shown, f"{UNCHANGED}, moved from {moved['path']}"))
            return
        is_forgotten = not (known or moved) and forgotten_files.hold(store, path, digest)
        if is_forgotten and not forgotten_too:
            report.skipped.append(_line(entry.shown, FORGOTTEN))
            return
        name = sandbox.detect(entry.path)
        refuse_too_large(entry.path, name, store.home)
        with store.db.atomic():
            if is_forgotten:
                forgotten_files.lift(store, path, digest)
            if moved:  # read again, for its name may be its title
                _rename(store, moved["id"], entry)
                known = moved
            if not known:
                manner = manner.or_else(kept_for_watched(store, entry.shown))
            source_id = _put_source(store, entry, name, digest)
            manner.give(store, source_id)
            held = contents.unlink(store, source_id)
            counts = _put_all(store, source_id, entry.path, name, report, me, on_read)
            nothing_left = counts["forgotten"] and contents.is_empty(store, source_id)
            if known:
                contents.sweep(store, source_id, held)
            if nothing_left:
                contents.remove_source(store, source_id)
    except UnreadableSource as error:
        report.refused.append(_line(entry.shown, str(error)))
        return
    except OSError as error:
        report.refused.append(_line(entry.shown, why_unreadable(error)))
        return
    if n_forgotten := counts.pop("forgotten", 0):
        number = "all" if nothing_left else str(n_forgotten)
        reason = f"forgotten before: {number} of its passages or messages left out"
        report.skipped.append(_line(entry.shown, reason))
    for key, value in counts.items():
        setattr(report, key, getattr(report, key) + value)


def _put_all(
    store: Store,
    source_id: int,
    path: Path,
    name: str,
    report: IngestReport,
    me: Collection[str],
    on_read: sandbox.OnRead,
) -> Counter[str]:
    """Put all that a file holds under its source; in an archive each file is in whole, or not at all.

    Raises:
        UnreadableSource: it cannot be read, or no file of the archive.
    """
    preparer = contents.preparer(store, source_id, me)
    if name != archives.FORMAT:
        items = _prepared(path, path, report, preparer, on_read)
        return Counter(contents.put_all(store, source_id, items))
    counts: Counter[str] = Counter()
    inside = IngestReport()
    n_read = 0
    for member in archives.members(path, on_read):
        if not isinstance(member, archives.Member):
            _pass_over(member, inside)
            continue
        try:
            with store.db.atomic():
                items = _prepared(member.path, member.shown, report, preparer)
                found = contents.put_all(store, source_id, items)
            counts.update(found)
            n_read += 1
        except UnreadableSource as error:
            inside.refused.append(_line(member.shown, str(error)))
    _add_inside(report, inside, n_read)
    return counts


def _add_inside(report: IngestReport, inside: IngestReport, n_read: int) -> None:
    """What was met in an archive; where nothing could be read, for one reason, that is said of the archive alone."""
    reasons = {line["reason"] for line in inside.refused}
    if not n_read and len(reasons) == 1:
        raise UnreadableSource(_with_name(inside.refused))
    report.skipped += inside.skipped
    report.refused += inside.refused
    if not n_read:
        raise UnreadableSource("no file in it can be read")


def _with_name(refused: list[Record]) -> str:
    """The reason of what was refused in an archive, with the name of what it is said of where that is one file."""
    reason = str(refused[0]["reason"])
    name = str(refused[0]["path"]).rpartition("!/")[2]
    return reason if len(refused) > 1 or name in reason else f"{reason} ({name})"


def _prepared(
    path: Path,
    shown: Path,
    report: IngestReport,
    preparer: Preparer,
    on_read: sandbox.OnRead = lambda n_bytes: None,
) -> Iterator[Prepared]:
    """What a file holds, prepared; what is to be said goes to the report."""
    found: list[Counter[str]] = []
    others: set[str | None] = set()
    for item in prepared(path, preparer, on_read):
        if isinstance(item, PreparedConversation):
            report.notes += [_line(shown, note, "note") for note in item.notes]
            found.append(Counter(item.strangers))
            others.add(people.called_by(item.title, item.strangers))
        yield item
    report.strangers += filter(None, found)
    report.others.update(filter(None, others))


def _items(
    path: Path,
    shown: Path,
    report: IngestReport,
    me: Collection[str],
    on_read: sandbox.OnRead = lambda n_bytes: None,
) -> Iterator[Item]:
    """What a file holds, for a dry run."""
    strangers: list[Counter[str]] = []
    others: set[str | None] = set()
    for item in sandbox.read(path, on_read=on_read):
        owned = people.with_owner(item, me)
        if isinstance(owned, Conversation):
            report.notes += [_line(shown, note, "note") for note in owned.notes]
            strangers.append(people.strangers(owned))
            others.add(people.called_by(owned.title, strangers[-1]))
        yield owned
    report.strangers += filter(None, strangers)
    report.others.update(filter(None, others))


def _rename(store: Store, source_id: int, entry: Found) -> None:
    with store.db.atomic():
        store.db.execute(
            "UPDATE sources SET path = ?, root = ? WHERE id = ?",
            [str(entry.path), str(entry.root), source_id],
        )


def _put_source(store: Store, entry: Found, name: str, digest: str) -> int:
    record = {
        "path": str(entry.shown),
        "root": "" if entry.known_as else str(entry.root),
        "format": name,
        "sha256": digest,
        "n_bytes": source_bytes.size(entry.path),
        "ingested_at": now(),
    }
    changes = ", ".join(f"{name} = excluded.{name}" for name in record)
    store.db.execute(
        f"INSERT INTO sources ({', '.join(record)}) VALUES ({marks(record)})"
        f" ON CONFLICT (path) DO UPDATE SET {changes}",
        list(record.values()),
    )
    return int(store.value("SELECT id FROM sources WHERE path = ?", record["path"]))


def _keep_passed_over(store: Store, looked_at: Collection[Path], report: IngestReport) -> None:
    """Not what is said of files that were taken in before or forgotten, nor of names that mean nothing."""
    lines = report.skipped + report.refused
    unchanged = {line["path"] for line in lines if line["reason"] == UNCHANGED}
    no_files = (UNCHANGED, "forgotten before", *NOT_THERE)
    found = (
        line
        for line in lines
        if not line["reason"].startswith(no_files)
        and not forgotten_files.hold(store, line["path"], "")
    )
    passed_over.keep(store, looked_at, found, unchanged)


def _shown(entry: Entry) -> Path:
    return entry.shown if isinstance(entry, Found) else entry.path


def _is_ignored(entry: Entry) -> bool:
    return isinstance(entry, Skipped) and entry.reason == IGNORED


def _report_gone(
    store: Store, gone: list[Record], report: IngestReport, reason: str, prune: bool
) -> None:
    if gone and prune:
        with store.db.atomic():
            learned = contents.give_back(store, [source["id"] for source in gone])
        for source in gone:
            if versions := ", ".join(map(str, learned.get(source["id"], []))):
                note = f"version {versions} learned from it; `learnctl forget` takes that back, too"
                report.notes.append(_line(Path(source["path"]), note, "note"))
    said = PRUNED[reason] if prune else reason
    report.skipped += [_line(Path(source["path"]), said) for source in gone]


def _describe(path: Path, name: str, items: Iterable[Item]) -> Record:
    n_documents = n_conversations = n_messages = 0
    speakers: set[str] = set()
    ends: list[str] = []  # the first date and the last: an export may hold millions
    left_out: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Conversation):
            n_conversations += 1
            n_messages += len(item.messages)
            speakers.update(message.speaker or message.role for message in item.messages)
            dates = [message.created_at for message in item.messages]
            left_out.update(item.left_out)
        else:
            n_documents += 1
            dates = [item.date]
        known = sorted(filter(None, [*ends, *dates]))
        ends = known[:1] + known[-1:]
    return {
        "path": str(path),
        "format": name,
        "documents": n_documents,
        "conversations": n_conversations,
        "messages": n_messages,
        "speakers": sorted(speakers),
        "first": ends[0] if ends else None,
        "last": ends[-1] if ends else None,
        "left_out": dict(left_out),
    }


def _size(entry: Entry) -> int:
    """How much there is to do with it; what cannot be looked at is refused soon enough."""
    try:
        return source_bytes.size(entry.path) if isinstance(entry, Found) else 0
    except OSError:
        return 0


def _absolute(path: Path) -> Path:
    """One name for one file, whichever way it was given; links are left as they are."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def _pass_over(entry: Skipped | Refused, report: IngestReport) -> None:
    where = report.refused if isinstance(entry, Refused) else report.skipped
    where.append(_line(entry.path, entry.reason))


def _line(path: Path, text: str, what: str = "reason") -> Record:
    # A name may hold bytes that are no text, and the line has to be shown.
    return {"path": os.fsencode(path).decode("utf-8", "replace"), what: text}
