"""JSON Schemas of every topic's value, exported to ``contracts/schemas`` for other languages.

``python -m contracts.schema`` writes them; a test fails when a file and the code differ, and when
a change breaks a reader of the last release (``contracts/schemas/released``).
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from contracts.identified import IdentifiedBody
from contracts.pipeline import PIPELINE

FOLDER = Path(__file__).parent / "schemas"


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each topic's value by topic name, and of the sealed body."""
    found = {topic.name: msgspec.json.schema(topic.event) for topic in PIPELINE}
    found["clinical.identified.v1.body"] = msgspec.json.schema(IdentifiedBody)
    return found


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what a reader of ``old`` could not stand in values of ``new``, in words.

    Both are schemas of ``schemas()``. A field may be added with a default; a field may not go,
    change its type or become required, and an enumeration may not shrink.
    """
    found: list[str] = []
    for name, before in old["$defs"].items():
        after = new["$defs"].get(name)
        if after is None:
            found.append(f"{name} is gone")
            continue
        found += _struct_breaks(name, before, after)
    return found


def _struct_breaks(name: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    old_fields, new_fields = before.get("properties", {}), after.get("properties", {})
    found = [f"{name}.{field} is gone" for field in old_fields if field not in new_fields]
    now_required = set(after.get("required", ())) - set(before.get("required", ()))
    found += [f"{name}.{field} became required" for field in sorted(now_required)]
    for field, kind in old_fields.items():
        if field in new_fields and not _covers(new_fields[field], kind):
            found.append(f"{name}.{field} changed its type")
    return found


def _covers(new: dict[str, Any], old: dict[str, Any]) -> bool:
    if "enum" in old and "enum" in new:
        return set(old["enum"]) <= set(new["enum"])
    ignored = {"default", "description"}
    return {k: v for k, v in new.items() if k not in ignored} == {
        k: v for k, v in old.items() if k not in ignored
    }


def main() -> None:
    """Write all schemas."""
    FOLDER.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
