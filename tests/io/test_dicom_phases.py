"""Dynamic DICOM series: how phases are told apart, when they were taken, and what is no whole number of phases."""

import numpy as np
import pytest
from dicoms import positions, write_dynamic, write_multiframe, write_series, write_slice

from tumortrace.io import ImageError
from tumortrace.io._dicom import read_series

CLOCK = ("120000", "120101.5", "120200")
SECONDS = (0.0, 61.5, 120.0)


@pytest.fixture
def dynamic(rng):
    return rng.integers(0, 4000, (3, 4, 5, 6)).astype(np.uint16)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"TemporalPositionIdentifier": (1, 2, 3), "AcquisitionTime": CLOCK}, SECONDS),
        ({"TemporalPositionIdentifier": (1, 2, 3), "AcquisitionNumber": (3, 2, 1)}, None),
        ({"TemporalPositionIdentifier": (1, 2, 3), "TemporalResolution": (500, 500, 500)}, (0.0, 0.5, 1.0)),
        ({"AcquisitionNumber": (1, 2, 5), "AcquisitionTime": CLOCK}, SECONDS),
        ({"TriggerTime": (1000, 2000, 31000)}, (0.0, 1.0, 30.0)),
        ({"AcquisitionTime": CLOCK}, SECONDS),
        ({"AcquisitionDateTime": tuple(f"20200131{c}+0100" for c in CLOCK)}, SECONDS),
        ({"AcquisitionTime": ("235930", "000000.25", "000030")}, (0.0, 30.25, 60.0)),
        (
            {
                "AcquisitionTime": ("235930", "000030", "000130"),
                "AcquisitionDate": ("20200131", "20200201", "20200201"),
            },
            (0.0, 60.0, 120.0),
        ),
        ({"ContentTime": CLOCK}, None),
    ],
)
def test_phases_and_times(tmp_path, dynamic, times, expected):
    write_dynamic(tmp_path, dynamic, times=times)
    image = read_series(tmp_path, phases=True)
    np.testing.assert_array_equal(image.array, dynamic)
    assert image.times == (None if expected is None else pytest.approx(expected))
    assert image.spacing == (2.0, 1.0, 1.0)
    with pytest.raises(ImageError, match=r"dynamic series of 3 phases \(by \w+\); read it with phases=True"):
        read_series(tmp_path)


def test_slices_taken_one_after_the_other(tmp_path, dynamic):
    for phase, volume in enumerate(dynamic):
        taken = [f"1200{10 * phase + 2 * k:02}" for k in range(4)]
        write_series(tmp_path, volume, name=f"{phase}-{{}}.dcm", AcquisitionTime=taken)
    image = read_series(tmp_path, phases=True)
    np.testing.assert_array_equal(image.array, dynamic)
    assert image.times == (0.0, 10.0, 20.0)


def test_interleaved_times_are_no_phases(tmp_path, dynamic):
    for phase, volume in enumerate(dynamic):
        taken = [f"1200{3 * k + phase:02}" for k in range(4)]
        write_series(tmp_path, volume, name=f"{phase}-{{}}.dcm", AcquisitionTime=taken)
    with pytest.raises(ImageError, match="3 images lie at each place, and no attribute tells them apart"):
        read_series(tmp_path, phases=True)


def test_order_against_time(tmp_path, dynamic):
    write_dynamic(
        tmp_path, dynamic, times={"TemporalPositionIdentifier": (1, 2, 3), "AcquisitionTime": CLOCK[::-1]}
    )
    with pytest.raises(ImageError, match="TemporalPositionIdentifier do not follow one another by AcquisitionTime"):
        read_series(tmp_path, phases=True)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("1-002.dcm", r"dynamic series of 3 images at each place has 2 at place 3 of 4: 0-002.dcm, 2-002.dcm"),
        ("1-000.dcm", r"has 2 at place 1 of 4"),
    ],
)
def test_a_slice_is_missing_in_one_phase(tmp_path, dynamic, file, message):
    write_dynamic(tmp_path, dynamic, times={"TemporalPositionIdentifier": (1, 2, 3)})
    (tmp_path / file).unlink()
    with pytest.raises(ImageError, match=message):
        read_series(tmp_path, phases=True)


def test_a_slice_is_missing_in_every_phase(tmp_path, dynamic):
    write_dynamic(tmp_path, dynamic, times={"AcquisitionNumber": (1, 2, 3)})
    for phase in range(3):
        (tmp_path / f"{phase}-001.dcm").unlink()
    with pytest.raises(ImageError, match=r"a slice is missing: slices are 2 mm apart, but 4 mm between 0-000.dcm"):
        read_series(tmp_path, phases=True)


def test_a_slice_is_there_twice(tmp_path, dynamic):
    write_dynamic(tmp_path, dynamic, times={"TemporalPositionIdentifier": (1, 2, 3)})
    write_slice(tmp_path / "copy.dcm", dynamic[1, 1], (0, 0, 2.0), TemporalPositionIdentifier=2)
    with pytest.raises(ImageError, match=r"has 4 at place 2 of 4: .*copy.dcm.*remove what is too much"):
        read_series(tmp_path, phases=True)


def test_parts_of_phases_are_no_volume(tmp_path, dynamic):
    write_series(tmp_path, dynamic[0], TemporalPositionIdentifier=[1, 1, 2, 2])
    with pytest.raises(ImageError, match="parts of 2 phases"):
        read_series(tmp_path)


def test_one_volume_has_no_phases(tmp_path, dynamic):
    write_series(tmp_path, dynamic[0], AcquisitionNumber=[1, 2, 3, 4])
    np.testing.assert_array_equal(read_series(tmp_path).array, dynamic[0])
    with pytest.raises(ImageError, match="one volume and no dynamic series"):
        read_series(tmp_path, phases=True)


def test_phases_on_different_grids(tmp_path, dynamic):
    for phase, volume in enumerate(dynamic):
        write_series(
            tmp_path, volume, origin=(phase, 0, 0), name=f"{phase}-{{}}.dcm", TemporalPositionIdentifier=phase
        )
    with pytest.raises(ImageError, match="phase 2 lies 1 mm off the first"):
        read_series(tmp_path, phases=True)


@pytest.mark.parametrize("by", ["index", "time", "offset"])
def test_multiframe(tmp_path, dynamic, by):
    groups = [
        {
            "index": {"FrameContentSequence": {"TemporalPositionIndex": phase + 1}},
            "time": {"FrameContentSequence": {"FrameAcquisitionDateTime": f"20200131{CLOCK[phase]}"}},
            "offset": {"TemporalPositionSequence": {"TemporalPositionTimeOffset": SECONDS[phase]}},
        }[by]
        for phase in range(3)
        for _ in range(4)
    ]
    path = write_multiframe(tmp_path / "a.dcm", dynamic.reshape(12, 5, 6), positions(4, 2.0) * 3, per_frame=groups)
    image = read_series(path, phases=True)
    np.testing.assert_array_equal(image.array, dynamic)
    assert image.times == (None if by == "index" else SECONDS)
