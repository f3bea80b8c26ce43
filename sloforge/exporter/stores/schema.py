"""The sqlite ledger's tables, and the steps that bring an older file to them."""

import sqlite3

_RECORD = "scope, key, body, due_s, open, labels, since_s, touched_s"
_TOTAL = "name, labels, value, born_s, trace_id, trace_value, trace_s"

MIGRATIONS = (  # step n brings a file from version n to n + 1; a step that was released is never edited
    (
        """CREATE TABLE records (
            scope TEXT NOT NULL, key BLOB NOT NULL, body TEXT NOT NULL, due_s REAL, open INTEGER NOT NULL,
            labels TEXT NOT NULL, since_s REAL NOT NULL, touched_s REAL NOT NULL, PRIMARY KEY (scope, key)
        ) WITHOUT ROWID""",
        "CREATE INDEX records_due ON records (due_s) WHERE due_s IS NOT NULL",
        "CREATE INDEX records_open ON records (scope, labels, since_s) WHERE open",
        """CREATE TABLE totals (
            name TEXT NOT NULL, labels TEXT NOT NULL, value REAL NOT NULL, born_s REAL NOT NULL,
            PRIMARY KEY (name, labels)
        ) WITHOUT ROWID""",
        """CREATE TABLE clock (
            one INTEGER PRIMARY KEY CHECK (one = 1), now_s REAL NOT NULL, steady_s REAL NOT NULL, boot TEXT NOT NULL,
            written_s REAL NOT NULL
        )""",
        "CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_s REAL NOT NULL) WITHOUT ROWID",
    ),
    (
        "ALTER TABLE totals ADD COLUMN trace_id TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE totals ADD COLUMN trace_value REAL NOT NULL DEFAULT 0",
        "ALTER TABLE totals ADD COLUMN trace_s REAL NOT NULL DEFAULT 0",
    ),
    (  # rows in the order of their birth: a commit then writes few pages, as what happens together lies together
        """CREATE TABLE records_3 (
            scope TEXT NOT NULL, key BLOB NOT NULL, body TEXT NOT NULL, due_s REAL, open INTEGER NOT NULL,
            labels TEXT NOT NULL, since_s REAL NOT NULL, touched_s REAL NOT NULL, PRIMARY KEY (key, scope)
        )""",
        f"INSERT INTO records_3 ({_RECORD}) SELECT {_RECORD} FROM records",
        "DROP TABLE records",
        "ALTER TABLE records_3 RENAME TO records",
        """CREATE INDEX records_waiting ON records (due_s, open, scope, labels, since_s)
            WHERE due_s IS NOT NULL OR open""",
        """CREATE TABLE totals_3 (
            name TEXT NOT NULL, labels TEXT NOT NULL, value REAL NOT NULL, born_s REAL NOT NULL,
            trace_id TEXT NOT NULL DEFAULT '', trace_value REAL NOT NULL DEFAULT 0, trace_s REAL NOT NULL DEFAULT 0,
            PRIMARY KEY (name, labels)
        )""",
        f"INSERT INTO totals_3 ({_TOTAL}) SELECT {_TOTAL} FROM totals",
        "DROP TABLE totals",
        "ALTER TABLE totals_3 RENAME TO totals",
    ),
)
VERSION = len(MIGRATIONS)


class NewerSchemaError(sqlite3.DatabaseError):
    """The file was written by a later sloforge."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to VERSION, all steps or none. Processes that open it at once do it once."""
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        if version > VERSION:
            raise NewerSchemaError(f"its schema is version {version}, this sloforge knows up to {VERSION}")
        for step in MIGRATIONS[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
