"""How a task's loss is computed, one file for each way; and which is best."""

from toymodels.estimators.adversarial import AdversarialTraining
from toymodels.estimators.base import Estimator, n_batches, require
from toymodels.estimators.best import ESTIMATES, best_estimator
from toymodels.estimators.control_variate import ControlVariate
from toymodels.estimators.fourier import Fourier
from toymodels.estimators.powers import StratifiedPowers
from toymodels.estimators.quadrature import Quadrature
from toymodels.estimators.sampled import Sampled
from toymodels.estimators.stratified import Stratified

__all__ = [
    "ESTIMATES",
    "AdversarialTraining",
    "ControlVariate",
    "Estimator",
    "Fourier",
    "Quadrature",
    "Sampled",
    "Stratified",
    "StratifiedPowers",
    "best_estimator",
    "n_batches",
    "require",
]
