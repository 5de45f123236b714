import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from table.toy import toy

from tumortrace.features import FEATURES, common_scale, kinetics
from tumortrace.io import find, read_image, synthetic
from tumortrace.table import extract, extract_slices, widen

PHASES = synthetic.SEQUENCES[:9]
SUBTRACTIONS = synthetic.SEQUENCES[9:]
CHEAP = {"first_order": {"levels": 8}}
KINETICS = [f"kinetics_{name}" for name in kinetics(np.ones((3, 4, 4))).names]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthetic.make_lesions(tmp_path_factory.mktemp("slices") / "lesions", patients=4, slices=3, seed=2)


@pytest.fixture(scope="module")
def table(made):
    return extract_slices(made, CHEAP, jobs=1)


@pytest.fixture
def lesions(made, tmp_path):
    return shutil.copytree(made, tmp_path / "lesions")


def course_only(source, **arguments):
    return extract_slices(source, texture=False, jobs=1, **arguments)


def images_of(root, patient):
    """The images of a patient, as a DataFrame of slices and sequences."""
    frame = find(root).frame
    own = frame[frame["patient"] == patient]
    arrays = own.assign(array=[read_image(root / path).array for path in own["image"]])
    return arrays.pivot(index="slice", columns="sequence", values="array")


def manifest(root, out, rows=None, **columns):
    frame = find(root).frame
    frame["image"] = [str(root / path) for path in frame["image"]]
    frame = frame if rows is None else frame[rows(frame)]
    frame.assign(**columns).to_csv(out, index=False)
    return out


# what is in it


def test_the_columns_in_their_order(made, table):
    frame = find(made).frame
    keys = ["split", "label", "patient", "slice"]
    assert list(table.columns[:4]) == keys
    assert table[keys].to_numpy().tolist() == frame[keys].drop_duplicates().to_numpy().tolist()
    assert list(table.columns[-2:]) == ["status", "error"]
    assert (table["status"] == "ok").all()
    assert (table["error"] == "").all()
    names = list(table.columns[4:-2])
    kinds = ["image" if n.endswith("__image") else "texture" if "__" in n else "kinetics" for n in names]
    assert kinds == sorted(kinds, key=["image", "texture", "kinetics"].index)
    assert [n for n, kind in zip(names, kinds, strict=True) if kind == "kinetics"] == KINETICS
    assert kinds.count("image") == 17
    assert table.attrs == {"phases": PHASES, "subtractions": SUBTRACTIONS}


def test_paths_are_absolute_and_right(made, table):
    for name, sequence in (("vibrant", "VIBRANT"), ("vibrant_c3", "VIBRANT+C3"), ("sub8", "SUB8")):
        for row in table.to_dict("records"):
            at = made / row["split"] / row["label"] / row["patient"] / sequence / f"p-{row['slice']:03d}.jpg"
            assert row[f"{name}__image"] == str(at.absolute())


def test_texture_is_that_of_extract(made, table):
    wide = widen(extract(made, CHEAP, jobs=1))
    columns = [name for name in wide if "__" in name]
    assert len(columns) > 17 * 18
    pd.testing.assert_frame_equal(table[columns], wide[columns])


def test_kinetics_are_on_the_scale_of_the_patient(made, table):
    for patient, rows in table.groupby("patient"):
        images = images_of(made, patient)
        stack, subtracted = (
            {s: np.stack(images.loc[s, list(names)].tolist()) for s in images.index}
            for names in (PHASES, SUBTRACTIONS)
        )
        scale = common_scale(
            [s[0] for s in stack.values()], [s[1:] for s in stack.values()], [*subtracted.values()]
        )
        assert scale.reason == ""
        for row in rows.to_dict("records"):
            expected = kinetics(stack[row["slice"]], scale=scale.k)
            assert [row[name] for name in KINETICS] == np.asarray(expected).tolist()


def test_one_kind_alone(made, table):
    only = course_only(made)
    assert not [name for name in only if "__" in name and not name.endswith("__image")]
    pd.testing.assert_frame_equal(only[KINETICS], table[KINETICS])
    texture = extract_slices(made, CHEAP, kinetics=False, jobs=1)
    assert not set(KINETICS) & set(texture)
    pd.testing.assert_frame_equal(texture, table.drop(columns=KINETICS))
    assert texture.attrs == {}


@pytest.fixture
def three_extractors():
    """Shape, first order and the toy are all there are; then everything is back in its order."""
    every = dict(FEATURES)
    FEATURES.clear()
    FEATURES.update(first_order=every["first_order"], shape=every["shape"], toy=toy)
    yield
    FEATURES.clear()
    FEATURES.update(every)


