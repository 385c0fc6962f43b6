"""What `doctor` concludes of a machine, from what is found there; and that this machine can be looked at."""

import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from learnctl.cli import crontab, machine_checks
from learnctl.memory.home import Home
from learnctl.trainer import base
from learnctl.trainer.models import ModelFiles
from learnctl.trainer.options import Options
from learnctl.trainer.vram import read_config, training_bytes

# The shape of Qwen2.5-1.5B-Instruct, as its config.json has it: 1.54 billion weights.
QWEN = {
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
}


@pytest.mark.parametrize(
    ("card", "driver", "torch_cuda", "found", "remedy"),
    [
        (False, "", None, "no NVIDIA card", ""),
        (True, "", "12.8", "no driver", "install the NVIDIA driver"),
        (True, "12.8", None, "without CUDA", "a build with CUDA"),
        (True, "12.2", "12.8", "the driver speaks 12.2 at most", "update the driver"),
        (True, "9.2", "12.8", "the driver speaks 9.2 at most", "update the driver"),
        (True, "13.0", "12.8", "cannot use", "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_why_a_gpu_is_not_used(
    card: bool, driver: str, torch_cuda: str | None, found: str, remedy: str
) -> None:
    check = machine_checks.gpu(card, driver, torch_cuda)
    assert found in check.found
    assert remedy in check.remedy
    assert check.state == ("warn" if remedy else "ok")


def test_gpu_memory_shows_the_sum() -> None:
    parts = training_bytes(QWEN, Options(), quantized=True)
    need = sum(parts.values())
    enough = machine_checks.vram(parts, need)
    assert enough.state == "ok"
    short = machine_checks.vram(parts, need - 1)
    assert short.state == "stop"
    assert "weights 1.1 GB + adapter" in short.found
    assert "`learnctl model use`" in short.remedy


def test_what_training_takes_follows_the_settings() -> None:
    small = training_bytes(QWEN, Options(), quantized=True)
    # 1.31 billion weights in linear layers in four bits, 0.23 billion of the embedding in sixteen
    assert small["weights"] == pytest.approx(1.31e9 * 0.516 + 0.233e9 * 2, rel=0.01)
    whole = training_bytes(QWEN, Options(), quantized=False)
    assert whole["weights"] == pytest.approx(1.54e9 * 2, rel=0.01)
    double = training_bytes(QWEN, Options(rank=64), quantized=True)
    assert double["adapter, gradients, AdamW"] == 2 * small["adapter, gradients, AdamW"]
    double = training_bytes(QWEN, Options(pack_tokens=1024), quantized=True)
    assert double["activations"] == 2 * small["activations"]
    assert double["attention"] == 4 * small["attention"]


# What the config.json of each says: width, inner width, layers, heads, heads of keys, width of a head, and whether embeddings are its head.
SHAPES = {
    "Qwen/Qwen2.5-0.5B-Instruct": (896, 4864, 24, 14, 2, 64, True),
    "Qwen/Qwen2.5-1.5B-Instruct": (1536, 8960, 28, 12, 2, 128, True),
    "Qwen/Qwen2.5-3B-Instruct": (2048, 11008, 36, 16, 2, 128, True),
    "Qwen/Qwen3-4B-Instruct-2507": (2560, 9728, 36, 32, 8, 128, True),
    "Qwen/Qwen3-8B": (4096, 12288, 36, 32, 8, 128, False),
}
NAMES = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
         "num_key_value_heads", "head_dim", "tie_word_embeddings")  # fmt: skip


@pytest.mark.parametrize(("least_gib", "name"), base.GPU_DEFAULTS)
def test_what_is_recommended_fits(least_gib: float, name: str) -> None:
    """`doctor` must not stop at what `init` offers."""
    config = dict(zip(NAMES, SHAPES[name], strict=True)) | {"vocab_size": QWEN["vocab_size"]}
    parts = training_bytes(config, Options(), quantized=True)
    assert machine_checks.vram(parts, int(least_gib * 2**30)).state == "ok"


def test_the_config_of_a_model_is_read(tmp_path: Path) -> None:
    assert read_config(ModelFiles("x", tmp_path)) is None
    (tmp_path / "config.json").write_text('{"hidden_size": 4}')
    assert read_config(ModelFiles("x", tmp_path)) is None


NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (None, "ok"),
        ("2026-02-28T03:00:00+00:00", "ok"),
        ("2026-03-01T03:02:00+00:00", "ok"),
        ("2026-03-02T03:00:00+00:00", "warn"),
    ],
)
def test_a_clock_that_is_behind(last: str | None, state: str) -> None:
    assert machine_checks.clock(last, NOW).state == state


def test_a_home_on_the_network() -> None:
    mounts = [("/", "ext4"), ("/home", "nfs4"), ("/home/me/local", "ext4"), ("/homes", "cifs")]
    look = machine_checks.file_system
    assert look(Path("/home/me/.local/share/learnctl"), mounts).state == "warn"
    assert "nfs4" in look(Path("/home/me"), mounts).found
    assert look(Path("/home/me/local/learnctl"), mounts).state == "ok"
    assert look(Path("/srv"), mounts).state == "ok"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is locked for root")
def test_files_that_cannot_be_written(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").touch(mode=0o000)
    check = machine_checks.owner(Home(home))
    assert check.state == "stop"
    assert "config.toml" in check.found
    assert "chown" in check.remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_of_somebody_else(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").touch()
    assert machine_checks.owner(Home(home)).state == "ok"
    os.chown(home / "config.toml", 12345, 12345)
    check = machine_checks.owner(Home(home))
    assert check.state == "warn"
    assert "belongs to somebody else" in check.found


def test_a_scheduler_that_does_not_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(path: Path) -> Any:
        yield crontab, "0 3 * * *"

    monkeypatch.setattr("learnctl.cli.schedulers.holding", held)
    monkeypatch.setattr("learnctl.cli.crontab.runs", lambda: False)
    assert "cron, which is not running" in machine_checks.schedule(Home(home)).found
    monkeypatch.setattr("learnctl.cli.crontab.runs", lambda: True)
    assert machine_checks.schedule(Home(home)).state == "ok"


def test_this_machine_can_be_looked_at(home: Path) -> None:
    there = Home(home)
    for look in (machine_checks.this_clock, machine_checks.this_file_system, machine_checks.owner):
        assert look(there).state in ("ok", "warn")
    assert machine_checks.this_gpu().name == "gpu"


@pytest.mark.parametrize(
    ("free_gib", "name", "why"),
    [
        (80, "Qwen/Qwen3-8B", "wants 20 GiB"),
        (8, "Qwen/Qwen2.5-1.5B-Instruct", "8.0 GiB are free"),
        (3, "embedded", "only 3.0 GiB"),
    ],
)
def test_the_base_follows_the_memory_and_stays(
    run: Any, run_json: Any, monkeypatch: pytest.MonkeyPatch, free_gib: int, name: str, why: str
) -> None:
    """What `init` chose is written down: what is free another day must not change the base."""
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (free_gib * 2**30, 80 * 2**30))
    device = SimpleNamespace(type="cuda")
    monkeypatch.setattr(base, "choose_device", lambda wanted="auto": device)
    shown = run("init").stdout
    assert f"base model: {name} (" in shown
    assert why in shown
    assert run_json("config", "get", "base") == name
    assert "(chosen in config.toml)" in run("init").stdout
