"""config, model, init and doctor."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from learnctl.memory.home import Home
from learnctl.memory.store import Store


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a GPU, told without asking torch."""
    device = SimpleNamespace(type="cpu")
    monkeypatch.setattr("learnctl.trainer.base.choose_device", lambda name="auto": device)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that passes for the embedded base model."""
    import os

    folder = Path(os.environ["LEARNCTL_MODELS"]) / "embedded"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_config_is_set_and_put_back(run: Any, run_json: Any) -> None:
    default = run_json("config", "list")
    assert run("config", "set", "epochs", "7").stdout == "epochs: 7\n"
    assert run_json("config", "get", "epochs") == 7
    assert run_json("config", "list") == {**default, "epochs": 7}
    assert run("config", "get", "epochs").stdout == "7\n"
    run("config", "unset", "epochs")
    assert run_json("config", "list") == default


def test_a_home_that_nobody_has(run: Any, run_json: Any) -> None:
    """A folder of an unknown user is kept as it was given, like any other that is not there."""
    assert run("config", "set", "suite", "~nosuchuser/x").exit_code == 0
    assert run_json("config", "get", "suite") == "~nosuchuser/x"


def test_a_rate_is_a_number_or_auto(run: Any, run_json: Any) -> None:
    assert run_json("config", "get", "learning_rate") == "auto"
    assert run("config", "set", "learning_rate", "3e-4").stdout == "learning_rate: 0.0003\n"
    assert run_json("config", "get", "learning_rate") == 3e-4
    assert run("config", "set", "learning_rate", "auto").stdout == "learning_rate: auto\n"
    assert run_json("config", "get", "learning_rate") == "auto"


def test_epochs_are_a_whole_number_or_auto(run: Any, run_json: Any) -> None:
    run("config", "set", "epochs", "3")
    run("config", "set", "epochs", "auto")
    assert run_json("config", "get", "epochs") == "auto"


def test_config_list_says_what_each_means(run: Any) -> None:
    listed = run("config", "list").stdout
    assert "How often what is new is seen" in listed
    assert len([line for line in listed.splitlines() if " default " in line]) > 10


@pytest.mark.parametrize(
    "args",
    [
        ("get", "nonsense"),
        ("set", "nonsense", "1"),
        ("set", "epochs", "many"),
        ("set", "epochs", "2.5"),
        ("set", "epochs", "0"),
        ("set", "learning_rate", "fast"),
        ("set", "learning_rate", "0"),
        ("unset", "nonsense"),
        ("set", "device", "foo"),
        ("set", "quantize", "bar"),
        ("set", "kinds", "question,foo"),
        ("set", "kinds", ""),
        ("set", "max_divergence", "nan"),
        ("set", "min_recall_gain", "nan"),
        ("set", "learning_rate", "inf"),
        ("set", "--", "night_minutes", "-5"),
        ("set", "night_minutes", "0"),
        ("set", "--", "questions_per_fact", "-3"),
        ("set", "--", "max_divergence", "-1"),
    ],
    ids=" ".join,
)
def test_config_refuses(run: Any, args: tuple[str, ...], home: Path) -> None:
    result = run("config", *args)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert not (home / "config.toml").exists()


@pytest.mark.parametrize("line", ["rank = 3.9", "night_minutes = true", "epochs = inf"])
def test_a_whole_number_is_whole(run: Any, home: Path, line: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f"{line}\n")
    result = run("config", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {line.split()[0]}: expected")


def test_what_is_no_option_any_more_can_be_taken_out(run: Any, home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text("foo = 3\nrank = 8\n")
    assert run("config", "list").exit_code == 1
    assert run("config", "unset", "foo").exit_code == 0
    assert run("config", "get", "rank").stdout == "8\n"


def test_flags_are_checked_as_settings_are(run: Any) -> None:
    run("init")
    for flag in ("--device", "--quantize"):
        result = run("consolidate", "--dry-run", flag, "foo")
        assert result.exit_code == 1
        assert f"{flag[2:]} must be one of auto, " in result.stderr


@pytest.mark.parametrize("content", [b"epochs = ", b"epochs = 3 # caf\xe9", b"a = " + b"[" * 9999])
def test_a_broken_config(run: Any, home: Path, content: bytes) -> None:
    """One line that names the file, which stays as it is."""
    home.mkdir(mode=0o700)
    (home / "config.toml").write_bytes(content)
    for args in (("set", "epochs", "3"), ("unset", "epochs"), ("list",)):
        result = run("config", *args)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"error: {home / 'config.toml'}: ")
    assert (home / "config.toml").read_bytes() == content


def test_a_setting_is_written_whole_or_not_at_all(
    run: Any, run_json: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("config", "set", "epochs", "7")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        assert run("config", "set", "base", "somewhere").exit_code == 1
    assert run_json("config", "get", "epochs") == 7
    assert [file.name for file in home.iterdir()] == ["config.toml"]
    assert (home / "config.toml").stat().st_mode & 0o777 == 0o600


def test_models_are_listed_and_removed(run: Any, run_json: Any, model: Path) -> None:
    (found,) = run_json("model", "list")
    assert found == {"name": "embedded", "path": str(model), "n_bytes": 2}
    assert "embedded" in run("model", "list").stdout
    assert run("model", "remove", "embedded").stdout == "removed: embedded (2 bytes)\n"
    assert run_json("model", "list") == []
    assert run("model", "remove", "embedded").exit_code == 1


def test_a_model_that_is_needed_is_not_removed_unasked(
    run: Any, model: Path, notes: Path, home: Path, diary: Any
) -> None:
    run("ingest", str(notes))
    with Store.open(Home(home)) as store:
        told = diary(store)
        told.night([told.chunk("dog.txt")], {}, {})
        store.db.execute("UPDATE adapters SET base_name = 'embedded'")
        store.db.conn.commit()
    refused = run("model", "remove", "embedded")
    assert refused.exit_code == 1
    assert "version 1 is in service and answers on embedded" in refused.stderr
    assert model.exists()
    assert run("model", "remove", "embedded", "--yes").exit_code == 0
    assert not model.exists()


def test_model_pull_leaves_what_is_there(run: Any, model: Path) -> None:
    assert run("model", "pull", "embedded").stdout == f"fetched: embedded ({model})\n"


def test_model_use(run: Any, cpu: None, model: Path, run_json: Any) -> None:
    assert run("model", "use").stdout == "embedded\n"
    assert run("model", "use", str(model)).stdout == f"{model}\n"
    assert run_json("config", "get", "base") == str(model)
    assert run("model", "use", "somebody/else").exit_code == 1
    assert run("model", "use").stdout == f"{model}\n"


@pytest.mark.parametrize("words", [("model", "use"), ("config", "set", "base")], ids=" ".join)
def test_a_base_by_its_path_is_the_same_from_everywhere(
    run: Any, run_json: Any, cpu: None, model: Path, monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.chdir(model.parent)
    (model.parent / "mine").symlink_to(model)
    assert run(*words, "./mine").exit_code == 0
    assert run_json("config", "get", "base") == str(model.parent / "mine")
    assert run("config", "set", "base", "embedded").stdout == "base: embedded\n"


def test_a_path_is_not_looked_for_on_the_hub(run: Any, cpu: None) -> None:
    assert "model pull" not in run("model", "use", "/nope").stderr
    assert "model pull nobody/none" in run("model", "use", "nobody/none").stderr


def test_init_makes_a_private_store(run: Any, cpu: None, home: Path) -> None:
    result = run("init")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"home: {home}\nbase model: embedded (there is no NVIDIA GPU")
    assert "learnctl model pull embedded" in result.stderr
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "learnctl.db").stat().st_mode & 0o777 == 0o600


def test_init_fetches_only_when_told_to(
    run: Any, cpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("learnctl.cli.init.fetch", fetched.append)
    run("init", input="y\n")
    assert fetched == []
    run("init", "--yes")
    assert fetched == ["embedded"]
    monkeypatch.setattr("learnctl.cli.init.is_terminal", lambda stream: True)
    run("init", input="n\n")
    assert fetched == ["embedded"]
    run("init", input="y\n")
    assert fetched == ["embedded", "embedded"]


def test_doctor_stops_without_a_base_model(run: Any, cpu: None) -> None:
    result = run("doctor", "--json")
    assert result.exit_code == 1
    found = {check["name"]: check for check in json.loads(result.stdout)}
    assert found["base model"]["state"] == "stop"
    assert "learnctl model pull embedded" in found["base model"]["remedy"]
    assert found["store"]["state"] == "warn"
    assert found["sqlite"]["state"] == "ok"
    assert {"torch", "transformers", "peft", "bitsandbytes", "memory", "disk", "lock"} <= set(found)


def test_doctor_looks_at_the_device_that_is_set(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from learnctl.trainer import base

    asked: list[str] = []

    def choose(name: str = "auto") -> SimpleNamespace:
        asked.append(name)
        return SimpleNamespace(type="cpu")

    monkeypatch.setattr(base, "choose_device", choose)
    run("config", "set", "device", "cpu")
    run("doctor")
    assert asked == ["cpu"]


def test_doctor_stops_at_a_device_that_is_not_there(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    run("config", "set", "device", "cuda")
    result = run("doctor", "--json")
    found = {check["name"]: check for check in json.loads(result.stdout)}
    assert found["device"]["state"] == "stop"
    assert "config unset device" in found["device"]["remedy"]


def test_doctor_stops_at_a_device_that_is_broken(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(device: object) -> None:
        raise RuntimeError("CUDA error: out of order")

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.mem_get_info", fail)
    found = {check["name"]: check for check in json.loads(run("doctor", "--json").stdout)}
    assert found["device"]["state"] == "stop"
    assert "out of order" in found["device"]["found"]
    assert "base model" not in found


def test_doctor_is_content(run: Any, cpu: None, model: Path, notes: Path) -> None:
    run("init")
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "ok   store" in result.stdout


def test_doctor_sees_a_damaged_store(run: Any, cpu: None, model: Path, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "learnctl.db").write_bytes(b"this is no database" * 100)
    result = run("doctor")
    assert result.exit_code == 1
    assert "stop store" in result.stdout


def test_doctor_sees_a_lock(run: Any, cpu: None, model: Path, home: Path) -> None:
    from filelock import FileLock

    run("init")
    with FileLock(home / "consolidate.lock"):
        result = run("doctor")
    assert result.exit_code == 0
    assert "warn lock" in result.stdout
