"""All faults that the suite knows, in one list, and as the table of docs/reliability.md."""

from tests.faults import of_brokers, of_input, of_workers

FAULTS = [*of_workers.FAULTS, *of_brokers.FAULTS, *of_input.FAULTS]
FAST_SEED = 20_261_124


def table() -> str:
    """The faults in Markdown."""
    rows = [f"| {f.name} | {f.what} | {'yes' if f.fast else ''} |" for f in FAULTS]
    return "\n".join(["| fault | what happens | in `./run test` |", "| --- | --- | --- |", *rows])
