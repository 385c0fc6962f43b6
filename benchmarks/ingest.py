"""How fast sources come in, in how much memory, and how fast a large store answers.

    python -m benchmarks.ingest [--export-mb N] [--files N] [--chunks N] [--json]

Everything is generated from a seed: a ChatGPT export of prose with code and some secrets, a folder of small
notes, and a store of many chunks. Parsing is read through the reading process and thrown away; end to end is
`ingest` with redaction, deduplication and indexing. Both are put beside `json.load` of the same file. Seconds
are of the clock; `cpu_s` is what this process and the reading one spent, for machines that do other work too.
"""

import argparse
import json
import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Prose of a vocabulary in which a few words are common and most are rare, as in any language."""

    def __init__(self, seed: int, n_words: int = 50_000) -> None:
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

    def sentence(self) -> str:
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
    """Clock, processor time and, twice a second, the resident memory of this process and the reading one."""
    figures: dict[str, Any] = {"rss_mb": [], "reader_rss_mb": []}
    done = threading.Event()
    me = psutil.Process()

    def look() -> None:
        while not done.wait(0.5):
            figures["rss_mb"].append(round(me.memory_info().rss / MEGABYTE))
            readers = [child.memory_info().rss for child in me.children()]
            figures["reader_rss_mb"].append(round(sum(readers) / MEGABYTE))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    start, spent = time.monotonic(), _cpu_s()
    try:
        yield figures
    finally:
        figures["s"] = round(time.monotonic() - start, 2)
        figures["cpu_s"] = round(_cpu_s() - spent, 2)
        done.set()
        thread.join()


def _cpu_s() -> float:
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children()):
        times = process.cpu_times()
        total += times.user + times.system
    return total


def measure_export(folder: Path, n_bytes: int) -> list[dict[str, Any]]:
    path = folder / "conversations.json"
    write_export(path, n_bytes)
    size = path.stat().st_size / MEGABYTE

    def by_json() -> None:
        with path.open("rb") as file:
            json.load(file)

    def parsed() -> None:
        for _ in sandbox.read(path):
            pass

    def end_to_end() -> None:
        with Store.open(Home(folder / "home"), create=True) as store:
            report = ingest(store, [path])
            assert not report.refused, report.refused

    sandbox.detect(path)  # the reading process has started
    rows = []
    for name, work in (("parse", parsed), ("end to end", end_to_end), ("json.load", by_json)):
        with watched() as figures:
            work()
        rows.append({"what": name, "mb": round(size, 1), **_rates(figures, size)})
    for row in rows:
        row["times_json_load"] = round(row["cpu_s"] / rows[-1]["cpu_s"], 1)
    return rows


def _rates(figures: dict[str, Any], size: float) -> dict[str, Any]:
    resident = figures.pop("rss_mb") or [0]
    reader = figures.pop("reader_rss_mb") or [0]
    return {
        **figures,
        "mb_per_s": round(size / figures["s"], 1),
        "mb_per_cpu_s": round(size / max(figures["cpu_s"], 0.01), 1),
        "peak_rss_mb": max(resident),
        "peak_reader_rss_mb": max(reader),
        "rss_over_time_mb": _tenths(resident),
        "reader_rss_over_time_mb": _tenths(reader),
    }


def _tenths(values: list[int]) -> list[int]:
    return [values[n * (len(values) - 1) // 9] for n in range(10)]


def measure_folder(folder: Path, n_files: int) -> list[dict[str, Any]]:
    notes = folder / "notes"
    write_notes(notes, n_files)
    size = sum(path.stat().st_size for path in notes.rglob("*.md")) / MEGABYTE
    rows = []
    with Store.open(Home(folder / "notes_home"), create=True) as store:
        for what in ("folder, first", "folder, unchanged"):
            with watched() as figures:
                report = ingest(store, [notes])
            assert not report.refused, report.refused[:3]
            row = {"what": what, "files": n_files, "mb": round(size, 1), **_rates(figures, size)}
            rows.append(row)
    return rows


def measure_search(folder: Path, n_chunks: int) -> dict[str, Any]:
    """Questions of three to twelve words, common ones among them, over generated chunks."""
    writer = Writer(3)
    with Store.open(Home(folder / "large_home"), create=True) as store:
        _fill(store, writer, n_chunks)
        chooser = random.Random(4)
        seconds, cpu_seconds = [], []
        for _ in range(N_QUERIES):
            words = chooser.choices(writer.words[:20_000], k=chooser.randint(1, 6))
            common = chooser.choices(writer.words[:40], k=chooser.randint(2, 6))
            start, spent = time.monotonic(), time.process_time()
            search(store, " ".join(words + common))
            seconds.append(time.monotonic() - start)
            cpu_seconds.append(time.process_time() - spent)

    def at(share: float, of: list[float]) -> float:
        return round(sorted(of)[int(share * (N_QUERIES - 1))] * 1000, 1)

    return {
        "what": "search",
        "chunks": n_chunks,
        "p50_ms": at(0.5, seconds),
        "p95_ms": at(0.95, seconds),
        "p50_cpu_ms": at(0.5, cpu_seconds),
        "p95_cpu_ms": at(0.95, cpu_seconds),
    }


def _fill(store: Store, writer: Writer, n_chunks: int) -> None:
    record = {"sha256": "", "format": "text", "n_bytes": 1, "ingested_at": now(), "root": ""}
    with store.db.atomic():
        store.db.table("sources").insert({"path": "/large", **record})
        store.db.table("documents").insert({"sha256": "", "title": "Large"})
        store.db.execute("INSERT INTO source_documents VALUES (1, 1)")
        stock = [writer.sentence() for _ in range(100_000)]
        for start in range(0, n_chunks, 10_000):
            rows = [
                (n, str(n), "text", " ".join(writer.chooser.choices(stock, k=4)), 56, now())
                for n in range(start + 1, min(start + 10_000, n_chunks) + 1)
            ]
            store.db.conn.executemany(
                "INSERT INTO chunks (id, sha256, kind, text, n_words, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
            store.db.conn.executemany(
                "INSERT INTO document_chunks VALUES (1, ?, ?, '')",
                [(row[0], row[0]) for row in rows],
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--export-mb", type=int, default=200)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="learnctl-benchmark-") as name:
        folder = Path(name)
        if options.export_mb:
            rows += measure_export(folder, options.export_mb * MEGABYTE)
        if options.files:
            rows += measure_folder(folder, options.files)
        if options.chunks:
            rows.append(measure_search(folder, options.chunks))
    if options.json:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        json.dump({"rows": rows, "peak_rss": peak, "python": sys.version}, sys.stdout, indent=1)
        print()
        return
    for row in rows:
        print(f"{row.pop('what')}: " + ", ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
