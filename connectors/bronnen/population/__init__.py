"""A synthetic population: persons of the BSN test range, their benefits, work and income, as bronnen would deliver them."""

from connectors.bronnen.population.deliveries import Delivery, population, shuffled
from connectors.bronnen.population.knobs import Knobs

__all__ = ["Delivery", "Knobs", "population", "shuffled"]
