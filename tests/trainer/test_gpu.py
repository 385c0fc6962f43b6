"""The benchmark for a GPU does the same on a CPU, with a model so small that it can; without a GPU it leaves the large one."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Benchmark = Callable[..., "CompletedProcess[str]"]


def test_tiny(benchmark: Benchmark) -> None:
    """Steps in four bits, and a whole night in them."""
    pytest.importorskip("bitsandbytes", reason="no bitsandbytes on this platform")
    done = benchmark("gpu", "--tiny", "--steps", "3", "--set", "rank=2", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    steps, night = found["steps"], found["night"]
    assert (steps["device"], steps["held"], steps["steps"]) == ("cpu", "nf4", 3)
    # Embeddings and head, two blocks of four attention matrices and three of the MLP, five norms.
    block = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128
    assert steps["parameters"] == 2 * 1024 * 64 + 2 * block + 5 * 64
    assert min(steps["tokens_per_s"], steps["s_per_step"], steps["peak_bytes"]) > 0
    assert night["decision"] == "promoted"
    assert night["questions"] == 12
    assert night["n_tokens"] > 0


def test_without_a_gpu(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = benchmark("gpu")
    assert (done.returncode, done.stdout + done.stderr) == (0, "skipped: no CUDA\n")
