"""The index: what is found, whose it is, and that it follows its rows."""

from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from conversations import engine
from conversations.exports import as_json, import_document
from conversations.models import Conversation, Message, Passage, ToolCall, reindexing, search
from tests.pages import full_conversation, html_of
from tests.turns import ask, conversation_of

pytestmark = pytest.mark.django_db


def titles(owner: User, text: str) -> set[str]:
    """The titles of the conversations in which the owner finds the text."""
    matches = search.matches(search.terms(text, with_prefixes=True), owner.pk)
    rows = Conversation.objects.filter(pk__in={match.conversation for match in matches})
    return set(rows.values_list("title", flat=True))


def conversation_with(owner: User, *content: Any, title: str = "this") -> Conversation:
    conversation = full_conversation(owner, title)
    blocks = [{"text": block} if isinstance(block, str) else block for block in content]
    Message.objects.filter(conversation=conversation, role="user").update(content=blocks)
    return conversation


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("今天天气很好，我们去公园", ("天气", "很好", "我们去公园", "天气很好 公园", "好", "公")),
        ("東京タワーへ行きました。ガイド", ("東京", "タワー", "行きました", "ｶﾞｲﾄﾞ", "京タ")),
        ("한국어를 배우고 있어요", ("국어", "한국어", "배우고", "어를")),
        ("ประเทศไทยสวยงาม", ("ไทย", "ทย", "ประเทศ", "สวย")),
        ("ພາສາລາວ", ("ລາວ", "າສ")),
        ("ភាសាខ្មែរ", ("ខ្មែរ", "ាស")),
        ("မြန်မာစကား", ("စကား", "မာ")),
        ("ꦧꦱꦗꦮ", ("ꦱꦗ", "ꦗꦮ")),
        ("བོད་སྐད།", ("བོད", "སྐད")),
        ("用GPT模型很好", ("GPT模型", "gpt", "模型", "型很")),
        ("Die Straße in ZÜRICH", ("strasse", "Zürich", "ZURICH", "zuri", "straße in zürich", '"in zürich"')),
        ("Привет, ёжик", ("ПРИВЕТ", "ежик", "прив")),
        ("قالت فی کتاب مدرسة", ("في", "كتاب", "مدرسه")),
        ("It costs 3.50 at example.com/x-y?z 🎉", ("3.50", "example.com/x-y", "🎉", "costs example")),
    ],
)
def test_what_was_said_is_found_in_every_script(user: User, text: str, queries: tuple[str, ...]) -> None:
    conversation_with(user, text)
    conversation_with(user, "Nothing of the kind", title="other")
    assert {words: titles(user, words) for words in queries} == {words: {"this"} for words in queries}


@pytest.mark.parametrize(
    "words", ["气天", "天很", "zurichsee", '"zürich in"', "ürich", "a", "+", '"', "turkey strasse"]
)
def test_what_is_not_there_is_not_found(user: User, words: str) -> None:
    conversation_with(user, "今天天气很好 Die Straße in ZÜRICH")
    assert titles(user, words) == set()


ODD = (
    "AND", "OR NOT", "NEAR(a b)", "*", "**", "a*b", "-words", "words:", "words : x", "^a", "{a b} : c", '"', '""', '"a" "', "'",
    "a & b | !c", "<->", "zz:*", "\\", "%", "_", "()", "\x00", "a\x00b", "\ud800", "\u0301", "\u200d", "\ufeff", "\u05b0", "\ufffe",
    "\U0010ffff", "\ue000", "\ue002", "\u1100" * 99, "\u0e34", "🎉" * 99, "\n", "\u2028",
    "x" * 100_000, "天" * 100_000, "a " * 50_000, '"' * 10_001, "é" * 1_000 + "*",
)  # fmt: skip


@pytest.mark.parametrize("query", ODD, ids=range(len(ODD)))
def test_no_query_is_too_odd(user: User, client: Client, query: str) -> None:
    """Nothing in it is an operator, and the page, the admin and the snippets cope."""
    conversation_with(user, "something else")
    user.is_staff = user.is_superuser = True
    user.save()
    client.force_login(user)
    assert titles(user, query) == set()
    for path in ("/", "/admin/conversations/message/", "/admin/conversations/toolcall/"):
        assert client.get(path, {"q": query[:20_000].encode("utf-8", "replace")}).status_code == 200, path


