"""How long does a test wait for templates? Each app compiles them; one process keeps what it compiled."""

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class CompiledPages(BytecodeCache):
    """Bytecode of templates, by their name and source; Jinja compares the source itself."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


def keep_compiled_pages() -> None:
    """Every Flask app that is made from now on shares one cache."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledPages()}
