"""`learnctl evaluate`: files of questions, a general suite, and the report of all that was measured."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Context, Option

from . import flags
from .context import load_options, open_store
from .output import say, share, show, show_json, show_table
from .progress import reporting
from .talking import version_name


def evaluate(
    ctx: Context,
    files: Annotated[
        list[Path] | None,
        Argument(
            metavar="FILE…", help="JSON lines with `question` and `gold`.", show_default=False
        ),
    ] = None,
    ways: Annotated[
        bool,
        Option(
            "--ways",
            help="Ask the FILEs in five ways: of base and version, with and without passages in view.",
        ),
    ] = False,
    report: Annotated[
        Path | None,
        Option(
            metavar="OUT.html",
            help="Draw all that was measured so far as one HTML page; loads no model.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[bool, Option("--text", help="Print the report in the terminal.")] = False,
    suite: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Ask multiple-choice sets (ARC, PIQA, …, as JSON lines) of base and version.",
            show_default=False,
        ),
    ] = None,
    conduct: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Have instructions (IFEval) and questions to decline or not (XSTest) answered by both.",
            show_default=False,
        ),
    ] = None,
    items: Annotated[
        int | None,
        Option(
            min=1,
            metavar="N",
            help="The most items, of all sets alike; without it, as many as a slow pass is asked.",
            show_default=False,
        ),
    ] = None,
    version: flags.Version = None,
    as_json: flags.Json = False,
) -> None:
    """Measure what is known: files of questions, general ability, or the report of every night.

    Each FILE is asked from the weights alone, and the right answers are counted. Its wordings are
    never trained on from then on, so the same files can be asked after every night.

    Examples:

      learnctl evaluate questions.jsonl --version base

      learnctl evaluate questions.jsonl --ways

      learnctl evaluate --report report.html

      learnctl evaluate --suite general/ --items 300

      learnctl evaluate --conduct safety/
    """
    chosen = [bool(files), suite is not None, conduct is not None, report is not None or text]
    if sum(chosen) != 1:
        ctx.fail("give a FILE of questions, or --suite, or --conduct, or --report or --text")
    if ways and not files:
        ctx.fail("--ways needs a FILE of questions")
    if files:
        ask = _ways if ways else _questions
        ask(ctx, files, version, as_json)
    elif suite is not None:
        _suite(ctx, suite, items, version, as_json)
    elif conduct is not None:
        _conduct(ctx, conduct, items, version, as_json)
    else:
        _report(ctx, report, text, as_json)


def _questions(ctx: Context, files: list[Path], version: int | None, as_json: bool) -> None:
    from ..trainer.examine import examine, read_questions

    questions = [{**row, "file": str(file)} for file in files for row in read_questions(file)]
    with open_store(ctx) as store:
        result = examine(store, load_options(ctx), questions, version)
    if as_json:
        show_json(result)
        return
    rows = [_row(answered) for answered in result["answers"]]
    show_table(("", "question", "answer"), rows, fold="answer")
    say(f"{version_name(result['version'])}: {share(result['right'])} of {result['n']} right")


def _ways(ctx: Context, files: list[Path], version: int | None, as_json: bool) -> None:
    from ..trainer.examine import read_questions
    from ..trainer.ways import ask_all_ways
    from .report_words import ways_head, ways_lines, ways_rows

    questions = [row for file in files for row in read_questions(file)]
    with open_store(ctx) as store, reporting() as on_progress:
        result = ask_all_ways(store, load_options(ctx), questions, version, on_progress)
    if as_json:
        show_json(result)
        return
    show_table(ways_head(result), ways_rows(result), fold="")
    for line in ways_lines(result):
        say(line)


def _row(answered: dict[str, Any]) -> list[str]:
    return ["✓" if answered["correct"] else "·", answered["question"], answered["answer"]]


def _suite(
    ctx: Context, folder: Path, items: int | None, version: int | None, as_json: bool
) -> None:
    from ..trainer.suite import ITEMS, read_suite, retention
    from .report_words import suite_line

    with open_store(ctx) as store:
        suite = read_suite(folder, items or ITEMS)
        for reason in suite.left_out:
            say(reason)
        with reporting() as on_progress:
            result = retention(store, load_options(ctx), suite, version, on_progress)
    if as_json:
        show_json(result)
        return
    asked = ("base", "right") if result["version"] else ("base",)
    rows = [
        [task, of["n"], *(share(of[who]) for who in asked)] for task, of in result["tasks"].items()
    ]
    names = ("base", version_name(result["version"]))[: len(asked)]
    show_table(("task", "items", *names), rows, fold="task")
    show(suite_line(result))


def _conduct(
    ctx: Context, folder: Path, items: int | None, version: int | None, as_json: bool
) -> None:
    from ..trainer.conduct import PROMPTS, conduct, read_tasks

    with open_store(ctx) as store:
        tasks = read_tasks(folder, items or PROMPTS)
        for reason in tasks.left_out:
            say(reason)
        with reporting() as on_progress:
            result = conduct(store, load_options(ctx), tasks, version, on_progress)
    if as_json:
        show_json(result)
        return
    asked = ("base", "right") if result["version"] else ("base",)
    names = ("base", version_name(result["version"]))[: len(asked)]
    rows = [
        [
            kind,
            of["n"],
            *(share(of[who]) for who in asked),
            f"{of['won']} won, {of['lost']} lost" if result["version"] else "",
            "at the floor" if of["at_the_floor"] else "",
        ]
        for kind, of in result["kinds"].items()
    ]
    show_table(("", "prompts", *names, "flips", ""), rows, fold="")


def _report(ctx: Context, path: Path | None, text: bool, as_json: bool) -> None:
    from ..trainer.report import report
    from .report_page import page
    from .report_text import show_report

    with open_store(ctx) as store:
        found = report(store)
    if path is not None:
        _write(path, page(found))
        say(f"written to {path}")
    if as_json:
        show_json(found)
    elif text:
        show_report(found)


def _write(path: Path, content: str) -> None:
    """For its owner alone, and whole or not at all: it quotes what was taken in."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
    # A file of its own: one that is there under such a name may be somebody else's, or for everybody to read.
    descriptor, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        os.replace(scratch, path)
    except BaseException:
        os.unlink(scratch)
        raise
