"""Recipes are checked, change where asked, and give the learning rate that they describe."""

import dataclasses
import itertools
import json

import pytest

from tumortrace.deep import RECIPES, Augmentation, Recipe

REPORT, SMALL = RECIPES["report"], RECIPES["small"]


def test_the_report_s_recipe_is_the_report_s():
    assert (REPORT.optimiser, REPORT.momentum, REPORT.size, REPORT.normalise) == ("sgd", 0.9, 224, (0.5, 0.5))
    assert REPORT.augmentation.translation == 0.1
    assert REPORT.augmentation.horizontal_flip
    assert REPORT.augmentation.vertical_flip
    assert REPORT.augmentation.brightness > 0
    assert REPORT.augmentation.crop_area is not None
    assert REPORT.validation > 0


def test_the_step_schedule_falls_tenfold_every_ten_epochs_to_its_floor():
    recipe = dataclasses.replace(REPORT, learning_rate=1e-2, epochs=60)
    at = [recipe.learning_rate_at(7 * epoch + 3, 7) for epoch in range(60)]
    expected = [max(1e-5, 1e-2 * 0.1 ** (epoch // 10)) for epoch in range(60)]
    assert at == pytest.approx(expected)
    assert at[-1] == 1e-5


def test_the_cosine_schedule_warms_up_and_ends_at_zero():
    recipe = dataclasses.replace(SMALL, learning_rate=1.0, epochs=10, warmup=2.0)
    rates = [recipe.learning_rate_at(step, 5) for step in range(50)]
    assert rates[0] == pytest.approx(1 / 10)
    assert rates[24] == pytest.approx(0.5, abs=0.05)
    assert 0 < rates[-1] < 0.01
    assert all(a >= b for a, b in itertools.pairwise(rates[9:]))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_survives_json(recipe):
    used = Recipe.of(recipe, "vgg16", epochs=3)
    assert Recipe.from_dict(json.loads(json.dumps(used.to_dict()))) == used


def test_a_backbone_has_its_own_numbers_and_what_is_given_wins():
    assert Recipe.of("small", "resnet8").size == 32
    assert Recipe.of("small", "resnet18").size == 64
    assert Recipe.of("small", "vgg16").learning_rate < Recipe.of("small", "resnet50").learning_rate
    assert Recipe.of("small", "resnet8", size=48, epochs=None).size == 48
    assert Recipe.of("small", "resnet8", epochs=None).epochs == SMALL.epochs
    assert Recipe.of(dataclasses.replace(SMALL, views=1), "resnet8").views == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 4}, "size is 4"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 1}, "batch_size is 1"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"validation": 0.8}, "validation is 0.8"),
        ({"optimiser": "adam"}, "optimiser is 'adam'; give one of 'adamw', 'sgd'"),
        ({"schedule": "plateau"}, "schedule is 'plateau'"),
        ({"stem": "big"}, "stem is 'big'"),
        ({"views": 4}, "views is 4"),
        ({"patience": 0}, "patience is 0"),
        ({"average": 1.0}, "average is 1.0"),
        ({"normalise": "image"}, "normalise is 'image'"),
    ],
)
def test_numbers_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMALL, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rotation": -1.0}, "rotation is -1.0"),
        ({"centre_crop": 0.0}, "centre_crop is 0.0"),
        ({"crop_area": (0.9, 0.5)}, "crop_area is"),
        ({"outside": "wrap"}, "outside is 'wrap'"),
        ({"brightness": 1.5}, "brightness is 1.5"),
    ],
)
def test_augmentation_out_of_range_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**change)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="recipe is 'large'; give one of 'small', 'report'"):
        Recipe.of("large", "resnet8")
