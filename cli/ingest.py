"""`learnctl ingest`: documents and chat exports into the store."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, BadParameter, Context, Exit, Option

from ..memory.errors import NoStore
from . import flags
from .context import find_home, open_store
from .output import console, counted, plain, say, show, show_json, show_table
from .whoami import settle_owner

if TYPE_CHECKING:
    from ..memory.ingest import IngestReport, OnFile
    from ..memory.walk import Entry

PARTLY_DONE = 3
STDIN = Path("-")


def _path(text: str) -> Path:
    if not text:
        raise BadParameter("a path without a name")
    return Path(text)


def ingest(
    ctx: Context,
    paths: Annotated[
        list[Path],
        Argument(
            parser=_path,
            metavar="PATH…",
            help='Files, folders, quoted patterns such as "~/notes/**/*.md", or - for what is piped in.',
            show_default=False,
        ),
    ],
    name: Annotated[
        str,
        Option(
            metavar="TITLE",
            help="What to call what is piped in; the same name again replaces it.",
            show_default=False,
        ),
    ] = "stdin",
    watch: Annotated[
        bool, Option("--watch", help="Remember the folders: each consolidation looks there first.")
    ] = False,
    unwatch: Annotated[
        bool, Option("--unwatch", help="Watch them no longer, and take nothing in.")
    ] = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what would be read, and store nothing.")
    ] = False,
    prune: Annotated[
        bool,
        Option(
            "--prune",
            help="Give back what was taken in from PATH and is gone from there, or ignored.",
        ),
    ] = False,
    trust: Annotated[
        Literal["own", "known", "untrusted"] | None,
        Option(
            metavar="own|known|untrusted",
            help="Whom the files come from: what is not trusted can be searched and is not learned.",
            show_default="own",
        ),
    ] = None,
    learn: Annotated[
        Literal["facts", "voice", "both"] | None,
        Option(
            metavar="facts|voice|both",
            help="What PATH may teach: what it says, how its author writes (for texts of your own), or both.",
            show_default=False,
        ),
    ] = None,
    me: Annotated[
        list[str] | None,
        Option(
            "--me", metavar="NAME", help="Your name in chats and mails between people; remembered."
        ),
    ] = None,
    not_me: Annotated[
        list[str] | None,
        Option("--not-me", metavar="NAME", help="A name that is not yours after all."),
    ] = None,
    verbose: Annotated[
        bool, Option("--verbose", "-v", help="Name every file that was skipped, with the reason.")
    ] = False,
    as_json: flags.Json = False,
) -> None:
    """Take documents and chat exports into the store.

    The same path again takes only what changed; moved and renamed files are recognised. Secrets are replaced before anything is stored.

    What --trust and --learn say of a watched folder holds for the files that appear in it later.

    Examples:

      learnctl ingest ~/notes

      learnctl ingest --dry-run conversations.json

      learnctl ingest --me "Ada Lovelace" "WhatsApp Chat with Charles.txt"

      learnctl ingest --watch ~/notes

      pbpaste | learnctl ingest - --name "Letter to Anna"
    """
    from ..memory import ingest as ingesting
    from ..memory import learning, watched

    if dry_run + watch + unwatch > 1:
        raise BadParameter("--dry-run, --watch and --unwatch exclude each other")
    if unwatch:
        with open_store(ctx) as store:
            watched.unwatch(store, paths)
        if as_json:
            show_json({"unwatched": list(map(str, paths))})
        return
    if watch and STDIN in paths:
        raise BadParameter("what is piped in cannot be watched")
    files = [path for path in paths if path != STDIN]
    with ExitStack() as stack:
        piped = [stack.enter_context(_piped(name))] if STDIN in paths else []
        if dry_run:
            names = _names(ctx, me or [], not_me or [])
            with _showing_progress() as on_file:
                report = ingesting.look(files, names, piped, find_home(ctx), on_file)
        else:
            store = stack.enter_context(open_store(ctx, create=True))
            if me or not_me:
                learning.set_names(store, me or [], not_me or [])
            if watch:
                watched.watch(store, files)
            with _showing_progress() as on_file:
                report = ingesting.ingest(store, files, on_file, prune, trust, learn, piped=piped)
            if settle_owner(store, report, may_ask=not as_json):
                ingesting.ingest(store, files, piped=piped)
    for entry in report.notes:
        say(plain(f"note: {entry['path']}: {entry['note']}"))
    for entry in report.refused:
        say(plain(f"refused: {entry['path']}: {entry['reason']}"))
    if as_json:
        show_json(_as_json(report, dry_run))
    else:
        _render(report, dry_run, verbose)
    if report.refused:
        raise Exit(PARTLY_DONE)


def _names(ctx: Context, me: list[str], not_me: list[str]) -> list[str]:
    """The owner's names for a dry run, which remembers none."""
    from ..memory import people
    from ..memory.names import name_of

    known = []
    with suppress(NoStore), open_store(ctx) as store:
        known = people.known(store)
    wrong = set(map(name_of, not_me))
    return [name for name in (*known, *me) if name_of(name) not in wrong]


