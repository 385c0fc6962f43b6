"""Help texts without frames: made of what a command says of itself, and without the time that rich takes to load."""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any


class PlainHelp:
    """Mixed into a command or a group: lays out its help by the sections (`rich_help_panel`) of its parts."""

    help: str | None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        command: Any = self
        command.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        sections: dict[str, list[tuple[str, str]]] = {}
        for title, row in (*_params(command, ctx), *_commands(command)):
            sections.setdefault(title, []).append(row)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Paragraphs, their lines wrapped each by itself; examples, which are indented, without a blank line between."""
        was_example = False
        for paragraph in cleandoc(self.help or "").split("\n\n"):
            is_example = paragraph.startswith(" ")
            if not (is_example and was_example):
                formatter.write_paragraph()
            was_example = is_example
            for line in paragraph.splitlines():
                formatter.current_indent = 4 if is_example else 2
                formatter.write_text(line.strip())
        formatter.current_indent = 0


def _params(command: Any, ctx: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    for param in command.get_params(ctx):
        if row := param.get_help_record(ctx):
            title = "Options"
            if param.param_type_name == "argument":
                # Not the type in Python's words, which follows the name.
                title, row = "Arguments", (row[0].partition(" <")[0], row[1])
            yield param.rich_help_panel or title, row


def _commands(command: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            told = cleandoc(below.help or "").split("\n\n")[0]
            yield below.rich_help_panel or "Commands", (name, told)
