"""The contract: schemas of the wire, the catalogue of diensten, and the typed values and codec made from them."""
