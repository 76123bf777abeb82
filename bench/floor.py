"""The floor: librdkafka passes every record on to one of the ontvangers' topics, without any logic, and commits after each flush."""

import sys
import time

from confluent_kafka import Consumer, Producer


def main(brokers: str, total: int, sources: list[str], outputs: list[str]) -> None:
    """Pass ``total`` records on and print the seconds from the first record to the last commit, and those of CPU."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"bench-floor-{time.time()}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 20,
            "queued.min.messages": 200_000,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "enable.idempotence": True,
            "linger.ms": 5,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    consumer.subscribe(sources)
    begin, cpu, number = 0.0, 0.0, 0
    while number < total:
        messages = consumer.consume(10_000, 0.05)
        if messages and not begin:
            begin, cpu = time.perf_counter(), time.process_time()
        for m in messages:
            if m.error():
                raise SystemExit(str(m.error()))
            number += 1
            producer.produce(outputs[number % len(outputs)], m.value(), m.key())
        producer.poll(0)
        if messages and producer.flush(30) == 0:
            consumer.commit(asynchronous=False)
    sys.stdout.write(f"{time.perf_counter() - begin:.3f} {time.process_time() - cpu:.3f}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3].split(","), sys.argv[4].split(","))
