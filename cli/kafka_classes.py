"""``python -m cli.kafka_classes``: have Java keep the broker's classes as it has read them.

Part of set-up. A broker starts in half the time when it finds them so (Java's class data sharing:
one file, ``programs.kafka_classes``). Without the file all works, slower; so what goes wrong here
is one line. Java itself looks whether the file is of these jars and of itself, and else ignores it.
"""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from cli.stack import programs
from cli.stack.kafka import KafkaNode, kafka_answers
from cli.stack.scratch import free_ports

START_S = 120.0
KEEP_S = 120.0


def main() -> None:
    """Start a broker once and stop it: Java writes the file as it ends."""
    target = programs.kafka_classes()
    if target.exists():
        return
    print("setup: Kafka's classes, for faster starts (ten seconds)")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / target.name
        port, controller_port = free_ports(2)
        try:
            _run(KafkaNode(Path(folder) / "node", port, controller_port, quick=True), made)
            shutil.move(made, target)
        except (OSError, subprocess.SubprocessError, programs.ProgramMissing) as error:
            print(f"setup: not kept ({type(error).__name__}); Kafka starts slower")


def _run(node: KafkaNode, target: Path) -> None:
    node.prepare()
    java, *rest = node.command()
    command = [java, f"-XX:ArchiveClassesAtExit={target}", *rest]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as broker:
        until_s = time.monotonic() + START_S
        while broker.poll() is None and not kafka_answers(node.bootstrap):
            if time.monotonic() > until_s:
                break
            time.sleep(0.1)
        broker.terminate()
        try:
            broker.wait(KEEP_S)
        finally:
            broker.kill()


if __name__ == "__main__":
    main()
