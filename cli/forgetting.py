"""What `learnctl forget` shows and asks, for sources and for rules."""

import sys
from typing import TYPE_CHECKING, Any

from typer import Abort, confirm

from ..memory.errors import LearnctlError
from .output import counted, is_terminal, plain, say, show, show_json

if TYPE_CHECKING:
    from ..memory.forgotten import Rule
    from ..memory.store import Store

COUNTED = ("source", "document", "message", "chunk", "sample")
BEGINNING = 80


def forget_by_rule(store: "Store", rule: "Rule", yes: bool, dry_run: bool, as_json: bool) -> None:
    """Show what a rule covers, ask, and forget it."""
    from ..trainer import registry

    meant = covered(store, rule)
    if dry_run:
        if as_json:
            show_json({"dry_run": True, **meant})
            return
        for line in examples(meant):
            show(line)
        show(f"would forget: {_counts(meant)}")
        if called_so := _called_so(meant["named"]):
            show(called_so)
        if meant["versions_deleted"]:
            show(f"would delete: version {_numbers(meant['versions_deleted'])}")
        return
    ask(parts(meant), examples(meant), yes)
    report = registry.forget_by_rule(store, rule)
    show_json(report) if as_json else render(report)


def covered(store: "Store", rule: "Rule") -> dict[str, Any]:
    """What a rule would take.

    Raises:
        LearnctlError: nothing.
    """
    from ..memory.forget_rule import preview

    meant = preview(store, rule)
    if not (meant["passages"] or meant["messages"]):
        raise LearnctlError(
            "nothing in the store matches",
            hint=_called_so(meant["named"])
            or "`learnctl search` and `learnctl show SOURCE` show what there is",
        )
    return meant


def lift(store: "Store", rule: "Rule", as_json: bool) -> None:
    from ..memory import forgotten

    if not forgotten.lift(store, rule):
        raise LearnctlError("nothing was forgotten so", hint="use the same words as then")
    if as_json:
        show_json({"lifted": True})
        return
    show("lifted: what was left out comes in again with the next ingest of its files")


def ask(what: str, lines: list[str], yes: bool) -> None:
    """Make sure that this is meant.

    Raises:
        LearnctlError: nobody is there to be asked.
    """
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise LearnctlError(f"this would forget {what} for good", hint="add `--yes`")
    for line in lines:
        say(plain(f"  {line}"))
    if not confirm(f"Forget {what} for good?", err=True):
        raise Abort


def render(report: dict[str, Any]) -> None:
    for line in told(report):
        show(line)


def told(report: dict[str, Any]) -> list[str]:
    """What forgetting came to, in lines."""
    lines = [f"forgotten: {_counts(report)}"]
    if report["versions_deleted"]:
        serving = f"version {report['version']}" if report["version"] else "the base"
        gone = _numbers(report["versions_deleted"])
        lines.append(f"deleted: version {gone}; {serving} is in service")
    if called_so := _called_so(report.get("named", [])):
        lines.append(called_so)
    return lines


def _called_so(paths: list[str]) -> str:
    """What sources have the words in their path alone."""
    if not paths:
        return ""
    first = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1:,} more"
    return f"called so, and stays: {first}; `learnctl forget SOURCE` takes a source back"


def parts(meant: dict[str, Any]) -> str:
    return f"{counted(meant['passages'], 'passage')} and {counted(meant['messages'], 'message')}"


def _counts(report: dict[str, Any]) -> str:
    return ", ".join(counted(report[f"{noun}s"], noun) for noun in COUNTED if f"{noun}s" in report)


def _numbers(versions: list[int]) -> str:
    return ", ".join(str(version) for version in versions)


def examples(meant: dict[str, Any]) -> list[str]:
    """Some of what would go, a line each."""
    lines = []
    for example in meant["examples"]:
        text = " ".join(example["text"].split())
        text = text if len(text) <= BEGINNING else text[: BEGINNING - 1] + "…"
        place = ", ".join(example[key] for key in ("title", "speaker", "date") if example[key])
        lines.append(f"{example['source']} ({place}): {text}")
    total = meant["passages"] + meant["messages"]
    if total > len(lines):
        lines.append(f"… and {total - len(lines):,} more")
    return lines
