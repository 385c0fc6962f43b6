"""How fast sources come in, in how much memory, and how fast a large store answers.

    python -m benchmarks.ingest FOLDER [--export-mb N] [--files N] [--chunks N ...]

Everything is generated from a seed: a ChatGPT export of prose with code and some secrets, a folder of small
notes, and a store of many chunks, which is searched at each of the sizes that are given. Parsing is read
through the reading process and thrown away; end to end is `ingest` with redaction, deduplication and
indexing. Both are put beside `json.load` of the same file. Seconds are of the clock; `cpu_s` is what this
process and those that it started spent, for machines that do other work too, `parent_cpu_s` what this one did:
with two cores to themselves they take no less than half of the one, nor than the other.

What was generated stays in FOLDER, and each figure in its `rows.jsonl`, so that a run that was stopped goes on.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from learnctl.memory import sandbox
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.search import search
from learnctl.memory.store import Store, now

MEGABYTE = 2**20
N_QUERIES = 200


class Writer:
    """Prose of a vocabulary in which a few words are common and most are rare, as in any language. Sentences
    are drawn from a stock, paragraphs are all different."""

    def __init__(self, seed: int, n_words: int = 50_000, n_sentences: int = 100_000) -> None:
        self.chooser = random.Random(seed)
        letters = "etaoinshrdlucmfwypvbgk"
        self.words = [
            "".join(self.chooser.choices(letters, weights=range(22, 0, -1), k=2 + n % 9))
            for n in range(n_words)
        ]
        total, self._weights = 0.0, []
        for rank in range(1, n_words + 1):
            total += 1 / rank
            self._weights.append(total)
        self._stock = [self._sentence() for _ in range(n_sentences)]

    def sentence(self) -> str:
        return self.chooser.choice(self._stock)

    def _sentence(self) -> str:
        words = self.chooser.choices(
            self.words, cum_weights=self._weights, k=self.chooser.randint(6, 22)
        )
        return " ".join(words).capitalize() + self.chooser.choice("...?!")

    def paragraph(self) -> str:
        text = " ".join(self.sentence() for _ in range(self.chooser.randint(2, 7)))
        mark = self.chooser.randrange(60)
        if mark == 0:
            key = "".join(self.chooser.choices("abcdefABCDEF0123456789", k=36))
            text += f" The token is ghp_{key}."
        elif mark < 4:
            text += f"\n\nfor i in range({mark}):\n    print(i, {self.chooser.random()})"
        elif mark < 8:
            text += f" It cost {self.chooser.randrange(10**6)} on 2024-0{mark}-1{mark}."
        return text


def write_export(path: Path, n_bytes: int) -> None:
    writer = Writer(1)
    written = n = 0
    with path.open("w") as file:
        while written < n_bytes:
            nodes: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None}}
            parent = "root"
            for turn in range(writer.chooser.randint(2, 12)):
                text = "\n\n".join(
                    writer.paragraph() for _ in range(writer.chooser.randint(1, 1 + 4 * (turn % 2)))
                )
                author: dict[str, Any] = {
                    "role": "assistant" if turn % 2 else "user",
                    "name": None,
                    "metadata": {},
                }
                nodes[f"{n}-{turn}"] = {
                    "id": f"{n}-{turn}",
                    "parent": parent,
                    "children": [],
                    "message": {
                        "author": author,
                        "create_time": 1.7e9 + 60 * turn,
                        "content": {"content_type": "text", "parts": [text]},
                        "status": "finished_successfully",
                        "metadata": {"model_slug": "gpt-4o", "citations": [], "request_id": str(n)},
                        "recipient": "all",
                    },
                }
                parent = f"{n}-{turn}"
            talk = {
                "title": writer.sentence(),
                "mapping": nodes,
                "current_node": parent,
                "id": str(n),
            }
            written += file.write(f"{',' if n else '['}{json.dumps(talk)}")
            n += 1
        file.write("]")


def write_notes(folder: Path, n_files: int) -> None:
    writer = Writer(2)
    for number in range(n_files):
        below = folder / f"{number // 200:03}"
        below.mkdir(exist_ok=True, parents=True)
        text = f"# {writer.sentence()}\n\n{writer.paragraph()}\n\n## {writer.sentence()}\n\n{writer.paragraph()}\n"
        (below / f"{number}.md").write_text(text)


@contextmanager
def watched() -> Iterator[dict[str, Any]]:
    """Clock, processor time and, twice a second, the resident memory of this process, of those it started, and of
    all together, in which what several share (the libraries) is counted once."""
    figures: dict[str, Any] = {"rss_mb": [], "started_rss_mb": [], "all_mb": []}
    done = threading.Event()
    me = psutil.Process()

    def look() -> None:
        while not done.wait(0.5):
            figures["rss_mb"].append(round(me.memory_info().rss / MEGABYTE))
            with suppress(psutil.Error):  # one ended while it was looked at
                children = me.children(recursive=True)
                started = [child.memory_info().rss for child in children]
                figures["started_rss_mb"].append(round(sum(started) / MEGABYTE))
                figures["all_mb"].append(round(sum(map(_share, [me, *children])) / MEGABYTE))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    start, spent, spent_here = time.monotonic(), _cpu_s(), time.process_time()
    try:
        yield figures
    finally:
        figures["s"] = round(time.monotonic() - start, 2)
        figures["cpu_s"] = round(_cpu_s() - spent, 2)
        figures["parent_cpu_s"] = round(time.process_time() - spent_here, 2)
        done.set()
        thread.join()


def _share(process: psutil.Process) -> int:
    """Resident bytes, of shared pages this process's part (Linux); elsewhere all of them."""
    found = process.memory_full_info()
    return int(getattr(found, "pss", 0) or found.rss)