@pytest.mark.usefixtures("three_extractors")
def test_shape_is_left_out_unless_asked_for(made):
    rows = find(made).frame.iloc[:17].assign(image=lambda f: [str(made / p) for p in f["image"]])
    default = extract_slices(rows, kinetics=False, jobs=1)
    assert {name.split("__")[1].split("_")[0] for name in default if "__" in name} == {"image", "first", "toy"}
    assert "sub1__shape_area" in extract_slices(rows, ["shape"], kinetics=False, jobs=1)


def test_parameters_of_kinetics(made, table):
    other = course_only(made, kinetics={"early": 1, "plateau": 0.5})
    assert (other["kinetics_plateau_fraction"] >= table["kinetics_plateau_fraction"]).any()
    assert not other["kinetics_plateau_fraction"].equals(table["kinetics_plateau_fraction"])
    pd.testing.assert_series_equal(other["kinetics_baseline_lesion"], table["kinetics_baseline_lesion"])
    with pytest.raises(TypeError, match="platau"):
        course_only(made, kinetics={"platau": 0.1})
    with pytest.raises(ValueError, match="times are"):
        course_only(made, kinetics={"times": (0, 1)})


def test_jobs_change_nothing(made, table, monkeypatch):
    from tumortrace.table import _pool

    monkeypatch.setattr(_pool, "_WORTH_SECONDS", 0)
    monkeypatch.setattr(_pool, "_FIRST_ITEMS", 1)
    pd.testing.assert_frame_equal(course_only(made)[KINETICS], table[KINETICS])
    pd.testing.assert_frame_equal(extract_slices(made, texture=False, jobs=2)[KINETICS], table[KINETICS])


# sources


def test_a_manifest_and_a_frame_are_sources_too(made, table, tmp_path):
    path = manifest(made, tmp_path / "list.csv")
    from_manifest = extract_slices(path, CHEAP, jobs=1)
    pd.testing.assert_frame_equal(from_manifest, table)
    frame = find(made).frame.assign(image=lambda f: [str(made / p) for p in f["image"]])
    pd.testing.assert_frame_equal(extract_slices(frame, CHEAP, jobs=1), table)


def test_arrays_have_no_paths(made, table):
    frame = find(made).frame
    frame["image"] = [read_image(made / path).array for path in frame["image"]]
    found = course_only(frame.drop(columns=["split", "label"]))
    assert not [name for name in found if name.endswith("__image")]
    assert list(found.columns[:2]) == ["patient", "slice"]
    pd.testing.assert_frame_equal(found[KINETICS], table[KINETICS])


def test_masks_are_used(made, tmp_path):
    mask = tmp_path / "mask.png"
    patient = find(made).frame["patient"].iloc[0]
    shape = images_of(made, patient)["VIBRANT"].iloc[0].shape
    inside = np.zeros(shape, np.uint8)
    inside[1:-2, 2:-1] = 1
    Image.fromarray(inside).save(mask)
    source = manifest(made, tmp_path / "m.csv", rows=lambda f: f["patient"] == patient, mask=str(mask))
    masked = course_only(source)
    plain = course_only(manifest(made, tmp_path / "p.csv", rows=lambda f: f["patient"] == patient))
    assert not masked["kinetics_lesion_fraction"].equals(plain["kinetics_lesion_fraction"])
    images = images_of(made, patient)
    stacks = [np.stack(images.loc[s, list(PHASES)].tolist()) for s in images.index]
    subtracted = [np.stack(images.loc[s, list(SUBTRACTIONS)].tolist()) for s in images.index]
    scale = common_scale([s[0] for s in stacks], [s[1:] for s in stacks], subtracted)
    expected = kinetics(stacks[0], inside, scale=scale.k)
    assert masked[KINETICS].iloc[0].tolist() == np.asarray(expected).tolist()


def test_other_names_of_phases(made, table, tmp_path):
    frame = find(made).frame
    names = {"VIBRANT": "pre", "VIBRANT+C1": "early", "VIBRANT+C4": "late", "SUB1": "d1", "SUB4": "d4"}
    frame = frame[frame["sequence"].isin(names)]
    frame = frame.assign(image=[str(made / path) for path in frame["image"]], sequence=frame["sequence"].map(names))
    with pytest.raises(
        ValueError, match="the phases are not those of BreaDM; name them, of d1, d4, pre, early, late"
    ):
        course_only(frame)
    found = course_only(frame, phases=["pre", "early", "late"], subtractions=["d1", "d4"])
    assert (found["status"] == "ok").all()
    assert found.attrs == {"phases": ("pre", "early", "late"), "subtractions": ("d1", "d4")}
    some = course_only(
        manifest(made, tmp_path / "some.csv", rows=lambda f: f["sequence"].isin(names)),
    )
    pd.testing.assert_frame_equal(found[KINETICS], some[KINETICS])
    assert some.attrs == {"phases": ("VIBRANT", "VIBRANT+C1", "VIBRANT+C4"), "subtractions": ("SUB1", "SUB4")}


