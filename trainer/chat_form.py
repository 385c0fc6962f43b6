"""A chat as the text a base model was trained to continue: its own chat template, and nothing else.

Every place that trains or asks goes through here, so that both use the very same form.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

Chat = list[dict[str, str]]

# As much of a passage stands in a prompt.
PASSAGE_WORDS = 80
ANSWER_WITH = "With these notes, answer: "
# The day that every prompt bears whose template asks for today's (Llama 3.2, SmolLM3, Mistral): that of Llama's where nobody tells it
# one. With today's, what is asked would not be what was trained and measured.
DAY = date(2024, 7, 26)
_WRITTEN = "".join(f" | replace('%{mark}', '{DAY:%{mark}}')" for mark in "YymBbdAaHMS")
# In the place of what transformers gives to a template; the end of the line is none of the template's text.
SAME_DAY = f"{{% macro strftime_now(form) %}}{{{{ form{_WRITTEN} }}}}{{% endmacro %}}\n"


def render(tokenizer: Any, chat: Chat, opens_answer: bool) -> str:
    """A chat in the form of a base; with `opens_answer` up to where the assistant's answer begins.

    A template without a system role gets the system prompt in front of the first turn. Thinking is
    switched off where a template knows it: an answer is trained and measured as it is given. It is always the same day.
    """
    settings = {
        "add_generation_prompt": opens_answer,
        "tokenize": False,
        "enable_thinking": False,
        "chat_template": SAME_DAY + tokenizer.get_chat_template(),
    }
    try:
        return str(tokenizer.apply_chat_template(chat, **settings))
    except Exception:  # jinja's own, raised by the template
        if chat[0]["role"] != "system" or len(chat) < 2:
            raise
        first = {"role": "user", "content": f"{chat[0]['content']}\n\n{chat[1]['content']}"}
        return str(tokenizer.apply_chat_template([first, *chat[2:]], **settings))


def from_notes(notes: Sequence[tuple[str, str]], question: str) -> str:
    """A question with passages in front of it, each under its title."""
    shown = "\n\n".join(f"[{title}] {text}" for title, text in notes)
    return f"From my notes:\n\n{shown}\n\n{ANSWER_WITH}{question}"
