"""The kinetics of one patient: phases read, brought to one scale, and described slice by slice."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace import io
from tumortrace.features import CommonScale, FeatureVector, common_scale, kinetics
from tumortrace.io.synthetic import SEQUENCES
from tumortrace.table._parameters import in_one_line
from tumortrace.table._rows import Source

PHASES, SUBTRACTIONS = SEQUENCES[:9], SEQUENCES[9:]


class Slice(NamedTuple):
    """Where the images of a slice are: None where it lacks one."""

    phases: tuple[Source | None, ...]
    subtractions: tuple[Source | None, ...]
    mask: Source | None


class Course(NamedTuple):
    """The kinetics of a patient: the scale, and for each slice the numbers or why there are none."""

    scale: CommonScale | None
    slices: list[FeatureVector | str]


class _Stack(NamedTuple):
    phases: NDArray[Any]
    subtractions: NDArray[Any] | None
    mask: NDArray[Any] | None


@dataclass(frozen=True)
class Kinetics:
    """Slices of patients to their kinetics.

    Parameters
    ----------
    phases, subtractions : sequence of str
        Names of the sequences, for messages. Without subtractions the phases have one scale.
    parameters : mapping
        Of `features.kinetics`.
    """

    phases: Sequence[str]
    subtractions: Sequence[str]
    parameters: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features; finds a parameter that is not valid. The scale is none: it is recovered."""
        return kinetics(np.zeros((len(self.phases), 8, 8)), scale=1.0, **self.parameters).names

    def __call__(self, patients: Sequence[Sequence[Slice]]) -> list[Course]:
        """Compute; a slice that cannot be read or lacks a phase says so and stays without numbers."""
        return [self._of_patient(slices) for slices in patients]

    def _of_patient(self, slices: Sequence[Slice]) -> Course:
        stacks = [self._read(one) for one in slices]
        if not self.subtractions:
            return Course(None, [self._describe(stack, 1.0) for stack in stacks])
        whole = [s for s in stacks if isinstance(s, _Stack) and s.subtractions is not None]
        if not whole:
            reason = "no slice of the patient has every phase and subtraction, so no common scale"
            return Course(None, [stack if isinstance(stack, str) else reason for stack in stacks])
        scale = common_scale(
            [s.phases[0] for s in whole],
            [s.phases[1:] for s in whole],
            [s.subtractions for s in whole if s.subtractions is not None],
        )
        if scale.reason:
            reason = f"no common scale: {scale.reason}"
            return Course(scale, [stack if isinstance(stack, str) else reason for stack in stacks])
        return Course(scale, [self._describe(stack, scale.k) for stack in stacks])

    def _read(self, one: Slice) -> _Stack | str:
        """Return the pixels of a slice, or why it has none."""
        try:
            phases = _stacked(self.phases, one.phases)
            mask = None if one.mask is None else _pixels(one.mask)
        except ValueError as error:
            return in_one_line(error)
        try:
            subtractions = _stacked(self.subtractions, one.subtractions) if self.subtractions else None
        except ValueError:
            subtractions = None  # the scale comes from the other slices of the patient
        if subtractions is not None and subtractions.shape[1:] != phases.shape[1:]:
            subtractions = None
        return _Stack(phases, subtractions, mask)

    def _describe(self, stack: _Stack | str, scale: float) -> FeatureVector | str:
        if isinstance(stack, str):
            return stack
        try:
            return kinetics(stack.phases, stack.mask, scale=scale, **self.parameters)
        except ValueError as error:
            return in_one_line(error)


def phase_names(
    source: str, known: list[str], phases: Sequence[str] | None, subtractions: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of phases and subtractions, by default those of BreaDM that are known.

    Parameters
    ----------
    source : str
        What the images come from, for messages.
    known : list of str
        The sequences that there are.
    phases, subtractions : sequence of str, optional
        As `extract_slices` takes them.
    """
    if phases is None:
        chosen = tuple(name for name in PHASES if name in known)
        if PHASES[0] not in chosen or len(chosen) < 3:
            raise ValueError(f"{source}: the phases are not those of BreaDM; name them, of {', '.join(known)}")
    else:
        chosen = tuple(phases)
        if len(chosen) < 3 or not set(chosen) & set(known):
            raise ValueError(f"phases are {', '.join(chosen)}; give three or more of {', '.join(known)}")
    after = len(chosen) - 1
    if subtractions is not None:
        given = tuple(subtractions)
        if given and len(given) != after:
            raise ValueError(
                f"there are {len(given)} subtractions for {after} phases after contrast; give one for each"
            )
        return chosen, given
    matching = tuple(SUBTRACTIONS[PHASES.index(name) - 1] for name in chosen[1:] if name in PHASES)
    if len(matching) == after and set(matching) & set(known):
        return chosen, matching
    warnings.warn(
        f"{source} has no subtractions that tell the scale of its phases: they are taken to have one already. "
        "Pass subtractions=() if so",
        stacklevel=3,
    )
    return chosen, ()


def _stacked(names: Sequence[str], sources: Sequence[Source | None]) -> NDArray[Any]:
    """Return images as one array, the first axis over `names`."""
    arrays = []
    for name, source in zip(names, sources, strict=True):
        if source is None:
            raise ValueError(f"the slice lacks {name}")
        try:
            arrays.append(_pixels(source))
        except ValueError as error:
            raise ValueError(f"{name}: {in_one_line(error).removeprefix(f'{source}: ')}") from error
        if arrays[-1].shape != arrays[0].shape:
            raise ValueError(
                f"{name} has shape {arrays[-1].shape}, {names[0]} {arrays[0].shape}: no stack of phases"
            )
    return np.stack(arrays)


def _pixels(source: Source) -> NDArray[Any]:
    return source if isinstance(source, np.ndarray) else io.decode(io.read_bytes(source), source)
