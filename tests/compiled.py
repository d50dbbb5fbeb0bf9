"""What does a test wait for that another has made already? Each app compiles its templates and routes, each
engine its statements, each client reads the machine's certificates; one process keeps them all."""

import functools
import ssl
from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

# Both databases' statements together; an engine of its own keeps 500.
STATEMENTS_MOST = 5_000


class CompiledPages(BytecodeCache):
    """Bytecode of templates, by their name and source; Jinja compares the source itself."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


def keep_compiled() -> None:
    """Every app, engine and client that is made from now on shares what is compiled."""
    ssl.create_default_context = functools.cache(ssl.create_default_context)
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledPages()}
    _keep_routes()
    _keep_statements()


def _keep_routes() -> None:
    """Werkzeug writes a function for each route; it is made of the rule and its defaults alone."""
    compile_builder: Callable[..., Any] = Rule._compile_builder
    kept: dict[object, Callable[..., Any]] = {}

    def kept_builder(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    setattr(Rule, "_compile_builder", kept_builder)  # noqa: B010 - mypy forbids the plain form


def _keep_statements() -> None:
    """SQLAlchemy keeps statements for each engine and dialect; the servers of one process are alike."""
    kept: LRUCache[Any, Any] = LRUCache(STATEMENTS_MOST)
    setattr(Engine, "_compiled_cache", property(lambda _: kept, lambda _, own: None))  # noqa: B010
    setattr(DefaultDialect, "__hash__", lambda dialect: hash(type(dialect)))  # noqa: B010
    setattr(DefaultDialect, "__eq__", lambda dialect, other: type(dialect) is type(other))  # noqa: B010
