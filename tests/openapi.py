"""Is this request or answer one that Stripe's own schema allows? Form bodies and JSON."""

import functools
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

SCHEMA = Path(__file__).parent / "data" / "stripe" / "openapi_checkout.json"
# The name under which the parts of the schema find each other.
ROOT = "urn:stripe"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# Enough of a fault to find it, not a whole schema.
MESSAGE_CHARS = 160


@functools.cache
def stripe_spec() -> "Spec":
    """Read once for a whole test run: the file is large."""
    return Spec(json.loads(SCHEMA.read_text(encoding="utf-8")))


class Spec:
    """Each method returns what is wrong, one line for each fault; nothing wrong is an empty list."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        _in_words_of_json_schema(document)
        resource = Resource.from_contents(document, default_specification=DRAFT7)
        self.registry: Registry[Any] = Registry().with_resource(ROOT, resource)

    def request(self, method: str, path: str, body: bytes) -> list[str]:
        schema = self._operation(method, path)["requestBody"]["content"][FORM]["schema"]
        return self._faults(self._typed(decode(body), schema), schema)

    def response(self, method: str, path: str, answer: Any, status: int = 200) -> list[str]:
        answers = self._operation(method, path)["responses"]
        told = answers.get(str(status), answers["default"])
        return self._faults(answer, told["content"][JSON]["schema"])

    def schema(self, name: str, answer: Any) -> list[str]:
        return self._faults(answer, {"$ref": f"{ROOT}#/components/schemas/{name}"})

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        for template, operations in self.document["paths"].items():
            pattern = re.sub(r"{\w+}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in operations:
                found: dict[str, Any] = operations[method.lower()]
                return found
        raise KeyError(f"{method} {path} is not in the schema")

    def _faults(self, value: Any, schema: dict[str, Any]) -> list[str]:
        validator = Draft7Validator(schema, registry=self.registry)
        return [
            f"{'.'.join(map(str, fault.path)) or '(root)'}: {fault.message[:MESSAGE_CHARS]}"
            for fault in validator.iter_errors(value)
        ]

    def _typed(self, value: Any, schema: dict[str, Any]) -> Any:
        """A form knows only texts; the schema tells which of them are numbers and flags."""
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for choice in schema.get("anyOf", ()):
            typed = self._typed(value, choice)
            if not self._faults(typed, choice):
                return typed
        if isinstance(value, dict):
            return {name: self._typed(inner, _inner(schema, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._typed(inner, schema.get("items", {})) for inner in value]
        return _leaf(value, schema.get("type"))


def _inner(schema: dict[str, Any], name: str) -> dict[str, Any]:
    known = schema.get("properties", {}).get(name)
    others = schema.get("additionalProperties")
    if known is not None:
        return dict(known)
    return others if isinstance(others, dict) else {}


def _leaf(value: str, kind: Any) -> Any:
    wanted = kind[0] if isinstance(kind, list) else kind
    if wanted == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    if wanted == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def _in_words_of_json_schema(part: Any) -> None:
    """OpenAPI's `nullable` as a type, and references with the name of the whole."""
    if isinstance(part, list):
        for inner in part:
            _in_words_of_json_schema(inner)
    if not isinstance(part, dict):
        return
    for inner in list(part.values()):
        _in_words_of_json_schema(inner)
    if isinstance(part.get("$ref"), str):
        part["$ref"] = ROOT + part["$ref"]
    if part.get("nullable") is True:
        _allow_null(part)


def _allow_null(part: dict[str, Any]) -> None:
    if "enum" in part:
        part["enum"] = [*part["enum"], None]
    if isinstance(part.get("type"), str):
        part["type"] = [part["type"], "null"]
    elif "anyOf" in part:
        part["anyOf"] = [*part["anyOf"], {"type": "null"}]


def decode(body: bytes | str) -> dict[str, Any]:
    """Rack style, as the SDK writes it: `a[b][0][c]=1` becomes {"a": {"b": [{"c": "1"}]}}."""
    text = body.decode() if isinstance(body, bytes) else body
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parts = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        here = root
        for part in parts[:-1]:
            here = here.setdefault(part, {})
        here[parts[-1] or str(len(here))] = value
    listed: dict[str, Any] = _listed(root)
    return listed


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
