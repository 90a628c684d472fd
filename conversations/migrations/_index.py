"""The search index as each database keeps it: the statements that make it, and its triggers.

A row's `words` come as the text that `conversations.models.passage` makes of them. The trigger adds the words that stand for the owner and
for the kind of row, writes the passage and leaves the column empty.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connections

OWNER = "\ue000"


class Kind(NamedTuple):
    """A table whose rows have passages: the word of its kind, a passage's key, conversation and owner."""

    table: str
    word: str
    key: str
    conflict: str
    conversation: str
    owner: str

    @property
    def place(self) -> str:
        """The condition of a row's passage; a deleted conversation leaves none."""
        return f"{self.key} = old.id"

    @property
    def words(self) -> str:
        """The passage's words in SQL."""
        return f"new.words || ' {OWNER}' || {self.owner} || ' {self.word}'"


_OWNER_OF = "(SELECT owner_id FROM conversations_conversation WHERE id = new.conversation_id)"
_TITLE = "(conversation_id) WHERE call_id IS NULL AND message_id IS NULL"  # as the constraint has it: SQLite compares
KINDS = (
    Kind("conversations_conversation", "\ue001", "conversation_id", _TITLE, "new.id", "new.owner_id"),
    Kind("conversations_message", "\ue002", "message_id", "(message_id)", "new.conversation_id", _OWNER_OF),
    Kind("conversations_toolcall", "\ue003", "call_id", "(call_id)", "new.conversation_id", _OWNER_OF),
)


def _upsert(kind: Kind, words: str) -> str:
    columns, values = ["conversation_id", "words"], [kind.conversation, words]
    if kind.key != "conversation_id":
        columns.append(kind.key)
        values.append("new.id")
    return (
        f"INSERT INTO conversations_passage ({', '.join(columns)}) VALUES ({', '.join(values)}) "  # noqa: S608 (constants)
        f"ON CONFLICT {kind.conflict} DO UPDATE SET words = excluded.words"
    )


# -- PostgreSQL


