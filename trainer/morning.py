"""What a person is told in the morning: what one run read, learned, lost and cost.

All of it comes from the store: what was read from the samples of the run, what was learned and lost from
the probes that were asked right before and right after training, and what else was examined from the report of the run.
"""

import json
import os

from ..memory.errors import LearnctlError
from ..memory.lineage import FITS_NO_PACK, sources_of
from ..memory.store import Record, Store
from .conditions import gpu_power_limit
from .reading import LEAST_READING

EXAMPLES = 3
# What of a run's own report is told of; what was not measured is None.
EXAMINED = ("scale", "reading", "suite", "conduct", "beyond_the_base", "not_measured")
COST = ("divergence", "n_tokens", "elapsed_s", "peak_bytes")
# A guess at what one busy processor core draws; what it rests on is said beside the figure.
WATTS_PER_CORE = 8.0


def morning(store: Store, run_id: int | None = None) -> Record:
    """What one run came to: the newest where none is named.

    Raises:
        LearnctlError: there is no such run, or none has come to its end yet.
    """
    run = (
        store.row("SELECT * FROM runs WHERE id = ?", run_id)
        if run_id
        else store.row("SELECT * FROM runs WHERE report IS NOT NULL ORDER BY id DESC LIMIT 1")
    )
    if run is None:
        raise LearnctlError(
            f"no run {run_id}" if run_id else "no run has come to its end yet",
            hint="`learnctl history` lists versions with their runs",
        )
    if run["report"] is None:
        raise LearnctlError(f"run {run['id']} did not come to its end ({run['state']})")
    told = json.loads(run["report"])
    learned, lost, kept = _changes(store, run["id"])
    return {
        "run": run["id"],
        "created": run["created_at"],
        "decision": told["decision"],
        "reason": told["reason"],
        "level": run["level"],
        "base": run["base_name"],
        "version": told["version"],
        "read": _read(store, run["id"]),
        "left_out": _left_out(store, run["id"]),
        "set_aside": _set_aside(store, run["id"]),
        "not_taken_in": told.get("not_taken_in", []),
        "learned": learned,
        "lost": lost,
        "kept": kept,
        **{name: told.get(name) for name in (*EXAMINED, *COST)},
        "energy": None if told.get("elapsed_s") is None else energy(told["elapsed_s"]),
    }


def examined(report: Record) -> list[str]:
    """What was measured of a run beside its probes, and what was not, a line each."""
    lines = []
    if (scale := report.get("scale")) is not None and scale < 1:
        lines.append(f"at {scale:.0%} of the strength that it was trained to")
    if (reads := report.get("reading")) is not None and reads < LEAST_READING:
        lines.append(
            f"the base reads {reads:.0%} of what it is shown: samples that need no reader carry the load"
        )
    if suite := report.get("suite"):
        lines.append(
            f"general suite: {suite['won']} won, {suite['lost']} lost, of {suite['n']:,}; at most"
            f" {100 * suite['lost_at_most']:.1f} points lost (95%)"
        )
    for kind, of in (report.get("conduct") or {}).items():
        lines.append(f"{kind}: {of['won']} won, {of['lost']} lost, of {of['n']:,}")
    for kind, does in (report.get("beyond_the_base") or {}).items():
        lines.append(f"{kind}: {does:.0%} by the base itself, so it is not judged")
    if why_not := report.get("not_measured"):
        lines.append(why_not)
    return lines


def text(found: Record) -> str:
    """The same as a note in Markdown."""
    put = {
        "promoted": f"Version {found['version']} is in service.",
        "refused": f"Nothing changed. Refused: {found['reason']}.",
    }
    read, learned, lost = found["read"], found["learned"], found["lost"]
    n_chunks = sum(source["chunks"] for source in read)
    known = "It can now answer" if found["decision"] == "promoted" else "It could have answered"
    parts = [
        put.get(found["decision"], str(found["reason"])),
        f"## Read\n\n{_counted(n_chunks, 'new passage')} from {_counted(len(read), 'source')}\n",
        *(f"- {source['path']} ({source['chunks']})" for source in read[:10]),
        *([f"- and {len(read) - 10} more"] if len(read) > 10 else []),
        f"\n## Learned\n\n{known} {_counted(len(learned), 'question')} that it could not before.\n",
        *(_question(one) for one in learned[:EXAMPLES]),
        f"\n## Lost\n\n{_counted(len(lost), 'question')} that it answered before; {found['kept']} kept.\n",
        *(_question(one) for one in lost[:EXAMPLES]),
    ]
    if found["left_out"]:
        parts += ["\n## Left out\n"]
        parts += [
            f"- {_counted(one['n'], 'passage')}: {one['reason']}" for one in found["left_out"]
        ]
    parts += section("Set aside, and found by search alone", found["set_aside"])
    parts += section("Not taken in", found["not_taken_in"])
    if measured := examined(found):
        parts += ["\n## Examined\n", *(f"- {line}" for line in measured)]
    if cost := _cost(found):
        parts += ["\n## Cost\n", *(f"- {line}" for line in cost)]
    return "\n".join(parts) + "\n"


