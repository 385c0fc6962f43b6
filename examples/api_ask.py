"""Take files in and ask about them at once: what search finds, and what the model answers with it.

    python examples/api_ask.py --home demo-home "Who is our landlord?" examples/night1/household.md

Nothing is trained here. Without the passages, the answer is what the weights know by themselves.
"""

import argparse
from pathlib import Path

from learnctl.memory.home import find_home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer import options
from learnctl.trainer.talk import Talker, passages, with_passages


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, help="the home folder; else the usual one")
    parser.add_argument("question")
    parser.add_argument("paths", type=Path, nargs="*", help="files and folders to take in first")
    given = parser.parse_args()
    home = find_home(given.home)
    with Store.open(home, create=True) as store:
        ingest(store, given.paths)
        talker = Talker.open(store, options.load(home))
        chat = [{"role": "user", "content": given.question}]
        hits = passages(store, given.question)
        print(f"weights alone:  {talker.answer(chat, max_tokens=40)}")
        print(f"with passages:  {talker.answer(with_passages(chat, hits), max_tokens=40)}")
        for hit in hits:
            print(f"  {Path(hit.source).name}: {hit.snippet}")


if __name__ == "__main__":
    main()
