"""The full text of tool calls as each database keeps it: statements for the migration that makes it, and takes it away again."""

LETTERS_AT_MOST = 200_000
"""Of a call; 50,000 where those would be over PostgreSQL's limit of 1 MB for a tsvector."""

_PUNCTUATION = r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~¡¿«»“”„‘’‚…–—、。"""
_MARKS = _PUNCTUATION.replace("'", "''")

POSTGRES = [
    # every punctuation mark is a blank: PostgreSQL's parser would make one word of an address or a path
    rf"""
    CREATE FUNCTION conversations_plain(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT translate(replace(replace(replace(said, '\n', ' '), '\r', ' '), '\t', ' '),
                       '{_MARKS}', repeat(' ', {len(_PUNCTUATION)}))
    $$
    """,
    # JSON is stored as ASCII: by way of jsonb its letters are themselves. What jsonb does not take is indexed as it stands.
    """
    CREATE FUNCTION conversations_decoded(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
      RETURN said::jsonb::text;
    EXCEPTION WHEN OTHERS THEN
      RETURN said;
    END $$
    """,
    f"""
    CREATE FUNCTION conversations_words(name text, tool_use_id text, asked text, answered text)
    RETURNS tsvector LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
    DECLARE
      said text := conversations_plain(concat_ws(
        ' ', name, tool_use_id, conversations_decoded(asked), conversations_decoded(answered)));
    BEGIN
      RETURN to_tsvector('pg_catalog.simple', left(said, {LETTERS_AT_MOST}));
    EXCEPTION WHEN program_limit_exceeded THEN
      RETURN to_tsvector('pg_catalog.simple', left(said, {LETTERS_AT_MOST // 4}));
    END $$
    """,
    """
    ALTER TABLE conversations_toolcall ADD COLUMN words tsvector GENERATED ALWAYS AS
      (conversations_words(name, tool_use_id, coalesce(input, arguments), result)) STORED
    """,
    "CREATE INDEX tool_call_words ON conversations_toolcall USING gin (words)",
]
NOT_POSTGRES = [
    "DROP INDEX tool_call_words",
    "ALTER TABLE conversations_toolcall DROP COLUMN words",
    "DROP FUNCTION conversations_words(text, text, text, text)",
    "DROP FUNCTION conversations_decoded(text)",
    "DROP FUNCTION conversations_plain(text)",
]


def _decoded(column: str) -> str:
    """A JSON column's keys and values; the text itself where it is no JSON."""
    parts = "iif(typeof(key) = 'text', key || ' ', '') || coalesce(atom, '')"
    plain = rf"replace({column}, '\u0000', ' ')"  # a text ends at a NUL
    tree = f"(SELECT group_concat({parts}, ' ') FROM json_tree({plain}))"  # noqa: S608 (constants)
    return f"coalesce(CASE WHEN json_valid({plain}) THEN {tree} ELSE {column} END, '')"


def _text(row: str) -> str:
    asked, answered = _decoded(f"coalesce({row}.input, {row}.arguments)"), _decoded(f"{row}.result")
    said = f"{row}.name || ' ' || {row}.tool_use_id || ' ' || {asked} || ' ' || {answered}"
    return f"substr({said}, 1, {LETTERS_AT_MOST})"


_ID = "(SELECT id FROM conversations_toolcall_indexed WHERE call = {}.id)"
_TEXTS = ("name", "tool_use_id", "arguments", "input", "result")
_CHANGED = " OR ".join(f"old.{column} IS NOT new.{column}" for column in _TEXTS)
_WORDS = "conversations_toolcall_words"

SQLITE = [
    # a call's own rowid may change when the file is vacuumed
    "CREATE TABLE conversations_toolcall_indexed (id integer PRIMARY KEY, call char(32) NOT NULL UNIQUE)",
    f"CREATE VIRTUAL TABLE {_WORDS} USING fts5(words, tokenize = 'unicode61 remove_diacritics 0')",
    "INSERT INTO conversations_toolcall_indexed (call) SELECT id FROM conversations_toolcall",
    f"INSERT INTO {_WORDS} (rowid, words) SELECT {_ID.format('held')}, {_text('held')} FROM conversations_toolcall held",  # noqa: S608 (constants)
    f"""
    CREATE TRIGGER tool_call_words_added AFTER INSERT ON conversations_toolcall BEGIN
      INSERT INTO conversations_toolcall_indexed (call) VALUES (new.id);
      INSERT INTO {_WORDS} (rowid, words) VALUES ({_ID.format("new")}, {_text("new")});
    END
    """,
    f"""
    CREATE TRIGGER tool_call_words_changed AFTER UPDATE OF {", ".join(_TEXTS)} ON conversations_toolcall WHEN {_CHANGED} BEGIN
      UPDATE {_WORDS} SET words = {_text("new")} WHERE rowid = {_ID.format("new")};
    END
    """,
    f"""
    CREATE TRIGGER tool_call_words_gone AFTER DELETE ON conversations_toolcall BEGIN
      DELETE FROM {_WORDS} WHERE rowid = {_ID.format("old")};
      DELETE FROM conversations_toolcall_indexed WHERE call = old.id;
    END
    """,
]
NOT_SQLITE = [
    "DROP TRIGGER tool_call_words_added",
    "DROP TRIGGER tool_call_words_changed",
    "DROP TRIGGER tool_call_words_gone",
    f"DROP TABLE {_WORDS}",
    "DROP TABLE conversations_toolcall_indexed",
]
MADE = {"postgresql": (POSTGRES, NOT_POSTGRES), "sqlite": (SQLITE, NOT_SQLITE)}
