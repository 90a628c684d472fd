"""The usage of a conversation and its cost, by model."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from conversations.models import Conversation, Totals, prices, totals

from .pages import Panel

HEAD = ("Model", "Rounds", "Input", "Output", "Read from cache", "Written to cache", "Cost")


def usage_panel(conversation: Conversation) -> Panel:
    """Tokens and cost of all of its rounds, those of other branches too."""
    by_model = totals(conversation.pk)
    cost, unpriced = prices.cost_of_all(by_model)
    if not by_model:
        return Panel("Tokens and cost", "", "none yet")
    note = "" if len(unpriced) == len(by_model) else f"{prices.as_text(cost)} in all"
    left_out = f"no price is set for {', '.join(unpriced)}" if unpriced else ""
    return Panel("Tokens and cost", _table(by_model), ", ".join(filter(None, (note, left_out))))


def _table(by_model: Totals) -> SafeString:
    head = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in HEAD))
    rows = format_html_join(
        "",
        '<tr><th scope="row">{}</th>{}</tr>',
        ((model, _cells(model, row)) for model, row in by_model.items()),
    )
    wide = '<div class="wide" tabindex="0" role="region" aria-label="Tokens and cost">{}</div>'
    return format_html(wide, format_html("<table><thead><tr>{}</tr></thead>{}</table>", head, rows))


def _cells(model: str, usage: dict[str, int]) -> SafeString:
    cost = prices.cost(model, usage)
    numbers = [f"{usage[name]:,}" for name in ("rounds", *prices.KINDS)]
    return format_html_join(
        "", "<td>{}</td>", ((text,) for text in (*numbers, "-" if cost is None else prices.as_text(cost)))
    )
