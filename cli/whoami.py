"""Finding out which speaker of a chat the person is."""

import sys
from collections import Counter
from typing import TYPE_CHECKING

from .output import counted, is_terminal, plain, say

if TYPE_CHECKING:
    from ..memory.ingest import IngestReport
    from ..memory.store import Store

_MOST_SHOWN = 12


def settle_owner(store: "Store", report: "IngestReport", may_ask: bool) -> bool:
    """Ask who the person is in chats without an owner, or say how to tell.

    Returns whether a name was learned: what was taken in has to be taken in again.
    """
    from ..memory import learning, people

    if not report.strangers:
        return False
    count = sum(report.strangers, Counter[str]())
    names = [name for name, _ in count.most_common()]
    if may_ask and not people.known(store) and is_terminal(sys.stdin) and is_terminal(sys.stderr):
        chosen = _ask(count, people.guess(report.strangers, report.others))
        if chosen:
            learning.set_names(store, [chosen])
        return bool(chosen)
    chats = counted(len(report.strangers), "chat")
    say(plain(f"nobody in {chats} is known as you: say `--me NAME` ({_some(names)})"))
    return False


def _ask(count: Counter[str], guess: str | None) -> str:
    from typer import prompt

    names = [name for name, _ in count.most_common()]
    say("who are you in these chats?")
    for number, name in enumerate(names[:_MOST_SHOWN], 1):
        say(plain(f"  {number:2}  {name}, {counted(count[name], 'message')}"))
    if len(names) > _MOST_SHOWN:
        say(f"      and {len(names) - _MOST_SHOWN} more")
    question = "number or name" if guess else "number or name, nothing if you are none of them"
    while True:
        answer = str(
            prompt(question, default=guess or "", show_default=bool(guess), err=True)
        ).strip()
        if answer.isdecimal() and 0 < int(answer) <= min(len(names), _MOST_SHOWN):
            return names[int(answer) - 1]
        known = [name for name in names if name.casefold() == answer.casefold()]
        if not answer or known:
            return known[0] if known else ""
        say(plain(f"nobody is called {answer!r} there"))


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
