"""Examining a version with a person's own questions, closed-book.

The wordings are held out from then on: no sample may use them, so that the same questions can be asked
again after every night.
"""

import json
from pathlib import Path

from ..memory.errors import LearnctlError
from ..memory.store import Record, Store
from .facts import contains
from .generate import answer_batch
from .options import Options
from .synthesize import hold_out
from .talk import Talker, wanted

ANSWER_TOKENS = 40


def read_questions(path: Path) -> list[Record]:
    """Questions from JSON lines: `question`, `gold` (a string or a list of accepted ones), and whatever
    else the file says of them.

    Raises:
        LearnctlError: the file is not of that form; names the line.
    """
    found = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = str(getattr(error, "strerror", "") or error)
        raise LearnctlError(f"{path}: {reason.lower()}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            gold = row["gold"]
            row["gold"] = [gold] if isinstance(gold, str) else [str(one) for one in gold]
            row["question"] = str(row["question"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise LearnctlError(
                f"{path}:{number}: expected an object with `question` and `gold`"
            ) from error
        found.append(row)
    if not found:
        raise LearnctlError(f"{path}: no questions in it")
    return found


def examine(
    store: Store, options: Options, questions: list[Record], version: int | None = None
) -> Record:
    """Ask every question of a version (None: the one in service) from weights alone.

    Returns the version, the share right, and each question with its answer and whether it is right.
    """
    wanted(store, options, version)  # what cannot be asked changes nothing
    hold_out(store, [row["question"] for row in questions])
    talker = Talker.open(store, options, version)
    answers = answer_batch(
        talker.base,
        talker.model,
        [[{"role": "user", "content": row["question"]}] for row in questions],
        max_tokens=ANSWER_TOKENS,
    )
    answered = [
        {**row, "answer": answer, "correct": any(contains(answer, gold) for gold in row["gold"])}
        for row, answer in zip(questions, answers, strict=True)
    ]
    n_right = sum(row["correct"] for row in answered)
    return {
        "version": talker.version,
        "n": len(answered),
        "right": round(n_right / len(answered), 4),
        "answers": answered,
    }