def test_a_phrase_is_found_far_down_a_long_text(user: User) -> None:
    conversation_with(
        user, "天气很好" + "".join(chr(0x4E00 + at % 5_000) for at in range(60_000)) + "龍龜鸞鳳"
    )
    assert titles(user, "龜鸞鳳") == {"this"}


BLOCKS = (
    {"reasoningContent": {"reasoningText": {"text": "pondered", "signature": "c2lnbmF0dXJl"}}},
    {"citationsContent": {"content": [{"text": "quoted"}], "citations": [{"title": "Handbook", "location": {"web": {}}}]}},
    {"toolUse": {"toolUseId": "tooluse_1", "name": "played", "input": {"place": "unplayed"}}},
    {"toolUse": {"toolUseId": "srv", "name": "served", "type": "server_tool_use", "input": {"query": 12}}},
    {"document": {"format": "pdf", "name": "Report", "source": {"bytes": "JVBERi0xLjQ="}}},
    {"text": '{"city": "Z\\u00fcrich", "lines": "one\\ntwo"}'},
)  # fmt: skip
READ = ("pondered", "quoted", "handbook", "served", "query", "12", "report", "zurich", "city", "two")
UNREAD = (
    "text", "toolUse", "toolUseId", "tooluse", "u00fc", "ntwo", "signature", "c2lnbmF0dXJl", "reasoningContent", "unplayed", "srv",
    "pdf", "JVBERi0xLjQ", "location", "bytes", "server_tool_use", "json", "status", "content", "role",
)  # fmt: skip


def test_words_that_a_person_reads_are_found_and_those_of_the_stored_json_are_not(user: User) -> None:
    conversation_with(user, *BLOCKS)
    assert {words: titles(user, words) for words in READ} == {words: {"this"} for words in READ}
    assert {words: titles(user, words) for words in UNREAD} == {words: set() for words in UNREAD}


def test_a_tool_calls_name_arguments_and_result_are_found(user: User) -> None:
    full_conversation(user, "this")
    for words in ("top_song", "sign", "wzpz", "elemental hotel", "artist", "8 storey"):
        assert titles(user, words) == {"this"}, words


def test_everybody_finds_their_own_alone(user: User, other_user: User) -> None:
    conversation_with(user, "Secret plans", title="mine")
    conversation_with(other_user, f"Secret \ue000{user.pk} plans u{user.pk}u", title="theirs")
    assert (titles(user, "secret"), titles(other_user, "secret")) == ({"mine"}, {"theirs"})
    assert titles(user, f"\ue000{user.pk}") <= {"mine"}


def test_only_an_owners_newest_hits_are_looked_at(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "HITS_AT_MOST", 2)
    for title in ("first", "second", "third"):
        conversation_with(user, "common", title=title)
    assert titles(user, "common") == {"second", "third"}


def test_snippets_show_the_hits_and_who_says_them(user: User) -> None:
    conversation = conversation_with(
        user, "word " * 40 + "An <b>Example</b>\nof " + "word " * 40, title="An example"
    )

    def hit(text: str) -> search.Hit:
        terms = search.terms(text, with_prefixes=True)
        (only,) = search.hits(search.matches(terms, user.pk), [conversation], terms)[conversation.pk]
        return only

    message, call = hit("exam"), hit("wzpz")
    assert (message.speaker, call.speaker) == ("You", "top_song")
    assert [text for text, is_hit in message.parts if is_hit] == ["Exam"]
    assert [text for text, is_hit in call.parts if is_hit] == ["WZPZ"]
    line = "".join(text for text, _ in message.parts)
    assert "word An <b>Example</b> of word" in line
    assert (line[0], line[-1]) == ("…", "…")


