"""Terms that training adds to the loss, one file each."""

from toymodels.penalties.base import Penalty

__all__ = ["Penalty"]
