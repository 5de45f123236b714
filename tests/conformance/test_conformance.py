"""The digital phantom of the IBSI: every value right, and a wrong one noticed."""

import csv
import functools
import inspect
import json
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from tumortrace import conformance, io
from tumortrace.features import FEATURES, FeatureVector
from tumortrace.features._nomenclature import IBSI_FAMILIES, TERMS
from tumortrace.table import Settings

COLUMNS = "family,family_code,aggregation,aggregation_slug,feature,ibsi_code,value,tolerance,consensus"


def shipped(name):
    return files("tumortrace.conformance") / "data" / name


def break_extractor(monkeypatch, name, feature, change):
    """Let one feature of an extractor come out different."""
    right = FEATURES[name]

    @functools.wraps(right)
    def broken(*args, **parameters):
        vector = right(*args, **parameters)
        values = {**vector.to_dict(), feature: change(vector[feature])}
        return FeatureVector(tuple(values), list(values.values()), vector.reason)

    monkeypatch.setitem(FEATURES, name, broken)


def table(path, *rows):
    path.write_text("\n".join([COLUMNS, *rows, ""]))
    return path


@pytest.fixture
def lump():
    k, j, i = np.indices((7, 12, 12))
    hu = (40 * np.sin(i) + 30 * np.cos(j * 0.7 + k) - 10 * k).round().astype(np.int16)
    inside = (k - 3) ** 2 * 4 + (j - 6) ** 2 + (i - 6) ** 2 < 20
    return io.Image(hu, inside, (3.0, 1.0, 1.0))


def test_every_consensus_value_is_computed():
    checks = conformance.verify()
    assert len(checks) == 482
    assert [check for check in checks if not check.within] == []
    for check in checks:
        assert check.within is (
            abs(check.computed - check.reference) <= check.tolerance + 1e-9 * abs(check.reference)
        )
    keys = {(check.ibsi_code, check.aggregation) for check in checks}
    assert len(keys) == 482
    assert len({code for code, _ in keys}) == 169
    frame = pd.DataFrame(checks)
    assert frame["within"].all()
    assert frame.groupby("family").size().to_dict() == {
        **{"morphology": 25, "local_intensity": 2, "first_order": 41, "ivh": 6, "glcm": 150, "glrlm": 96},
        **{"glszm": 48, "gldzm": 48, "ngtdm": 15, "ngldm": 51},
    }


def test_the_numbers_are_those_of_the_extractors():
    phantom = conformance.digital_phantom()
    check = next(c for c in conformance.verify(families=["glcm"]) if c.aggregation == "2d_average")
    v = FEATURES["glcm"](phantom.array, phantom.mask, bin_width=1, aggregation="2d_average")
    assert check.computed == v[check.feature]


@pytest.mark.parametrize("family", conformance.FAMILIES)
def test_a_broken_extractor_is_noticed(monkeypatch, family):
    feature = next(name for name, term in TERMS[family].items() if term.ibsi)
    break_extractor(monkeypatch, family, feature, lambda value: 1.02 * value)
    wrong = [check for check in conformance.verify() if not check.within]
    assert {(check.family, check.feature) for check in wrong} == {(family, feature)}
    break_extractor(monkeypatch, family, feature, lambda value: np.nan)
    checks = conformance.verify(families=[family])
    of_feature = [check for check in checks if check.feature == feature]
    assert of_feature
    assert not any(check.within for check in of_feature)


def test_a_number_that_is_not_computed_is_not_within(monkeypatch):
    monkeypatch.setitem(TERMS, "ngtdm", {"coarseness": TERMS["ngtdm"]["coarseness"]})
    checks = conformance.verify(families=["ngtdm"])
    assert [check.within for check in checks] == [True] * 3 + [False] * 12
    assert np.isnan(checks[-1].computed)


def test_the_shipped_data_are_those_of_the_ibsi(data_root):
    theirs = np.load(data_root / "ibsi" / "digital_phantom.npz")
    assert str(theirs["axis_order"]) == "zyx"
    phantom = conformance.digital_phantom()
    assert np.array_equal(phantom.array, theirs["image"])
    assert np.array_equal(phantom.mask, theirs["mask"])
    assert phantom.spacing == tuple(theirs["spacing"])
    name = "digital_phantom_reference.csv"
    assert shipped(name).read_text() == (data_root / "ibsi" / name).read_text()


def test_the_data_name_their_authors_and_licence():
    said = shipped("ATTRIBUTION.md").read_text(encoding="utf-8")
    for part in ("Alex Zwanenburg", "Attribution 4.0", "https://github.com/theibsi/data_sets", "Changes"):
        assert part in said
    assert "Creative Commons\nAttribution 4.0 International Public License" in shipped(
        "LICENSE-CC-BY-4.0.txt"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("printed", "half"),
    [
        ("0.698", 0.0005),
        ("556.0", 0.5),
        ("-11300", 50),
        ("1.0", 0.005),
        ("0.1", 0.0005),
        ("3.1416", 0.00005),
        ("0.0", 0),
    ],
)
def test_half_a_unit_of_the_last_digit(printed, half):
    assert conformance.half_unit(printed) == pytest.approx(half, rel=1e-12)


@pytest.mark.parametrize("printed", ["0.125", "-0.125", "1e-7", "98765.0"])
def test_within_means_rounds_to_the_same_digits(printed):
    value, half = float(printed), conformance.half_unit(printed)
    for share, expected in ((0, True), (0.99, True), (1, True), (1.01, False)):
        for sign in (1, -1):
            assert conformance.within(value + sign * share * half, value, half) is expected


def test_zero_is_zero():
    assert conformance.within(0.0, 0.0, conformance.half_unit("0.0"))
    assert not conformance.within(1e-6, 0.0, conformance.half_unit("0.0"))


