"""`benchmarks.chat`: every turn by every backend that is there, beside transformers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_transformers_stand_alone_where_llama_cpp_cannot(
    benchmark: Callable[..., Any], tiny_llama: Path
) -> None:
    ended = benchmark(
        "chat", "--base", str(tiny_llama), "--rounds", "1", "--max-tokens", "8", "--json"
    )
    assert ended.returncode == 0, ended.stderr
    assert "transformers alone" in ended.stderr
    rows = json.loads(ended.stdout)["turns"]
    kinds = {(row["retrieval"], row["turn"], row["adapted"], row["backend"]) for row in rows}
    assert kinds == {
        (retrieval, turn, adapted, "transformers")
        for retrieval in (False, True)
        for turn in ("first", "later", "later, anew")
        for adapted in (False, True)
    }
    assert {row["first_s_ratio"] for row in rows} == {1.0}
    prompts = {(row["retrieval"], row["turn"]): row["prompt_tokens"] for row in rows}
    assert prompts[False, "first"] < prompts[False, "later"] < prompts[True, "later"]
