"""``python -m cli.kafka_classes``: have Java keep the broker's classes as it has read them.

Part of set-up. A broker starts in half the time when it finds them so (Java's class data sharing:
one file, ``programs.kafka_classes``). Without the file all works, slower; so what goes wrong here
is one line. Java itself looks whether the file is of these jars and of itself, and else ignores it.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from cli.stack import programs
from cli.stack.kafka import KafkaNode
from cli.stack.process import StackError
from cli.stack.scratch import free_ports, running


def main() -> None:
    """Start a broker once and stop it: Java writes the file as it ends."""
    target = programs.kafka_classes()
    if target.exists():
        return
    print("setup: Kafka's classes, for faster starts (ten seconds)")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / target.name
        port, controller_port = free_ports(2)
        node = KafkaNode(Path(folder) / "node", port, controller_port, quick=True)
        try:
            with running(node, f"-XX:ArchiveClassesAtExit={made}"):
                pass
            shutil.move(made, target)
        except (OSError, subprocess.SubprocessError, StackError, programs.ProgramMissing) as error:
            print(f"setup: not kept ({type(error).__name__}); Kafka starts slower")


if __name__ == "__main__":
    main()
