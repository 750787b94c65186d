"""A real PKCS#11 module, SoftHSM 2, with fresh tokens."""

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
PIN = "271828"
TOKENS = 15  # one for each test that asks: the module finds them once in a process


def softhsm() -> Path:
    """Return the module, or skip the test."""
    if importlib.util.find_spec("pkcs11") is None:
        pytest.skip("python-pkcs11 is not installed: extra `pkcs11`")
    found = next((Path(one) for one in MODULES if Path(one).exists()), None)
    if found is None:
        pytest.skip("needs SoftHSM 2: apt-get install softhsm2")
    return found


def make_tokens(folder: Path) -> list[str]:
    """Make fresh tokens below ``folder``, for this process and those it starts; return labels."""
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    labels = [f"auscult-{number}" for number in range(TOKENS)]
    for label in labels:
        command = ["softhsm2-util", "--init-token", "--free", "--label", label]
        command += ["--pin", PIN, "--so-pin", "31415926"]
        subprocess.run(command, check=True, capture_output=True)
    return labels