def _cpu_s() -> float:
    gone = psutil.Process().cpu_times()
    total = float(gone.children_user + gone.children_system)
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system
    return total


class Rows:
    """The figures so far, one line of JSON each; what is there is not measured again."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rows.jsonl"
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        self._found = {row["what"]: row for row in map(json.loads, lines)}

    def measure(self, what: str, figures: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if what not in self._found:
            self._found[what] = {"what": what, **figures()}
            with self._path.open("a") as file:
                file.write(json.dumps(self._found[what]) + "\n")
        row: dict[str, Any] = self._found[what]
        values = ", ".join(f"{key} {value}" for key, value in row.items() if key != "what")
        print(f"{what}: {values}", flush=True)
        return row


def measure_export(rows: Rows, folder: Path, n_megabytes: int) -> None:
    path = folder / f"{n_megabytes}" / "conversations.json"
    if not path.exists():
        path.parent.mkdir()
        half = path.with_suffix(".half")
        write_export(half, n_megabytes * MEGABYTE)
        half.rename(path)
    size = path.stat().st_size / MEGABYTE
    json_cpu_s = 0.0

    def by_json() -> None:
        # In a process of its own: what it takes, this one would keep.
        code = "import json, sys; json.load(open(sys.argv[1], 'rb'))"
        subprocess.run([sys.executable, "-c", code, path], check=True)

    def parsed() -> None:
        for _ in sandbox.read(path):
            pass

    def end_to_end() -> None:
        shutil.rmtree(folder / "home", ignore_errors=True)
        with Store.open(Home(folder / "home"), create=True) as store:
            report = ingest(store, [path])
            assert not report.refused, report.refused
        shutil.rmtree(folder / "home")

    def figures(work: Callable[[], None]) -> dict[str, Any]:
        sandbox.detect(path)  # the reading process has started
        with watched() as found:
            work()
        times = found["cpu_s"] / json_cpu_s if json_cpu_s else 1
        return {**_rates(found, size), "cpu_times_json_load": round(times, 1)}

    for what, work in (("json.load", by_json), ("parse", parsed), ("end to end", end_to_end)):
        row = rows.measure(f"{what}, {n_megabytes} MB", lambda work=work: figures(work))  # type: ignore[misc]
        json_cpu_s = json_cpu_s or row["cpu_s"]


def _rates(figures: dict[str, Any], size: float) -> dict[str, Any]:
    resident = figures.pop("rss_mb") or [0]
    started = figures.pop("started_rss_mb") or [0]
    together = figures.pop("all_mb") or [0]
    return {
        **figures,
        "mb_per_s": round(size / figures["s"], 1),
        "mb_per_cpu_s": round(size / max(figures["cpu_s"], 0.01), 1),
        "peak_rss_mb": max(resident),
        "peak_started_rss_mb": max(started),
        "peak_all_mb": max(together),
        "rss_over_time_mb": _tenths(resident),
        "started_rss_over_time_mb": _tenths(started),
        "all_over_time_mb": _tenths(together),
    }


def _tenths(values: list[int]) -> list[int]:
    return [values[n * (len(values) - 1) // 9] for n in range(10)]


def measure_folder(rows: Rows, folder: Path, n_files: int) -> None:
    notes = folder / f"{n_files}_files"
    write_notes(notes, n_files)
    size = sum(path.stat().st_size for path in notes.rglob("*.md")) / MEGABYTE

    def figures() -> dict[str, Any]:
        with Store.open(Home(folder / f"home_{n_files}_files"), create=True) as store:
            with watched() as found:
                report = ingest(store, [notes])
            assert not report.refused, report.refused[:3]
            return {**_rates(found, size), "mb": round(size, 1), "unchanged": len(report.skipped)}

    rows.measure(f"{n_files} files, first", figures)
    rows.measure(f"{n_files} files, again", figures)


def measure_search(rows: Rows, folder: Path, sizes: list[int]) -> None:
    """Questions of three to twelve words, common ones among them, over generated chunks."""
    with Store.open(Home(folder / "large_home"), create=True) as store:
        for n_chunks in sorted(sizes):

            def figures(n_chunks: int = n_chunks) -> dict[str, Any]:
                writer = Writer(3)
                start = time.process_time()
                _fill(store, writer, n_chunks)
                filled = time.process_time() - start
                return {"fill_cpu_s": round(filled, 1), **_answers(store, writer)}

            rows.measure(f"search, {n_chunks} chunks", figures)


def _answers(store: Store, writer: Writer) -> dict[str, Any]:
    chooser = random.Random(4)
    seconds, cpu_seconds, n_found = [], [], 0
    for _ in range(N_QUERIES):
        words = chooser.choices(writer.words[:20_000], k=chooser.randint(1, 6))
        common = chooser.choices(writer.words[:40], k=chooser.randint(2, 6))
        start, spent = time.monotonic(), time.process_time()
        n_found += bool(search(store, " ".join(words + common)))
        seconds.append(time.monotonic() - start)
        cpu_seconds.append(time.process_time() - spent)

    def at(share: float, of: list[float]) -> float:
        return round(sorted(of)[int(share * (N_QUERIES - 1))] * 1000, 1)

    return {
        "queries": N_QUERIES,
        "answered": n_found,
        "p50_ms": at(0.5, seconds),
        "p95_ms": at(0.95, seconds),
        "p50_cpu_ms": at(0.5, cpu_seconds),
        "p95_cpu_ms": at(0.95, cpu_seconds),
        "max_cpu_ms": at(1, cpu_seconds),
    }


def _fill(store: Store, writer: Writer, n_chunks: int) -> None:
    """Rows as `contents` writes them, in the same tables and the same index, but in bulk."""
    if store.value("SELECT id FROM sources") is None:
        with store.db.atomic():
            record = {"sha256": "", "format": "text", "n_bytes": 1, "ingested_at": now()}
            store.db.table("sources").insert({"path": "/large", "root": "", **record})
            store.db.table("documents").insert({"sha256": "", "title": "Large"})
            store.db.execute("INSERT INTO source_documents VALUES (1, 1)")
    n_there = store.value("SELECT coalesce(max(id), 0) FROM chunks")
    for start in range(n_there, n_chunks, 10_000):
        writer.chooser.seed(start)
        texts = {
            n: " ".join(writer.sentence() for _ in range(4))
            for n in range(start + 1, min(start + 10_000, n_chunks) + 1)
        }
        with store.db.atomic():
            store.db.conn.executemany(
                "INSERT INTO chunks (id, sha256, kind, text, n_words, created_at)"
                " VALUES (?, ?, 'text', ?, 56, ?)",
                [(n, str(n), text, now()) for n, text in texts.items()],
            )
            store.db.conn.executemany(
                "INSERT INTO chunks_fts (rowid, text) VALUES (?, ?)", texts.items()
            )
            store.db.conn.executemany(
                "INSERT INTO document_chunks VALUES (1, ?, ?, '')", [(n, n) for n in texts]
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--export-mb", type=int, default=200)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--chunks", type=int, nargs="*", default=[40_000, 200_000, 1_000_000])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = Rows(options.folder)
    if options.export_mb:
        measure_export(rows, options.folder, options.export_mb)
    if options.files:
        measure_folder(rows, options.folder, options.files)
    if options.chunks:
        measure_search(rows, options.folder, options.chunks)


if __name__ == "__main__":
    main()
