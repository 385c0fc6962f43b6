"""Faults that a person can mend. One line each, with a hint where there is one.

`LearnctlError` is raised anywhere and shown in one place, the command line; `exit_code` is what a script sees.
"""


class LearnctlError(Exception):
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class NoStore(LearnctlError):
    exit_code = 10


class Locked(LearnctlError):
    exit_code = 11


class UnreadableSource(LearnctlError):
    """A file that cannot be taken in; the message is the reason, without the path."""


def why_unreadable(error: OSError) -> str:
    """The system's reason, for one line."""
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return (error.strerror or str(error)).lower()
