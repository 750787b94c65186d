"""What a listener needs for TLS, from its settings."""

import ssl

from services.ingest.settings import DoorSettings, IngestSettings


def tls_of(settings: IngestSettings | DoorSettings) -> ssl.SSLContext | None:
    """Return the context of a listener, 1.2 and later; None where it has no certificate."""
    if not settings.tls_cert_file:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file or None)
    if settings.tls_client_ca_file:
        context.load_verify_locations(settings.tls_client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