def test_old_hits_are_found_though_the_newest_are_gone_through_first(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("first", "second", "third"):
        conversation_with(user, "common", title=title)
    monkeypatch.setattr(search, "SAMPLE", 1)
    monkeypatch.setattr(search, "COMMON", 1_000)
    monkeypatch.setattr(search, "SCAN", 3)
    assert titles(user, "comm") == {"first", "second", "third"}


def test_words_that_are_seldom_together_are_looked_for_among_the_newest_unless_all_is_to_be_searched(
    user: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_with(user, "common filling", title="old")
    conversation_with(user, "common", title="common")
    conversation_with(user, "filling", title="filling")
    for name, number in {"SAMPLE": 8, "COMMON": 1_000, "SCAN": 3, "LONG_SCAN": 8}.items():
        monkeypatch.setattr(search, name, number)
    client.force_login(user)
    address, sentence = "/?q=comm+fill", "only your newest 8 messages, tool calls and titles were searched"
    page = html_of(client, address)
    assert (sentence in page, ">old</a>" in page) == (True, False)
    assert 'href="?q=comm%20fill&whole"' in page
    page = html_of(client, f"{address}&whole")
    assert (sentence in page, ">old</a>" in page) == (False, True)
    monkeypatch.setattr(search, "LONG_SCAN", 1_000)
    page = html_of(client, address)
    assert (sentence in page, ">old</a>" in page) == (False, True)


def test_common_words_are_read_in_what_the_index_finds_for_rare_ones(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("rare common", "common", "rare"):
        conversation_with(user, f"{title} filling", title=title)
    monkeypatch.setattr(search, "SAMPLE", 4)
    monkeypatch.setattr(search, "COMMON", 2)
    for query in ("rare comm", "comm* rar*", "fill rare common", "comm* fill*"):
        assert "rare common" in titles(user, query), query
    assert titles(user, "rare comm") == titles(user, "fill rare common") == {"rare common"}
    assert titles(user, "fill* comm* rar* turkey") == set()


@pytest.mark.parametrize("sample", [0, 1, 1000])
def test_going_through_the_passages_finds_what_the_index_finds(
    user: User, other_user: User, monkeypatch: pytest.MonkeyPatch, sample: int
) -> None:
    """Samples of two sizes: with none everything is common, with a thousand all passages are read."""
    monkeypatch.setattr(search, "SAMPLE", sample)
    conversation_with(user, "今天天气很好 Die Straße in ZÜRICH")
    conversation_with(user, "Nothing of the kind", title="other")
    conversation_with(other_user, "今天天气很好 Die Straße in ZÜRICH")
    for words in ("天", "天气很", "stra zuri", '"in zürich"', "wzpz stra", "zür* 天气"):
        assert titles(user, words) == ({"this"} if "wzpz" not in words else set()), words
        rows = Message.objects.filter(search.matching(Message, search.terms(words.replace("a z", "a* z"))))
        assert {row.conversation.owner for row in rows} <= {user, other_user}, words
    assert Message.objects.filter(search.matching(Message, search.terms("stra*"))).count() == 2
    assert ToolCall.objects.filter(search.matching(ToolCall, search.terms("wz*"))).count() == 3
    assert Conversation.objects.filter(search.matching(Conversation, search.terms("oth*"))).count() == 1
    assert not Conversation.objects.filter(search.matching(Conversation, search.terms("stra*"))).exists()


# -- it follows its rows


def test_the_index_follows_every_way_of_writing(user: User) -> None:
    conversation = conversation_with(user, "message")
    message, call = conversation.messages.get(role="user"), conversation.tool_calls.get()

    def both(before: str, after: str) -> list[bool]:
        return [titles(user, before) == set(), len(titles(user, after)) == 1]

    Conversation.objects.filter(pk=conversation.pk).update(title="renamed")
    assert both("this", "renamed") == [True, True]
    conversation.title = "saved"
    conversation.save(update_fields=["title"])
    assert both("renamed", "saved") == [True, True]
    message.content = [{"text": "changed"}]
    message.save()
    Message.objects.bulk_update([message], ["content"])
    assert titles(user, "changed") == {"saved"}
    call.result = [{"text": "answered"}]
    call.save(force_update=True)
    assert both("elemental", "answered") == [True, True]
    call.input = {"sign": "another"}
    ToolCall.objects.bulk_update([call], ["input"])
    assert both("wzpz", "another") == [True, True]
    extra = ToolCall(
        conversation=conversation, turn=call.turn, round=call.round, position=1, tool_use_id="t", name="bulk"
    )
    ToolCall.objects.bulk_create([extra])
    assert titles(user, "bulk") == {"saved"}
    assert Passage.objects.count() == 5
    extra.delete()
    message.delete()
    assert (titles(user, "bulk"), titles(user, "changed")) == (set(), set())
    conversation.turns.all().delete()
    assert (titles(user, "answered"), titles(user, "saved")) == (set(), {"saved"})
    conversation.delete()
    assert not Passage.objects.exists()


def test_a_row_is_read_without_its_words(user: User) -> None:
    full_conversation(user)
    for model in (Conversation, Message, ToolCall):
        assert set(model.objects.values_list("words", flat=True)) <= {None, ""}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("gateway")
def test_a_turn_is_found_and_so_is_its_import(user: User, other_user: User) -> None:
    conversation = conversation_of(user)
    ask(conversation, "What is the most popular song on WZPZ?")
    everything = ("popular song", "elemental hotel", "8 storey hike", "top_song")
    assert [len(titles(user, words)) for words in everything] == [1, 1, 1, 1]
    import_document(as_json(conversation), other_user)
    assert [len(titles(other_user, words)) for words in everything] == [1, 1, 1, 1]


@pytest.mark.usefixtures("gateway")
def test_a_queued_message_is_found_until_it_is_withdrawn(user: User) -> None:
    conversation = full_conversation(user, "this")
    conversation.turns.update(status="running")
    message = engine.start(
        conversation.pk, "00000000-0000-4000-8000-000000000001", "patience"
    ).turn.messages.get()
    assert titles(user, "patience") == {"this"}
    engine.withdraw(conversation, str(message.public_id))
    assert titles(user, "patience") == set()


# -- made anew


def test_reindex_makes_the_index_anew(user: User, other_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindexing, "PAGE", 2)
    monkeypatch.setattr(reindexing, "BATCH", 5)
    full_conversation(user, "this")
    gone = full_conversation(user, "gone")
    full_conversation(other_user, "theirs")
    before = sorted(Passage.objects.values_list("conversation", "message", "call"), key=str)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE conversations_passage SET words = ''")
    assert titles(user, "this") == set()
    Passage.objects.create(conversation=gone, message_id=10**9, words=["orphan"])
    out = StringIO()
    call_command("reindex", stdout=out)
    assert sorted(Passage.objects.values_list("conversation", "message", "call"), key=str) == before
    assert (titles(user, "this"), titles(user, "wzpz"), titles(other_user, "theirs")) == (
        {"this"},
        {"this", "gone"},
        {"theirs"},
    )
    assert "Indexed: 12 titles, messages and tool calls." in out.getvalue()


@pytest.mark.large
@pytest.mark.django_db(transaction=True)
def test_the_migration_indexes_what_there_is(user: User) -> None:
    def migrate(name: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("conversations", name)])
        return executor.loader.project_state([("conversations", name)]).apps

    newest = max(name for _, name in MigrationExecutor(connection).loader.graph.leaf_nodes("conversations"))
    migrations = import_module("conversations.migrations._index")
    full_conversation(user, "今天天气")
    try:
        migrations.drop_triggers(using="default", plan=[1])
        migrate("0006_queued_turns_without_a_place")
        assert "conversations_passage" not in connection.introspection.table_names()
    finally:
        migrate(newest)
        migrations.create_triggers(using="default")
    assert titles(user, "天天气") == titles(user, "wzpz") == {"今天天气"}
    Conversation.objects.update(title="renamed")
    assert titles(user, "renamed") == {"renamed"}


def test_what_is_written_without_the_triggers_of_sqlite_is_indexed_with_them(user: User) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps its triggers")
    migrations = import_module("conversations.migrations._index")
    migrations.drop_triggers(using="default", plan=[1])
    full_conversation(user, "meanwhile")
    assert titles(user, "meanwhile") == set()
    migrations.create_triggers(using="default")
    assert titles(user, "meanwhile") == {"meanwhile"}
    assert apps.get_model("conversations", "Conversation").objects.get().words is None
