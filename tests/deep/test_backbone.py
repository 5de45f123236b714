"""Networks by name: shapes, heads, pretrained kernels on other channels, and files that are refused."""

import pickle
from urllib.error import URLError

import pytest
import safetensors.torch
import torch
from torch import nn

from tumortrace.deep import backbone
from tumortrace.deep._backbone import default_preprocessing, last_convolution, n_features, penultimate

FEATURES = {"vgg16": 4096, "resnet18": 512, "resnet50": 2048, "resnet8": 128}


@pytest.fixture(scope="module", params=FEATURES)
def named(request):
    """A name and a network of one channel, in evaluation mode."""
    torch.manual_seed(0)
    return request.param, backbone(request.param, in_channels=1).eval()


@pytest.fixture(scope="module")
def pretrained():
    """The tensors of a ResNet18 for 1000 classes, as torchvision's file has them: without counts of batches."""
    torch.manual_seed(1)
    state = backbone("resnet18", classes=1000).state_dict()
    return {key: tensor for key, tensor in state.items() if not key.endswith("num_batches_tracked")}


def test_penultimate_features_are_what_the_last_layer_sees(named):
    name, network = named
    images = torch.randn(2, 1, 32, 32)
    seen = []
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    with last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0])), torch.inference_mode():
        logits = network(images)
        features = penultimate(network)(images)
    assert logits.shape == (2, 2)
    assert features.shape == (2, n_features(network)) == (2, FEATURES[name])
    assert torch.equal(features, seen[0])
    assert torch.equal(nn.functional.linear(features, last.weight.data, last.bias.data), logits), (
        "the network keeps its last layer"
    )


def test_the_last_convolution_has_rows_and_columns(named):
    name, network = named
    kept = []
    hook = last_convolution(network).register_forward_hook(lambda module, inputs, output: kept.append(output))
    with hook, torch.inference_mode():
        network(torch.zeros(1, 1, 64, 64))
    cells = {"vgg16": 4, "resnet18": 2, "resnet50": 2, "resnet8": 16}[name]
    assert kept[0].shape[2:] == (cells, cells)


def test_the_head_of_vgg_is_the_reports(named):
    name, network = named
    if name == "vgg16":
        kinds = [type(module).__name__ for module in network.classifier]
        assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
        assert [m.out_features for m in network.classifier if isinstance(m, nn.Linear)] == [4096, 4096, 2]


@pytest.mark.parametrize(("name", "cells"), [("resnet18", 4), ("resnet50", 4), ("resnet8", 8)])
def test_a_small_stem_keeps_small_inputs(name, cells):
    network = backbone(name, in_channels=9, classes=3, stem="small").eval()
    kept = []
    hook = last_convolution(network).register_forward_hook(lambda module, inputs, output: kept.append(output))
    with hook, torch.inference_mode():
        assert network(torch.zeros(1, 9, 32, 32)).shape == (1, 3)
    assert kept[0].shape[2:] == (cells, cells)


def test_resnet8_is_small():
    parameters = sum(p.numel() for p in backbone("resnet8", in_channels=17).parameters())
    assert 300_000 < parameters < 320_000


@pytest.mark.parametrize("channels", [1, 2, 17])
def test_pretrained_kernels_answer_to_grey_as_they_did(tmp_path, pretrained, channels):
    path = tmp_path / "resnet18.safetensors"
    safetensors.torch.save_file(pretrained, path)
    colour, grey = (backbone("resnet18", weights=path, in_channels=n) for n in (3, channels))
    image = torch.randn(1, 1, 16, 16)
    torch.testing.assert_close(
        colour.conv1(image.expand(-1, 3, -1, -1)), grey.conv1(image.expand(-1, channels, -1, -1))
    )
    assert torch.equal(colour.conv1.weight, pretrained["conv1.weight"])
    if channels == 1:
        torch.testing.assert_close(grey.conv1.weight, pretrained["conv1.weight"].sum(1, keepdim=True))
    assert torch.equal(grey.layer4[1].conv2.weight, pretrained["layer4.1.conv2.weight"])
    assert grey.fc.weight.shape == (2, 512), "the last layer for 1000 classes is not taken"


