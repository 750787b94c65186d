"""What the gateway is told from outside."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from plumbing.settings import AuditedSettings


class GatewaySettings(AuditedSettings):
    """Read once in ``__main__`` from the environment variables ``GATEWAY_*``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address of the page and the API.")
    port: int = Field(default=8080, description="Port of the page and the API.")
    metrics_port: int = Field(default=8084, description="Port of health and metrics.")
    public_url: str = Field(
        default="http://127.0.0.1:8080",
        description="The address that browsers use; `https` makes cookies secure.",
    )
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Redis that holds the read model."
    )
    privacy_url: str = Field(
        default="http://127.0.0.1:8082", description="Where privacy answers who a token is."
    )
    keys_dir: Path = Field(
        default=Path("keys"),
        description=(
            "Folder with `resolve.token`, `gateway/session.key` and `gateway/audit.ed25519`."
        ),
    )
    oidc_issuer: str = Field(
        default="http://127.0.0.1:8090",
        description="The identity provider, exactly as its tokens name it.",
    )
    oidc_client_id: str = Field(
        default="auscult", description="How the identity provider knows this gateway."
    )
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret of the client; empty: PKCE alone."
    )
    oidc_subject_claim: str = Field(
        default="sub", description="The claim that holds the staff number."
    )
    oidc_roles_claim: str = Field(default="roles", description="The claim that lists the roles.")
    oidc_units_claim: str = Field(
        default="units", description="The claim that lists the units; `*` is all."
    )
    api_audience: str = Field(
        default="", description="Audience of bearer tokens of API clients; empty: none accepted."
    )
    session_hours: int = Field(
        default=12, ge=1, le=24, description="How long a sign-in lasts, in hours."
    )
    glass_minutes: int = Field(
        default=60,
        ge=1,
        le=720,
        description=(
            "How long a clinician without a care relation sees a patient after breaking the "
            "glass, in minutes."
        ),
    )
    poll_ms: int = Field(
        default=250, ge=10, le=5_000, description="How often the read model is looked at, in ms."
    )
    sse_clients_max: int = Field(
        default=500, ge=1, description="How many browsers may be on the live stream."
    )
    demo: bool = Field(default=False, description="Say on every page that this is a demo.")
