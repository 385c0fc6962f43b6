"""Take sources back: out of the store, and out of service every version that learned from them.

    python examples/api_forget.py --home demo-home household.md

What other sources also hold stays, for them.
"""

import argparse
from pathlib import Path

from learnctl.memory.home import find_home
from learnctl.memory.store import Store
from learnctl.trainer import registry


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, help="the home folder; else the usual one")
    parser.add_argument("paths", nargs="+", help="paths, folders or file names that were taken in")
    given = parser.parse_args()
    with Store.open(find_home(given.home)) as store:
        meant = {source["id"] for name in given.paths for source in store.find_sources(name)}
        report = registry.forget(store, sorted(meant))
        left = [Path(source["path"]).name for source in store.sources()]
    for name in ("sources", "chunks", "samples", "versions_deleted"):
        print(f"{name}: {report[name]}")
    print(f"in service: version {report['version']} (0 is the base)")
    print(f"still there: {', '.join(left) or 'nothing'}")


if __name__ == "__main__":
    main()
