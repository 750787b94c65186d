"""Renders the kustomize features that our base uses, where no kubectl is at hand.

A test compares it with kubectl's own where there is one. A field that it does not know is an error:
better no answer than another one than the cluster's.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
KNOWN = {
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "labels",
    "images",
    "configMapGenerator",
}


class Unsupported(Exception):
    """The kustomization has something that is not rendered here."""


def render(folder: Path) -> list[Manifest]:
    """Return the manifests that ``kubectl kustomize folder`` prints, in the order of the files."""
    told = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    if set(told) - KNOWN:
        raise Unsupported(", ".join(sorted(set(told) - KNOWN)))
    found = [one for name in told["resources"] for one in _manifests(folder / name)]
    maps = [_config_map(one) for one in told.get("configMapGenerator", ())]
    names = {one["metadata"]["annotations"].pop("given"): one["metadata"]["name"] for one in maps}
    found += maps
    tags = {one["name"]: one["newTag"] for one in told.get("images", ())}
    for manifest in found:
        if manifest["kind"] != "Namespace":
            manifest["metadata"]["namespace"] = told["namespace"]
        if not manifest["metadata"].get("annotations", True):
            del manifest["metadata"]["annotations"]
        for node in _nodes(manifest):
            _rename(node, names, tags)
        for one in told.get("labels", ()):
            _label(manifest, one)
    return found


def _manifests(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def _config_map(told: Manifest) -> Manifest:
    if set(told) - {"name", "literals"}:
        raise Unsupported(f"config map {told['name']}")
    data = dict(one.split("=", 1) for one in told["literals"])
    digest = hashlib.sha256(yaml.safe_dump(data).encode()).hexdigest()[:10]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{told['name']}-{digest}", "annotations": {"given": told["name"]}},
        "data": data,
    }


def _nodes(node: Any) -> Iterator[Manifest]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from _nodes(child)


def _rename(node: Manifest, names: dict[str, str], tags: dict[str, str]) -> None:
    for key in ("configMapRef", "configMapKeyRef", "configMap"):
        if isinstance(node.get(key), dict) and node[key].get("name") in names:
            node[key]["name"] = names[node[key]["name"]]
    if node.get("image") in tags:
        node["image"] = f"{node['image']}:{tags[node['image']]}"


def _label(manifest: Manifest, told: Manifest) -> None:
    if set(told) - {"pairs", "includeTemplates"}:
        raise Unsupported("labels")
    manifest["metadata"].setdefault("labels", {}).update(told["pairs"])
    template = manifest.get("spec", {}).get("template")
    if told.get("includeTemplates") and template is not None:
        template["metadata"].setdefault("labels", {}).update(told["pairs"])
