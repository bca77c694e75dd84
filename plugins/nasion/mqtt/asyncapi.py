"""The AsyncAPI document: the contract in the form that tools for message interfaces read."""

from typing import Any, Dict

from nasion import __version__
from nasion.messages import SCHEMA_VERSION
from nasion.mqtt.contract import CHANNELS, Channel
from nasion.settings import MqttSettings

ASYNCAPI = "3.0.0"
#: Where the payloads' schemas lie, seen from the document.
SCHEMAS = "schema"
_SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
_BINDING = "0.2.0"

_DESCRIPTION = """\
Where the person in front of a robot is. Nothing older than `max_age_ms` is sent; a receiver refuses what is older on
arrival: by `monotonic_ns` where `boot_id` is its own host's, else by `captured_ns`. Silence means a fault: also with
nobody in view there is a `person` message for each frame."""

#: MQTT 5 user properties of a picture, which has no other place to say whose it is.
_IMAGE_HEADERS = {
    "type": "object",
    "description": "MQTT 5 user properties.",
    "required": ["session", "seq", "captured_ns"],
    "properties": {
        "session": {"type": "string", "description": "As in `person`."},
        "seq": {"type": "string", "pattern": "^[0-9]+$", "description": "That of the `person` message it shows."},
        "captured_ns": {"type": "string", "pattern": "^-?[0-9]{1,19}$", "description": "As in `person`."},
    },
}


def asyncapi() -> Dict[str, Any]:
    """AsyncAPI 3.0; payloads refer to the files that `nasion schema NAME` makes, in the folder SCHEMAS beside it."""
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "Nasion",
            "version": f"{__version__}-schema.{SCHEMA_VERSION}",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "{host}",
                "protocol": "mqtt",
                "protocolVersion": "5",
                "description": "Any MQTT 5 broker; mqtts:// for TLS.",
                "variables": {"host": {"default": "127.0.0.1:1883", "description": "Host and port."}},
            }
        },
        "channels": {name: _channel(name, channel) for name, channel in CHANNELS.items()},
        "operations": {_operation_name(name): _operation(name, channel) for name, channel in CHANNELS.items()},
        "components": {
            "messages": {name: _message(name, channel) for name, channel in CHANNELS.items()},
            "parameters": {
                "prefix": {
                    "description": MqttSettings.model_fields["prefix"].description,
                    "default": MqttSettings.model_fields["prefix"].default,
                },
                "camera": {"description": "The camera's name; without + # $ /.", "examples": ["cam0"]},
                "key": {"description": "The setting.", "enum": [_key(name) for name in CHANNELS if _key(name)]},
            },
        },
    }


def _channel(name: str, channel: Channel) -> Dict[str, Any]:
    parameters = ["prefix", "camera", *(["key"] if "{key}" in channel.topic else [])]
    return {
        "address": f"{{prefix}}/{{camera}}/{channel.topic}",
        "description": channel.subject,
        "parameters": {parameter: {"$ref": f"#/components/parameters/{parameter}"} for parameter in parameters},
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _operation(name: str, channel: Channel) -> Dict[str, Any]:
    """What Nasion does: it sends what it publishes, and receives what an operator does."""
    return {
        "action": "send" if channel.by == "nasion" else "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": channel.subject,
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retained, "bindingVersion": _BINDING}},
    }


def _message(name: str, channel: Channel) -> Dict[str, Any]:
    if channel.model is None:
        return {
            "name": name,
            "contentType": "image/jpeg",
            "summary": channel.subject,
            "headers": _IMAGE_HEADERS,
            "payload": {"type": "string", "format": "binary", "description": "The bytes of a JPEG file."},
        }
    reference = {"$ref": f"{SCHEMAS}/{name}.json"}
    return {
        "name": name,
        "contentType": "application/json",
        "summary": channel.subject,
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": reference},
    }


def _operation_name(name: str) -> str:
    first, *rest = name.replace("_", "-").split("-")
    verb = "receive" if first == "set" else "send"
    return verb + "".join(word.capitalize() for word in (first, *rest))


def _key(name: str) -> str:
    return name[len("set-") :] if name.startswith("set-") else ""
