"""`learnctl consolidate`: learn what is new, and put it in service if the gate lets it through."""

from typing import Annotated, Any

from typer import Context, Exit, Option

from . import flags
from .context import load_options, open_store
from .durations import duration, parse_duration
from .history import recall_text
from .output import counted, n_bytes, show, show_json
from .progress import reporting

EXIT_CODES = {"promoted": 0, "refused": 4, "nothing": 5, "paused": 130}


def consolidate(
    ctx: Context,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what would be learned, and train nothing.")
    ] = False,
    budget: Annotated[
        float | None,
        Option(
            parser=parse_duration,
            metavar="TIME",
            help="Stop in good order after this long, such as 90s, 3m or 1h30m.",
            show_default=False,
        ),
    ] = None,
    scheduled: Annotated[
        bool,
        Option("--scheduled", help="Only if the machine is idle and not on battery; say little."),
    ] = False,
    base: Annotated[
        str | None, Option(metavar="MODEL", help="The base model to train on.", show_default=False)
    ] = None,
    quantize: Annotated[
        str | None,
        Option(metavar="auto|nf4|none", help="How the base is held.", show_default=False),
    ] = None,
    device: Annotated[
        str | None,
        Option(metavar="auto|cpu|cuda|mps", help="Where to compute.", show_default=False),
    ] = None,
    epochs: Annotated[
        int | None,
        Option(min=1, metavar="N", help="How often each sample is seen.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, Option(metavar="N", help="Fixes every random choice.", show_default=False)
    ] = None,
    as_json: flags.Json = False,
) -> None:
    """Learn what is new, examine the result, and put it in service if it passes.

    A version that forgot too much, or drifted too far from the base, is refused and changes nothing.
    Ctrl-C keeps what was done so far; the next run goes on from there.

    Examples:

      learnctl consolidate

      learnctl consolidate --dry-run

      learnctl consolidate --budget 20m --json
    """
    with open_store(ctx) as store:
        options = load_options(
            ctx, base=base, quantize=quantize, device=device, epochs=epochs, seed=seed
        )
        if scheduled:
            from .conditions import require

            require()
        from ..trainer import consolidate as consolidation

        if dry_run:
            planned = consolidation.plan(store, options)
            show_json(planned) if as_json else _render_plan(planned)
            return
        with reporting(quiet=scheduled) as on_progress:
            result = consolidation.consolidate(store, options, budget, on_progress)
    show_json(result) if as_json else _render(result)
    if code := EXIT_CODES[result["decision"]]:
        raise Exit(code)


def _render_plan(planned: dict[str, Any]) -> None:
    show(f"level    {planned['level']}, on {planned['base']}")
    show(f"new      {_amounts(planned, ('chunk', 'fact'))}, {_tokens(planned['new_tokens'])}")
    show(f"samples  {_samples(planned['samples'])}")
    estimate = planned["estimated_s"]
    time = "" if estimate is None else f", about {duration(estimate)}"
    show(f"to train {_tokens(planned['n_tokens'])}{time}")
    for source in planned["sources"]:
        show(f"  {source}")


def _render(result: dict[str, Any]) -> None:
    decision, reason = result["decision"], result["reason"]
    if decision == "promoted":
        show(f"promoted: version {result['version']} is in service ({result['level']})")
    else:
        show(f"{decision}: {reason}" if reason else decision)
    if recall := result.get("recall"):
        old = f"; of old: {recall_text(recall['old'])}" if recall.get("old") else ""
        show(f"recall of new: {recall_text(recall.get('new'))}{old}")
    if result.get("divergence") is not None:
        show(f"divergence: {result['divergence']:.2f} nats a token")
    if result.get("n_tokens"):
        show(f"samples: {_samples(result['samples'])}")
        show(f"cost: {_cost(result)}")


def _cost(result: dict[str, Any]) -> str:
    parts = [duration(result["elapsed_s"]), _tokens(result["n_tokens"])]
    if result.get("tokens_per_s"):
        parts.append(f"{result['tokens_per_s']:,.0f} tokens/s")
    if result.get("peak_bytes"):
        parts.append(f"peak {n_bytes(result['peak_bytes'])}")
    return ", ".join(parts)


def _samples(samples: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in samples.items())


def _amounts(found: dict[str, Any], nouns: tuple[str, ...]) -> str:
    return ", ".join(counted(found[f"{noun}s"], noun) for noun in nouns)


def _tokens(number: int) -> str:
    return counted(number, "token")
