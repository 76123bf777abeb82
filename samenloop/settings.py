"""Settings: flags first, then ``SAMENLOOP_*`` in the environment, then ``samenloop.toml``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class Settings(BaseSettings):
    """How this process runs; what the node may do stands in the catalogue."""

    model_config = SettingsConfigDict(env_prefix="SAMENLOOP_", toml_file="samenloop.toml", extra="forbid", frozen=True)

    brokers: str | None = Field(None, description="Kafka bootstrap servers; without it the embedded broker of the data directory is used.")
    tls: bool = Field(False, description="Speak TLS to the brokers.")  # noqa: FBT003 - pydantic's default
    tls_ca: Path | None = Field(None, description="PEM file of the authorities that vouch for the brokers; else those of the system.")
    tls_cert: Path | None = Field(None, description="PEM file of the client's own certificate, for brokers that ask for one.")
    tls_key: Path | None = Field(None, description="PEM file of its key, not encrypted; may also stand in the certificate's file.")
    sasl_mechanism: Literal["SCRAM-SHA-512", "PLAIN"] | None = Field(None, description="How the brokers are told who this is.")
    sasl_username: str | None = Field(None, description="Name for SASL.")
    sasl_password: SecretStr | None = Field(None, description="Password for SASL; there is no flag for it.")
    sasl_password_file: Path | None = Field(None, description="File with the password, in place of it.")
    principaal: str = Field(
        "User:{naam}",
        description="What Kafka calls the bron, ontvanger, node or role of a name, for 'topics acls'.",
        pattern=r"^[^{}]+:[^{}]*\{naam\}[^{}]*$",
    )
    data: Path = Field(Path(".samenloop"), description="Directory of the embedded broker, the key and the logs.")
    toepassing: str = Field(
        "samenloop", description="Name of the engine: consumer group and prefix of its own topics.", pattern=r"^[a-z0-9.-]+$"
    )
    partities: int = Field(4, ge=1, le=512, description="Partitions of mutaties.*, klok and the engine's state.")
    replicatie: int = Field(1, ge=1, description="Replication factor of topics that are made.")
    catalogus: Path | None = Field(None, description="Directory of another catalogue than the published one.")
    sleutel: Path | None = Field(None, description="File with the key of the pseudonyms; made in the data directory when absent.")
    session_timeout: float = Field(
        10.0, ge=1, description="Seconds after which a silent worker loses its partitions; Kafka takes 6 or more."
    )
    transaction_timeout: float = Field(30.0, ge=1, le=60, description="Seconds after which Kafka ends a transaction that was left open.")
    http: str = Field(
        "127.0.0.1:0",
        pattern=r"^(off|\S+:\d{1,5})$",
        description="HOST:PORT of a worker's /live, /ready and /metrics; port 0: any free one, told in the log; off: none.",
    )
    instantie: str | None = Field(
        None,
        description="Name of this worker, its own and kept over restarts: then a restart moves no partitions.",
        pattern=r"^[A-Za-z0-9._-]{1,249}$",
    )
    kern: Literal["native", "python"] = Field(
        "native", description="What folds in a worker: the native core where there is one, or the pure Python."
    )
    java: Path | None = Field(None, description="A system Java >= 17 for the embedded broker, in place of the bundled one.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """What belongs together is given together, and a password goes over TLS only."""
        if not self.tls and (self.tls_ca or self.tls_cert or self.tls_key or self.sasl_mechanism):
            raise ValueError("tls_* and sasl_* need tls = true: without it the network could read along")
        if self.tls_key and not self.tls_cert:
            raise ValueError("tls_key needs tls_cert")
        if bool(self.sasl_mechanism) != bool(self.sasl_username) or bool(self.sasl_mechanism) != (
            (self.sasl_password is None) != (self.sasl_password_file is None)
        ):
            raise ValueError("SASL needs sasl_mechanism, sasl_username, and one of sasl_password and sasl_password_file")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings passes all sources by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, TOML file: in this order, and nothing else."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def sleutelbestand(self) -> Path:
        """Where the key of the pseudonyms stands."""
        return self.sleutel or self.data / "persoon.key"
