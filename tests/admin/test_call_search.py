"""The search in the list of tool calls: in arguments and results, by ids, in figures and signs."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from conversations.admin.calls import ToolCallAdmin
from conversations.models import ToolCall
from tests.pages import address_of, full_conversation, html_of, query_count, rows_in_list

pytestmark = pytest.mark.django_db
CALLS = "/admin/conversations/toolcall/"

HITS = (
    "WZPZ", "wzpz", "hotel", "Elemental Hotel", '"8 Storey Hike"', "hike elemental", "elem* hik*", "sign", "top_song",
    "jennifer", '"storey', "  hotel  ", "hotel, elemental!", "(hotel)", "hotel'",
)  # fmt: skip
MISSES = ("turkey", '"hotel elemental"', "hotel turkey", "hote", "elem", "*", "other song", "=")
NONSENSE = (
    '"', '""', '"""', "'", "\\", "%", "_", "a", "é", "*", "a*", "AND", "hotel AND", "NOT hotel", "NEAR(a b)",
    "words:hotel", "^hotel", "hotel OR", "(", ")", "a:*", ":*", "!a", "& | !", "<->", "a <2> b", "{a}", "\x00", "\ud800",
    "\u202e", "\N{GRINNING FACE}", "東京", "„", "--", ";", "/*", "$1", "%s", "%(a)s", "a" * 5_000, "a " * 5_000,
    '"a" ' * 99, "0", "1e999", "٣", "ß", "İ", "\u00ad", "\u200b*", '"*"', '"a*"', "a**", '*"a', "²*", "-", "a-*",
)  # fmt: skip


def test_words_of_arguments_and_results_are_found(operator: Client, call: ToolCall, other: ToolCall) -> None:
    for text in HITS:
        assert rows_in_list(operator, ToolCall, q=text) == [call], text


def test_what_is_not_there_is_not_found(operator: Client, call: ToolCall, other: ToolCall) -> None:
    for text in MISSES:
        assert rows_in_list(operator, ToolCall, q=text) == [], text


def test_ids_are_found(operator: Client, call: ToolCall, other: ToolCall) -> None:
    for key in (call.pk, call.turn_id, call.conversation_id, call.tool_use_id):
        assert rows_in_list(operator, ToolCall, q=key) == [call], key


def test_no_search_is_an_error(operator: Client, call: ToolCall) -> None:
    for text in NONSENSE:
        response = operator.get(CALLS, {"q": text.encode("utf-8", "surrogatepass")})
        assert response.status_code == 200, text


def test_what_is_not_ascii_or_no_word_is_found(operator: Client, call: ToolCall, other: ToolCall) -> None:
    text = "Señora „Blue“ \N{GRINNING FACE}, 東京 https://example.com/x-y?z 3.50"
    ToolCall.objects.filter(pk=call.pk).update(result=[{"json": {"song": text}}])
    for words in ("Señora", "\N{GRINNING FACE}", "„Blue“", "Blue", "東京", "example.com/x-y", "3.50"):
        assert rows_in_list(operator, ToolCall, q=words) == [call], words


@pytest.mark.parametrize(
    "result",
    [
        [{"text": "a\x00b hotel"}],
        [{"text": "\ud800 hotel"}],
        [{"text": "hotel " + "x" * 3_000_000}],
        [{"text": "hotel " + " ".join(map(str, range(200_000)))}],
        [{"text": "hotel " + " ".join(chr(0x10000 + n) + chr(0x10100 + n) for n in range(60_000))}],
        [{"json": json.loads('{"a":' * 300 + '"hotel"' + "}" * 300)}],
    ],
    ids=["NUL", "surrogate", "long word", "many words", "wide letters", "deep"],
)
def test_any_result_can_be_stored_found_and_looked_at(operator: Client, call: ToolCall, result: Any) -> None:
    ToolCall.objects.update(result=result)
    assert rows_in_list(operator, ToolCall, q="hotel") == [call]
    assert len(html_of(operator, address_of(call))) < 100_000


def test_what_holds_no_word_is_sought_letter_by_letter_in_the_newest_calls(
    operator: Client, user: User, call: ToolCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.admin.lists.LISTED", 2)
    ToolCall.objects.update(result=[{"text": "1 + 1"}])
    sentence = "sought letter by letter, in the newest 10,000 of these calls alone"
    assert rows_in_list(operator, ToolCall, q="+") == [call]
    assert sentence in html_of(operator, f"{CALLS}?q=%2B")
    assert sentence not in html_of(operator, f"{CALLS}?q=hotel")
    for _ in range(2):
        full_conversation(user)
    assert rows_in_list(operator, ToolCall, q="+") == []
    assert rows_in_list(operator, ToolCall, q="+", status__exact="success") == []
    ToolCall.objects.exclude(pk=call.pk).update(status="error")
    assert rows_in_list(operator, ToolCall, q="+", status__exact="success") == [call]


@pytest.mark.parametrize("probed", [2, 2_000])
def test_a_words_beginning_is_found_however_common_it_is(
    operator: Client, user: User, call: ToolCall, monkeypatch: pytest.MonkeyPatch, probed: int
) -> None:
    monkeypatch.setattr("conversations.models.search.SAMPLE", probed)
    more = [full_conversation(user).tool_calls.get() for _ in range(3)]
    assert rows_in_list(operator, ToolCall, q="elem* hot*") == [*more[::-1], call]
    assert rows_in_list(operator, ToolCall, q="turk*") == []


def test_a_list_is_read_by_the_keys_that_were_counted(operator: Client, user: User, call: ToolCall) -> None:
    others = [full_conversation(user).tool_calls.get() for _ in range(60)][::-1]
    assert rows_in_list(operator, ToolCall) == others[:50]
    assert rows_in_list(operator, ToolCall, p=2) == [*others[50:], call]
    ToolCall.objects.filter(pk=others[7].pk).update(duration_ms=9_000)
    place = ToolCallAdmin.list_display.index("took")
    slowest = rows_in_list(operator, ToolCall, o=f"-{place}", slower=100)
    assert slowest == [others[7]]
    assert rows_in_list(operator, ToolCall, o=place, slower=100) == [others[7]]
    (statements,) = {query_count(operator, f"{CALLS}?{query}") for query in ("q=hotel", "q=hotel&p=2")}
    assert statements < 25
