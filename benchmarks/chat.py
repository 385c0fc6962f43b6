"""How long a chat makes a person wait: time to the first piece of an answer, and tokens a second, warm, by backend.

    python -m benchmarks.chat [--base embedded] [--rounds 3] [--max-tokens 24] [--json]

Conversations of four turns about the notes in `examples/`, with and without retrieval. A first turn computes
its whole prompt; the turns after it only what is new, since a backend keeps what was computed. `anew` is the
same later turn without that: each conversation begins in its own way, so none has computed any of another.

Every turn is asked of transformers, of llama.cpp as learnctl uses it, and of llama.cpp `alone`: xllamacpp as its
own page shows it, with its own tokenizer and chat form. They take turns, so that what else the machine does meets
all alike. With an adapter means one of random weights at the rank of a night's, which costs as much as a
real one. Figures are medians, and × the median ratio to transformers at the same turn. Where llama.cpp is not
installed, or the base has no GGUF file, transformers stand alone.
"""

import argparse
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer import adapter, models
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.chat_form import Chat
from learnctl.trainer.llamacpp import LlamaCppTalker
from learnctl.trainer.options import Options
from learnctl.trainer.prompt_cache import PromptCache
from learnctl.trainer.sampling import Sampling
from learnctl.trainer.session import ChatSession
from learnctl.trainer.talk import GREEDY, Talker

NOTES = Path(__file__).parent.parent / "examples" / "night1"
QUESTIONS = (
    "When is the boiler serviced, and by whom?",
    "What does the allotment cost in a year?",
    "Who is our landlord?",
    "What is the dog called?",
)
REFERENCE = "transformers"
FEWEST_PIECES = 3
GOALS = {False: 1.0, True: 2.5}
FIGURES = ("first_s", "tokens_per_s")


class Alone(Talker):
    """llama.cpp without learnctl; the base is there to count tokens alone."""

    def __init__(self, base: Base, path: Path) -> None:
        import torch
        import xllamacpp

        super().__init__(base, base.model, 0)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = 8192
        params.verbosity = 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = torch.get_num_threads()
        self._server = xllamacpp.Server(params)

    def stream(
        self, messages: Chat, sampling: Sampling = GREEDY, cache: PromptCache | None = None
    ) -> Generator[str, None, None]:
        pieces: SimpleQueue[str | None] = SimpleQueue()
        request = {
            "messages": messages,
            "max_tokens": sampling.max_tokens,
            "temperature": 0.0,
            "stream": True,
        }

        def take(part: Any) -> bool:
            for choice in part["choices"]:
                if text := choice["delta"].get("content"):
                    pieces.put(text)
            return False

        def work() -> None:
            try:
                self._server.handle_chat_completions(request, take)
            finally:
                pieces.put(None)

        Thread(target=work, daemon=True).start()
        while (piece := pieces.get()) is not None:
            yield piece


def random_adapter(base: Base, folder: Path) -> Any:
    import torch

    model = adapter.new_adapter(base, Options().rank, seed=0)
    with torch.no_grad():
        for name, value in adapter.weights(model).items():
            if "lora_B" in name:
                torch.nn.init.normal_(value, std=0.01)
    adapter.save_adapter(model, folder)
    return model.eval()


def measure(session: ChatSession, question: str) -> dict[str, float]:
    """Ask one question: seconds to the first piece, tokens a second after it, tokens in the prompt.

    Pieces end with words, so a piece may be several tokens; an answer of few pieces has no speed.
    """
    start = time.perf_counter()
    came = []
    with closing(session.ask(question)) as pieces:
        for piece in pieces:
            came.append((time.perf_counter() - start, piece))
    if not came:
        raise SystemExit(f"no answer to {question!r}")
    first, last = came[0][0], came[-1][0]
    found = {"first_s": first, "prompt_tokens": float(session.talker.n_tokens(session.prompt()))}
    if len(came) > FEWEST_PIECES:
        rest = "".join(piece for _, piece in came[1:])
        n_tokens = len(session.talker.base.tokenizer(rest, add_special_tokens=False)["input_ids"])
        found["tokens_per_s"] = n_tokens / (last - first)
    return found


