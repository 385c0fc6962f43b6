"""A store of its own for each test, a folder of notes to fill it from, and nights that never trained."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from learnctl.memory.home import Home
from learnctl.memory.ingest import IngestReport, ingest
from learnctl.memory.limits import limit_processor_time
from learnctl.memory.lineage import in_service
from learnctl.memory.store import Store, marks, now

Take = Callable[..., IngestReport]
Learn = Callable[..., int]


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open(Home(home), create=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def other_process() -> Iterator[Executor]:
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        yield executor


@pytest.fixture
def limited(other_process: Executor) -> Executor:
    """A process of its own with a minute of processor time: what takes more than linear time on a long
    hostile text would not come back within the hour."""
    other_process.submit(limit_processor_time, 60.0).result()
    return other_process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the notes of this test lie."""
    made = tmp_path / "notes"
    made.mkdir()
    return made


@pytest.fixture
def take(store: Store, folder: Path) -> Take:
    """Write files into the folder, by name, and take the folder in."""

    def write_and_ingest(files: dict[str, str] | None = None) -> IngestReport:
        for name, text in (files or {}).items():
            (folder / name).write_text(text)
        return ingest(store, [folder])

    return write_and_ingest


@pytest.fixture
def learn(store: Store) -> Learn:
    """What a night leaves behind that learned from the chunks with a word in them: two samples and a
    probe a chunk, a run over the samples, and the version that came of it, in service."""

    def night(word: str, parent: int = 0, note: str = "") -> int:
        chunks = store.rows("SELECT id, text FROM chunks WHERE text LIKE ?", f"%{word}%")
        assert chunks, word
        with store.db.atomic():
            for chunk in chunks:
                for number in (1, 2):
                    sample = {
                        "sha256": f"{chunk['id']} {number}",
                        "chunk_id": chunk["id"],
                        "base_digest": "d",
                        "kind": "question",
                        "prompt": f"What about {number}? {note}",
                        "answer": chunk["text"],
                        "created_at": now(),
                    }
                    store.db.table("samples").insert(sample, ignore=True)
                probe = {"chunk_id": chunk["id"], "gold": f"{chunk['id']} {note}"}
                store.db.table("probes").insert(
                    {**probe, "question": chunk["text"], "span_kind": "name"}, ignore=True
                )
            made = {"level": "fast", "parent": parent, "base_name": "b", "base_digest": "d"}
            run = {
                "created_at": now(),
                "state": "done",
                "options": "{}",
                "report": None,
                "replaces": in_service(store),
                **made,
            }
            store.db.table("runs").insert(run)
            run_id = store.value("SELECT max(id) FROM runs")
            ids = [chunk["id"] for chunk in chunks]
            store.db.execute(
                "INSERT INTO run_samples (run_id, sample_id, role) SELECT ?, id, 'new' FROM samples"
                f" WHERE chunk_id IN ({marks(ids)})",
                [run_id, *ids],
            )
            adapter = {"run_id": run_id, "sha256": "s", "created_at": now(), "state": "ok", **made}
            store.db.table("adapters").insert(adapter)
            version = int(store.value("SELECT max(version) FROM adapters"))
            store.set_setting("in_service", str(version))
        return version

    return night


@pytest.fixture
def states(store: Store) -> Callable[[], dict[int, str]]:
    """The state of every version."""

    def read() -> dict[int, str]:
        return {
            row["version"]: row["state"] for row in store.rows("SELECT * FROM adapters ORDER BY 1")
        }

    return read