def _postgres_triggers(kind: Kind) -> list[str]:
    name, table = f"{kind.table}_index", kind.table
    words = f"({kind.words})::tsvector"
    delete = f"DELETE FROM conversations_passage WHERE {kind.place}"  # noqa: S608 (constants)
    return [
        f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          {_upsert(kind, words)};
          new.words := NULL;
          RETURN new;
        END $$
        """,
        f"CREATE TRIGGER {name}_added BEFORE INSERT ON {table} FOR EACH ROW WHEN (new.words <> '') EXECUTE FUNCTION {name}()",
        f"""
        CREATE TRIGGER {name}_changed BEFORE UPDATE OF words ON {table} FOR EACH ROW
        WHEN (new.words IS NOT NULL) EXECUTE FUNCTION {name}()
        """,
        f"""
        CREATE OR REPLACE FUNCTION {name}_delete() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          {delete};
          RETURN NULL;
        END $$
        """,
        f"CREATE TRIGGER {name}_gone AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}_delete()",
    ]


POSTGRES = [statement for kind in KINDS for statement in _postgres_triggers(kind)]
POSTGRES_INDEX = [
    "SET lock_timeout = 0",
    "DROP INDEX CONCURRENTLY IF EXISTS passage_words",
    # each commit indexes its own words: a list of pending ones would be worked off by one writer, who would wait
    "CREATE INDEX CONCURRENTLY passage_words ON conversations_passage USING gin (words) WITH (fastupdate = off)",
    "RESET lock_timeout",
]
NOT_POSTGRES = [
    statement
    for kind in KINDS
    for statement in (
        f"DROP FUNCTION {kind.table}_index() CASCADE",
        f"DROP FUNCTION {kind.table}_index_delete() CASCADE",
    )
]
OLD_POSTGRES = [
    "DROP INDEX IF EXISTS tool_call_words",
    "ALTER TABLE conversations_toolcall DROP COLUMN IF EXISTS words",
    "DROP FUNCTION IF EXISTS conversations_words(text, text, text, text)",
    "DROP FUNCTION IF EXISTS conversations_decoded(text)",
    "DROP FUNCTION IF EXISTS conversations_plain(text)",
]

# -- SQLite

FTS = "conversations_passage_words"
_INTO_FTS = f"INSERT INTO {FTS} (rowid, words) VALUES (new.id, new.words)"
_FROM_FTS = f"INSERT INTO {FTS} ({FTS}, rowid, words) VALUES ('delete', old.id, old.words)"


def _sqlite_triggers(kind: Kind) -> dict[str, str]:
    name, table = f"{kind.table}_index", kind.table
    write = f"""
      {_upsert(kind, kind.words)};
      UPDATE {table} SET words = NULL WHERE id = new.id;
    """
    delete = f"DELETE FROM conversations_passage WHERE {kind.place};"  # noqa: S608 (constants)
    return {
        f"{name}_added": f"AFTER INSERT ON {table} WHEN new.words <> '' BEGIN {write} END",
        f"{name}_changed": f"AFTER UPDATE OF words ON {table} WHEN new.words IS NOT NULL BEGIN {write} END",
        f"{name}_gone": f"AFTER DELETE ON {table} BEGIN {delete} END",
    }


PASSAGE_TRIGGERS = {
    "passage_added": f"AFTER INSERT ON conversations_passage BEGIN {_INTO_FTS}; END",
    "passage_changed": f"AFTER UPDATE OF words ON conversations_passage BEGIN {_FROM_FTS}; {_INTO_FTS}; END",
    "passage_gone": f"AFTER DELETE ON conversations_passage BEGIN {_FROM_FTS}; END",
}
SQLITE_TRIGGERS = PASSAGE_TRIGGERS | {
    name: body for kind in KINDS for name, body in _sqlite_triggers(kind).items()
}
SQLITE = [
    # words come folded and with blanks between them: that tokenizer divides them there and leaves them alone
    f"CREATE VIRTUAL TABLE {FTS} USING fts5(words, content = 'conversations_passage', content_rowid = 'id', tokenize = 'ascii')",
]
NOT_SQLITE = [f"DROP TABLE {FTS}"]
OLD_SQLITE = [
    "DROP TRIGGER IF EXISTS tool_call_words_added",
    "DROP TRIGGER IF EXISTS tool_call_words_changed",
    "DROP TRIGGER IF EXISTS tool_call_words_gone",
    "DROP TABLE IF EXISTS conversations_toolcall_words",
    "DROP TABLE IF EXISTS conversations_toolcall_indexed",
]

MADE = {"postgresql": (POSTGRES, NOT_POSTGRES), "sqlite": (SQLITE, NOT_SQLITE)}
OLD = {"postgresql": OLD_POSTGRES, "sqlite": OLD_SQLITE}


# -- SQLite's triggers come and go with migrations: a table that one writes anew loses its own, and stumbles over those of others


def drop_triggers(using: str, plan: Sequence[Any], **_: Any) -> None:
    """Drops SQLite's triggers before migrations; those of PostgreSQL stay."""
    connection = connections[using]
    if connection.vendor == "sqlite" and plan:
        with connection.cursor() as cursor:
            for name in SQLITE_TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def create_triggers(using: str, **_: Any) -> None:
    """Creates SQLite's triggers, where there is an index, and indexes what was written without them."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name = %s OR type = 'trigger'", [FTS])
        names = {name for (name,) in cursor.fetchall()}
        if FTS not in names or names >= SQLITE_TRIGGERS.keys():
            return
        for name, body in SQLITE_TRIGGERS.items():
            if name not in names:
                cursor.execute(f"CREATE TRIGGER {name} {body}")
        for kind in KINDS:
            cursor.execute(f"UPDATE {kind.table} SET words = words WHERE words <> ''")  # noqa: S608 (constants)
