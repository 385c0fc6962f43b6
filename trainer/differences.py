"""What one version knows and another does not: over the probes that both were asked, each by its last answer."""

from ..memory.errors import LearnctlError
from ..memory.lineage import pruned
from ..memory.store import Record, Store, marks
from .nights import answers


def differences(store: Store, first: int, second: int) -> Record:
    """From one version to another; 0 is the base.

    Returns:
        `gained` and `lost`, each probe with its question, gold and source; `both` and `neither`, counts;
        `n`, how many probes both were asked; `divergence`, of each from its base.

    Raises:
        LearnctlError: there is no such version.
    """
    was, now = _last(store, first), _last(store, second)
    both_asked = sorted(was.keys() & now.keys())
    gained = [probe for probe in both_asked if now[probe] and not was[probe]]
    lost = [probe for probe in both_asked if was[probe] and not now[probe]]
    n_both = sum(was[probe] and now[probe] for probe in both_asked)
    return {
        "versions": [first, second],
        "gained": _probes(store, gained),
        "lost": _probes(store, lost),
        "both": n_both,
        "neither": len(both_asked) - n_both - len(gained) - len(lost),
        "n": len(both_asked),
        "divergence": [_divergence(store, version) for version in (first, second)],
    }


def _last(store: Store, version: int) -> dict[int, bool]:
    """For each probe that a version was asked, whether its last answer was right."""
    state = store.value("SELECT state FROM adapters WHERE version = ?", version)
    if version and state in (None, "deleted") and version not in pruned(store):
        raise LearnctlError(f"no version {version}", hint="`learnctl history` lists them")
    return {
        answer.probe: answer.correct
        for answer in answers(store, version)
        if answer.version == version and answer.form == "direct"
    }


def _probes(store: Store, numbers: list[int]) -> list[Record]:
    return store.rows(
        "SELECT p.question, p.gold, s.path AS source FROM probes p JOIN sources s ON s.id ="
        " (SELECT min(source_id) FROM origins WHERE chunk_id = p.chunk_id)"
        f" WHERE p.id IN ({marks(numbers)}) ORDER BY p.id",
        *numbers,
    )


def _divergence(store: Store, version: int) -> float | None:
    if not version:
        return 0.0
    found = store.value(
        "SELECT r.report ->> 'divergence' FROM runs r JOIN adapters a ON a.run_id = r.id"
        " WHERE a.version = ?",
        version,
    )
    return None if found is None else float(found)
