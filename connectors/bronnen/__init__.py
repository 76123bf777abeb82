"""The side of the bronnen: checking, pseudonymising and publishing their records, and answering volgverzoeken."""
