"""What does a database consist of? Read back from the database itself, so that two can be compared."""

from typing import Any

from sqlalchemy import Inspector, inspect

from claimbot.db.engine import Ledger

# Alembic's own table.
NOT_OURS = "alembic_version"


def shape(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """table → its columns with types and defaults, keys, checks and indexes with their conditions."""
    found = inspect(ledger.engine)
    return {name: _table(found, name) for name in found.get_table_names() if name != NOT_OURS}


def _table(found: Inspector, name: str) -> dict[str, Any]:
    return {
        "columns": [_column(column) for column in found.get_columns(name)],
        "primary key": found.get_pk_constraint(name),
        "foreign keys": _by_name(found.get_foreign_keys(name)),
        "unique": _by_name(found.get_unique_constraints(name)),
        "checks": _by_name(found.get_check_constraints(name)),
        "indexes": {one["name"]: _index(one) for one in found.get_indexes(name)},
    }


def _column(column: Any) -> tuple[str, str, bool, str]:
    return column["name"], repr(column["type"]), column["nullable"], str(column["default"])


def _index(index: Any) -> dict[str, Any]:
    options = {key: getattr(value, "text", value) for key, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


def _by_name(constraints: Any) -> dict[str, Any]:
    return {one["name"]: one for one in constraints}
