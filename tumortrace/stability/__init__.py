"""Which features stay what they are when a lesion is shifted, turned, noisier or drawn a little larger."""

from tumortrace.stability._perturb import DEFAULT, PERTURBATIONS, grow, noise, noise_level, parse, rotate, shift
from tumortrace.stability._stability import stability

__all__ = ["DEFAULT", "PERTURBATIONS", "grow", "noise", "noise_level", "parse", "rotate", "shift", "stability"]
