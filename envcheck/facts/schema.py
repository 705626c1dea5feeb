"""The JSON Schema of the snapshot, generated from the types."""

from __future__ import annotations

from typing import Any

import msgspec

from .snapshot import SCHEMA, Snapshot


def json_schema() -> dict[str, Any]:
    """Draft 2020-12 schema of :class:`~envcheck.facts.Snapshot`."""
    schema = msgspec.json.schema(Snapshot)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"envcheck snapshot, schema {SCHEMA}",
        **schema,
    }