def _piped(name: str) -> "AbstractContextManager[Entry]":
    from ..memory.piped import piped

    return piped(sys.stdin.buffer, name)


def _as_json(report: "IngestReport", dry_run: bool) -> dict[str, Any]:
    value = asdict(report)
    del value["strangers"]
    del value["others"]
    if not dry_run:
        del value["files"]
    return value


def _render(report: "IngestReport", dry_run: bool, verbose: bool) -> None:
    if dry_run and report.files:
        _render_files(report.files)
    taken = ", ".join(
        counted(getattr(report, f"{noun}s"), noun)
        for noun in ("document", "conversation", "message", "chunk")
        if not (dry_run and noun == "chunk")
    )
    show(f"{'would read' if dry_run else 'new'}: {taken}")
    if report.left_out:
        say(f"left out: {counted(report.left_out, 'passage')} (`learnctl show --skipped` says why)")
    if report.kept_back:
        say(f"kept back: {counted(report.kept_back, 'passage')} (`learnctl trust --list` says why)")
    if report.unseen:
        say(f"taken out: {counted(report.unseen, 'unseen character')}")
    if report.skipped:
        say(
            f"skipped: {counted(len(report.skipped), 'file')}{'' if verbose else ' (-v lists them)'}"
        )
    from ..memory.ingest import PRUNED

    if n_gone := sum(entry["reason"] in PRUNED for entry in report.skipped):
        say(f"vanished or ignored: {counted(n_gone, 'file')}; `--prune` gives back what they held")
    if verbose:
        for entry in report.skipped:
            say(plain(f"skipped: {entry['path']}: {entry['reason']}"))


def _render_files(files: list[dict[str, Any]]) -> None:
    show_table(
        ("path", "format", "holds", "from", "to"),
        [
            [
                file["path"],
                file["format"],
                _counts(file, ("document", "conversation", "message")) or "nothing",
                (file["first"] or "")[:10],
                (file["last"] or "")[:10],
            ]
            for file in files
        ],
        fold="path",
    )


def _counts(found: dict[str, Any], nouns: tuple[str, ...]) -> str:
    """What there is any of: `2 conversations, 14 messages`."""
    return ", ".join(counted(found[f"{noun}s"], noun) for noun in nouns if found[f"{noun}s"])


@contextmanager
def _showing_progress() -> Iterator["OnFile"]:
    """The file at hand, the bytes done and the time left, where a person is watching."""
    watching = console(stderr=True)
    if not watching.is_terminal:
        yield lambda path, done, total: None
        return
    from rich import progress as bars

    with bars.Progress(
        bars.BarColumn(),
        bars.DownloadColumn(),
        bars.TimeRemainingColumn(),
        bars.TextColumn("{task.description}", markup=False),
        console=watching,
        transient=True,
    ) as display:
        task = display.add_task("", total=None)
        yield lambda path, done, total: display.update(
            task, description=plain(path.name), completed=done, total=total
        )