def test_a_network_of_the_same_classes_is_taken_whole(tmp_path):
    saved = backbone("resnet8", in_channels=17)
    safetensors.torch.save_file(saved.state_dict(), tmp_path / "weights.safetensors")
    for place in (tmp_path / "weights.safetensors", tmp_path):
        loaded = backbone("resnet8", weights=place, in_channels=17)
        assert all(torch.equal(a, b) for a, b in zip(saved.parameters(), loaded.parameters(), strict=True))


def test_imagenet_weights_are_checked_and_no_pickle_runs(monkeypatch, pretrained):
    asked = {}

    def download(url, **options):
        asked.update(options, url=url)
        return pretrained

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    network = backbone("resnet18", weights="imagenet")
    assert torch.equal(network.layer1[0].conv1.weight, pretrained["layer1.0.conv1.weight"])
    assert asked["check_hash"] is True
    assert asked["weights_only"] is True


def test_a_download_that_fails_says_where_to_put_the_file(monkeypatch):
    def download(url, **options):
        raise URLError("no network")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    with pytest.raises(OSError, match=r"no network.*resnet18-\w+\.pth at .*checkpoints"):
        backbone("resnet18", weights="imagenet")


def test_a_pickle_is_refused_with_the_way_to_convert_it(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "zip.pth")
    (tmp_path / "old.safetensors").write_bytes(pickle.dumps({"a": 1}))
    for name in ("zip.pth", "old.safetensors"):
        with pytest.raises(ValueError, match=rf"{name}: is a pickle.*weights_only=True"):
            backbone("resnet8", weights=tmp_path / name)


def test_files_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        backbone("resnet8", weights=path)
    with pytest.raises(ValueError, match="holds 0 safetensors files"):
        backbone("resnet8", weights=tmp_path)
    safetensors.torch.save_file(backbone("resnet8", in_channels=9).state_dict(), path)
    with pytest.raises(ValueError, match="another network"):
        backbone("resnet18", weights=path)
    with pytest.raises(ValueError, match="takes 9 channels"):
        backbone("resnet8", weights=path, in_channels=17)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="is damaged"):
        backbone("resnet8", weights=path, in_channels=9)


def test_tensors_of_another_shape_are_named(tmp_path):
    state = backbone("resnet8").state_dict()
    state["layer1.conv1.weight"] = torch.zeros(32, 32, 1, 1)
    safetensors.torch.save_file(state, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match=r"layer1\.conv1\.weight is \(32, 32, 1, 1\), not \(32, 32, 3, 3\)"):
        backbone("resnet8", weights=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "alexnet"}, "give one of 'vgg16'"),
        ({"name": "resnet8", "stem": "big"}, "stem is 'big'"),
        ({"name": "resnet8", "in_channels": 0}, "in_channels is 0"),
        ({"name": "resnet8", "classes": 1}, "classes is 1"),
        ({"name": "resnet8", "weights": "imagenet"}, "resnet8 has no ImageNet weights"),
    ],
)
def test_a_parameter_out_of_range_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        backbone(**arguments)


def test_preprocessing_goes_with_the_weights():
    colour = default_preprocessing("resnet18", weights="imagenet", channels=3)
    assert (colour.size, colour.mean, colour.std) == (224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    grey = default_preprocessing("resnet18", weights="imagenet", channels=1, size=64)
    assert grey.size == 64
    assert grey.mean == pytest.approx([0.449], abs=1e-9)
    plain = default_preprocessing("resnet8", weights=None, channels=17)
    assert (plain.size, plain.mean, plain.std) == (32, (0.5,) * 17, (0.5,) * 17)
