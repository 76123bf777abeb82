"""Closes records of quarantine that need no retry: each with a marker that says why, so that it is known what became of it."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka.errors import ProducerFenced

from samenloop.errors import NotDoneError
from samenloop.quarantine import Selection, read_quarantine
from samenloop.quarantine_writer import PATIENCE, fencing_producer, send_rows, transaction
from schemas.quarantine import QUARANTAINE, closed_headers

MAX_WHY: Final = 200  # characters
_CHUNK: Final = 500  # markers of one transaction
_NUMBER: Final = re.compile(r"(?:\d[ .-]?){8,}")  # a BSN, also as people write it
_PSEUDONYM: Final = re.compile(r"[A-Z2-7]{52}")


@dataclass
class Closing:
    """What was closed, by the numbers of the records."""

    closed: list[int] = field(default_factory=list)
    before: dict[int, str] = field(default_factory=dict)  # retried or closed earlier, and how: nothing was done

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"closed": self.closed, "done_before": [{"number": n, "state": state} for n, state in self.before.items()]}


def checked_why(why: str) -> str:
    """One line of text that holds no number or pseudonym of a persoon; raises NotDoneError. A name is for the operator to leave out."""
    text = " ".join(why.split())
    if not text or len(text) > MAX_WHY:
        raise NotDoneError(f"say in 1 to {MAX_WHY} characters why no retry is needed")
    if _NUMBER.search(text) or _PSEUDONYM.search(text):
        raise NotDoneError("the text is kept and shown: it may hold no number of eight digits or more, and no pseudonym")
    return text


async def close(brokers: str, toepassing: str, selection: Selection, why: str) -> Closing:
    """Close what ``selection`` means and is open; raises NotDoneError, and KafkaError. Nothing else of the records changes."""
    text, closing = checked_why(why), Closing()
    try:
        async with fencing_producer(brokers, toepassing) as producer:
            quarantine = await read_quarantine(brokers)  # only now: whoever was at it before has been fenced
            meant = [quarantine.one(n) for n in selection.numbers] or selection.of(h for h in quarantine.records() if h.is_open)
            closing.before = {h.number: h.state for h in meant if not h.is_open}
            numbers = [h.number for h in meant if h.is_open]
            for start in range(0, len(numbers), _CHUNK):
                chunk = numbers[start : start + _CHUNK]
                async with asyncio.timeout(PATIENCE), transaction(producer):
                    rows = ((None, None, closed_headers(n, text)) for n in chunk)
                    await (await send_rows(producer, (QUARANTAINE, 0), rows))
                closing.closed += chunk
    except ProducerFenced as e:
        raise NotDoneError("another command has begun on quarantine and ended this one: look with 'list' what is still open") from e
    except TimeoutError as e:
        raise NotDoneError(f"Kafka did not answer for {PATIENCE:g} s; what was not confirmed has not been closed") from e
    return closing
