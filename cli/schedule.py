"""`learnctl schedule`: a consolidation every night, by the system's own scheduler."""

from datetime import datetime
from typing import Annotated, Literal

from typer import BadParameter, Context, Option, Typer

from ..memory.errors import LearnctlError
from . import condition_flags as conditions
from . import flags, schedulers
from .context import find_home
from .durations import parse_duration
from .errors import Command, Group
from .job import DAY_MINUTES, Job, When, parse_every
from .output import say, show, show_json

app = Typer(cls=Group, no_args_is_help=True, help="Learn every night by itself.")


def _parse_every(text: str) -> int:
    try:
        return parse_every(parse_duration(text))
    except ValueError as error:
        raise BadParameter(str(error)) from error


Daily = Annotated[
    str | None,
    Option(
        parser=conditions.parse_time,
        metavar="HH:MM",
        help="Every day at this time, the machine's own.",
        show_default="03:00",
    ),
]
Weekly = Annotated[
    bool, Option("--weekly", help="On Sundays alone, at 03:00 or the time of --daily.")
]
Every = Annotated[
    int | None,
    Option(
        parser=_parse_every,
        metavar="TIME",
        help="Several times a day, evenly: 6h, 30m.",
        show_default=False,
    ),
]
Using = Annotated[
    Literal["systemd", "cron", "launchd"] | None,
    Option(help="The scheduler to use instead of the best there is.", show_default=False),
]


@app.command(cls=Command)
@conditions.with_conditions
def install(
    ctx: Context,
    daily: Daily = None,
    weekly: Weekly = False,
    every: Every = None,
    using: Using = None,
) -> None:
    """Consolidate every night; once more changes the time and the conditions.

    The best scheduler there is gets the job: a timer of your own systemd, launchd, or cron. A run waits
    for another night where a condition is not met, and gives way when you come back. With --until, it tries
    again every ten minutes for as long as its window is open.

    Examples:

      learnctl schedule install --daily 02:30 --until 06:30

      learnctl schedule install --every 6h --min-new-tokens 2000
    """
    job = _job(ctx)
    scheduler = schedulers.choose(using)
    scheduler.install(job)
    # Afterwards: where it cannot be installed, the job that there is stays.
    for other, _ in list(schedulers.holding(job.home)):
        if other is not scheduler:
            other.remove(job.home)
    show(f"scheduled: {job.when}, by {scheduler.NAME}")
    say(f"note: {scheduler.advice()}")
    if until := ctx.params["until"]:
        say(
            f"note: after {until} nothing is begun, also where a missed night is made up for; until then, a run"
            " that gives way tries again every 10 minutes"
        )


@app.command("print", cls=Command)
@conditions.with_conditions
def print_text(
    ctx: Context,
    daily: Daily = None,
    weekly: Weekly = False,
    every: Every = None,
    using: Using = None,
) -> None:
    """Print what `install` would write, and change nothing."""
    show(schedulers.choose(using, must_work=False).text(_job(ctx)).rstrip("\n"))


@app.command(cls=Command)
def status(ctx: Context, as_json: flags.Json = False) -> None:
    """Show which scheduler has the job, when it is due, and how the last night went."""
    from ..trainer.scheduled import last_line

    home = find_home(ctx)
    found = [{"using": one.NAME, "due": due} for one, due in schedulers.holding(home.path)]
    last = last_line(home)
    if as_json:
        show_json({"scheduled": found, "last": last})
        return
    for one in found:
        show(f"scheduled by {one['using']}: {one['due']}")
    if not found:
        show("nothing is scheduled")
        say("hint: `learnctl schedule install` lets it learn every night")
    if last:
        show(f"last night: {last}")


@app.command(cls=Command)
def remove(ctx: Context) -> None:
    """Stop consolidating every night; leaves nothing behind with any scheduler."""
    home = find_home(ctx)
    gone = []
    for one in schedulers.SCHEDULERS:
        try:
            if not one.why_not() and one.remove(home.path):
                gone.append(one.NAME)
        except LearnctlError as error:  # one that refuses this user keeps nothing of theirs
            say(f"note: {error}")
    if gone:
        show(f"removed: the nightly consolidation, from {' and '.join(gone)}")
    else:
        say("nothing was scheduled")


def _job(ctx: Context) -> Job:
    """The job that the options of `install` and `print` describe."""
    from ..trainer.conditions import is_open

    times = {name: ctx.params[name] for name in ("daily", "weekly", "every")}
    if times["every"] and (times["daily"] or times["weekly"]):
        raise BadParameter("--every goes without --daily and --weekly")
    if times["every"] == DAY_MINUTES:  # which no scheduler takes for a step
        times |= {"every": None, "daily": "00:00"}
    begins, until = times["daily"] or "03:00", ctx.params["until"]
    clock = datetime.strptime(begins, "%H:%M")
    if until and not times["every"] and not is_open(until, clock):
        raise BadParameter(
            f"a window until {until} opens half a day before, and a run at {begins} would find it closed"
        )
    when = When(clock.hour, clock.minute, times["weekly"], times["every"] or 0)
    return Job(find_home(ctx).path, when, conditions.as_arguments(ctx))