def section(title: str, entries: list[Record]) -> list[str]:
    """Lines of Markdown that name files, each with a reason; none where there are none."""
    listed = [f"- {one['path']}: {one['reason']}" for one in entries]
    return [f"\n## {title}\n", *listed] if listed else []


def keep_not_taken_in(store: Store, run_id: int | None, entries: list[Record]) -> None:
    """Remember with a run that has come to its end which files were not taken in before it."""
    with store.db.atomic():
        store.db.execute(
            "UPDATE runs SET report = json_set(report, '$.not_taken_in', json(?)) WHERE id = ?",
            [json.dumps(entries), run_id],
        )


def energy(elapsed_s: float) -> Record:
    """About how much electricity a stretch of work took on this machine, and how that was reckoned."""
    limit = gpu_power_limit()
    cores = os.cpu_count() or 1
    watts = WATTS_PER_CORE * cores if limit is None else limit
    source = (
        f"{cores} processors at a guessed {WATTS_PER_CORE:g} W each"
        if limit is None
        else f"the GPU at its power limit of {limit:g} W"
    )
    return {"watt_hours": round(watts * elapsed_s / 3600, 1), "reckoned": f"time × {source}"}


def _changes(store: Store, run_id: int) -> tuple[list[Record], list[Record], int]:
    """The probes that were learned and lost in a run, and how many stayed right."""
    asked = store.rows(
        "SELECT p.question, p.gold, a.answer, b.correct AS was_right, a.correct AS is_right"
        " FROM evaluations a JOIN evaluations b ON b.probe_id = a.probe_id AND b.run_id = a.run_id"
        " AND b.form = a.form AND b.stage = 'before' JOIN probes p ON p.id = a.probe_id"
        " WHERE a.run_id = ? AND a.stage = 'after' AND a.form = 'direct' ORDER BY a.id",
        run_id,
    )

    def chosen(was: int, now: int) -> list[Record]:
        return [
            {name: one[name] for name in ("question", "gold", "answer")}
            for one in asked
            if (one["was_right"], one["is_right"]) == (was, now)
        ]

    return chosen(0, 1), chosen(1, 0), len(chosen(1, 1))


def _read(store: Store, run_id: int) -> list[Record]:
    """The sources of what was new in a run."""
    return sources_of(
        store,
        "SELECT sa.chunk_id FROM run_samples rs JOIN samples sa ON sa.id = rs.sample_id"
        " WHERE rs.run_id = ? AND rs.role = 'new'",
        run_id,
    )


def _set_aside(store: Store, run_id: int) -> list[Record]:
    """The sources of what a run was the last to try, with how many passages that is."""
    begins = f"substr(reason, 1, {len(FITS_NO_PACK)})"
    return [
        one | {"reason": f"{_counted(one['chunks'], 'passage')}, {why}"}
        for why, is_so in (("refused for the third time", "!="), (FITS_NO_PACK, "="))
        for one in sources_of(
            store,
            f"SELECT chunk_id FROM set_aside WHERE run_id = ? AND {begins} {is_so} '{FITS_NO_PACK}'",
            run_id,
        )
    ]


def _left_out(store: Store, run_id: int) -> list[Record]:
    """What of the sources that were read is kept from training, by reason."""
    return store.rows(
        "SELECT c.quarantine AS reason, count(DISTINCT c.id) AS n FROM chunks c"
        " JOIN origins o ON o.chunk_id = c.id WHERE c.quarantine IS NOT NULL AND o.source_id IN ("
        " SELECT o.source_id FROM run_samples rs JOIN samples sa ON sa.id = rs.sample_id"
        " JOIN origins o ON o.chunk_id = sa.chunk_id WHERE rs.run_id = ? AND rs.role = 'new')"
        " GROUP BY c.quarantine ORDER BY n DESC",
        run_id,
    )


def _cost(found: Record) -> list[str]:
    lines = []
    if found["elapsed_s"] is not None:
        minutes, seconds = divmod(round(found["elapsed_s"]), 60)
        lines.append(f"{minutes} min {seconds} s, {found['n_tokens']:,} tokens trained")
    if found["peak_bytes"]:
        lines.append(f"{found['peak_bytes'] / 1e9:.1f} GB of memory at the most")
    if used := found["energy"]:
        lines.append(
            f"about {used['watt_hours']:g} Wh ({used['reckoned']}; an estimate, not measured)"
        )
    if found["divergence"] is not None:
        lines.append(f"{found['divergence']:.2f} nats a token away from the base")
    return lines


def _question(one: Record) -> str:
    return f"- {one['question']}\n  {' '.join(one['answer'].split())}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else noun + 's'}"
