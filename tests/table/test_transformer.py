import pickle

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tumortrace
from tumortrace.table import FeatureExtractor, extract, feature_columns

FAST = ["first_order", "shape"]


@pytest.fixture
def images(rng):
    """Dark and bright images of differing sizes."""
    return [rng.normal(loc=i % 2 * 3, size=(6 + i % 4, 5 + i % 3)) for i in range(40)]


def test_the_numbers_are_those_of_extract(images):
    table = extract(images, FAST)
    numbers = FeatureExtractor(FAST).fit_transform(images)
    pd.testing.assert_frame_equal(numbers, table[feature_columns(table)])
    assert numbers.columns.tolist() == FeatureExtractor(FAST).get_feature_names_out().tolist()


def test_public_name():
    assert tumortrace.FeatureExtractor is FeatureExtractor
    with pytest.raises(AttributeError, match="no attribute 'Extractor'"):
        tumortrace.table.Extractor  # noqa: B018


def test_paths_stacks_and_frames(tmp_path):
    pixels = np.arange(60, dtype=np.uint8).reshape(2, 5, 6)
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for path, array in zip(paths, pixels, strict=True):
        Image.fromarray(array).save(path)
    extractor = FeatureExtractor(FAST)
    wanted = extractor.transform(list(pixels))
    pd.testing.assert_frame_equal(extractor.transform(pixels), wanted)
    pd.testing.assert_frame_equal(extractor.transform(paths), wanted)
    pd.testing.assert_frame_equal(extractor.transform([str(p) for p in paths]), wanted)
    frame = pd.DataFrame({"image": map(str, paths), "label": 1}, index=["a", "b"])
    pd.testing.assert_frame_equal(extractor.transform(frame), wanted.set_axis(["a", "b"]))
    pd.testing.assert_frame_equal(extractor.transform(frame["image"]), wanted.set_axis(["a", "b"]))


def test_clone_and_pickle(images):
    extractor = FeatureExtractor({"first_order": {"levels": 8}}, n_jobs=2)
    for other in (clone(extractor), pickle.loads(pickle.dumps(extractor))):
        assert other is not extractor
        assert other.get_params() == {"features": {"first_order": {"levels": 8}}, "n_jobs": 2}
        pd.testing.assert_frame_equal(other.transform(images), extractor.transform(images))


def test_parameters_are_stored_as_given_and_checked_in_fit():
    extractor = FeatureExtractor(["shap"])
    assert extractor.features == ["shap"]
    with pytest.raises(ValueError, match="did you mean shape"):
        extractor.fit([np.eye(4)])


def test_in_a_pipeline(images):
    labels = np.arange(40) % 2
    pipeline = make_pipeline(FeatureExtractor(FAST), StandardScaler(), LogisticRegression())
    assert cross_val_score(pipeline, images, labels, cv=4).mean() > 0.95
    search = GridSearchCV(pipeline, {"featureextractor__features": [["shape"], ["first_order"]]}, cv=4)
    assert search.fit(images, labels).best_params_ == {"featureextractor__features": ["first_order"]}
    names = pipeline.fit(images, labels)[:-1].get_feature_names_out()
    assert names.tolist() == FeatureExtractor(FAST).get_feature_names_out().tolist()


def test_set_output(images):
    for kind in ("default", "pandas"):
        numbers = FeatureExtractor(FAST).set_output(transform=kind).fit_transform(images)
        assert isinstance(numbers, pd.DataFrame)


def test_workers_do_not_change_the_numbers(images, toy_extractor):
    settings = {"toy": {"wait": 0.03}}
    one = FeatureExtractor(settings).transform(images)
    for n_jobs in (2, -1):
        pd.testing.assert_frame_equal(FeatureExtractor(settings, n_jobs=n_jobs).transform(images), one)


def test_no_workers_is_an_error(images):
    with pytest.raises(ValueError, match="n_jobs is 0"):
        FeatureExtractor(FAST, n_jobs=0).transform(images)


def test_an_image_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"image .*none\.png: does not exist"):
        FeatureExtractor(FAST).transform([str(tmp_path / "none.png")])
    with pytest.raises(ValueError, match=r"image 1: first_order: image is not finite"):
        FeatureExtractor(FAST).transform([np.eye(4), np.full((4, 4), np.inf)])


def test_tags_say_that_nothing_is_learnt():
    tags = FeatureExtractor().__sklearn_tags__()
    assert not tags.requires_fit
    assert tags.no_validation
    assert tags.input_tags.string
    assert FeatureExtractor().__sklearn_is_fitted__()
