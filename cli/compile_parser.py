"""``python -m cli.compile_parser``: compile the parser of ingest with mypyc, where it can be.

Part of set-up. Does nothing where the sources are those that were compiled last, and says why where
there is no C compiler: everything then works from the sources, slower (decision 0017).
"""

import contextlib
import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from services.ingest.compiled import MODULES, ROOT, folder

TIMEOUT_S = 300
COMPILER_FILE = "compiler"
# The interpreter's functions, which are most of what is called, without a detour; no other library
# can put its own in the place of ours.
FLAGS = ("-fno-plt", "-fno-semantic-interposition")
BUILD = """
import os
import sys
from mypyc.build import mypycify
from setuptools import setup
built, made, python, flags, *sources = sys.argv[1:]
os.environ["CFLAGS"] = " ".join((os.environ.get("CFLAGS", ""), flags))
options = ["--strict", "--python-executable", python, "--cache-dir", made + "/mypy"]
setup(
    name="parser",
    packages=[],
    ext_modules=mypycify(
        [*options, *sources], target_dir=made, opt_level="3", group_name="services.ingest._parser"
    ),
    script_args=["-q", "build_ext", "--build-lib", built, "--build-temp", made],
)
"""


def main() -> None:
    """Compile, unless that was done; exit 1 only where the compiler fails on the sources."""
    target = folder()
    missing = _missing()
    if missing:
        print(f"setup: the parser is not compiled: there is no {missing}; it runs slower")
        return
    version = f"mypy {importlib.metadata.version('mypy')}\n"
    with contextlib.suppress(OSError):
        if (target / COMPILER_FILE).read_text() == version:
            return
    print("setup: compiling the parser (up to a minute)")
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        built = _build(Path(scratch))
        (built / COMPILER_FILE).write_text(version)
        for old in target.parent.iterdir():
            if old != Path(scratch):
                shutil.rmtree(old)
        built.rename(target)


def _missing() -> str:
    if shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0]) is None:
        return "C compiler"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "Python.h (package python3-dev)"
    for package in ("mypy", "setuptools"):
        if importlib.util.find_spec(package) is None:
            return f"Python package {package}"
    return ""


def _build(scratch: Path) -> Path:
    built = scratch / "built"
    sources = [f"services/ingest/{name}.py" for name in MODULES]
    command = [sys.executable, "-c", BUILD, str(built), str(scratch / "made"), sys.executable]
    command.append(" ".join(FLAGS))
    done = subprocess.run(
        [*command, *sources],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        sys.exit("setup: the parser cannot be compiled; see above")
    return built / "services" / "ingest"


if __name__ == "__main__":
    main()
