"""The parser's compiled form: machine code of the very sources that stand here, or none.

``python -m cli.compile_parser`` has mypyc make extension modules of ``MODULES`` and puts them into
``_compiled/<digest>``, where the digest is of all that went in. Whoever imports the package takes
that folder only where the digest of the sources as they stand names it: a source that was edited is
read itself, until it is compiled again. Both forms say the same; one is faster (decision 0017).
"""

import hashlib
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parents[1]
MODULES = (
    "analytes", "batches", "charset", "cleaning", "codes", "conditions", "dialect", "draft",
    "envelope", "event_types", "far_times", "frames", "framing", "genomics", "hl7", "identity",
    "images", "kept", "orders", "others", "parse", "patients", "results", "segments", "times",
    "units", "unmapped", "values", "visits",
)  # fmt: skip
# What the compiler looks at beside them: types and constants of these end up in the machine code.
CONTRACTS = ("clinical", "encapsulated", "identified", "loinc", "observation", "topic")


def sources() -> list[Path]:
    """Return the files whose text the compiled form is made of."""
    ours = [PACKAGE / f"{name}.py" for name in MODULES]
    return [*ours, *(ROOT / "contracts" / f"{name}.py" for name in CONTRACTS)]


def digest() -> str:
    """Return the digest of the sources and of the Python that runs, in hexadecimal."""
    found = hashlib.sha256(f"{sys.implementation.cache_tag} {sys.platform}".encode())
    for path in sources():
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:32]


def folder() -> Path:
    """Return where the compiled form of these sources is, or would be."""
    return PACKAGE / "_compiled" / digest()


def in_use() -> bool:
    """Return whether the parser that was imported is the compiled one."""
    from services.ingest import parse

    return not str(parse.__file__).endswith(".py")
