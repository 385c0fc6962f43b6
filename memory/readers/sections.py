"""Gathers lines under the headings that they stand under."""

from ..records import Section

ARROW = " › "


class SectionBuilder:
    """Takes headings and paragraphs in reading order, gives sections with heading paths."""

    def __init__(self) -> None:
        self._path: list[tuple[int, str]] = []
        self._blocks: list[str] = []
        self._in_list = False
        self._done: list[Section] = []
        self.first_title: str | None = None

    def heading(self, level: int, text: str) -> None:
        """Begins a section; headings of the same or a deeper level end."""
        text = " ".join(text.split())
        if not text:
            return
        self._finish()
        self._path = [(depth, name) for depth, name in self._path if depth < level]
        self._path.append((level, text))
        if level == 1 and self.first_title is None:
            self.first_title = text

    def block(self, text: str) -> None:
        """A paragraph."""
        self.end_list()
        if text.strip():
            self._blocks.append(text.strip())

    def line(self, text: str) -> None:
        """One line of a list or table, next to the line before it."""
        if not text.strip():
            return
        if self._in_list:
            self._blocks[-1] += "\n" + text.strip()
        else:
            self._blocks.append(text.strip())
            self._in_list = True

    def end_list(self) -> None:
        """The next line begins another list or table."""
        self._in_list = False

    def has_text(self) -> bool:
        """Whether anything but headings was taken in."""
        return bool(self._blocks or self._done)

    def sections(self) -> tuple[Section, ...]:
        """All that was taken in; a heading with nothing under it is no section."""
        self._finish()
        return tuple(self._done)

    def _finish(self) -> None:
        self.end_list()
        if self._blocks:
            heading = ARROW.join(name for _, name in self._path)
            self._done.append(Section(heading, "\n\n".join(self._blocks)))
            self._blocks = []
