"""How long a chat makes a person wait: time to the first piece of an answer, and tokens a second, warm.

    python -m benchmarks.chat [--base embedded] [--max-tokens 32] [--json]

Conversations of four turns about the notes in `examples/`, with and without retrieval. A first turn computes
its whole prompt; the turns after it only what is new, since the session keeps what was computed. `anew` is the
same later turn without that.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer.generate import prompt_ids
from learnctl.trainer.options import Options
from learnctl.trainer.sampling import Sampling
from learnctl.trainer.session import ChatSession
from learnctl.trainer.talk import Talker

NOTES = Path(__file__).parent.parent / "examples" / "night1"
QUESTIONS = (
    "When is the boiler serviced, and by whom?",
    "What does the allotment cost in a year?",
    "Who is our landlord?",
    "What is the dog called?",
)
FEWEST_PIECES = 3
GOALS = {False: 1.0, True: 2.5}


def measure(session: ChatSession, question: str) -> dict[str, float]:
    """Ask one question: seconds to the first piece, tokens a second after it, tokens in the prompt.

    Pieces end with words, so a piece may be several tokens; an answer of few pieces has no speed.
    """
    tokenizer = session.talker.base.tokenizer
    start = time.perf_counter()
    came = []
    with closing(session.ask(question)) as pieces:
        for piece in pieces:
            came.append((time.perf_counter() - start, piece))
    if not came:
        raise SystemExit(f"no answer to {question!r}")
    first, last = came[0][0], came[-1][0]
    rest = "".join(piece for _, piece in came[1:])
    found = {
        "first_s": first,
        "prompt_tokens": float(len(prompt_ids(session.talker.base, session.prompt()))),
    }
    if len(came) > FEWEST_PIECES:
        n_tokens = len(tokenizer(rest, add_special_tokens=False)["input_ids"])
        found["tokens_per_s"] = n_tokens / (last - first)
    return found


def run(base: str, max_tokens: int) -> list[dict[str, Any]]:
    found: dict[tuple[bool, str], list[dict[str, float]]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Store.open(Home(Path(scratch) / "home"), create=True) as store,
    ):
        ingest(store, [NOTES])
        options = Options(base=base)
        talker = Talker.open(store, options, 0)
        talker.answer([{"role": "user", "content": "Hello"}], 4)
        for retrieval in (False, True):
            for keeps in (True, False):
                start = partial(
                    ChatSession,
                    talker,
                    store,
                    options,
                    sampling=Sampling(max_tokens=max_tokens),
                    retrieval=retrieval,
                    is_kept=False,
                )
                session = start()
                for number, question in enumerate(QUESTIONS):
                    turn = "first" if not number else "later" if keeps else "later, anew"
                    if not keeps:  # the same conversation, of which nothing was computed
                        session, turns = start(), session.turns
                        session.turns = turns
                    found[retrieval, turn].append(measure(session, question))
    return [
        {
            "retrieval": retrieval,
            "turn": turn,
            "n": len(rows),
            **{name: _median(rows, name) for name in ("first_s", "prompt_tokens", "tokens_per_s")},
            "goal_s": GOALS[retrieval],
        }
        for (retrieval, turn), rows in found.items()
    ]


def _median(rows: list[dict[str, float]], name: str) -> float | None:
    values = [row[name] for row in rows if name in row]
    return round(statistics.median(values), 2) if values else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--max-tokens", type=int, default=32)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = run(given.base, given.max_tokens)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if given.json:
        print(json.dumps({"base": given.base, "cores": cores, "turns": rows}))
        return
    print(f"{given.base}, {cores} cores; medians")
    print(f"{'retrieval':<10}{'turn':<13}{'prompt':>7}{'first s':>9}{'goal':>6}{'tokens/s':>10}")
    for row in rows:
        print(
            f"{'with' if row['retrieval'] else 'without':<10}{row['turn']:<13}"
            f"{row['prompt_tokens']:>7.0f}{row['first_s']:>9.2f}{row['goal_s']:>6.1f}"
            f"{row['tokens_per_s'] or float('nan'):>10.1f}"
        )


if __name__ == "__main__":
    main()
