"""MLLP over TLS: 1.2 or newer, client certificates where a CA is given."""

import asyncio
import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.unit.ingest.conftest import MakeBench, Sender, msa
from tests.unit.ingest.test_mllp import oru

START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that is its own CA, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return cert_file, key_file


async def exchange(port: int, context: ssl.SSLContext) -> bytes:
    streams = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost"
    )
    link = Sender(*streams)
    try:
        return await link.send(oru("C1"))
    finally:
        streams[1].close()


async def test_a_certificate_is_asked_for_and_old_protocols_are_refused(
    make_bench: MakeBench, certificate: tuple[Path, Path]
) -> None:
    cert_file, key_file = (str(path) for path in certificate)
    async with make_bench(
        tls_cert_file=cert_file, tls_key_file=key_file, tls_client_ca_file=cert_file
    ) as bench:
        port = bench.service.mllp.port
        context = ssl.create_default_context(cafile=cert_file)
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await exchange(port, context)
        assert bench.events() == []
        context.load_cert_chain(cert_file, key_file)
        assert msa(await exchange(port, context)) == ("AA", "C1")
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
