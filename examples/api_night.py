"""Take files in and learn from them: one night, and what it measured.

    python examples/api_night.py --home demo-home examples/night1

What is set in the home folder's `config.toml` holds here too.
"""

import argparse
from pathlib import Path

from learnctl.memory.home import find_home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer import options
from learnctl.trainer.consolidate import consolidate


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, help="the home folder; else the usual one")
    parser.add_argument("paths", type=Path, nargs="+", help="files and folders to take in")
    given = parser.parse_args()
    home = find_home(given.home)
    with Store.open(home, create=True) as store:
        for refused in ingest(store, given.paths).refused:
            print(f"refused: {refused['path']}: {refused['reason']}")
        report = consolidate(
            store,
            options.load(home),
            on_step=lambda step: print(f"\rstep {step}", end="", flush=True),
        )
    new = report["recall"]["new"]
    print(f"\n{report['decision']}: {report['reason']}; version {report['version']} is in service")
    print(f"new probes right: {new['before']} before, {new['after']} after, of {new['n']}")


if __name__ == "__main__":
    main()
