"""How the tokens of an answer are chosen: the likeliest each time, unless a temperature is given."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from ..memory.errors import LearnctlError


@dataclass(frozen=True)
class Sampling:
    """Attributes:
    temperature: 0 takes the likeliest token each time.
    top_k: only of the so many likeliest; 0 is of all.
    top_p: only of the likeliest that make up this share together.
    max_tokens: the most tokens in one answer.
    seed: the same answer each time; None is another one each time.
    """

    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 1.0
    max_tokens: int = 256
    seed: int | None = None

    def __post_init__(self) -> None:
        for name, least, most in (
            ("temperature", 0.0, 10.0),
            ("top_k", 0, 1_000_000),
            ("top_p", 0.001, 1.0),
            ("max_tokens", 1, 1_000_000),
            ("seed", 0, 2**63 - 1),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise LearnctlError(f"{name} must be from {least:g} to {most:g}, not {value}")

    def with_values(self, pairs: Iterable[str]) -> "Sampling":
        """These with some `NAME=VALUE` changed.

        Raises:
            LearnctlError: there is no such name, or the value is not of its kind.
        """
        kinds: dict[str, Any] = {field.name: type(field.default) for field in fields(self)}
        kinds["seed"] = int
        chosen = {}
        for pair in pairs:
            name, _, text = (part.strip() for part in pair.partition("="))
            if name not in kinds or not text:
                raise LearnctlError(
                    f"`{pair}` is no NAME=VALUE of an answer", hint=f"the names: {', '.join(kinds)}"
                )
            try:
                chosen[name] = kinds[name](text)
            except ValueError:
                kind = "a whole number" if kinds[name] is int else "a number"
                raise LearnctlError(f"{name} must be {kind}, not `{text}`") from None
        return replace(self, **chosen)

    def settings(self) -> dict[str, Any]:
        """The same in the words of transformers' `generate`."""
        # A base's own penalty would keep an answer from the words of its question, and from what is in view.
        plain = {"repetition_penalty": 1.0}
        if not self.temperature:
            return plain | {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        # Where all may be taken, nothing is sorted: sorting the vocabulary takes as long as the model.
        return plain | {
            "do_sample": True,
            "temperature": self.temperature,
            "top_k": self.top_k or None,
            "top_p": self.top_p if self.top_p < 1 else None,
        }
