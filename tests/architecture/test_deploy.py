"""What is deployed agrees with the code: topics, edges, ports, settings, alerts."""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic_settings import BaseSettings

from contracts.audited import AUDIT
from contracts.pipeline import PIPELINE
from plumbing.metrics import DECLARED
from tests.support import kustomize

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = ("ingest", "privacy", "inference", "gateway")
METRIC = re.compile(r"\bauscult_[a-z0-9_]+")
MAP_SUFFIX = re.compile(r"(name: (?:" + "|".join(SERVICES) + r"))-[0-9a-z]{10}\b")
EXPORTED = ("_bucket", "_count", "_sum")


PROGRAMS = os.pathsep.join((os.environ.get("PATH", ""), str(Path(sys.executable).parent)))
IN_CI = os.environ.get("CI") == "true"


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where ``program`` is not; where CI=true fail, for deploy/setup/programs.sh has it."""
    return pytest.mark.skipif(
        shutil.which(program, path=PROGRAMS) is None and not IN_CI,
        reason=f"needs {program}, which is not here: deploy/setup/programs.sh test",
    )


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program, path=PROGRAMS)
    assert found is not None, f"{program} is not here: deploy/setup/programs.sh test"
    return subprocess.run([found, *arguments], check=False, capture_output=True, text=True)


def settings_of(service: str) -> type[BaseSettings]:
    module = importlib.import_module(f"services.{service}.settings")
    found: type[BaseSettings] = getattr(module, f"{service.capitalize()}Settings")
    return found


@pytest.mark.parametrize("file", ["docker-compose.yml", "deploy/k8s/base/kustomization.yaml"])
def test_the_tagger_that_is_deployed_is_the_one_in_the_image(file: str) -> None:
    told = re.findall(r"PRIVACY_TAGGER_DIR[=:] ?(\S+)", (ROOT / file).read_text(encoding="utf-8"))
    shipped = settings_of("privacy").model_fields["tagger_dir"].default
    assert told == [f"/opt/{shipped}"]
    assert (ROOT / shipped / "manifest.json").is_file()


def variables_of(service: str) -> set[str]:
    fields = settings_of(service).model_fields
    return {f"{service}_{name}".upper() for name in fields}


@cache
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


@cache
def manifests() -> tuple[dict[str, Any], ...]:
    return tuple(kustomize.render(DEPLOY / "k8s" / "base"))


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] == kind}


def containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for name, deployment in of_kind("Deployment").items():
        spec = deployment["spec"]["template"]["spec"]
        for container in spec["containers"]:
            yield name, spec, container


def test_compose_has_the_services_in_the_order_of_the_data_path() -> None:
    named = [name for name in compose()["services"] if name in SERVICES]
    assert tuple(named) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_compose_tells_a_service_only_settings_that_it_has(service: str) -> None:
    told = set(compose()["services"][service]["environment"])
    assert told <= variables_of(service)


def test_compose_gives_the_key_encryption_keys_to_privacy_alone() -> None:
    holders = {
        name
        for name, one in compose()["services"].items()
        if any(
            str(volume).startswith("privacy-") and ":/keys" in str(volume)
            for volume in one.get("volumes", ())
        )
    }
    assert holders == {"keys", "privacy"}


def test_compose_makes_the_shipped_models_live() -> None:
    job = compose()["services"]["models"]
    assert job["command"][:3] == ["auscult", "models", "begin"]
    assert "inference" in job["build"]["args"]["EXTRAS"].split(",")


def mounts(service: str) -> dict[str, tuple[str, bool]]:
    """Return the volume of each path in a service's container, and whether it may write there."""
    found = {}
    for volume in compose()["services"][service]["volumes"]:
        name, path, *options = volume.split(":")
        found[path] = (name, options != ["ro"])
    return found


def test_compose_lets_privacy_write_the_sealing_keys_that_ingest_reads() -> None:
    privacy, ingest, keys = mounts("privacy"), mounts("ingest"), mounts("keys")
    assert privacy["/keys/privacy/sealing"] == ("privacy-sealing", True)
    assert privacy["/keys/sealing/public"] == ("sealing-public", True)
    assert ingest["/keys/sealing/public"] == ("sealing-public", False)
    assert keys["/keys/privacy/privacy/sealing"] == ("privacy-sealing", True)
    assert keys["/keys/privacy/sealing/public"] == ("sealing-public", True)
    assert (privacy["/keys"][1], ingest["/keys"][1]) == (False, False)


def test_kubernetes_lets_privacy_write_the_sealing_keys_that_ingest_reads() -> None:
    claims = of_kind("PersistentVolumeClaim")
    for name in ("privacy-sealing", "sealing-public"):
        assert claims[name]["spec"]["accessModes"] == ["ReadWriteMany"]
    found = {
        (name, mount["mountPath"]): (volume["persistentVolumeClaim"]["claimName"], mount)
        for name, spec, container in containers()
        for mount in container["volumeMounts"]
        for volume in spec["volumes"]
        if volume["name"] == mount["name"]
        and "sealing" in volume.get("persistentVolumeClaim", {}).get("claimName", "")
    }
    assert {
        place: (claim, mount.get("readOnly", False)) for place, (claim, mount) in found.items()
    } == {
        ("privacy", "/keys/privacy/sealing"): ("privacy-sealing", False),
        ("privacy", "/keys/sealing/public"): ("sealing-public", False),
        ("ingest", "/keys/sealing/public"): ("sealing-public", True),
    }


