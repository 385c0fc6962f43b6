"""What was measured of every version, read from the store: who answered which probe, and the matrix of it.

A run asks its probes before and after it has trained. What is asked before is answered by the version
that served until then, so that each answer belongs to one version; 0 is the base. Where the run is on another base,
that version is not asked anew: what is new to it, the base without an adapter answers.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from ..memory.lineage import first_sources, served
from ..memory.store import Store, marks
from .evaluate import FORMS


@dataclass(frozen=True)
class Answer:
    """One closed-book answer to a probe, and the first source of the probe's chunk."""

    version: int
    run: int
    stage: str
    probe: int
    chunk: int
    source: int
    wording: str
    form: str
    correct: bool

    @property
    def counts(self) -> bool:
        """Whether it belongs in a share: a second wording is asked only where the first was right."""
        return self.form == FORMS[0] and self.wording == "question"


def answers(store: Store, version: int, chunks: Collection[int] | None = None) -> list[Answer]:
    """Every answer of the base, and of the versions that served one after another up to this one; in the
    order of the versions, and for each in the order of asking.

    Args:
        chunks: only the probes of these.
    """
    chain = [0, *served(store, version)]
    only = "" if chunks is None else f" AND p.chunk_id IN ({marks(chunks)})"
    found = store.rows(
        f"""
        WITH answered AS (
            SELECT e.*, CASE e.stage
                WHEN 'after' THEN (SELECT version FROM adapters WHERE run_id = r.id)
                ELSE iif(s.base_digest != r.base_digest AND p.chunk_id IN (
                    SELECT sa.chunk_id FROM run_samples rs JOIN samples sa ON sa.id = rs.sample_id
                    WHERE rs.run_id = r.id AND rs.role = 'new'
                ), 0, coalesce(r.replaces, r.parent)) END AS version
            FROM evaluations e JOIN runs r ON r.id = e.run_id
            JOIN probes p ON p.id = e.probe_id LEFT JOIN adapters s ON s.version = r.replaces
            WHERE e.stage IN ('before', 'after') AND r.report IS NOT NULL
        )
        SELECT e.version, e.run_id AS run, e.stage, e.probe_id AS probe, p.chunk_id AS chunk,
            p.wording, e.form, e.correct
        FROM answered e JOIN probes p ON p.id = e.probe_id
        WHERE e.version IN ({marks(chain)}) AND e.form IN ({marks(FORMS)}){only}
        ORDER BY e.version, e.id
        """,
        *chain,
        *FORMS,
        *(chunks or ()),
    )
    source_of = first_sources(store, {row["chunk"] for row in found})
    return [
        Answer(**{**row, "source": source_of[row["chunk"]], "correct": bool(row["correct"])})
        for row in found
        if row["chunk"] in source_of
    ]


def first_learned(store: Store, version: int) -> dict[int, int]:
    """For each live chunk the version that first learned from it, of those that served up to this one."""
    chain = served(store, version)
    return {
        row["chunk"]: row["version"]
        for row in store.rows(
            "SELECT s.chunk_id AS chunk, min(a.version) AS version FROM adapters a"
            " JOIN run_samples rs ON rs.run_id = a.run_id JOIN samples s ON s.id = rs.sample_id"
            f" WHERE s.chunk_id IS NOT NULL AND a.version IN ({marks(chain)}) GROUP BY s.chunk_id",
            *chain,
        )
    }


@dataclass(frozen=True)
class Measured:
    """The continual matrix of a store.

    Attributes:
        versions: one a night, oldest first.
        shares: a row for the base and one for each version, a column for each night; None where nothing
            was measured.
        counts: how many probes each cell was measured with.
    """

    versions: list[int]
    shares: list[list[float | None]]
    counts: list[list[int]]


def measured(store: Store, version: int) -> Measured:
    """The matrix up to a version. A probe belongs to the night that first learned its chunk, and counts as
    it was first answered by a version, asked directly
    in its first wording."""
    chain = served(store, version)
    night_of = first_learned(store, version)
    first: dict[tuple[int, int], dict[int, bool]] = defaultdict(dict)
    for one in answers(store, version):
        if one.counts and one.chunk in night_of:
            first[one.version, night_of[one.chunk]].setdefault(one.probe, one.correct)
    cells = [[first[row, column] for column in chain] for row in [0, *chain]]
    return Measured(
        chain,
        [[sum(cell.values()) / len(cell) if cell else None for cell in row] for row in cells],
        [[len(cell) for cell in row] for row in cells],
    )
