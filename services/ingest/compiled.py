"""The compiled form of the parser and of a message's way from frame to answer: machine code of the
very sources that stand here, or none.

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
    "analytes", "answers", "batches", "charset", "cleaning", "codes", "committer", "conditions",
    "dialect", "draft", "envelope", "event_types", "far_times", "frames", "framing", "gate",
    "gathering", "genomics", "hl7", "identity", "images", "intake", "kept", "orders", "others",
    "parse", "patients", "reading", "replies", "resends", "results", "said", "sealed", "segments",
    "staff", "taken", "times", "units", "unmapped", "values", "visits",
)  # fmt: skip
# What the compiler looks at beside them: types and constants of these end up in the machine code.
READ = (
    "contracts.answers", "contracts.clinical", "contracts.encapsulated", "contracts.identified",
    "contracts.loinc", "contracts.observation", "contracts.periods", "contracts.topic",
    "plumbing.byte_gate", "plumbing.check_digits", "plumbing.clock", "plumbing.errors",
    "plumbing.event_log", "plumbing.log", "plumbing.remembering", "plumbing.sealing",
    "plumbing.trace", "services.ingest.apart",
    "services.ingest.blobs", "services.ingest.doors", "services.ingest.keeping",
    "services.ingest.ledger", "services.ingest.metrics", "services.ingest.outcomes",
    "services.ingest.parser_process", "services.ingest.portions", "services.ingest.refusals",
    "services.ingest.sealers", "services.ingest.silence",
)  # fmt: skip


def sources() -> list[Path]:
    """Return the files whose text the compiled form is made of."""
    ours = [PACKAGE / f"{name}.py" for name in MODULES]
    return [*ours, *(ROOT / f"{name.replace('.', '/')}.py" for name in READ)]


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
