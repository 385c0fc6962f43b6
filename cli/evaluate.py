"""`learnctl evaluate`: a file of questions, asked closed-book."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Context

from . import flags
from .context import load_options, open_store
from .output import say, share, show_json, show_table
from .talking import version_name


def evaluate(
    ctx: Context,
    file: Annotated[
        Path,
        Argument(metavar="FILE", help="JSON lines with `question` and `gold`.", show_default=False),
    ],
    version: flags.Version = None,
    as_json: flags.Json = False,
) -> None:
    """Ask a file of questions from the weights alone and count the right answers.

    The wordings are never trained on from then on, so the same file can be asked after every night.

    Example:

      learnctl evaluate questions.jsonl --version base
    """
    from ..trainer.examine import examine, read_questions

    questions = read_questions(file)
    with open_store(ctx) as store:
        result = examine(store, load_options(ctx), questions, version)
    if as_json:
        show_json(result)
        return
    rows = [_row(answered) for answered in result["answers"]]
    show_table(("", "question", "answer"), rows, fold="answer")
    say(f"{version_name(result['version'])}: {share(result['right'])} of {result['n']} right")


def _row(answered: dict[str, Any]) -> list[str]:
    return ["✓" if answered["correct"] else "·", answered["question"], answered["answer"]]
