"""The usage of a conversation and its cost, by model."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from conversations.models import Conversation, Round, Totals, Turn, prices, title_usage, totals
from conversations.protocol.converse.usage import count

from .pages import Panel

HEAD = ("Model", "Rounds", "Input", "Output", "Read from cache", "Written to cache", "Cost")


HOW = (
    "no gateway reported the tokens of some rounds: one is counted for every four characters of their answers"
)


def usage_panel(conversation: Conversation) -> Panel:
    """Tokens and cost of all of its rounds, those of other branches and of its title too."""
    by_model = totals(conversation.pk)
    for model, usage in title_usage(conversation.pk).items():
        others = by_model.get(model, {})
        by_model[model] = others | {name: others.get(name, 0) + number for name, number in usage.items()}
    cost, unpriced = prices.cost_of_all(by_model)
    if not by_model:
        return Panel("Tokens and cost", "", "none yet")
    is_least = any("unreported" in row for row in by_model.values())
    least = "at least " if is_least else ""
    note = "" if len(unpriced) == len(by_model) else f"{least}{prices.as_text(cost)} in all"
    left_out = f"no price is set for {', '.join(unpriced)}" if unpriced else ""
    return Panel(
        "Tokens and cost", _table(by_model), ", ".join(filter(None, (note, left_out, HOW * is_least)))
    )


@admin.display(description="tokens", ordering="total_tokens")
def tokens_column(_: Any, row: Round | Turn) -> str:
    """The tokens of a round or turn: a dash where none are known, `at least` where not all were reported."""
    if not row.total_tokens and not row.is_reported:
        return "-"
    least = "at least " if row.total_tokens > count(row.usage.get("totalTokens")) else ""
    return f"{least}{row.total_tokens:,}"


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
    least = "at least " if "unreported" in usage else ""
    cells = [f"{usage['rounds']:,}"]
    cells += [f"{least}{usage[name]:,}" if usage[name] or not least else "-" for name in prices.KINDS]
    cells.append("-" if not cost and (least or cost is None) else f"{least}{prices.as_text(cost)}")
    return format_html_join("", "<td>{}</td>", ((text,) for text in cells))
