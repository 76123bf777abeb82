"""The Kafka side: the embedded broker, its tools, and the topics of the catalogue."""
