"""EPUB books, version 2 and 3: their chapters in the order of the spine.

The form: https://www.w3.org/TR/epub-33/
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from ..errors import UnreadableSource
from ..records import Document, Item
from .archive import ZIP_MAGIC, member_names, open_zip, read_member
from .dates import iso_date
from .html_blocks import parse_blocks, take_blocks
from .plain_text import LARGEST_TEXT_BYTES, clean, decode
from .sections import SectionBuilder
from .zip_xml import DC, property_text, resolve, xml_part

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_CONTAINER = "META-INF/container.xml"
_OPF = "{http://www.idpf.org/2007/opf}"
_NCX = "{http://www.daisy.org/z3986/2005/ncx/}"
_ENC = "{http://www.w3.org/2001/04/xmlenc#}"
_ROOTFILE = "{urn:oasis:names:tc:opendocument:xmlns:container}rootfile"
_CHAPTER_TYPES = ("application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document")
_LARGEST_CHAPTER_BYTES = 32 * 2**20
# Fonts may be scrambled in a book that is free to read.
_SCRAMBLED_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_HEADING = re.compile(r"<h[1-6][\s>]", re.IGNORECASE)


def matches(path: Path, head: bytes) -> bool:
    """A zip that says so in its first member, or has a book's container."""
    if not head.startswith(ZIP_MAGIC):
        return False
    return b"mimetypeapplication/epub+zip" in head[:200] or _CONTAINER in member_names(path)


def read(path: Path) -> Iterator[Item]:
    """One document; headings make the sections, and where a chapter has none, the contents list.

    Raises:
        UnreadableSource: the zip or its XML is broken, hostile or too large, or copy-protected.
        OSError: it cannot be opened.
    """
    builder = SectionBuilder()
    with open_zip(path) as archive:
        _refuse_protected(archive)
        package_name, package = _package(archive)
        labels = _labels(archive, package_name, package)
        n_bytes = 0
        for name in _chapters(package_name, package):
            try:
                data = read_member(archive, name, _LARGEST_CHAPTER_BYTES)
            except KeyError:
                continue
            n_bytes += len(data)
            if n_bytes > LARGEST_TEXT_BYTES:
                raise UnreadableSource("a book with more text than anybody wrote")
            _take_chapter(decode(data), labels.get(name, ""), builder)
    metadata = package.find(_OPF + "metadata")
    yield Document(
        title=property_text(metadata, DC + "title") or builder.first_title or path.stem,
        sections=builder.sections(),
        author=property_text(metadata, DC + "creator"),
        date=iso_date(property_text(metadata, DC + "date")),
    )


def _refuse_protected(archive: ZipFile) -> None:
    encryption = xml_part(archive, "META-INF/encryption.xml")
    methods = encryption.iter(_ENC + "EncryptionMethod") if encryption is not None else []
    if any(method.get("Algorithm") not in _SCRAMBLED_FONTS for method in methods):
        raise UnreadableSource("a book protected against copying")


def _package(archive: ZipFile) -> tuple[str, "Element"]:
    container = xml_part(archive, _CONTAINER)
    rootfile = container.find(f".//{_ROOTFILE}") if container is not None else None
    name = resolve("", rootfile.get("full-path", "")) if rootfile is not None else ""
    package = xml_part(archive, name)
    if package is None:
        raise UnreadableSource("an EPUB without a list of its chapters")
    return name, package


def _chapters(package_name: str, package: "Element") -> list[str]:
    """The members to read, without the page that only lists the others."""
    items = {item.get("id"): item for item in package.iter(_OPF + "item")}
    spine = [items.get(entry.get("idref")) for entry in package.iter(_OPF + "itemref")]
    return list(
        dict.fromkeys(
            resolve(package_name, item.get("href", ""))
            for item in spine
            if item is not None
            and item.get("media-type") in _CHAPTER_TYPES
            and "nav" not in item.get("properties", "").split()
        )
    )


def _labels(archive: ZipFile, package_name: str, package: "Element") -> dict[str, str]:
    """What the list of contents calls each chapter."""
    labels: dict[str, str] = {}
    for item in package.iter(_OPF + "item"):
        name = resolve(package_name, item.get("href", ""))
        if "nav" in item.get("properties", "").split():
            found = _nav_labels(archive, name)
        elif item.get("media-type") == "application/x-dtbncx+xml":
            found = _ncx_labels(archive, name)
        else:
            continue
        for target, label in found:
            labels.setdefault(resolve(name, target), " ".join(clean(label).split()))
    return labels


def _nav_labels(archive: ZipFile, name: str) -> list[tuple[str, str]]:
    try:
        page = parse_blocks(decode(read_member(archive, name, _LARGEST_CHAPTER_BYTES)))
    except KeyError:
        return []
    return [(link.get("href") or "", "".join(link.itertext())) for link in page.iter("a")]


def _ncx_labels(archive: ZipFile, name: str) -> list[tuple[str, str]]:
    contents = xml_part(archive, name)
    found = []
    for point in contents.iter(_NCX + "navPoint") if contents is not None else []:
        target = point.find(_NCX + "content")
        label = point.findtext(f"{_NCX}navLabel/{_NCX}text") or ""
        found.append((target.get("src", "") if target is not None else "", label))
    return found


def _take_chapter(markup: str, label: str, builder: SectionBuilder) -> None:
    if label and not _HEADING.search(markup):
        builder.heading(1, label)
    try:
        take_blocks(parse_blocks(markup), builder)
    except UnreadableSource:  # an empty page, as before a part of a book
        return