@needs("docker-compose")
def test_a_compose_parser_takes_the_file() -> None:
    done = run("docker-compose", "-f", str(ROOT / "docker-compose.yml"), "config", "-q")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    shutil.which("kubectl") is None,
    reason="kubectl is not here (Debian's knows no labels); the other tests render by themselves",
)
def test_the_manifests_are_those_that_kubectl_renders() -> None:
    done = run("kubectl", "kustomize", str(DEPLOY / "k8s" / "base"))
    assert done.returncode == 0, done.stderr

    def known(found: Any) -> list[str]:
        """Without the suffix of a config map, which each makes in its own way, and the order."""
        bare = [
            MAP_SUFFIX.sub(r"\1", text)
            for text in (yaml.safe_dump(one, sort_keys=True) for one in found)
        ]
        return sorted(bare)

    assert known(manifests()) == known(yaml.safe_load_all(done.stdout))


def test_every_manifest_is_valid() -> None:
    assert len(manifests()) > 20
    for manifest in manifests():
        kubernetes_validate.validate(manifest, "1.31", strict=True)


@pytest.mark.parametrize("service", SERVICES)
def test_a_config_map_tells_a_service_only_settings_that_it_has(service: str) -> None:
    found = [one for name, one in of_kind("ConfigMap").items() if name.startswith(f"{service}-")]
    assert len(found) == 1
    assert set(found[0]["data"]) <= variables_of(service)


def test_pods_run_restricted() -> None:
    found = list(containers())
    assert {name for name, _, _ in found} == set(SERVICES)
    for _, spec, container in found:
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert set(of_kind("PodDisruptionBudget")) == set(SERVICES)


def test_only_privacy_mounts_its_keys() -> None:
    holders = {
        name
        for name, spec, _ in containers()
        for volume in spec["volumes"]
        if volume.get("secret", {}).get("secretName", "").startswith("auscult-privacy-")
        or volume.get("persistentVolumeClaim", {}).get("claimName") == "privacy-sealing"
    }
    assert holders == {"privacy"}


@pytest.mark.parametrize("service", sorted(AUDIT.producer.split(", ")))
def test_who_writes_the_audit_signs_it_and_keeps_the_heads(service: str) -> None:
    ((_, spec, container),) = [one for one in containers() if one[0] == service]
    (claim,) = [
        volume["name"]
        for volume in spec["volumes"]
        if volume.get("persistentVolumeClaim", {}).get("claimName") == f"auscult-{service}-audit"
    ]
    mounted = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    (told,) = [one for name, one in of_kind("ConfigMap").items() if name.startswith(f"{service}-")]
    assert mounted[told["data"][f"{service.upper()}_AUDIT_DIR"]] == claim
    assert f"auscult-{service}-audit" in of_kind("PersistentVolumeClaim")
    assert f"{service}/audit.ed25519" in json.dumps([spec["volumes"], container["volumeMounts"]])


def test_network_edges_are_those_of_the_pipeline() -> None:
    policies = of_kind("NetworkPolicy")
    parties = {
        party
        for topic in PIPELINE
        for party in (*topic.producer.split(", "), *topic.consumers)
        if party in SERVICES
    }
    assert selected(policies["kafka"]) == parties
    assert selected(policies["redis"]) == {
        service for service in SERVICES if f"{service}_REDIS_URL".upper() in variables_of(service)
    }
    assert policies["deny-all"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }


def selected(policy: dict[str, Any]) -> set[str]:
    (expression,) = policy["spec"]["podSelector"]["matchExpressions"]
    return set(expression["values"])


def test_alerts_ask_for_metrics_that_exist() -> None:
    pipes = ("plumbing.audit_metrics", "plumbing.stream_metrics")
    for module in (*pipes, *(f"services.{name}.metrics" for name in SERVICES)):
        importlib.import_module(module)
    rules = (DEPLOY / "prometheus" / "rules.yml").read_text()
    asked = set(METRIC.findall(rules))
    assert asked
    unknown = {
        name
        for name in asked
        if name not in DECLARED
        and not any(name.removesuffix(suffix) in DECLARED for suffix in EXPORTED)
    }
    assert unknown == set()


@needs("promtool")
def test_every_alert_fires_and_stays_quiet() -> None:
    done = run("promtool", "test", "rules", str(DEPLOY / "prometheus" / "rules_test.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
    tests = yaml.safe_load((DEPLOY / "prometheus" / "rules_test.yml").read_text())["tests"]
    tried = {case["alertname"] for test in tests for case in test["alert_rule_test"]}
    assert {rule["alert"] for rule in rules["groups"][0]["rules"]} == tried


def test_the_broker_has_safe_defaults() -> None:
    text = (DEPLOY / "kafka" / "server.properties").read_text()
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
    assert told["auto.create.topics.enable"] == "false"
    assert told["unclean.leader.election.enable"] == "false"
    assert told["listeners"].startswith("PLAINTEXT://127.0.0.1:")
