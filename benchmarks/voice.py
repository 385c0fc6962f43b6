"""Does a version learn how somebody writes? Held-out mails of theirs, and of somebody else.

    python -m benchmarks.voice --data FOLDER [--mails 60] [--base embedded] [--set option=value ...] [--json]

`FOLDER/emails/*.jsonl` holds sent mails (`email`, one person a file). For each person a version learns the voice of
some mails; then the log-probability, in nats a token, of mails that it did not see is measured under the
base and under the version: the person's own and the other people's, all as answers to "Write an e-mail.". What a version
gained has a 95% bootstrap interval over mails.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options
from learnctl.trainer.pack import encode
from learnctl.trainer.talk import Talker
from learnctl.trainer.train import row_losses

from .recall import OPEN_GATE
from .results import Results, digest_of, finished, label_of
from .settings import add_set, changes

HELD_OUT = 40
ASKED = [{"role": "user", "content": "Write an e-mail."}]
N_NODES = 512
RESAMPLES = 2000


def mails(file: Path) -> list[str]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return ["\n".join(row["email"].splitlines()).strip() for row in rows if row.get("email")]


def run(options: Options, own: list[str], others: list[str], n_mails: int) -> dict[str, Any]:
    """Learn the voice of `n_mails` of a person's mails; measure on the last ones, and on others'."""
    taught, held = own[:-HELD_OUT][:n_mails], own[-HELD_OUT:]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "mails"
        folder.mkdir()
        for number, mail in enumerate(taught):
            (folder / f"{number:03}.txt").write_text(mail, encoding="utf-8")
        with Store.open(Home(Path(scratch) / "home"), create=True) as store:
            ingest(store, [folder], learn="voice")
            found: dict[str, Any] = {
                "base": _log_probs(Talker.open(store, options, 0), held, others),
            }
            report = finished(consolidate(store, options))
            found["version"] = _log_probs(Talker.open(store, options), held, others)
    kept = ("samples", "divergence", "elapsed_s")
    return found | {"n_taught": len(taught)} | {name: report[name] for name in kept}


def _log_probs(talker: Talker, held: list[str], others: list[str]) -> dict[str, list[float]]:
    """The mean log-probability of a token, for each mail that fits."""
    found = {}
    for name, some in (("own", held), ("others", others)):
        rows = [encode(talker.base.tokenizer, ASKED, mail, talker.base.stop_ids) for mail in some]
        rows = [row for row in rows if len(row.ids) <= N_NODES]
        losses = row_losses(talker.base, talker.model, rows, N_NODES)
        found[name] = [-loss for loss in losses]
    return found


def gain(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """The mean change with its 95% interval over mails, by resampling them."""
    changes = [now - then for then, now in zip(before, after, strict=True)]
    chooser = random.Random(0)
    means = sorted(fmean(chooser.choices(changes, k=len(changes))) for _ in range(RESAMPLES))
    return fmean(changes), means[RESAMPLES // 40], means[-1 - RESAMPLES // 40]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--mails", type=int, default=60)
    parser.add_argument("--base", default="embedded")
    add_set(parser)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    files = sorted((given.data / "emails").glob("*.jsonl"))
    if len(files) < 2:
        parser.exit(0, f"skipped: no emails/ of two people in {given.data}\n")
    results = Results("voice")
    options = replace(Options(base=given.base), **(OPEN_GATE | changes(given.set)))
    for number, file in enumerate(files):
        own, others = mails(file), mails(files[number - 1])[-HELD_OUT:]

        def make(own: list[str] = own, others: list[str] = others) -> dict[str, Any]:
            return run(options, own, others, given.mails)

        row = results.get(
            label_of(options, "person", number, given.mails, digest_of([own, others])), make
        )
        if given.json:
            print(json.dumps(row), flush=True)
            continue
        told = []
        for who, whose in (("own", "held-out mails of their own"), ("others", "of others")):
            before, after = row["base"][who], row["version"][who]
            mean, low, high = gain(before, after)
            told.append(
                f"{whose} ({len(before)}) {fmean(before):.3f} → {fmean(after):.3f} ({mean:+.3f} [{low:+.3f}, {high:+.3f}])"
            )
        print(
            f"person {number}: {row['n_taught']} mails learned; {', '.join(told)} nats a token;"
            f" divergence {row['divergence']}, {row['elapsed_s']} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
