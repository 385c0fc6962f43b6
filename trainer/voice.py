"""A person's voice: what they wrote becomes the answer to an instruction that asks for it.

The base writes the instruction for each text ("Write to the landlord about the broken heating"), so that
the adapter learns how the person writes when asked to write, after PanzaMail
(https://arxiv.org/abs/2407.10994). Facts and voice are kinds of samples apart from each other.
"""

import re

from .base import Base
from .generate import complete_batch

EXAMPLES = """Say in one line what each text was written to do.

Text: Dear Ms. Bell, the heating in our flat has been off since Monday. Could you send somebody this week?
Task: Write to the landlord about the broken heating and ask for a repair.

Text: Hi Tom, thanks so much for the lovely book! I read half of it on the train already. See you soon!
Task: Write a thank-you note to Tom for the book.

Text: Yesterday we walked along the river until dark. I had forgotten how quiet it is there in winter.
Task: Write a diary entry about a walk along the river.

"""
TEXT_WORDS = 60  # of each text are shown: its beginning says what it is for
LEAST_WORDS = 12  # shorter texts have no voice
TASK = re.compile(
    r"(?i)(?:(?:please|hey|now|and|(?:can|could|would|will) you)\b,? ?)*"
    r"(?:write|draft|compose|reply|respond|rewrite|rephrase|translate|summari[sz]e|continue|invent|imagine"
    r"|schreib\w*|verfass\w*|formulier\w*|übersetz\w*|écri\w+|rédige\w*|tradui\w*|escrib\w+|redact\w+|traduc\w*"
    r"|scriv\w+|escrev\w+|traduz\w*|schrijf\w*|vertaal\w*|напиши\w*|переведи\w*)\b"
    r"|(?:请|請)?(?:写|寫|翻译|翻譯)|.*書いて"
)


def asks_for_writing(text: str) -> bool:
    """Whether a text asks for one to be written, which is no question that notes could answer."""
    return bool(TASK.match(text.strip()))


def write_instructions(base: Base, texts: list[str], seed: int) -> list[str]:
    """One instruction for each text, in order; a plain one where what the model wrote is none."""
    prompts = [
        base.tokenizer(f"{EXAMPLES}Text: {_beginning(text)}\nTask: Write")["input_ids"]
        for text in texts
    ]
    written = complete_batch(
        base, base.model, prompts, max_tokens=24, seed=seed, temperature=0.5, one_line=True
    )
    return [_instruction(rest.split("\n")[0]) for rest in written]


def _beginning(text: str) -> str:
    return " ".join(text.split()[:TEXT_WORDS])


def _instruction(written: str) -> str:
    words = written.split()
    if not 3 <= len(words) <= 24:
        return "Write this in my own words."
    return f"Write {' '.join(words).rstrip('.')}."
