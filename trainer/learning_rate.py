"""The learning rate that suits a base, where none was chosen.

The larger a model, the smaller the steps that its adapter bears. All figures of docs/experiments.md were made
with 1e-3 on 135 million parameters; QLoRA took 2e-4 for 7 and 13 billion (https://arxiv.org/abs/2305.14314).
What lies between was not measured here: it has a rate between.
"""

from .base import Base
from .options import AUTO, Options

# From so many parameters on, largest first.
BY_SIZE = ((4e9, 2e-4), (1e9, 5e-4), (0.0, 1e-3))


def learning_rate(base: Base, options: Options) -> float:
    """The peak of the schedule: the one that was chosen, else by the size of the base."""
    if options.learning_rate != AUTO:
        return float(options.learning_rate)
    n_parameters = base.model.num_parameters()
    return next(rate for least, rate in BY_SIZE if n_parameters >= least)
