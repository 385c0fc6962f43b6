"""Every test has a home and a model cache of its own; those that need the embedded model say so."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.home import models_folder
from learnctl.memory.lineage import in_service
from learnctl.memory.store import Store, now, to_json
from learnctl.trainer import base as bases

# Where models lie on this machine, read before any test changes it.
REAL_MODELS = os.environ.get("LEARNCTL_MODELS")
ROOT = Path(__file__).parent.parent
EMBEDDED = models_folder() / "embedded"


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("learnctl")
    monkeypatch.setenv("LEARNCTL_HOME", str(folder / "home"))
    monkeypatch.setenv("LEARNCTL_MODELS", str(folder / "models"))


@pytest.fixture
def home() -> Path:
    """The home folder of this test; nothing is in it yet."""
    return Path(os.environ["LEARNCTL_HOME"])


@pytest.fixture(scope="session")
def embedded_folder() -> Path:
    """The files of the embedded base model; the test is skipped where they are not there."""
    if not (EMBEDDED / "config.json").exists():
        pytest.skip(f"no embedded model in {EMBEDDED}: `make setup` fetches it")
    return EMBEDDED


@pytest.fixture
def embedded_models(embedded_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use this machine's model cache, with the embedded base model in it."""
    if REAL_MODELS is None:
        monkeypatch.delenv("LEARNCTL_MODELS")
    else:
        monkeypatch.setenv("LEARNCTL_MODELS", REAL_MODELS)
    return embedded_folder.parent


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of the trainer's tests, in a folder."""
    made_by = ROOT / "tests" / "trainer" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tiny_models", made_by)
    assert spec
    assert spec.loader
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    bases.quiet_libraries()
    folder: Path = tiny.make_model("llama", tmp_path_factory.mktemp("tiny") / "llama")
    return folder


@pytest.fixture
def benchmark() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run one of the benchmarks with some arguments, in a process of its own."""

    def run(name: str, *args: str) -> subprocess.CompletedProcess[str]:
        reach = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        return subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *args],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": reach},
            capture_output=True,
            text=True,
        )

    return run


class Diary:
    """Writes nights into a store by hand: what was learned, asked and answered, without a model.

    Answers are given by probe, or by probe and form where it was not asked directly.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def chunk(self, source: str) -> int:
        """The first chunk of the source with this file name."""
        found = self.store.value(
            "SELECT min(o.chunk_id) FROM origins o JOIN sources s ON s.id = o.source_id"
            " WHERE s.path LIKE ?",
            f"%/{source}",
        )
        return int(found)

    def probe(self, chunk: int, question: str, gold: str, wording: str = "question") -> int:
        row: dict[str, Any] = {"chunk_id": chunk, "question": question, "gold": gold}
        return self._add("probes", row | {"span_kind": "name", "wording": wording})

    def night(
        self,
        chunks: list[int],
        before: Mapping[Any, bool],
        after: Mapping[Any, bool],
        promoted: bool = True,
        **report: Any,
    ) -> int:
        """One consolidation on the version in service; the version in service after it."""
        serving = in_service(self.store)
        run = self._add(
            "runs",
            {
                "created_at": now(),
                "state": "done",
                "level": "fast" if serving else "slow",
                "parent": serving,
                "base_name": "tiny",
                "base_digest": "0",
                "options": to_json({"max_divergence": 1.0}),
            },
        )
        for chunk in chunks:
            text = f"{run} {chunk}"
            sample: dict[str, Any] = {
                "kind": "cue",
                "prompt": text,
                "answer": text,
                "created_at": now(),
            }
            sample |= {"sha256": text, "chunk_id": chunk, "base_digest": ""}
            sample_id = self._add("samples", sample)
            self._add("run_samples", {"run_id": run, "sample_id": sample_id, "role": "new"})
        for stage, answers in (("before", before), ("after", after)):
            for asked, correct in answers.items():
                probe, form = asked if isinstance(asked, tuple) else (asked, "direct")
                row = {"run_id": run, "probe_id": probe, "stage": stage, "form": form}
                self._add("evaluations", row | {"correct": int(correct), "answer": "so"})
        version = serving
        if promoted:
            row = {name: self._of(run, name) for name in ("level", "parent", "base_name")}
            row |= {"run_id": run, "base_digest": "0", "sha256": "0", "created_at": now()}
            version = self._add("adapters", row | {"state": "ok"})
            self.store.set_setting("in_service", str(version))
        told = {
            "run": run,
            "decision": "promoted" if promoted else "refused",
            "reason": "told so",
            "version": version,
            "recall": {"new": {"before": None, "after": None, "n": 0}, "old": None},
            "samples": {"new": len(chunks), "replay": 0, "general": 0},
            "divergence": 0.25,
            "n_tokens": 12000,
            "tokens_per_s": 150.5,
            "elapsed_s": 95.0,
            "peak_bytes": 900_000_000,
            "losses": [2.5, 1.5, 0.5],
        }
        self.store.db.execute(
            "UPDATE runs SET report = ?, replaces = ? WHERE id = ?",
            [to_json(told | report), serving, run],
        )
        return version

    def _of(self, run: int, name: str) -> Any:
        return self.store.value(f"SELECT {name} FROM runs WHERE id = ?", run)

    def _add(self, table: str, row: dict[str, Any]) -> int:
        names = ", ".join(row)
        values = ", ".join("?" for _ in row)
        cursor = self.store.db.execute(
            f"INSERT INTO {table} ({names}) VALUES ({values})", list(row.values())
        )
        self.store.db.conn.commit()
        return int(cursor.lastrowid or 0)


@pytest.fixture
def diary() -> type[Diary]:
    return Diary


class Terminal:
    """A program in a terminal of tmux, driven by keys and read from the screen."""

    PATIENCE_S = 60

    def __init__(self, folder: str, args: list[str], width: int, height: int, **env: str) -> None:
        self._tmux = ["tmux", "-u", "-S", f"{folder}/tmux", "-f", os.devnull]
        settings = {"PYTHONPATH": str(ROOT / ".dev"), "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", **env}
        told = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
        command = f"env -u COLUMNS -u LINES {told} {shlex.join([sys.executable, *args])}; echo ended with $?; sleep 600"
        size = ("-x", str(width), "-y", str(height))
        self._do("new-session", "-d", *size, command)

    def press(self, *keys: str) -> None:
        """Press some keys, by tmux's names for them; what is no name is typed."""
        self._do("send-keys", *keys)

    def enter(self, text: str) -> None:
        self._do("send-keys", "-l", text)
        self.press("Enter")

    def wait_for(self, text: str, times: int = 1) -> str:
        """The screen with all that has left it at the top, once a text stands there so many times."""
        for _ in range(10 * self.PATIENCE_S):
            shown = self.shown()
            if shown.count(text) >= times:
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{text!r} did not come {times} times:\n{shown}")

    def shown(self) -> str:
        return self._do("capture-pane", "-p", "-S", "-")

    def close(self) -> None:
        self._do("kill-server")

    def _do(self, *args: str) -> str:
        done = subprocess.run([*self._tmux, *args], capture_output=True, text=True, timeout=60)
        return done.stdout


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Start Python with some arguments in a terminal of some size."""
    if shutil.which("tmux") is None:
        pytest.skip("no tmux here")
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        started: list[Terminal] = []

        def start(*args: str, width: int = 80, height: int = 24, **env: str) -> Terminal:
            place = tempfile.mkdtemp(dir=folder)
            started.append(Terminal(place, list(args), width, height, **env))
            return started[-1]

        yield start
        for one in started:
            one.close()
