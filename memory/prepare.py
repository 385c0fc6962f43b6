"""Documents and conversations on their way into the store: all that can be done without looking into it.

Unseen characters and secrets are taken out, what is worth nothing is left out, the rest is cut into passages,
each with its address, its language, what near duplicates are found by, and the reason to keep it back.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple

from . import near
from .addresses import chunk_sha256
from .chunk import Chunk, document_chunks, message_chunks
from .combining import composed
from .invisible import MARK, without_unseen
from .languages import language_of
from .people import strangers, with_owner
from .quality import LeftOut, sift
from .records import Conversation, Document, Item, Message, Section
from .redact import Redactor
from .suspicion import why_kept_back
from .titles import title_of
from .unspaced import n_words


class Passage(NamedTuple):
    """A chunk.

    Attributes:
        keys: what near duplicates are found by (`near`).
        quarantine: why it is kept back, or None.
    """

    kind: str
    text: str
    heading: str
    sha256: str
    n_words: int
    language: str
    keys: tuple[int, ...]
    quarantine: str | None


class Worthless(NamedTuple):
    """What is left out, and the heading it stood under."""

    heading: str
    reason: str
    beginning: str


class Said(NamedTuple):
    """A message."""

    role: str
    text: str
    created_at: str | None
    speaker: str | None
    passages: list[Passage]
    left_out: list[Worthless]


class Lines(NamedTuple):
    """What was met in an item as a whole.

    Attributes:
        unseen: how many characters nobody sees.
        suspicious: titles, headings and speakers that what stands under is kept back for, with the reason.
    """

    unseen: int
    suspicious: dict[str, str]


class PreparedDocument(NamedTuple):
    title: str
    author: str | None
    date: str | None
    is_letter: bool
    passages: list[Passage]
    left_out: list[Worthless]
    met: Lines


class PreparedConversation(NamedTuple):
    """Attributes:
    strangers: its speakers where nobody is the owner, with their messages.
    """

    title: str
    external_id: str | None
    started_at: str | None
    messages: list[Said]
    alternatives: list[Said]
    met: Lines
    notes: tuple[str, ...]
    strangers: dict[str, int]


Prepared = PreparedDocument | PreparedConversation


class Preparer:
    """Prepares the items of one source.

    Attributes:
        is_own: the source comes from its owner, who may quote what is said to models.
        me: the owner's names, folded.
    """

    def __init__(self, redact: Redactor, is_own: bool, me: Collection[str] = ()) -> None:
        self.redact = redact
        self.is_own = is_own
        self.me = me
        self._n_unseen = 0
        self._suspicious: dict[str, str] = {}
        # The few people of a chat say much.
        self._looked_at_name = lru_cache(maxsize=1000)(self._looked_at)

    def prepare(self, item: Item) -> Prepared:
        item = with_owner(item, self.me)
        self._n_unseen, self._suspicious = 0, {}
        return self._document(item) if isinstance(item, Document) else self._conversation(item)

    def message(self, message: Message) -> tuple[Said, Lines]:
        """One message that comes by itself."""
        self._n_unseen, self._suspicious = 0, {}
        return self._said(message), self._met()

    def _document(self, document: Document) -> PreparedDocument:
        # Before it is cut: half a secret is not recognised.
        sections = [
            Section(self._line(each.heading), self._text(each.text)) for each in document.sections
        ]
        opening = next((each.heading or _plain(each.text) for each in sections), "")
        title = self._line(document.title or title_of(opening))
        author = self._line(document.author or "") or None
        kept = []
        left_out: list[Worthless] = []
        for section in sections:
            text, worthless = sift(section.text)
            kept.append(Section(section.heading, text))
            left_out += _noted(section.heading, worthless)
        chunks = document_chunks(Document(title, tuple(kept)))
        passages = self._passages(chunks)
        return PreparedDocument(
            title, author, document.date, document.is_letter, passages, left_out, self._met()
        )

    def _conversation(self, conversation: Conversation) -> PreparedConversation:
        said = [self._said(message) for message in conversation.messages]
        opening = next((each.text for each in said if each.role == "user"), "")
        title = self._line(conversation.title or title_of(opening))
        external_id = self._line(conversation.external_id or "") or None
        return PreparedConversation(
            title,
            external_id,
            conversation.started_at,
            said,
            [self._again(message) for message in conversation.alternatives],
            self._met(),
            conversation.notes,
            strangers(conversation),
        )

    def _said(self, message: Message) -> Said:
        said = self._cleaned(message)
        kept, worthless = sift(said.text, is_message=True)
        passages = self._passages(message_chunks(Message(said.role, kept)))
        return said._replace(
            text=_plain(said.text), passages=passages, left_out=_noted("", worthless)
        )

    def _again(self, message: Message) -> Said:
        """An answer made again is kept, and that is all."""
        said = self._cleaned(message)
        return said._replace(text=_plain(said.text))

    def _cleaned(self, message: Message) -> Said:
        speaker = None
        if message.speaker:
            speaker = self._met_line(*self._looked_at_name(message.speaker))
        text = self._text(message.text)
        return Said(message.role, text, message.created_at, speaker, [], [])

    def _passages(self, chunks: Iterable[Chunk]) -> list[Passage]:
        return [self._passage(chunk) for chunk in chunks]

    def _passage(self, chunk: Chunk) -> Passage:
        text = _plain(chunk.text)
        return Passage(
            chunk.kind,
            text,
            chunk.heading,
            chunk_sha256(chunk.kind, text),
            n_words(text),
            language_of(text),
            near.keys(chunk.kind, text),
            why_kept_back(chunk.text, self.is_own),
        )

    def _met(self) -> Lines:
        return Lines(self._n_unseen, self._suspicious)

    def _text(self, text: str) -> str:
        """Without secrets and unseen characters, but with the marks that these leave."""
        seen, n_removed = self._clean(text)
        self._n_unseen += n_removed
        return seen

    def _clean(self, text: str) -> tuple[str, int]:
        seen, n_removed = without_unseen(composed(text))
        return self.redact(seen), n_removed

    def _line(self, text: str) -> str:
        return self._met_line(*self._looked_at(text))

    def _met_line(self, line: str, n_removed: int, reason: str | None) -> str:
        self._n_unseen += n_removed
        if reason:
            self._suspicious[line] = reason
        return line

    def _looked_at(self, text: str) -> tuple[str, int, str | None]:
        """A line without secrets and unseen characters, how many of these there were, and the reason to keep
        back what stands under it."""
        seen, n_removed = self._clean(text)
        # Each heading of a path is a line of its own.
        return _plain(seen), n_removed, why_kept_back(seen.replace(" › ", "\n"), self.is_own)


def _noted(heading: str, worthless: list[LeftOut]) -> list[Worthless]:
    return [Worthless(heading, each.reason, _plain(each.beginning)) for each in worthless]


def _plain(text: str) -> str:
    return text.replace(MARK, "")
