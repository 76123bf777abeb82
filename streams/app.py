"""``build_app``: the Faust app, with one agent for all mutaties.* and the klok."""

from contextlib import suppress
from typing import Any, cast

import faust
from faust.tables import TableManager
from faust.types import TP

from schemas.brokers import Brokers
from schemas.catalogue import Catalogue
from streams.engine import Engine
from streams.settings import EngineSettings


class App(faust.App):
    """A Faust app that knows its engine."""

    engine: Engine


class NoTables(TableManager):
    """Faust waits a second at each start for tables that may still be declared; here there are none."""

    async def on_start(self) -> None:
        """Called when the app starts."""
        await self._update_channels()
        await self.recovery.start()


def build_app(settings: EngineSettings, catalogue: Catalogue) -> App:
    """A Faust app for ``catalogue``; must be called inside a running event loop. Two apps in one process work."""
    app = App(
        settings.toepassing,
        broker=[f"frames://{server}" for server in settings.brokers.split(",")],
        broker_credentials=_credentials(settings.brokers),
        topic_partitions=settings.partities,
        topic_allow_declare=False,  # topics are made by `samenloop topics apply`, from the catalogue
        topic_disable_leader=True,
        TableManager=NoTables,
        table_standby_replicas=1,  # with 0 Faust takes an assignor that parts the topics' partitions of one number
        web_enabled=False,
        datadir=str(settings.datadir),
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instantie,
        # Faust takes an assignment only under the address for which it was made: a name may come back on another machine.
        canonical_url=f"http://{settings.instantie}" if settings.instantie else None,
        broker_session_timeout=settings.session_timeout,
        broker_rebalance_timeout=settings.session_timeout * 3,
        broker_heartbeat_interval=settings.session_timeout / 4,
        broker_check_crcs=False,  # TCP and the producers' idempotence stand for it; checking costs 3 % of the fetch
        broker_max_poll_records=1,  # of what the transport makes of them: runs of frame_records
        stream_buffer_maxsize=settings.stream_frames,
    )
    app.engine = Engine(settings, catalogue, end_of=lambda tp: _end_of(app, tp))
    _connect(app)
    return app


def _credentials(brokers: str) -> faust.SASLCredentials | faust.SSLCredentials | None:
    if not isinstance(brokers, Brokers):
        return None
    asked = brokers.security
    if asked.mechanism is None:
        return faust.SSLCredentials(asked.context)
    return faust.SASLCredentials(username=asked.username, password=asked.password, mechanism=asked.mechanism, ssl_context=asked.context)


def _end_of(app: App, tp: TP) -> int | None:
    """The end of a source partition, as the last fetch told it."""
    with suppress(AssertionError):  # aiokafka's word for: it has just been taken from this worker
        return cast("int | None", app.consumer.highwater(tp))
    return None


def _connect(app: App) -> None:
    engine = app.engine
    # acks=False: Faust commits nothing of these topics; the offsets go with the effects, in one transaction.
    source = app.topic(*engine.topics, key_type=None, value_type=None, key_serializer="raw", value_serializer="raw", acks=False)

    @app.agent(source, name="mutaties")
    async def mutaties(stream: Any) -> None:  # noqa: ANN401
        async for event in stream.events():
            message = event.message
            await engine.dealt.wait()  # Faust may deliver of new partitions before it has said which they are
            if message.generation_id == app.consumer_generation_id:  # else Kafka has dealt anew, and it comes again
                await engine.take(message.topic, message.partition, message.value)

    async def assigned(*args: Any, **__: Any) -> None:  # noqa: ANN401
        await engine.assigned(args[1])

    async def revoked(*_: Any, **__: Any) -> None:  # noqa: ANN401
        await engine.revoked()

    app.on_partitions_assigned.connect(assigned, weak=False)
    app.on_partitions_revoked.connect(revoked, weak=False)
