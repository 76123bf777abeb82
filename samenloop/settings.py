"""Settings: flags first, then ``SAMENLOOP_*`` in the environment, then ``samenloop.toml``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class Settings(BaseSettings):
    """How this process runs; what the node may do stands in the catalogue."""

    model_config = SettingsConfigDict(env_prefix="SAMENLOOP_", toml_file="samenloop.toml", extra="forbid", frozen=True)

    brokers: str | None = Field(None, description="Kafka bootstrap servers; without it the embedded broker of the data directory is used.")
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
    java: Path | None = Field(None, description="A system Java >= 17 for the embedded broker, in place of the bundled one.")

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
