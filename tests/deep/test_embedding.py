"""Penultimate features: equal to the network's own, named, cached by content, honest about training images."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from PIL import Image as Picture
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from tumortrace.deep import CNNClassifier, CNNEmbedding, InSampleWarning, Preprocessing, backbone
from tumortrace.deep._embedding_cache import EmbeddingCache
from tumortrace.deep._inputs import collect


@pytest.fixture
def images(rng):
    return [rng.integers(0, 256, (12 + i, 30 - i), dtype=np.uint8) for i in range(11)]


@pytest.fixture(scope="module")
def trained():
    """A small network, and the images it was trained on."""
    rng = np.random.default_rng(5)
    images = [
        *rng.integers(0, 120, (8, 12, 12), dtype=np.uint8),
        *rng.integers(80, 255, (8, 12, 12), dtype=np.uint8),
    ]
    return CNNClassifier(size=8, epochs=1, batch_size=8, device="cpu").fit(images, [0] * 8 + [1] * 8), images


def embed(**settings):
    return CNNEmbedding("resnet8", **{"weights": None, "device": "cpu", **settings})


def test_features_are_what_the_last_layer_of_the_network_sees(tmp_path, images):
    network = backbone("resnet18", in_channels=1).eval()
    safetensors.torch.save_file(network.state_dict(), tmp_path / "weights.safetensors")
    ready = Preprocessing(40, 1, 0.4, 0.3)
    frame = CNNEmbedding("resnet18", weights=tmp_path, preprocessing=ready, device="cpu").fit_transform(images)
    seen = []
    with network.fc.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0])), torch.no_grad():
        network(ready(collect(images)))
    np.testing.assert_allclose(frame, seen[0].numpy(), rtol=1e-4, atol=1e-5)
    assert frame.columns[[0, -1]].tolist() == ["resnet18_000", "resnet18_511"]
    assert frame.columns.str.fullmatch("[a-z0-9_]+").all()


def test_names_of_many_features_sort_as_they_count(images):
    embedding = CNNEmbedding("resnet50", weights=None, preprocessing=Preprocessing(32, 1, 0.5, 0.5)).fit(images)
    names = embedding.get_feature_names_out()
    assert names[[0, -1]].tolist() == ["resnet50_0000", "resnet50_2047"]
    assert sorted(names) == names.tolist()


def test_paths_and_arrays_give_the_same(tmp_path, images):
    paths = [str(tmp_path / f"{i}.png") for i in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        Picture.fromarray(image).save(path)
    expected = embed().fit_transform(images)
    assert expected.dtypes.eq(np.float32).all()
    pd.testing.assert_frame_equal(embed().fit_transform(paths), expected)
    frame = pd.DataFrame({"sub1__image": paths}, index=np.arange(11) * 10)
    pd.testing.assert_frame_equal(embed().fit_transform(frame), expected.set_index(frame.index))
    twice = pd.concat([frame, frame], axis=1)
    assert embed().fit_transform(twice).shape == expected.shape


@pytest.mark.parametrize("batch_size", [None, 4])
def test_an_image_gives_the_same_bits_whatever_is_beside_it(images, batch_size):
    embedding = embed(batch_size=batch_size).fit(images)
    together = embedding.transform(images).to_numpy()
    np.testing.assert_array_equal(embedding.transform(images[::-1]).to_numpy()[::-1], together)
    np.testing.assert_array_equal(embedding.transform(images[3:5]).to_numpy(), together[3:5])


def test_the_seed_draws_the_network_and_leaves_torchs_own_generator(images):
    state = torch.get_rng_state()
    first, again, other = (embed(seed=seed).fit_transform(images) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not np.allclose(first, other)
    assert torch.equal(state, torch.get_rng_state())


def test_it_is_a_step_of_a_pipeline(images):
    dark = [image // 8 for image in images]
    model = clone(make_pipeline(embed(), StandardScaler(), LogisticRegression()))
    assert model.fit([*images, *dark], [1] * 11 + [0] * 11).predict([dark[0], images[0]]).tolist() == [0, 1]
    assert "batch_size=3" in repr(clone(embed(batch_size=3)))


def test_a_fitted_classifier_stays_fitted_and_unchanged(trained, images):
    model, _ = trained
    before = {key: tensor.clone() for key, tensor in model.network_.state_dict().items()}
    embedding = clone(CNNEmbedding(model, device="cpu")).fit()
    assert embedding.model is model
    features = embedding.transform(images).to_numpy()
    logits = features @ model.network_.fc.weight.detach().numpy().T + model.network_.fc.bias.detach().numpy()
    with torch.no_grad():
        expected = model.network_(model.preprocessing_(collect(images))).numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-4)
    after = model.network_.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_images_the_network_was_trained_on_are_told(trained, images, tmp_path):
    model, seen = trained
    mixed = [images[0], seen[3].astype(float), images[1], seen[9]]
    for cache in (None, tmp_path, tmp_path):
        embedding = CNNEmbedding(model, device="cpu", cache=cache).fit()
        with pytest.warns(InSampleWarning, match="trained on 2 of these 4 images, such as image 1"):
            frame = embedding.transform(mixed)
        assert frame.attrs["in_sample"] == [1, 3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "in_sample" not in embedding.transform(images).attrs


def test_the_cache_spares_the_network(tmp_path, images):
    first = embed(cache=tmp_path).fit_transform(images)
    again = embed(cache=tmp_path).fit(images)
    again.trunk_.register_forward_pre_hook(lambda module, inputs: pytest.fail("the network ran"))
    pd.testing.assert_frame_equal(again.transform(images[::-1]), first[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(first, embed().fit_transform(images))


def test_only_what_is_missing_is_computed(tmp_path, images):
    expected = embed().fit_transform(images)
    embed(cache=tmp_path).fit_transform(images[:4])
    embedding = embed(cache=tmp_path, batch_size=2).fit(images)
    sizes = []
    embedding.trunk_.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    twice = embedding.transform([*images, *images])
    assert sizes == [2] * 4, "seven images are new, in batches of two"
    np.testing.assert_allclose(twice, pd.concat([expected, expected]), rtol=1e-4, atol=1e-5)


def test_another_network_or_preprocessing_has_a_cache_of_its_own(tmp_path, images):
    settings = [{}, {"seed": 1}, {"preprocessing": Preprocessing(24, 1, 0.5, 0.5)}]
    for kept in settings:
        frame = embed(cache=tmp_path, **kept).fit_transform(images)
        pd.testing.assert_frame_equal(frame, embed(**kept).fit_transform(images))
    assert len(list(tmp_path.iterdir())) == len(settings)


def test_a_damaged_cache_is_computed_anew(tmp_path, images):
    expected = embed(cache=tmp_path).fit_transform(images[:3])
    (path,) = tmp_path.rglob("*.npz")
    whole = path.read_bytes()
    for damaged in (b"", b"no zip", whole[:-30], whole[:60], whole[:700] + b"\xff\xff" + whole[702:]):
        path.write_bytes(damaged)
        pd.testing.assert_frame_equal(embed(cache=tmp_path).fit_transform(images[:3]), expected)
        assert len(list(tmp_path.rglob("*.npz"))) == 1


def test_a_flipped_bit_of_a_cache_is_found(tmp_path):
    cache = EmbeddingCache(tmp_path, nn.Linear(1, 1), Preprocessing(8, 1, 0.5, 0.5))
    for position in range(0, 500, 7):
        cache.write(["a" * 32, "b" * 32], np.arange(6, dtype=np.float32).reshape(2, 3))
        assert cache.read(["b" * 32, "c" * 32]).keys() == {"b" * 32}
        (path,) = tmp_path.rglob("*.npz")
        whole = path.read_bytes()
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x04]) + whole[position + 1 :])
        assert cache.read(["a" * 32, "b" * 32]) == {}
        assert not path.exists()


def test_several_may_write_at_once(tmp_path, images):
    expected = embed().fit_transform(images)

    embeddings = [embed(cache=tmp_path).fit(images) for _ in range(6)]

    def run(start):
        return embeddings[start].transform(images[start : start + 6]).to_numpy()

    with ThreadPoolExecutor(6) as pool:
        for start, values in enumerate(pool.map(run, range(6))):
            np.testing.assert_array_equal(values, expected[start : start + 6])
    assert {path.suffix for path in tmp_path.rglob("*.*")} == {".npz"}


def test_progress_is_shown_on_stderr(images, capsys):
    embed(progress=True).fit_transform(images)
    assert "batch" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"device": "abacus"}, "device is 'abacus'"),
        ({"weights": "imagenet"}, "no ImageNet weights"),
        ({"preprocessing": Preprocessing(8, 3, 0.5, 0.5)}, "for 3 channels; the images have 1"),
    ],
)
def test_a_parameter_out_of_range_is_named(settings, message, images):
    with pytest.raises(ValueError, match=message):
        embed(**settings).fit(images)


def test_what_is_missing_is_said(images):
    with pytest.raises(ValueError, match="needs the images"):
        embed().fit()
    with pytest.raises(NotFittedError):
        embed().transform(images)
    with pytest.raises(NotFittedError):
        CNNEmbedding(CNNClassifier()).fit(images)
    with pytest.raises(ValueError, match="the network takes 1"):
        embed().fit(images).transform(np.zeros((2, 3, 9, 9)))
