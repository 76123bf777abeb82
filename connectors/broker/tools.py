"""Apache Kafka's own console tools on the embedded distribution."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from connectors.broker.distribution import distribution

TOOLS: Final = {
    "acls": "org.apache.kafka.tools.AclCommand",
    "broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "cluster": "org.apache.kafka.tools.ClusterTool",
    "configs": "kafka.admin.ConfigCommand",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "dump-log": "kafka.tools.DumpLogSegments",
    "features": "org.apache.kafka.tools.FeatureCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "groups": "org.apache.kafka.tools.GroupsCommand",
    "log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "topics": "org.apache.kafka.tools.TopicCommand",
    "transactions": "org.apache.kafka.tools.TransactionsCommand",
}
_WITHOUT_BROKER: Final = {"dump-log"}
_BROKER_LAST: Final = {"cluster"}  # takes the broker as a flag of its subcommand; the others with subcommands want it before
_BROKER_FLAGS: Final = {"--bootstrap-server", "--bootstrap-controller", "--broker-list", "--help", "--version"}


class UnknownToolError(Exception):
    """There is no console tool of that name; the text lists those that there are."""


def tool_command(name: str, args: Sequence[str], bootstrap: str | None, java: Path | None = None) -> list[str]:
    """The command line of a tool, with the broker filled in where the user named none; raises UnknownToolError."""
    tool = name.removeprefix("kafka-").removesuffix(".sh")
    if tool not in TOOLS:
        raise UnknownToolError(f"there is no tool {name}; there are: {', '.join(sorted(TOOLS))}")
    fill = bootstrap is not None and tool not in _WITHOUT_BROKER and not any(a.split("=")[0] in _BROKER_FLAGS for a in args)
    place = ["--bootstrap-server", str(bootstrap)] if fill else []
    options = ("-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
    whole = [*args, *place] if tool in _BROKER_LAST else [*place, *args]
    return distribution(java).command(TOOLS[tool], *whole, options=options)


def run_tool(name: str, args: Sequence[str], *, bootstrap: str | None, java: Path | None = None) -> int:
    """Run a tool on this terminal and return its exit code; raises UnknownToolError."""
    command = tool_command(name, args, bootstrap, java)
    with subprocess.Popen(command) as tool:  # noqa: S603
        try:
            return tool.wait()
        except KeyboardInterrupt:  # the terminal has told the tool too
            return tool.wait()
