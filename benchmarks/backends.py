"""How fast an answer comes by each backend, on a processor: transformers, llama.cpp as learnctl uses it, llama.cpp alone.

    python -m benchmarks.backends [--base embedded] [--rounds 3] [--max-tokens 24] [--json]

The same questions of each in turn, so that what else the machine does meets all alike; each prompt begins
in its own way, so that none has computed any of it before. `alone` is xllamacpp as its own page shows it,
with its own tokenizer and chat form. With an adapter means one of random weights at the rank of a night's, which
costs as much as a real one. Ratios are medians over the rounds.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from learnctl.trainer import adapter, models
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.chat_form import Chat
from learnctl.trainer.llamacpp import LlamaCppTalker
from learnctl.trainer.options import Options
from learnctl.trainer.sampling import Sampling
from learnctl.trainer.talk import Talker

QUESTIONS = (
    "Tell me in a few sentences what a lighthouse is for.",
    "Describe in a few sentences how bread is baked.",
    "Explain in a few sentences why leaves fall in autumn.",
    "Say in a few sentences what a library does.",
)
REFERENCE = "transformers"

# When each piece of an answer came, and the piece.
Stream = Callable[[Chat, int], list[tuple[float, str]]]


def chat(number: int) -> Chat:
    return [
        {
            "role": "system",
            "content": f"{number + 1}: You answer in plain words, in whole sentences.",
        },
        {"role": "user", "content": QUESTIONS[number % len(QUESTIONS)]},
    ]


def by_talker(talker: Talker) -> Stream:
    def stream(messages: Chat, most: int) -> list[tuple[float, str]]:
        pieces = talker.stream(messages, Sampling(max_tokens=most))
        return [(time.perf_counter(), piece) for piece in pieces]

    return stream


def alone(path: Path) -> Stream:
    import torch
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = 8192
    params.verbosity = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = torch.get_num_threads()
    server = xllamacpp.Server(params)

    def stream(messages: Chat, most: int) -> list[tuple[float, str]]:
        pieces: list[tuple[float, str]] = []
        request = {"messages": messages, "max_tokens": most, "temperature": 0.0, "stream": True}

        def take(part: Any) -> bool:
            for choice in part["choices"]:
                if text := choice["delta"].get("content"):
                    pieces.append((time.perf_counter(), text))
            return False

        server.handle_chat_completions(request, take)
        return pieces

    return stream


def random_adapter(base: Base, folder: Path) -> Any:
    import torch

    model = adapter.new_adapter(base, Options().rank, seed=0)
    with torch.no_grad():
        for name, value in adapter.weights(model).items():
            if "lora_B" in name:
                torch.nn.init.normal_(value, std=0.01)
    adapter.save_adapter(model, folder)
    return model.eval()


def measure(base: Base, stream: Stream, messages: Chat, most: int) -> dict[str, float]:
    """Seconds to the first piece, and tokens a second after it."""
    start = time.perf_counter()
    came = stream(messages, most)
    rest = "".join(text for _, text in came[1:])
    n_tokens = len(base.tokenizer(rest, add_special_tokens=False)["input_ids"])
    first, last = came[0][0], came[-1][0]
    return {"first_s": first - start, "tokens_per_s": n_tokens / (last - first)}


def run(name: str, n_rounds: int, most: int) -> list[dict[str, Any]]:
    base = bases.load(name, "none", "cpu")
    files = models.find(base.name)
    path = models.gguf(files)
    if path is None:
        raise SystemExit(f"{files.path} holds no GGUF file")
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        plain: dict[str, Stream] = {
            REFERENCE: by_talker(Talker(base, base.model, 0)),
            "llama.cpp": by_talker(LlamaCppTalker.load(files)),
            "llama.cpp alone": alone(path),
        }
        found += compare(base, plain, n_rounds, most, adapted=False)
        model = random_adapter(base, Path(scratch))
        adapted: dict[str, Stream] = {
            REFERENCE: by_talker(Talker(base, model, 1)),
            "llama.cpp": by_talker(LlamaCppTalker.load(files, 1, Path(scratch))),
        }
        found += compare(base, adapted, n_rounds, most, adapted=True)
    return found


def compare(
    base: Base, arms: dict[str, Stream], n_rounds: int, most: int, adapted: bool
) -> list[dict[str, Any]]:
    for stream in arms.values():
        stream([{"role": "user", "content": "Hello"}], 2)  # warms up
    rounds = [
        {name: measure(base, stream, chat(number), most) for name, stream in arms.items()}
        for number in range(n_rounds)
    ]

    def median(name: str, figure: str) -> float:
        return statistics.median(each[name][figure] for each in rounds)

    def ratio(name: str, figure: str) -> float:
        return statistics.median(each[name][figure] / each[REFERENCE][figure] for each in rounds)

    return [
        {
            "backend": name,
            "adapted": adapted,
            "rounds": n_rounds,
            **{figure: round(median(name, figure), 3) for figure in ("first_s", "tokens_per_s")},
            "first_ratio": round(ratio(name, "first_s"), 3),
            "speed_ratio": round(ratio(name, "tokens_per_s"), 2),
        }
        for name in arms
    ]


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
        print(json.dumps({"base": given.base, "cores": cores, "backends": rows}))
        return
    print(f"{given.base}, {cores} cores; medians of {given.rounds} rounds; times {REFERENCE}")
    print(f"{'':<18}{'adapter':<9}{'first s':>9}{'×':>7}{'tokens/s':>10}{'×':>7}")
    for row in rows:
        print(
            f"{row['backend']:<18}{'with' if row['adapted'] else 'without':<9}"
            f"{row['first_s']:>9.2f}{row['first_ratio']:>7.2f}"
            f"{row['tokens_per_s']:>10.1f}{row['speed_ratio']:>7.1f}"
        )


if __name__ == "__main__":
    main()
