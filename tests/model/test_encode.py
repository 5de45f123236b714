"""What is encoded comes back the same; what cannot be encoded is named."""

import json
import sys
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from model import zoo
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import Birch
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import tumortrace.table
from tumortrace.deep import RECIPES, CNNClassifier, CNNEmbedding
from tumortrace.fusion import EarlyFusion, LateFusion, classifier
from tumortrace.model import ModelError
from tumortrace.model._encode import OWN, REFITTED, SKLEARN, Parts, decode, encode
from tumortrace.model._sklearn import TRUSTED


def through(value):
    """Encode, write as JSON, read, decode from a copy of the parts."""
    parts = Parts()
    node = json.loads(json.dumps(encode(value, parts), allow_nan=False))
    parts.close()
    return decode(node, Parts(parts.contents))


def assert_same(a, b):
    """Compare values by type and by bits."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray) and a.dtype != object:
        assert a.dtype.kind == b.dtype.kind
        assert a.shape == b.shape
        if a.dtype.kind != "U":
            assert a.dtype == b.dtype
            assert a.tobytes() == b.tobytes()
        else:
            assert a.tolist() == b.tolist()
    elif isinstance(a, list | tuple | np.ndarray):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)
    elif isinstance(a, dict):
        assert_same(list(a.items()), list(b.items()))
    elif isinstance(a, BaseEstimator):
        assert_same(a.get_params(deep=False), b.get_params(deep=False))
    else:
        assert repr(a) == repr(b)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.booleans() | st.integers() | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_plain_values_come_back(value):
    assert_same(value, through(value))


@given(
    hnp.arrays(
        st.sampled_from(["?", "i1", "u2", "i4", "u8", "i8", "f2", "f4", "f8", "U3"]), hnp.array_shapes(max_side=12)
    )
)
def test_arrays_come_back(array):
    assert_same(array, through(array))
    assert_same(array[..., ::2], through(array[..., ::2]))
    if array.dtype.kind != "U":
        assert through(np.asfortranarray(array)).flags.f_contiguous


@pytest.mark.parametrize(
    "value",
    [
        np.array(["a", None, 3, (1, 2)], dtype=object),
        np.zeros((0, 5)),
        np.array(2.5),
        np.float32(0.1),
        np.int64(-3),
        np.True_,
        np.str_("SUB1"),
        -0.0,
        10**40,
    ],
    ids=repr,
)
def test_what_numpy_has_comes_back(value):
    assert_same(value, through(value))


def test_large_arrays_are_parts_and_the_same_one_is_kept_once():
    parts = Parts()
    large = np.arange(100.0)
    nodes = encode([large, large.copy(), large + 1, np.arange(3)], parts)
    assert list(parts.contents) == ["array001.npy", "array002.npy"]
    assert nodes[0] == nodes[1] == {"type": "npy", "part": "array001.npy"}
    assert nodes[3]["values"] == [0, 1, 2]


@pytest.mark.parametrize("name", zoo.NAMES)
def test_estimators_predict_the_same_bits(name):
    model, X = zoo.fitted(name)
    again = through(model)
    assert type(again) is type(model)
    np.testing.assert_array_equal(zoo.scores(again, X), zoo.scores(model, X))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.classes_, model.classes_)


@pytest.mark.parametrize("name", ["early", "tuned", "stacked", "per sequence"])
def test_estimators_of_tumortrace_keep_all_they_learned(name):
    model, _ = zoo.fitted(name)
    again = through(model)
    assert list(vars(again)) == list(vars(model))
    plain = [key for key in vars(model) if not isinstance(vars(model)[key], BaseEstimator | dict | list)]
    assert len(plain) >= 4
    for key in plain:
        assert_same(vars(model)[key], vars(again)[key])


@pytest.mark.parametrize("name", ["early", "stacked", "boosted", "xgboost", "network"])
def test_what_came_back_can_be_fitted_anew(name):
    model, X = zoo.fitted(name)
    again = clone(through(model))
    assert not hasattr(again, "classes_")
    y = np.arange(len(X)) % 2
    np.testing.assert_array_equal(zoo.scores(again.fit(X, y), X), zoo.scores(clone(model).fit(X, y), X))


@pytest.mark.parametrize("name", [*zoo.plain(), *zoo.ours()])
def test_unfitted_estimators_come_back(name):
    model = {**zoo.plain(), **zoo.ours()}[name]
    assert repr(through(model)) == repr(model)


class Own(LogisticRegression):
    """Not scikit-learn's, whatever it inherits."""


