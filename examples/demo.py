"""Two nights in the life of a personal model, from nothing but `learnctl` commands.

    python examples/demo.py            (or `make demo`)

Asks 48 questions of the untouched base, takes in `night1/`, consolidates, asks again, takes in `night2/`
with a ChatGPT export, consolidates, asks again; everything from the weights alone. What is printed at the
end is what was measured; where a night was refused, it says so and ends with 4. The home folder `demo-home` stays, so that one can go on talking to it:

    learnctl --home demo-home chat
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOME = Path("demo-home")
LEARNCTL = [sys.executable, "-m", "learnctl.cli", "--home", str(HOME)]
REFUSED = 4


def learnctl(*words: str) -> Any:
    """Run one command; its JSON value. Talk and progress go to the terminal."""
    print(f"\n$ learnctl {' '.join(words)}", flush=True)
    done = subprocess.run([*LEARNCTL, *words, "--json"], stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, REFUSED):
        sys.exit(f"learnctl {words[0]} ended with {done.returncode}")
    return json.loads(done.stdout)


def ask(version: str, *files: str) -> tuple[list[dict[str, Any]], ...]:
    """The answers of a version to each file of questions."""
    paths = [str(HERE / file) for file in files]
    answers = learnctl("evaluate", *paths, "--version", version)["answers"]
    return tuple([one for one in answers if one["file"] == path] for path in paths)


def night(folder: str) -> dict[str, Any]:
    learnctl("ingest", str(HERE / folder))
    report: dict[str, Any] = learnctl("consolidate")
    print(f"{report['decision']}: {report['reason']}")
    return report


def share(answers: list[dict[str, Any]], **where: Any) -> str:
    chosen = [a for a in answers if all(a.get(key) == value for key, value in where.items())]
    right = sum(a["correct"] for a in chosen)
    return f"{right:2} of {len(chosen):2}"


def main() -> None:
    began = time.monotonic()
    shutil.rmtree(HOME, ignore_errors=True)
    subprocess.run([*LEARNCTL, "init", "--yes"], check=True)

    before, everyday_before = ask("base", "questions.jsonl", "everyday.jsonl")
    reports = [night("night1")]
    (between,) = ask(str(reports[-1]["version"]), "questions.jsonl")
    reports.append(night("night2"))
    after, everyday_after = ask(str(reports[-1]["version"]), "questions.jsonl", "everyday.jsonl")

    stages = [before, between, after]
    print("\nEvery question, from the weights alone\n")
    for old, new in zip(before, after, strict=True):
        print(f"{'✓' if new['correct'] else '·'} {new['question']}  [{new['gold'][0]}]")
        print(f"    before: {shorten(old['answer'])}\n    after:  {shorten(new['answer'])}")

    refused = {n: one for n, one in enumerate(reports, 1) if one["decision"] == "refused"}
    for number, report in refused.items():
        print(f"\nnight {number} was refused: {report['reason']}")
    heads = [f"{'(refused)' if number in refused else f'night {number}':10}" for number in (1, 2)]
    print(f"\n{'right answers':28} {'before':10} {' '.join(heads)}")
    print(row("all", stages))
    for number in (1, 2):
        print(row(f"taught on night {number}", stages, night=number))
    for source in dict.fromkeys(a["source"] for a in before):
        print(row(f"  {source}", stages, source=source))
    print(
        f"{'everyday questions':28} {share(everyday_before):10} {'':10} {share(everyday_after):10}"
    )
    kept = sum(
        a["correct"] and b["correct"] for a, b in zip(everyday_before, everyday_after, strict=True)
    )
    print(
        f"{'  right before, right after':28} {kept} of {sum(a['correct'] for a in everyday_before)}"
    )

    print()
    for number, report in enumerate(reports, 1):
        recall = report["recall"]
        print(
            f"night {number}: {report['decision']}, version {report['version']},"
            f" samples {report['samples']},\n"
            f"         recall of new probes {recall['new']['before']} → {recall['new']['after']}"
            f" of {recall['new']['n']}, at a third turn {recall['forms']['third turn']},"
            f" under a user's system prompt {recall['forms']['system prompt']},\n"
            f"         divergence {report['divergence']} nats a token,"
            f" {report['tokens_per_s']} tokens/s, peak {report['peak_bytes'] / 2**30:.1f} GiB,"
            f" {report['elapsed_s']:.0f} s"
        )
    print(f"\nthe whole demo took {(time.monotonic() - began) / 60:.1f} minutes")
    if refused:
        sys.exit(REFUSED)


def row(name: str, stages: list[list[dict[str, Any]]], **where: Any) -> str:
    return f"{name:28} " + " ".join(f"{share(stage, **where):10}" for stage in stages)


def shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:99] + "…"


if __name__ == "__main__":
    main()
