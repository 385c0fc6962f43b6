"""What is left of an ingest that is killed at random moments.

    python -m benchmarks.kills [--kills N] [--files N] [--large-mb N] [--longest S] [--seed N]

Notes, chats and one file that is so large that a process of its own prepares it are made up and taken in by a
process that is killed with SIGKILL, reader and all, after a random time, again and again on the same store. After each kill the store is examined as `learnctl check`
does, and every file that was reported done must be in it. When an ingest comes to its end, what the store
holds is compared with an undisturbed one, and a new store is begun, until all kills are spent. Prints
one JSON object; exits 1 where anything is wrong.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from learnctl.memory.check import check
from learnctl.memory.errors import NoStore
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store

# Says of each file that it is done once the next one begins: then it is committed.
WORKER = """
import sys
from pathlib import Path
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
before = []
def on_file(path, *progress):
    print(*before, sep="\\n", flush=True)
    before[:] = [path]
print("begins", flush=True)
with Store.open(Home(Path(sys.argv[1])), create=True) as store:
    ingest(store, [Path(sys.argv[2])], on_file)
print("whole", flush=True)
"""
CONTENT = (
    "SELECT path, sha256 FROM sources",
    "SELECT sha256, title FROM documents",
    "SELECT sha256, title FROM conversations",
    "SELECT sha256, kind, text FROM chunks",
    "SELECT c.sha256, s.path, o.title, o.heading, o.date, o.position FROM origins o"
    " JOIN chunks c ON c.id = o.chunk_id JOIN sources s ON s.id = o.source_id",
    "SELECT role, text, created_at, position FROM messages",
)


@dataclass
class Outcome:
    kills: int = 0
    stores: int = 0
    files_reported: int = 0
    faults: list[str] = field(default_factory=list)


def make_folder(folder: Path, n_files: int, large_mb: int, chooser: Random) -> None:
    """Notes of very different sizes, some of the same paragraphs, some chats, and a large file of chats among them."""
    folder.mkdir()
    words = [
        f"{start}{end}" for start in "bdfglmnprst" for end in ("ado", "erin", "ilo", "orst", "un")
    ]
    shared = [" ".join(chooser.choices(words, k=30)).capitalize() + "." for _ in range(20)]
    for number in range(n_files):
        size = chooser.choice([1, 3, 10, 40])
        parts = [
            chooser.choice(shared)
            if chooser.random() < 0.2
            else " ".join(chooser.choices(words, k=40)).capitalize() + "."
            for _ in range(size)
        ]
        if number % 5:
            text = "\n\n".join(f"## Part {n}\n\n{part}" for n, part in enumerate(parts))
            (folder / f"{number:04}.md").write_text(f"# Note {number}\n\n{text}\n")
        else:
            talk = [{"role": "user", "content": part} for part in parts]
            line = json.dumps({"conversation_id": str(number), "messages": talk})
            (folder / f"{number:04}.jsonl").write_text(line + "\n")
    with (folder / f"{n_files // 2:04}-large.jsonl").open("w") as file:
        written = number = 0
        while written < large_mb * 2**20:
            part = " ".join(chooser.choices(words, k=60)).capitalize() + "."
            talk = [{"role": "user", "content": part}]
            chat = {"conversation_id": f"large {number}", "messages": talk}
            written += file.write(json.dumps(chat) + "\n")
            number += 1


def content(store: Store) -> list[list[str]]:
    """What the store holds, without the numbers and times that differ from one ingest to the next."""
    return [sorted(map(repr, (tuple(row.values()) for row in store.rows(q)))) for q in CONTENT]


def run(folder: Path, work: Path, n_kills: int, longest_s: float, chooser: Random) -> Outcome:
    """Kill and look until all kills are spent, then let the last ingest come to its end."""
    with Store.open(Home(work / "undisturbed"), create=True) as store:
        ingest(store, [folder])
        expected = content(store)
    outcome = Outcome()
    while outcome.kills < n_kills:
        outcome.stores += 1
        home = Home(work / f"home{outcome.stores}")
        reported: set[str] = set()
        whole = False
        while not whole:
            most_s = longest_s / chooser.choice([1, 1, 10])  # now and then while the store is made
            wait_s = chooser.uniform(0, most_s) if outcome.kills < n_kills else None
            lines, was_killed = _killed_after(wait_s, home, folder)
            outcome.kills += was_killed
            whole = "whole" in lines
            reported |= lines - {"begins", "whole", ""}
            outcome.faults += _examine(home, reported, expected if whole else None)
        outcome.files_reported += len(reported)
    return outcome


def _killed_after(wait_s: float | None, home: Home, folder: Path) -> tuple[set[str], bool]:
    """Run an ingest until it ends or its time is over; what it said, and whether it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(home.path), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    first = process.stdout.readline()  # the clock starts when everything is imported
    if wait_s is not None:
        time.sleep(wait_s)
        os.killpg(process.pid, signal.SIGKILL)
    lines = {first.strip(), *process.stdout.read().split("\n")}
    process.stdout.close()
    was_killed = process.wait() == -signal.SIGKILL
    if not was_killed and process.returncode:
        raise SystemExit("an ingest that nobody killed failed")
    return lines, was_killed


def _examine(home: Home, reported: set[str], expected: list[list[str]] | None) -> list[str]:
    try:
        with Store.open(home) as store:
            faults = [fault.text for fault in check(store)]
            stored = {row["path"] for row in store.rows("SELECT path FROM sources")}
            faults += [f"reported and not there: {path}" for path in sorted(reported - stored)]
            if expected is not None and content(store) != expected:
                faults.append("not what an undisturbed ingest gives")
            return faults
    except NoStore:
        return ["reported, and there is no store"] if reported else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--large-mb", type=int, default=6, help="of the one large file")
    parser.add_argument("--longest", type=float, default=4.0, help="seconds until a kill")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chooser = Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        make_folder(work / "notes", given.files, given.large_mb, chooser)
        outcome = run(work / "notes", work, given.kills, given.longest, chooser)
    print(json.dumps(asdict(outcome), indent=1))
    sys.exit(bool(outcome.faults))


if __name__ == "__main__":
    main()
