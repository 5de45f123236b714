"""Slow, obvious versions of what the kernels compute: the oracle of the tests.

Plain loops over plain arrays, one formula a line, nothing shared with the package.
"""

import numpy as np
