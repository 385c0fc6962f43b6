"""The lists that come with learnctl, a line each: prompts for rehearsal, refusals and divergence, system prompts, names, things."""

from importlib.resources import files


def read_prompts(name: str) -> list[str]:
    text = files(__package__).joinpath(f"prompts/{name}.txt").read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]