class EarlyFusionToo(EarlyFusion):
    """Not tumortrace's."""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Own(), r"estimator is a .*Own, which cannot be saved; use estimators of"),
        (EarlyFusionToo(), r"estimator is a .*EarlyFusionToo, which cannot be saved"),
        (
            LateFusion([("a", EarlyFusion(classifier=Own()), [0])]),
            r"estimator\.members\[0\]\[1\]\.classifier is a .*Own",
        ),
        (make_pipeline(classifier("svm"), Own()), r"estimator\.steps\[1\]\[1\] is a .*Own"),
        (
            LateFusion([("a", SelectKBest(lambda X, y: y), None)]),
            r"estimator\.members\[0\]\[1\], a SelectKBest, cannot be saved: it holds .*<lambda>",
        ),
        (make_pipeline(FunctionTransformer(np.log1p)), r"FunctionTransformer|log1p"),
        (LogisticRegression(class_weight=Own()), r"a LogisticRegression, cannot be saved: it holds .*Own"),
        (EarlyFusion(groups={"a": range(3)}), r"estimator\.groups\['a'\] is a builtins\.range"),
        (EarlyFusion(classifier=print), r"estimator\.classifier is a builtins\.builtin_function_or_method"),
        (make_pipeline(Birch()), r"a Pipeline, cannot be written by skops: Objects of type Birch"),
        (np.array([1j]), r"an array of dtype complex128, which cannot be saved"),
        (np.array(["2020-01-01"], dtype="M8[D]"), r"an array of dtype datetime64"),
        ({"a": [object()]}, r"estimator\['a'\]\[0\] is a builtins\.object"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_saved_is_named(value, message):
    parts = Parts()
    with pytest.raises(ModelError, match=message):
        encode(value, parts), parts.close()


def test_every_estimator_of_tumortrace_can_be_saved():
    for package in (tumortrace.fusion, tumortrace.deep, tumortrace.table):
        for name in package.__all__:
            if isinstance(getattr(package, name), type) and issubclass(getattr(package, name), BaseEstimator):
                assert {**OWN, **REFITTED}[name] == package.__name__


def test_an_embedding_by_name_is_refused():
    embedding = CNNEmbedding("resnet8", weights=None)
    assert repr(through(embedding)) == repr(embedding)
    with pytest.raises(ModelError, match="estimator is a CNNEmbedding of a backbone by name"):
        encode(embedding.fit(zoo.images()), Parts())


def test_a_network_that_says_no_number_is_refused():
    model = deepcopy(zoo.fitted("network")[0])
    model.history_.iloc[0, -1] = np.nan
    with pytest.raises(ModelError, match="a CNNClassifier, says of itself what is no JSON: Out of range"):
        encode(model, Parts())


def test_private_state_is_not_lost_in_silence():
    model = clone(zoo.ours()["early"])
    model._cache = 3
    with pytest.raises(ModelError, match="estimator holds _cache, neither a parameter nor learned"):
        encode(model, Parts())


def test_boosters_of_another_kind_are_refused():
    from xgboost import XGBClassifier

    linear = XGBClassifier(booster="gblinear", n_estimators=2).fit(zoo.numbers(), zoo.rows()[1] == "Malignant")
    with pytest.raises(ModelError, match=r"xgboost001\.json holds a booster 'gblinear'"):
        through(linear)


def test_parameters_of_a_training_run_stay_behind(tmp_path):
    recipe = replace(RECIPES["small"], epochs=7)
    model = CNNClassifier(recipe=recipe, seed=3, device="cpu", checkpoint=tmp_path, progress=print)
    again = through(LateFusion([("cnn", model, ["sub1__image"])])).members[0][1]
    assert (again.recipe, again.seed, again.device, again.checkpoint, again.progress) == (
        recipe,
        3,
        "auto",
        None,
        False,
    )


def test_skops_itself_finds_only_trusted_types():
    import skops.io

    parts = Parts()
    for name in zoo.plain():
        encode(zoo.fitted(name)[0], parts)
    parts.close()
    found = set(skops.io.get_untrusted_types(data=parts.contents[SKLEARN]))
    assert "sklearn.tree._tree.Tree" in found
    assert found <= set().union(*TRUSTED.values())


def test_every_trusted_type_is_there():
    for kinds in TRUSTED.values():
        for kind in kinds:
            module, name = kind.rsplit(".", 1)
            __import__(module)
            assert hasattr(sys.modules[module], name), kind