def test_without_subtractions_the_scale_is_1(made, tmp_path):
    source = manifest(made, tmp_path / "m.csv", rows=lambda f: ~f["sequence"].str.startswith("SUB"))
    with pytest.warns(UserWarning, match="no subtractions that tell the scale"):
        warned = course_only(source)
    told = course_only(source, subtractions=())
    pd.testing.assert_frame_equal(warned, told)
    row = told.iloc[0]
    images = images_of(made, row["patient"])
    stack = np.stack(images.loc[row["slice"], list(PHASES)].tolist())
    assert row[KINETICS].tolist() == np.asarray(kinetics(stack)).tolist()


# what goes wrong


def changed(table, found):
    """Positions of the rows whose kinetics differ."""
    return np.flatnonzero((table[KINETICS].to_numpy() != found[KINETICS].to_numpy()).any(axis=1)).tolist()


@pytest.fixture
def victim(table):
    """A slice of a patient who has others."""
    counts = table.groupby("patient").size()
    patient = counts.index[counts >= 2][0]
    position = int(table.index[table["patient"] == patient][0])
    others = table.index[(table["patient"] == patient) & (table.index != position)].tolist()
    return position, others


def test_a_slice_that_lacks_a_phase(lesions, table, victim):
    position, others = victim
    row = table.iloc[position]
    (lesions / row["split"] / row["label"] / row["patient"] / "VIBRANT+C3" / f"p-{row['slice']:03d}.jpg").unlink()
    found = extract_slices(lesions, CHEAP, jobs=1)
    bad = found.iloc[position]
    assert bad["status"] == "incomplete"
    assert bad["error"] == "no VIBRANT+C3; kinetics: the slice lacks VIBRANT+C3"
    assert bad["vibrant_c3__image"] == ""
    assert np.isnan(bad[KINETICS].astype(float)).all()
    assert np.isnan(bad["vibrant_c3__first_order_mean"])
    assert bad["vibrant_c4__first_order_mean"] == row["vibrant_c4__first_order_mean"]
    assert (found.drop(index=position)["status"] == "ok").all()
    # the scale of the patient comes from the other slices now
    assert set(changed(table, found)) <= {position, *others}


def test_a_slice_whose_phases_differ_in_size(lesions, table, victim):
    position, _ = victim
    row = table.iloc[position]
    path = lesions / row["split"] / row["label"] / row["patient"] / "VIBRANT+C8" / f"p-{row['slice']:03d}.jpg"
    Image.fromarray(np.full((40, 41), 90, np.uint8)).save(path)
    bad = extract_slices(lesions, CHEAP, jobs=1).iloc[position]
    assert bad["status"] == "incomplete"
    assert "kinetics: VIBRANT+C8 has shape (40, 41), VIBRANT (" in bad["error"]
    assert bad["vibrant_c8__first_order_mean"] == 90


def test_a_damaged_image(lesions, table, victim):
    position, _ = victim
    row = table.iloc[position]
    (lesions / row["split"] / row["label"] / row["patient"] / "VIBRANT" / f"p-{row['slice']:03d}.jpg").write_bytes(
        b"x"
    )
    bad = extract_slices(lesions, CHEAP, jobs=1).iloc[position]
    assert bad["status"] == "incomplete"
    assert bad["error"].startswith("VIBRANT: is no JPEG")
    assert "; kinetics: VIBRANT: is no JPEG" in bad["error"]
    assert np.isnan(bad["vibrant__first_order_mean"])
    assert course_only(lesions).iloc[position]["status"] == "failed"


def test_a_slice_that_lacks_a_subtraction_has_kinetics(lesions, table, victim):
    position, _ = victim
    row = table.iloc[position]
    (lesions / row["split"] / row["label"] / row["patient"] / "SUB2" / f"p-{row['slice']:03d}.jpg").unlink()
    found = course_only(lesions)
    assert (found["status"] == "ok").all()
    assert found["error"].iloc[position] == "no SUB2"
    difference = found[KINETICS].iloc[position] / table[KINETICS].iloc[position] - 1
    assert difference.abs().median() < 0.1


