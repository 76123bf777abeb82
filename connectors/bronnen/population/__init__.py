"""A synthetic population: persons of the BSN test range, their benefits, work and income, as bronnen would deliver them."""

from connectors.bronnen.population.deliveries import Delivery, population, shuffled
from connectors.bronnen.population.knobs import Knobs
from connectors.bronnen.population.persons import EPOCH_DAY

__all__ = ["EPOCH_DAY", "Delivery", "Knobs", "population", "shuffled"]
