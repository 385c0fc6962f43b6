"""The body of a mail in HTML, without the mails that are quoted in it."""

import re
from typing import Any

from .html_blocks import parse_blocks, take_blocks
from .sections import SectionBuilder

# What mail programs put around quoted mails and signatures.
_NOT_OWN = re.compile(
    r"gmail_quote|gmail_attr|gmail_extra|gmail_signature|moz-cite-prefix|moz-signature|"
    r"moz-forward-container|yahoo_quoted|protonmail_quote|protonmail_signature|"
    r"tutanota_quote|zmail_extra|x_gmail_quote|ms-outlook-mobile-signature"
)
# From these on, everything is the mail that was answered.
_QUOTE_FOLLOWS = re.compile(r"divRplyFwdMsg|appendonsend|OutlookMessageHeader|replySplit")
_OUTLOOK_RULE = re.compile(r"border:\s*none;\s*border-top:\s*solid\s+#(?:E1E1E1|B5C4DF)", re.I)


def html_text(markup: str) -> str:
    """The text of a mail's HTML; raises as `parse_blocks` does."""
    root = parse_blocks(markup)
    _drop_quotes(root)
    builder = SectionBuilder()
    take_blocks(root, builder)
    blocks = []
    for section in builder.sections():
        heading = section.heading.rpartition(" › ")[2]
        blocks += [heading, section.text] if heading else [section.text]
    return "\n\n".join(blocks)


def _drop_quotes(root: Any) -> None:
    for element in list(root.iter("blockquote", "div", "span", "hr", "table", "section", "p")):
        marks = f"{element.get('class') or ''} {element.get('id') or ''}"
        if _QUOTE_FOLLOWS.search(marks) or _OUTLOOK_RULE.search(element.get("style") or ""):
            _drop_from(element)
            return
        is_quote = element.tag == "blockquote" and element.get("type") == "cite"
        if is_quote or _NOT_OWN.search(marks):
            _drop(element)


def _drop(element: Any) -> None:
    parent = element.getparent()
    if parent is None:
        return
    previous = element.getprevious()
    if element.tail and previous is not None:
        previous.tail = f"{previous.tail or ''} {element.tail}"
    elif element.tail:
        parent.text = f"{parent.text or ''} {element.tail}"
    parent.remove(element)


def _drop_from(element: Any) -> None:
    """The element and all that follows it on the page."""
    for inner in [element, *list(element.iterancestors())[:-1]]:
        for following in list(inner.itersiblings()):
            inner.getparent().remove(following)
        inner.tail = None
    if element.getparent() is not None:
        element.getparent().remove(element)
