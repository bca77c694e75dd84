"""The contract as a page of tables for people; the README's pointer leads here."""

from typing import Any, Dict, Iterator, List, Sequence

from nasion.messages import SETTABLE
from nasion.mqtt.contract import CHANNELS, json_schema

_HEAD = """\
# What goes over MQTT

Every topic begins with `<prefix>/<camera>/`. Payloads are strict JSON with the JSON Schema beside this page; `image` is
a JPEG file. [asyncapi.yaml](../asyncapi.yaml) says the same for tools, [receivers](../receivers/README.md) are ready to
copy.
"""


def page() -> str:
    """Markdown: the topics, the keys of `stats`, the keys that can be set."""
    parts = [
        _HEAD,
        "## Topics\n",
        _table(("topic", "published by", "QoS", "retained", "what", "schema"), _topic_rows()),
        "`info` and `status` stay with the broker after a session's end, until the next one replaces them. An `info`\n"
        "is in force while `status` says `online` with the same `session`. `mqtt.qos` may make that of `person` 0.\n",
        "## Keys of `stats`\n",
        _table(("key", "meaning"), _keys(json_schema("stats"))),
        "## Settings\n",
        '`set/<key>` takes `{"value": …, "id": "…"}`, `id` at will; `state/<key>` answers and says what is in force.\n'
        "The answer also goes to the request's MQTT 5 response topic, if that is outside of `<prefix>/`, and carries\n"
        "its correlation data. Retained requests are ignored. `remote.allow` says which keys are obeyed,\n"
        "`remote.persist` where they are kept. `near_m` and `far_m` only narrow what the source was opened with.\n",
        _table(("key", "value", "meaning", "setting"), _setting_rows()),
    ]
    return "\n".join(parts)


def _topic_rows() -> Iterator[Sequence[str]]:
    for name, channel in CHANNELS.items():
        schema = "" if channel.model is None else f"[{name}]({name}.json)"
        retained = "yes" if channel.retained else "no"
        yield f"`{channel.topic}`", channel.by, str(channel.qos), retained, channel.subject, schema


def _keys(schema: Dict[str, Any]) -> Iterator[Sequence[str]]:
    """(dotted key, meaning) of everything in an object, with what is below it."""
    yield from _below(schema, schema.get("$defs", {}), "")


def _below(about: Dict[str, Any], parts: Dict[str, Any], prefix: str) -> Iterator[Sequence[str]]:
    for key, field in about.get("properties", {}).items():
        reference = _reference(field)
        whole = parts[reference] if reference else field
        yield f"`{prefix}{key}`", field.get("description", whole.get("description", ""))
        # What a median is need be said once, not for every stage.
        if not prefix or "$ref" not in field:
            yield from _below(whole, parts, f"{prefix}{key}.")
            for reference in {below["$ref"] for below in whole.get("properties", {}).values() if "$ref" in below}:
                yield from _below(parts[reference.rpartition("/")[2]], parts, f"{prefix}{key}.*.")


def _reference(field: Dict[str, Any]) -> str:
    """The name of the part that a field is, where it is not null; empty where it is none."""
    kinds = [field, *field.get("anyOf", [])]
    return next((kind["$ref"].rpartition("/")[2] for kind in kinds if "$ref" in kind), "")


def _setting_rows() -> Iterator[Sequence[str]]:
    for key, settable in SETTABLE.items():
        value = json_schema(f"set-{key}")["properties"]["value"]
        yield f"`{key}`", _kind(value), settable.meaning, f"`{settable.place}`"


def _kind(value: Dict[str, Any]) -> str:
    if "enum" in value:
        return ", ".join(f"`{word}`" for word in value["enum"])
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {value[limit]:g}" for limit, sign in signs.items() if limit in value]
    return ", ".join([value["type"], *limits])


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines: List[Sequence[str]] = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
