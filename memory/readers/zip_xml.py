"""XML inside zips, as office files and books are made; no entity is ever expanded."""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote
from zipfile import ZipFile

from ..errors import UnreadableSource
from .archive import DAMAGE, DAMAGED, open_member, read_member
from .plain_text import clean

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST_PART_BYTES = 128 * 2**20
DC = "{http://purl.org/dc/elements/1.1/}"
DCTERMS = "{http://purl.org/dc/terms/}"
_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def xml_part(archive: ZipFile, name: str) -> "Element | None":
    """The root of a member; None where there is no such member.

    Raises:
        UnreadableSource: it is broken, hostile or too large.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(read_member(archive, name, LARGEST_PART_BYTES))
    except KeyError:
        return None
    except ParseError as error:
        raise UnreadableSource(f"broken XML in it: {error}") from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableSource("XML in it that is not safe to read") from error
    return root


def xml_elements(archive: ZipFile, name: str, largest_bytes: int, tag: str) -> Iterator["Element"]:
    """The elements of one tag in a member that may be large, each gone when the next one comes.

    Raises:
        UnreadableSource: the member is missing, broken, hostile or too large.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    try:
        with open_member(archive, name, largest_bytes) as member:
            open_elements: list[Element] = []
            for event, element in iterparse(member, events=("start", "end")):
                if event == "start":
                    open_elements.append(element)
                    continue
                open_elements.pop()
                if element.tag == tag:
                    yield element
                    if open_elements:
                        open_elements[-1].clear()
    except KeyError as error:
        raise UnreadableSource(f"{name} is missing in it") from error
    except ParseError as error:
        raise UnreadableSource(f"broken XML in it: {error}") from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableSource("XML in it that is not safe to read") from error
    except DAMAGE as error:
        raise UnreadableSource(DAMAGED) from error


def related_parts(archive: ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """What a part of an Office file points to: kind and member name, by relation id."""
    folder, name = posixpath.split(part)
    root = xml_part(archive, f"{folder}/_rels/{name}.rels")
    related = {}
    for relation in root if root is not None else []:
        kind = relation.get("Type", "").rpartition("/")[2]
        target = resolve(part, relation.get("Target", ""))
        if relation.get("TargetMode") != "External":
            related[relation.get("Id", "")] = (kind, target)
    return related


def relation_id(element: "Element") -> str:
    return element.get(_RELATION_ID, "")


def resolve(part: str, target: str) -> str:
    """The member that a part means by a relative address."""
    path = unquote(target.partition("#")[0])
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(part), path)).lstrip("/")


def property_text(properties: "Element | None", name: str) -> str | None:
    """A title, an author or a date in a list of properties, wherever it stands there."""
    found = properties.find(f".//{name}") if properties is not None else None
    text = "".join(found.itertext()) if found is not None else ""
    return " ".join(clean(text).split()) or None
