"""Old name of `toymodels.profiles`, kept for one version."""

from toymodels.profiles import constant as constant
from toymodels.profiles import geometric as geometric
from toymodels.profiles import log_spaced as log_spaced
from toymodels.profiles import relative as relative
