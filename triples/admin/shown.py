"""Texts of the graph as HTML, isolated so that none changes the direction of the text around it."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from triples.recursion.rules import Rule, rule_text
from triples.visible import visible


def isolated(text: str) -> SafeString:
    """The text with its own direction, and with what nobody could see of it escaped."""
    # ASCII has one direction only.
    return format_html("{}" if text.isascii() else "<bdi>{}</bdi>", visible(text))


def all_isolated(separator: str, *texts: str) -> SafeString:
    return format_html_join(separator, "{}", ((isolated(text),) for text in texts))


def rule_html(rule: Rule) -> SafeString:
    """The rule on one line, each term and variable in its own direction."""
    return SafeString(rule_text(rule, isolated, arrow="&lt;-"))
