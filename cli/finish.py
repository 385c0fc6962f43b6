"""Telling a person that a run is done: a notification, or a command of theirs."""

import os
import shutil
import subprocess
from pathlib import Path

from .output import say

TITLE = "learnctl"
RUN = Path("/run/user")
TAKES_S = 20


def notify(text: str) -> None:
    """A notification on the desktop; where there is no way to show one, a line says so."""
    command = _notifier(text)
    if not command:
        say("note: there is neither `notify-send` nor `osascript` to notify with")
        return
    try:
        failed = subprocess.run(
            command, capture_output=True, timeout=TAKES_S, env={**_desktop(), **os.environ}
        ).returncode
    except subprocess.TimeoutExpired:
        failed = 1
    if failed:
        say("note: the notification could not be shown")


def run_command(command: str, decision: str, reason: str, note: str) -> None:
    """A person's own command, by the shell; what came of the run stands in its environment."""
    told = {"LEARNCTL_DECISION": decision, "LEARNCTL_REASON": reason, "LEARNCTL_NOTE": note}
    # What it prints is talk: stdout is for the report alone.
    result = subprocess.run(command, shell=True, env={**os.environ, **told}, stdout=2)
    if result.returncode:
        say(f"note: the command of --on-finish ended with exit code {result.returncode}")


def _desktop() -> dict[str, str]:
    """Where the person's desktop listens; cron starts jobs without the variable that says so."""
    bus = RUN / str(os.getuid()) / "bus"
    return {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}"} if bus.exists() else {}


def _notifier(text: str) -> list[str]:
    if sender := shutil.which("notify-send"):
        return [sender, "--app-name=learnctl", "--", TITLE, text]
    if script := shutil.which("osascript"):
        # The text goes along as an argument, never as a part of the script.
        show = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
        return [script, "-e", show, TITLE, text]
    return []