def run(name: str, n_rounds: int, most: int) -> list[dict[str, Any]]:
    base = bases.load(name, "none", "cpu")
    files = models.find(base.name)
    path = models.gguf(files)
    if importlib.util.find_spec("xllamacpp") is None:
        path = None
        print("xllamacpp is not installed: transformers alone", file=sys.stderr)
    elif path is None:
        print(f"{files.path} holds no GGUF file: transformers alone", file=sys.stderr)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Store.open(Home(Path(scratch) / "home"), create=True) as store,
    ):
        ingest(store, [NOTES])
        plain: dict[str, Talker] = {REFERENCE: Talker(base, base.model, 0)}
        if path:
            plain["llama.cpp"] = LlamaCppTalker.load(files)
            plain["llama.cpp alone"] = Alone(base, path)
        found = compare(store, plain, n_rounds, most)
        weights = Path(scratch) / "adapter"
        adapted: dict[str, Talker] = {REFERENCE: Talker(base, random_adapter(base, weights), 1)}
        if path:
            adapted["llama.cpp"] = LlamaCppTalker.load(files, 1, weights)
        return found + compare(store, adapted, n_rounds, most)


def compare(
    store: Store, talkers: Mapping[str, Talker], n_rounds: int, most: int
) -> list[dict[str, Any]]:
    for talker in talkers.values():
        talker.answer([{"role": "user", "content": "Hello"}], 4)  # warms up
    numbers = count(1)

    def start(retrieval: bool) -> dict[str, ChatSession]:
        system = f"{next(numbers)}: You answer in plain words, in whole sentences."
        return {
            name: ChatSession(
                talker,
                store,
                Options(),
                sampling=Sampling(max_tokens=most),
                retrieval=retrieval,
                system=system,
                is_kept=False,
            )
            for name, talker in talkers.items()
        }

    found: dict[tuple[bool, str], list[dict[str, dict[str, float]]]] = defaultdict(list)
    for _ in range(n_rounds):
        for retrieval in GOALS:
            for keeps in (True, False):
                sessions = start(retrieval)
                for number, question in enumerate(QUESTIONS):
                    turn = "first" if not number else "later" if keeps else "later, anew"
                    if not keeps:  # the same conversation, of which nothing was computed
                        begun, sessions = sessions, start(retrieval)
                        for name, session in sessions.items():
                            session.turns = begun[name].turns
                    asked = {name: measure(one, question) for name, one in sessions.items()}
                    found[retrieval, turn].append(asked)
    return [
        {
            "retrieval": retrieval,
            "turn": turn,
            "adapted": bool(talker.version),
            "backend": name,
            "n": len(turns),
            "prompt_tokens": statistics.median(each[name]["prompt_tokens"] for each in turns),
            "goal_s": GOALS[retrieval],
            **{figure: _median([each[name].get(figure) for each in turns]) for figure in FIGURES},
            **{f"{figure}_ratio": _ratio(turns, name, figure) for figure in FIGURES},
        }
        for (retrieval, turn), turns in found.items()
        for name, talker in talkers.items()
    ]


def _ratio(turns: list[dict[str, dict[str, float]]], name: str, figure: str) -> float | None:
    both = [
        (each[name][figure], each[REFERENCE][figure])
        for each in turns
        if figure in each[name] and figure in each[REFERENCE]
    ]
    return _median([one / other for one, other in both])


def _median(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return round(statistics.median(there), 3) if there else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-tokens", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = run(given.base, given.rounds, given.max_tokens)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if given.json:
        print(json.dumps({"base": given.base, "cores": cores, "turns": rows}))
        return
    print(f"{given.base}, {cores} cores; medians of {given.rounds} rounds; × {REFERENCE}")
    print(
        f"{'retrieval':<10}{'turn':<13}{'adapter':<9}{'backend':<16}{'prompt':>6}"
        f"{'goal':>5}{'first s':>9}{'×':>6}{'tokens/s':>10}{'×':>6}"
    )
    for row in rows:
        first, first_ratio, speed, speed_ratio = (
            float("nan") if row[name] is None else row[name]
            for name in ("first_s", "first_s_ratio", "tokens_per_s", "tokens_per_s_ratio")
        )
        print(
            f"{'with' if row['retrieval'] else 'without':<10}{row['turn']:<13}"
            f"{'with' if row['adapted'] else 'without':<9}{row['backend']:<16}"
            f"{row['prompt_tokens']:>6.0f}{row['goal_s']:>5.1f}"
            f"{first:>9.2f}{first_ratio:>6.2f}{speed:>10.1f}{speed_ratio:>6.1f}"
        )


if __name__ == "__main__":
    main()
