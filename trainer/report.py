"""All that was measured of a store, in one record: what `learnctl evaluate --report` draws. No model is loaded."""

import json
from collections import Counter
from dataclasses import asdict

from ..memory.lineage import in_service, served
from ..memory.store import Record, Store, now
from . import suite
from .intervals import compare, rounded, share
from .knowledge import STATES, Fact, facts
from .matrix import summarise
from .nights import Answer, answers, first_learned, measured

# A loss curve is drawn from so many points at most, each the mean of its steps.
LOSS_POINTS = 150
# A setting: what `evaluate --ways` found last.
WAYS = "ways"
COST = ("n_tokens", "tokens_per_s", "elapsed_s", "peak_bytes")


def report(store: Store) -> Record:
    """What the versions that served one after another learned, kept and cost, and where the weights in
    service stand. Shares and differences come with their 95% intervals; what was not measured is None."""
    version = in_service(store)
    matrix = measured(store, version)
    found = facts(store, version)
    counts = Counter(fact.state for fact in found)
    return {
        "created": now(),
        "version": version,
        "nights": _nights(store, version),
        "refused": _refused(store),
        "matrix": {
            "versions": matrix.versions,
            "shares": [[cell and round(cell, 4) for cell in row] for row in matrix.shares],
            "counts": matrix.counts,
            **rounded(summarise(matrix.shares)),
        },
        "facts": {state: counts[state] for state in STATES},
        "lost": [_told(store, fact) for fact in found if fact.state == "lost"],
        "suite": [
            suite.compared(store, base, one)
            for one in served(store, version)
            for base in suite.bases_measured(store, one)
        ],
        "ways": _ways(store),
    }


def _ways(store: Store) -> Record | None:
    """What was found last with and without passages, unless the version that was asked is gone."""
    found: Record | None = json.loads(store.setting(WAYS, "null"))
    gone = "SELECT state = 'deleted' FROM adapters WHERE version = ?"
    return None if found and store.value(gone, found["version"]) else found


def _nights(store: Store, version: int) -> list[Record]:
    night_of = first_learned(store, version)
    by_run: dict[int, list[Answer]] = {}
    for answer in answers(store, version):
        if answer.counts:
            by_run.setdefault(answer.run, []).append(answer)
    nights = []
    for one in served(store, version):
        row = store.row(
            "SELECT a.run_id, a.created_at, a.level, a.base_name, r.report, r.options FROM adapters a"
            " JOIN runs r ON r.id = a.run_id WHERE a.version = ?",
            one,
        )
        assert row is not None
        told, options = json.loads(row["report"] or "{}"), json.loads(row["options"])
        asked = by_run.get(row["run_id"], [])
        nights.append(
            {
                "version": one,
                "run": row["run_id"],
                "created": row["created_at"],
                "level": row["level"],
                "base": row["base_name"],
                "new": _examined([a for a in asked if night_of.get(a.chunk) == one]),
                "old": _examined([a for a in asked if night_of.get(a.chunk, one) < one]),
                "divergence": told.get("divergence"),
                "divergence_interval": told.get("divergence_interval"),
                "divergence_on_new": told.get("divergence_on_new"),
                "conduct": told.get("conduct"),
                "beyond_the_base": told.get("beyond_the_base"),
                "max_divergence": told.get("max_divergence", options.get("max_divergence")),
                "samples": told.get("samples"),
                "losses": thinned(told.get("losses") or []),
                **{name: told.get(name) for name in COST},
            }
        )
    return nights


def _examined(asked: list[Answer]) -> Record:
    """The probes of one run: the share right before and after, and what flipped of those asked twice."""
    by_stage: dict[str, dict[int, Answer]] = {"before": {}, "after": {}}
    for answer in asked:
        by_stage[answer.stage][answer.probe] = answer
    both = [probe for probe in by_stage["after"] if probe in by_stage["before"]]
    before, after = ([by_stage[stage][probe] for probe in both] for stage in by_stage)
    flips = compare(
        [one.correct for one in before],
        [one.correct for one in after],
        [one.source for one in after],
    )
    return {
        **{stage: _share(list(by_stage[stage].values())) for stage in by_stage},
        "flips": rounded(flips) if flips else None,
    }


def _share(asked: list[Answer]) -> Record | None:
    found = share([one.correct for one in asked], [one.source for one in asked])
    return rounded(found) if found else None


def _refused(store: Store) -> list[Record]:
    return [
        {"run": row["id"], "created": row["created_at"], "reason": row["reason"]}
        for row in store.rows(
            "SELECT id, created_at, report ->> 'reason' AS reason FROM runs"
            " WHERE report ->> 'decision' = 'refused' ORDER BY id"
        )
    ]


def _told(store: Store, fact: Fact) -> Record:
    source = store.value(
        "SELECT s.path FROM origins o JOIN sources s ON s.id = o.source_id"
        " WHERE o.chunk_id = ? ORDER BY s.id LIMIT 1",
        fact.chunk,
    )
    return {**asdict(fact), "source": source}


def thinned(values: list[float], most: int = LOSS_POINTS) -> list[float]:
    """At most so many values, each the mean of those it stands for."""
    n = min(most, len(values))
    parts = [values[i * len(values) // n : (i + 1) * len(values) // n] for i in range(n)]
    return [round(sum(part) / len(part), 4) for part in parts]