def test_a_tolerance_is_never_less_than_what_was_printed(tmp_path):
    path = table(
        tmp_path / "r.csv", "f,IPET,3D,3d,Coarseness,QCDE,0.121,0.0001,strong", "f,IPET,3D,3d,X,65HE,2,0.3,"
    )
    assert [r.tolerance for r in conformance.read_reference(path)] == [0.0005, 0.3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("feature,value\na,1\n", r"r\.csv has no column family_code; it needs family_code, "),
        (f"{COLUMNS}\nf,IPET,3D,3d,Coarseness,QCDE,much,,strong\n", r"r\.csv, line 2: .* is no number"),
        (f"{COLUMNS}\nf,IPET,3D,3d,Coarseness,QCDE,0.1,little,strong\n", r"r\.csv, line 2: .* is no number"),
        (f"{COLUMNS}\nf,IPET,3D,3d,Coarseness,QCDE,,,none\n", r"r\.csv has no values to compare with"),
    ],
)
def test_a_bad_reference_is_named(tmp_path, text, message):
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        conformance.read_reference(path)


def test_unknown_names_are_errors(lump, tmp_path):
    with pytest.raises(ValueError, match=r"unknown family: gclm \(did you mean glcm\?\); valid: first_order, "):
        conformance.verify(families=["gclm"])
    with pytest.raises(ValueError, match=r"configuration is 'F'; give .*'A'"):
        conformance.verify_volume(lump, "F")
    path = table(tmp_path / "r.csv", "f,XXXX,3D,3d,Coarseness,QCDE,0.1,,strong")
    with pytest.raises(ValueError, match=r"the reference has a family 'XXXX'; the IBSI has UHIW, "):
        conformance.verify_volume(lump, "C", path)
    with pytest.raises(ValueError, match="has no mask; the IBSI measures a region in mm"):
        conformance.verify_volume(io.Image(lump.array, None, lump.spacing), "C")
    with pytest.raises(ValueError, match="has no spacing"):
        conformance.verify_volume(io.Image(lump.array, lump.mask), "C")


@pytest.mark.parametrize("letter", conformance.CONFIGURATIONS)
def test_a_configuration_computes_every_feature_of_the_ibsi(lump, letter):
    checks = conformance.verify_volume(lump, letter)
    of_slices = letter in "AB"
    counts = {"glcm": 4 if of_slices else 2, "glrlm": 4 if of_slices else 2}
    counts |= dict.fromkeys(("glszm", "gldzm", "ngtdm", "ngldm"), 2 if of_slices else 1)
    expected = sum(
        counts.get(family, 1) * sum(bool(term.ibsi) for term in TERMS[family].values()) for family in IBSI_FAMILIES
    )
    assert len(checks) == expected
    assert len({(check.ibsi_code, check.aggregation) for check in checks}) == expected
    assert {check.aggregation[:2] for check in checks} == ({"", "2d", "2."} if of_slices else {"", "3d"})
    assert {check.within for check in checks} == {None}


@pytest.mark.parametrize("settings", [conformance.DIGITAL_PHANTOM, *conformance.CONFIGURATIONS.values()])
def test_the_settings_are_those_of_the_ibsi(settings):
    assert {name for name in settings[0] if name in FEATURES} == set(IBSI_FAMILIES)
    for one in settings:
        assert Settings.of(one).deviations == []


def test_intensities_are_whole_numbers_first(lump):
    expected = conformance.verify_volume(lump, "A", families=["first_order"])
    fine = io.Image(lump.array + 0.3, lump.mask, lump.spacing)
    assert conformance.verify_volume(fine, "A", families=["first_order"]) == expected


def test_a_reference_of_its_own_is_met_and_a_wrong_one_not(lump, tmp_path):
    codes = {family: code for family, (code, *_) in IBSI_FAMILIES.items()}
    computed = conformance.verify_volume(lump, "E", families=["glszm", "ngtdm"])
    rows = [
        f",{codes[c.family]},,{c.aggregation},{c.feature},{c.ibsi_code},{c.computed:.3g},,strong" for c in computed
    ]
    path = table(tmp_path / "right.csv", *rows)
    checks = conformance.verify_volume(lump, "E", path)
    assert [
        check._replace(reference=None, tolerance=None, consensus="", within=None) for check in checks
    ] == computed
    assert all(check.within for check in checks)
    assert sum(check.within for check in conformance.verify_volume(lump, "D", path)) < len(checks) / 2
    assert len(conformance.verify_volume(lump, "E", path, families=["ngtdm"])) == 5
    elsewhere = table(tmp_path / "wrong.csv", rows[0].replace(",3d,", ",2d,"))
    (check,) = conformance.verify_volume(lump, "E", elsewhere)
    assert check.within is False


def test_the_phantom_is_as_the_file_says():
    content = json.loads(shipped("digital_phantom.json").read_text())
    phantom = conformance.digital_phantom()
    assert phantom.array.tolist() == content["image"]
    assert phantom.mask.astype(int).tolist() == content["mask"]


def test_the_reference_says_what_is_computed():
    """Every row has the family of its feature, by the codes of the IBSI."""
    with shipped("digital_phantom_reference.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    family_of = {term.ibsi: family for family, terms in TERMS.items() for term in terms.values() if term.ibsi}
    for row in rows:
        assert row["family_code"] in IBSI_FAMILIES[family_of[row["ibsi_code"]]]


def test_the_signatures_are_keyword_only():
    for function in (conformance.verify, conformance.verify_volume):
        assert inspect.signature(function).parameters["families"].kind is inspect.Parameter.KEYWORD_ONLY
