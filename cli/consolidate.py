"""`learnctl consolidate`: learn what is new, and put it in service if the gate lets it through."""

import time
from contextlib import ExitStack, suppress
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from typer import BadParameter, Context, Exit, Option

from ..memory.errors import LearnctlError
from . import flags
from .again import begin_again, wait
from .condition_flags import as_arguments, with_conditions
from .context import find_home, load_options, open_store
from .durations import duration, parse_duration
from .history import recall_text
from .output import counted, n_bytes, plain, say, share, show, show_json
from .progress import reporting

if TYPE_CHECKING:
    from ..memory.store import Store
    from ..trainer.options import Options

GAVE_WAY = 75
EXIT_CODES = {"promoted": 0, "refused": 4, "nothing": 5, "paused": 130}


@with_conditions
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
        Option(
            "--scheduled",
            help="As a night: keep to the conditions, take in watched folders, leave a note.",
        ),
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
        Option(
            min=1,
            metavar="N",
            help="How often each sample is seen; else what the configuration says.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None, Option(metavar="N", help="Fixes every random choice.", show_default=False)
    ] = None,
    as_json: flags.Json = False,
) -> None:
    """Learn what is new, examine the result, and put it in service if it passes.

    What is new or changed in watched folders is taken in first.
    What is known is rehearsed beside it, as far as there is time: that of --budget, or of `night_minutes`.
    A version that forgot too much, or drifted too far from the base, is refused and changes nothing.
    Ctrl-C keeps what was done so far; the next run goes on from there.

    Examples:

      learnctl consolidate

      learnctl consolidate --dry-run

      learnctl consolidate --budget 20m --json
    """
    if not scheduled and (given := as_arguments(ctx)):
        raise BadParameter(f"{given[0].partition('=')[0]} goes with --scheduled")
    worked_s = wait() if scheduled else 0.0
    chosen = {"base": base, "quantize": quantize, "device": device, "epochs": epochs, "seed": seed}
    with ExitStack() as opened:
        try:
            store, options = opened.enter_context(open_store(ctx)), load_options(ctx, **chosen)
        except LearnctlError as error:
            if scheduled:
                _tell_of_a_failure(ctx, error)
            raise
        from ..trainer import consolidate as consolidation
        from ..trainer import costs, morning

        night_s = budget or 60.0 * options.night_minutes
        budget = night_s if scheduled else budget
        if dry_run:
            planned = costs.plan(store, options, budget)
            show_json(planned) if as_json else _render_plan(planned)
            if n_watched := store.value("SELECT count(*) FROM watched"):
                say(f"note: {counted(n_watched, 'watched folder')} will be looked at first")
            return
        if scheduled:
            result = _night(ctx, store, options, night_s, worked_s)
        else:
            left = _take_in_watched(store)
            with reporting() as on_progress:
                result = consolidation.consolidate(store, options, budget, on_progress)
            morning.keep_not_taken_in(store, result.get("run"), left)
    show_json(result) if as_json else _render(result)
    code = GAVE_WAY if result.get("gave_way") else EXIT_CODES[result["decision"]]
    if code:
        raise Exit(code)


def _night(
    ctx: Context, store: "Store", options: "Options", night_s: float, worked_s: float
) -> dict[str, Any]:
    """A scheduled run, kept awake and told about as the options say.

    Args:
        night_s: the budget of all its tries.
        worked_s: how much of it earlier ones took.
    """
    from ..trainer.conditions import Conditions
    from ..trainer.scheduled import Log, Waiting, run_night
    from .awake import awake
    from .finish import notify, run_command

    names = [field.name for field in fields(Conditions)]
    chosen = {name: ctx.params[name] for name in names if ctx.params[name] is not None}
    began = time.monotonic()
    told = {"decision": "error", "reason": "", "note": ""}
    try:
        with awake(Log(store.home, datetime.now()).write):
            told = run_night(store, options, Conditions(**chosen), night_s - worked_s)
        if ctx.params["notify"] and told["decision"] in ("promoted", "refused"):
            notify(f"{told['decision']}: {told['reason']}".removesuffix(": "))
        return told
    except Waiting:
        store.close()
        begin_again(worked_s + time.monotonic() - began)
    except BaseException as error:
        told |= {"reason": str(error) or type(error).__name__}
        if isinstance(error, LearnctlError) and error.exit_code == GAVE_WAY:
            told |= {"decision": "paused"}
        elif ctx.params["notify"]:
            notify(told["reason"])
        raise
    finally:
        if command := ctx.params["on_finish"]:
            run_command(command, told["decision"], told["reason"], told["note"])


def _tell_of_a_failure(ctx: Context, error: LearnctlError) -> None:
    """Say what kept a scheduled run from its store where somebody may see it: in its log, and as the options say."""
    from ..trainer.scheduled import FAILED, Log
    from .finish import notify, run_command

    home = find_home(ctx)
    if home.path.is_dir():
        with suppress(OSError):
            Log(home, datetime.now()).write(f"{FAILED}: {error}")
    if ctx.params["notify"]:
        notify(str(error))
    if command := ctx.params["on_finish"]:
        run_command(command, "error", str(error), "")


def _take_in_watched(store: "Store") -> list[dict[str, Any]]:
    """Take in the watched folders, and say what was not taken in."""
    from ..memory.watched import not_taken_in, take_in_watched

    left = not_taken_in(take_in_watched(store))
    for entry in left:
        say(plain(f"not taken in: {entry['path']}: {entry['reason']}"))
    return left


def _render_plan(planned: dict[str, Any]) -> None:
    if planned["level"] is None:
        show("there is nothing new to learn")
        return
    show(f"level    {planned['level']}, on {planned['base']}: {planned['why']}")
    show(f"learns   {_amounts(planned, ('chunk', 'fact'))}, {_tokens(planned['new_tokens'])}")
    show(f"samples  {_samples(planned['samples'])}, in an epoch")
    show(
        f"to train {_tokens(planned['n_tokens'])}; the whole night about {duration(planned['estimated_s'])}"
    )
    if planned["later"]:
        show(f"later    {counted(planned['later'], 'chunk')}, for which there is no time")
    for source in planned["sources"]:
        show(f"  {source}")


def _render(result: dict[str, Any]) -> None:
    from ..trainer.morning import examined

    decision, reason = result["decision"], result["reason"]
    if decision == "promoted":
        show(f"promoted: version {result['version']} is in service ({result['level']})")
    else:
        show(f"{decision}: {reason}" if reason else decision)
    recall = result.get("recall")
    if recall and any(part and part["n"] for part in recall.values()):
        old = f"; of old: {recall_text(recall['old'])}" if recall.get("old") else ""
        show(f"recall of new: {recall_text(recall.get('new'))}{old}")
        if (forms := recall.get("forms")) and forms["n"]:
            show(
                f"in other forms: {share(forms['third turn'])} at the third turn of a chat,"
                f" {share(forms['system prompt'])} under a system prompt, of {forms['n']}"
            )
    if result.get("divergence") is not None:
        low, high = result.get("divergence_interval") or (None, None)
        between = "" if low is None else f" ({low:.2f} to {high:.2f})"
        new = result.get("divergence_on_new")
        on_new = "" if new is None else f"; {new:.2f} on what is new"
        show(f"divergence: {result['divergence']:.2f} nats a token{between}{on_new}")
    for line in examined(result):
        show(line)
    for path in result.get("set_aside") or []:
        show(f"set aside after three refusals, found by search alone: {path}")
    if result.get("n_tokens"):
        show(f"samples: {_samples(result['samples'])}, in all epochs")
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
