"""The loop equals a plain one, stops where it should, and keeps what it found best."""

import dataclasses
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from tumortrace.deep import RECIPES, Augmentation, Preprocessing
from tumortrace.deep._predict import logits
from tumortrace.deep._train import Average, Rows, Training, balanced_weights, draw

CPU = torch.device("cpu")
READY = Preprocessing(8, 2, mean=0.5, std=0.5)
PLAIN = Augmentation()
REPORT = dataclasses.replace(
    RECIPES["report"], size=8, epochs=12, batch_size=8, augmentation=PLAIN, learning_rate=0.1
)
SMALL = dataclasses.replace(RECIPES["small"], size=8, epochs=3, batch_size=8, augmentation=PLAIN, warmup=0.5)


def rows(n=40, seed=0, noise=0.4):
    """Images whose brightness tells the class, more or less."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % 2
    images = torch.rand(n, 2, 8, 8, generator=generator) * noise + 0.2 * targets.view(-1, 1, 1, 1)
    return Rows(images, targets, np.arange(n) // 2)


def network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)
        )


def training(recipe, net=None, seed=0):
    return Training(net or network(), recipe, READY, seed=seed, device=CPU, precision="float32")


def plain_loop(recipe, data, order, optimiser_class, **settings):
    """The same, as one writes it by hand; the validation set and the average are left out."""
    net = network().train()
    optimiser = optimiser_class(
        net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, **settings
    )
    averages = [deepcopy(net.state_dict())]
    steps = len(order) // recipe.epochs
    for i, batch in enumerate(order):
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate_at(i, steps)
        images = (data.images[batch] - 0.5) / 0.5
        loss = functional.cross_entropy(net(images), data.targets[batch], label_smoothing=recipe.label_smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        decay = min(recipe.average or 0, (2 + i) / (11 + i))
        averages.append(
            {
                name: decay * averages[-1][name] + (1 - decay) * tensor
                for name, tensor in deepcopy(net.state_dict()).items()
                if tensor.is_floating_point()
            }
        )
    return net.state_dict(), averages[-1]


def recorded(monkeypatch):
    """Let `draw` tell which rows it drew."""
    order = []

    def tell(*arguments):
        batches = list(draw(*arguments))
        order.extend(batches)
        return iter(batches)

    monkeypatch.setattr("tumortrace.deep._train.draw", tell)
    return order


def test_the_report_s_loop_zeroes_gradients_and_keeps_momentum_between_epochs(monkeypatch):
    order = recorded(monkeypatch)
    recipe, data = dataclasses.replace(REPORT, epochs=3, validation=0.0), rows()
    result = training(recipe).run(data).state_dict()
    expected, _ = plain_loop(recipe, data, order, torch.optim.SGD, momentum=0.9)
    assert len(order) == 15
    for name, tensor in expected.items():
        torch.testing.assert_close(result[name], tensor, atol=1e-4, rtol=1e-4, msg=name)


def test_the_small_loop_returns_the_average(monkeypatch):
    order = recorded(monkeypatch)
    data = rows()
    result = training(SMALL).run(data).state_dict()
    last, average = plain_loop(SMALL, data, order, torch.optim.AdamW)
    for name, tensor in average.items():
        torch.testing.assert_close(result[name], tensor, atol=1e-4, rtol=1e-4, msg=name)
    assert not torch.allclose(average["4.weight"], last["4.weight"], atol=1e-4)


def test_training_learns():
    job = training(dataclasses.replace(SMALL, epochs=8))
    net = job.run(rows(80))
    unseen = rows(80, seed=9)
    outputs = logits(net, [READY.normalise(unseen.images.clone())], 80, device=CPU)
    assert (outputs.argmax(1) == unseen.targets.numpy()).mean() > 0.9
    assert job.history[-1]["loss"] < 0.8 * job.history[0]["loss"]
    assert not net.training


def test_it_stops_after_patience_and_the_best_epoch_is_restored():
    noisy = rows(noise=3.0)
    held_out = rows(20, seed=5, noise=3.0)
    job = training(dataclasses.replace(REPORT, patience=3, epochs=40))
    net = job.run(noisy, held_out)
    losses = [row["validation_loss"] for row in job.history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 40
    outputs = torch.from_numpy(logits(net, [READY.normalise(held_out.images.clone())], 20, device=CPU))
    assert float(functional.cross_entropy(outputs, held_out.targets)) == pytest.approx(losses[best], abs=1e-6)
    assert losses[-1] != pytest.approx(losses[best], abs=1e-3)


def test_metrics_are_those_of_the_decision():
    """The report took them at the first point of the ROC curve, where nothing is called positive."""
    job = training(dataclasses.replace(REPORT, epochs=6))
    held_out = rows(20, seed=5)
    net = job.run(rows(), held_out)
    best = min(job.history, key=lambda row: row["validation_loss"])
    outputs = logits(net, [READY.normalise(held_out.images.clone())], 20, device=CPU)
    right = outputs.argmax(1) == held_out.targets.numpy()
    assert best["validation_accuracy"] == right.mean() > 0.5
    assert best["validation_balanced_accuracy"] == pytest.approx((right[::2].mean() + right[1::2].mean()) / 2)


def test_a_loss_that_is_not_finite_ends_it():
    with pytest.raises(
        FloatingPointError, match=r"epoch \d: the loss is (nan|inf); give a learning_rate below 1e\+20"
    ):
        training(dataclasses.replace(REPORT, learning_rate=1e20, floor=1e19, validation=0.0)).run(rows())


def test_every_row_comes_once_an_epoch_in_batches_of_like_size():
    data = rows(33)
    batches = list(draw(data, REPORT, torch.Generator().manual_seed(0)))
    assert sorted(torch.cat(batches).tolist()) == list(range(33))
    assert {len(batch) for batch in batches} <= {6, 7}
    assert [len(b) for b in draw(rows(7), dataclasses.replace(REPORT, batch_size=2), torch.Generator())] == [
        3,
        2,
        2,
    ]
    again = list(draw(data, REPORT, torch.Generator().manual_seed(1)))
    assert [b.tolist() for b in batches] != [b.tolist() for b in again]


def test_balance_draws_classes_alike_and_tempers_patients():
    targets = np.array([0] * 9 + [0] + [1] * 2)
    patients = np.array(["a"] * 9 + ["b"] + ["c"] * 2)
    weights = balanced_weights(targets, patients)
    assert weights[targets == 0].sum() == pytest.approx(weights[targets == 1].sum())
    assert weights[:9].sum() / weights[9] == pytest.approx(3)  # the square root of nine
    data = Rows(torch.zeros(12, 1, 1, 1), torch.from_numpy(targets), patients)
    recipe = dataclasses.replace(SMALL, batch_size=6)
    drawn = torch.cat([torch.cat(list(draw(data, recipe, torch.Generator().manual_seed(i)))) for i in range(200)])
    assert len(drawn) == 200 * 12
    assert float((drawn >= 10).float().mean()) == pytest.approx(0.5, abs=0.03)
    assert float((drawn == 9).float().mean()) == pytest.approx(1 / 8, abs=0.03)


def test_the_average_follows_weights_and_running_statistics():
    net = network()
    average = Average(net, 0.5)
    with torch.no_grad():
        net[0].weight.fill_(1.0)
        net[1].running_mean.fill_(3.0)
        before = average.network[0].weight.clone()
        average.update(1)
        torch.testing.assert_close(average.network[0].weight, before + (1 - 2 / 11) * (1 - before))
        for step in range(2, 60):
            average.update(step)
    torch.testing.assert_close(average.network[0].weight, torch.ones_like(before))
    torch.testing.assert_close(average.network[1].running_mean, torch.full((4,), 3.0))
    assert not any(p.requires_grad for p in average.network.parameters())
