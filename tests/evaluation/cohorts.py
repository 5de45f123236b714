"""Cohorts of patients for the tests."""

import numpy as np


def cohort(rng, patients=40, rows=6, signal=1.0, decimals=8):
    """Labels by patient, probabilities with a part that all rows of a patient share, and patients' names."""
    y = np.arange(patients) % 2
    logit = signal * (y - 0.5) + rng.normal(size=patients)
    names = np.repeat([f"p{i:03}" for i in range(patients)], rows)
    noisy = np.repeat(logit, rows) + 0.2 * rng.normal(size=patients * rows)
    return np.repeat(y, rows), (1 / (1 + np.exp(-noisy))).round(decimals), names


def drawn_rows(names, y, seed):
    """Yield the rows of resamples of patients, class by class: the slow, obvious bootstrap."""
    generator = np.random.default_rng(seed)
    classes = [np.unique(names[y == c]) for c in (0, 1)]
    of = {name: np.flatnonzero(names == name) for name in np.unique(names)}
    while True:
        yield np.concatenate([of[p] for c in classes for p in generator.choice(c, len(c))])