def test_a_patient_without_a_scale(lesions, table, victim):
    position, others = victim
    row = table.iloc[position]
    for sequence in SUBTRACTIONS:
        for path in (lesions / row["split"] / row["label"] / row["patient"] / sequence).iterdir():
            size = read_image(path).array.shape
            Image.fromarray(np.random.default_rng(0).integers(1, 255, size, np.uint8)).save(path, quality=95)
    found = course_only(lesions)
    for i in (position, *others):
        assert found["error"].iloc[i].startswith("kinetics: no common scale: the subtractions do not follow")
        assert found["status"].iloc[i] == "failed"
    assert changed(table, found) == sorted([position, *others])
    shutil.rmtree(lesions / row["split"] / row["label"] / row["patient"] / "SUB5")
    found = course_only(lesions)
    assert found["error"].iloc[position] == (
        "no SUB5; kinetics: no slice of the patient has every phase and subtraction, so no common scale"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texture": False, "kinetics": False}, "both off"),
        ({"resume": True}, "resume needs out"),
        ({"jobs": 0}, "jobs is 0"),
        ({"out": "table.txt"}, "ends in .csv or .parquet"),
        ({"phases": ["a", "b", "c"]}, "phases are a, b, c; give three or more of SUB1, SUB2"),
        ({"subtractions": ["SUB1"]}, "1 subtractions for 8 phases"),
        ({"phases": ["VIBRANT", "VIBRANT+C1"]}, "phases are VIBRANT, VIBRANT.C1; give three or more"),
        ({"kinetics": {"early": 0}}, "early is 0"),
        ({"settings": {"glm": {}}}, "unknown extractor: glm"),
    ],
)
def test_mistakes_are_found_before_the_work(made, arguments, message, monkeypatch):
    monkeypatch.setattr("tumortrace.table._slices.to_frame", None)
    with pytest.raises(ValueError, match=message):
        extract_slices(made, **arguments)


@pytest.mark.parametrize("column", ["patient", "slice", "sequence"])
def test_a_source_must_tell_slices_apart(made, column):
    frame = find(made).frame.drop(columns=column)
    with pytest.raises(ValueError, match=f"lacks {column}"):
        extract_slices(frame)


def test_a_slice_with_two_images_of_a_sequence(made):
    frame = find(made).frame
    with pytest.raises(ValueError, match="17 rows repeat a slice and sequence"):
        extract_slices(pd.concat([frame, frame.iloc[:17]]))


# files


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_written_and_read_again(made, table, tmp_path, ending):
    out = tmp_path / f"slices.{ending}"
    given = extract_slices(made, CHEAP, jobs=1, out=out)
    pd.testing.assert_frame_equal(given, table)
    if ending == "csv":
        read = pd.read_csv(out, dtype={"patient": str, "error": str}, keep_default_na=False)
    else:
        read = pd.read_parquet(out)
    pd.testing.assert_frame_equal(read, table, check_dtype=False)
    record = json.loads((tmp_path / f"slices.{ending}.json").read_text())
    assert record["phases"] == list(PHASES)
    assert record["subtractions"] == list(SUBTRACTIONS)
    assert (record["rows"], record["failed"], record["incomplete"]) == (len(table), 0, 0)
    assert record["scales"].keys() == set(table["patient"])
    assert all(0.1 < scale["k"] < 10 and scale["r_squared"] > 0.9 for scale in record["scales"].values())
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["slices.images.csv", "slices.images.csv.json", f"slices.{ending}", f"slices.{ending}.json"]
    )


def test_resume_takes_over_the_images(lesions, tmp_path):
    out = tmp_path / "slices.csv"
    first = extract_slices(lesions, CHEAP, jobs=1, out=out)
    before = out.read_bytes()
    again = extract_slices(lesions, CHEAP, jobs=1, out=out, resume=True)
    pd.testing.assert_frame_equal(first, again)
    assert out.read_bytes() == before
    record = json.loads((tmp_path / "slices.images.csv.json").read_text())
    assert (record["computed"], record["reused"]) == (0, 17 * len(first))


def test_on_breast_lesions(data_root):
    found = extract_slices(data_root / "breadm-roi" / "val", CHEAP, jobs=2)
    assert len(found) > 100
    assert (found["status"] == "ok").mean() > 0.9
    assert found[KINETICS].notna().all(axis=1).mean() > 0.9
    assert found["kinetics_hot_spot_peak_enhancement"].median() > 0.5
