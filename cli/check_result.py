"""What one check of `learnctl doctor` found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    name: str
    state: str  # ok, warn, stop
    found: str
    remedy: str = ""
