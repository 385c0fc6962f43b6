"""Dates as files write them, to ISO 8601."""

import re
from datetime import UTC, datetime

_FORMS = ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%Y/%m/%d", "%d.%m.%Y", "%Y-%m", "%Y")
_NO_SECONDS = 10**11  # as seconds, the year 5138; as milliseconds, 1973
_PDF = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)(\d\d)?)?")


def iso_date(written: object) -> str | None:
    """A date in ISO 8601, or None where it is not understood."""
    text = str(written or "").strip().strip("\"'")
    try:
        moment = datetime.fromisoformat(text)
        return text if "T" in text or len(text) == 10 else moment.isoformat()
    except ValueError:
        pass
    for form in _FORMS:
        try:
            datetime.strptime(text, form)
        except ValueError:
            continue
        return _shortened(text, form)
    return None


def _shortened(text: str, form: str) -> str:
    if form in ("%Y", "%Y-%m"):
        return text
    return datetime.strptime(text, form).date().isoformat()


def iso_from_unix(seconds: object) -> str | None:
    """Seconds since 1970, as UTC to the second; None where it is no such number."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def utc_moment(written: object) -> str | None:
    """A moment as programs write it, in UTC to the second; one without a zone is taken as UTC.

    Numbers are seconds since 1970, or milli-, micro- or nanoseconds: which, their size tells.
    """
    if isinstance(written, int | float) and not isinstance(written, bool):
        units = (1, 1000, 10**6, 10**9)
        unit = next((unit for unit in units if abs(written) < _NO_SECONDS * unit), None)
        return iso_from_unix(written / unit) if unit else None
    try:
        moment = datetime.fromisoformat(str(written or "").strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).replace(microsecond=0).isoformat()
    except (ValueError, OverflowError):
        return None


def iso_from_pdf(written: str) -> str | None:
    """A PDF's `D:20240301120000Z`, to the day: its time zones are rarely true."""
    found = _PDF.match(written)
    if not found:
        return None
    return iso_date("-".join(part for part in found.groups()[:3] if part))
