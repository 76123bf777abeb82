"""The outside world: brokers, bronnen that deliver, ontvangers that read."""
