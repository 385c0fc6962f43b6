"""How large a file may be that is taken in."""

import os
import tomllib
from pathlib import Path

from . import source_bytes
from .errors import LearnctlError, UnreadableSource
from .home import Home
from .limits import MEGABYTE

# Exports are streamed; a document is held in memory as a whole.
LARGEST_EXPORT_MB = 4096
LARGEST_DOCUMENT_MB = 64
_DOCUMENTS = frozenset(
    (
        *("pdf", "docx", "odt", "rtf", "pptx", "xlsx", "epub", "html", "markdown", "text"),
        *("rst", "org", "ipynb", "eml", "msg"),
    )
)


def refuse_too_large(path: Path, form: str, home: Home | None) -> None:
    """
    Raises:
        UnreadableSource: the file is larger than its format or the setting `max_file_mb` allows.
        LearnctlError: the config file is broken.
    """
    largest = LARGEST_DOCUMENT_MB if form in _DOCUMENTS else LARGEST_EXPORT_MB
    largest = _configured(home) or largest
    if source_bytes.size(path) > largest * MEGABYTE:
        raise UnreadableSource(
            f"larger than {largest:,} MB; `learnctl config set max_file_mb N` allows more"
        )


def _configured(home: Home | None) -> int:
    if home is None or not os.path.exists(home.config):
        return 0
    try:
        return int(tomllib.loads(home.config.read_text()).get("max_file_mb", 0))
    except (ValueError, TypeError, OSError) as error:
        raise LearnctlError(f"{home.config}: {error}") from error
