"""Compound files, the container of Outlook's .msg, of old Office files and of encrypted new ones.

The form is [MS-CFB]: https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_KINDS = (
    ("EncryptedPackage", "an Office file protected by a password"),
    ("WordDocument", "an old Word file: save it as .docx"),
    ("Workbook", "an old Excel file: save it as .xlsx"),
    ("Book", "an old Excel file: save it as .xlsx"),
    ("PowerPoint Document", "an old PowerPoint file: save it as .pptx"),
    ("Catalog", "a cache of pictures"),
)


@contextmanager
def open_ole(path: Path) -> Iterator[Any]:
    """The container.

    Raises:
        UnreadableSource: it is damaged.
        OSError: it cannot be opened.
    """
    import olefile

    path.open("rb").close()  # olefile reports damage as an OSError too
    try:
        container = olefile.OleFileIO(path)
    except (OSError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise UnreadableSource("a damaged Office or Outlook file") from error
    try:
        yield container
    finally:
        container.close()


def ole_kind(path: Path) -> str:
    """Why a compound file that is no mail is not read; raises as `open_ole` does."""
    with open_ole(path) as container:
        names = {entry[0] for entry in container.listdir()}
    return next(
        (reason for name, reason in _KINDS if name in names), "an Office file of no known kind"
    )
