"""The publication of the catalogue: the pages, the AsyncAPI document, the schemas and the examples, all made from ``schemas/``."""
