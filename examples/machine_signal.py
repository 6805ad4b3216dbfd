"""A classifier of a machine's vibration: does its evidence lie where the fault strikes?

A motor hums on two sensors, with noise and with harmless knocks. A bad bearing (class 1) rings for
a moment on the second sensor; a loose bolt (class 2) shifts the first one for a while. When and how
strong is drawn, so that it is known where each map has to lie, and the script says how much of it
does.

    python examples/machine_signal.py            half a minute of one core; writes two pictures
    python examples/machine_signal.py --small    a few seconds, on fewer signals
"""

import argparse

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import input_iba

LENGTH, CLASSES = 512, ["sound", "bad bearing", "loose bolt"]
RINGING = 48
"""Samples that a fault lasts."""


def vibrations(count: int, draws: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return signals (S, 2, LENGTH), classes (S,), and when each fault is there, (S, LENGTH)."""

    def drawn(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, generator=draws)

    time, classes = torch.arange(LENGTH)[None].float(), torch.arange(count) % 3
    hum = torch.sin(time * drawn(0.14, 0.18) + drawn(0, 6))
    signals = torch.stack([0.6 * hum, 0.4 * hum.roll(9, 1)], 1)
    signals += 0.25 * torch.randn(count, 2, LENGTH, generator=draws)
    since_knock = time - drawn(20, LENGTH - 20).round()
    knock = 1.2 * torch.exp(-since_knock.abs() / 3)  # on both sensors, in all classes
    since = time - drawn(40, LENGTH - RINGING - 40).round()
    there = (since >= 0) & (since < RINGING)
    ringing = torch.sin(1.9 * since) * torch.exp(-since.clamp_min(0) / 25) * there
    bearing, bolt = ((classes == kind)[:, None] for kind in (1, 2))
    signals[:, 0] += knock + drawn(0.9, 1.3) * there * bolt
    signals[:, 1] += knock + drawn(1.0, 1.5) * ringing * bearing
    return signals, classes, there


def network() -> nn.Module:
    """Return convolutions over time, which look for a sign at any moment."""
    layers: list[nn.Module] = []
    for put_in, put_out in ((2, 16), (16, 32), (32, 32)):
        layers += [nn.Conv1d(put_in, put_out, 7, padding=3), nn.BatchNorm1d(put_out), nn.ReLU()]
        layers += [nn.MaxPool1d(2)]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(32, 3))


def trained(model: nn.Module, signals: Tensor, classes: Tensor, steps: int) -> nn.Module:
    """Train a model; return it in eval mode."""
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(steps):
        some = torch.randint(len(signals), (64,))
        optimiser.zero_grad()
        F.cross_entropy(model(signals[some]), classes[some], label_smoothing=0.05).backward()
        optimiser.step()
    return model.eval()


def main() -> None:
    """Train, explain, and check when the maps strike."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a few seconds, on fewer signals")
    small = parser.parse_args().small
    torch.manual_seed(0)
    draws = torch.Generator().manual_seed(0)
    signals, classes, _ = vibrations(400 if small else 1500, draws)
    model = trained(network(), signals, classes, steps=100 if small else 400)
    fresh, labels, there = vibrations(150, draws)
    with torch.no_grad():
        right = model(fresh).argmax(1) == labels
    print(f"Of 150 new signals {right.double().mean():.1%} are told right.")

    iba = input_iba.InputIBA(model, class_names=CLASSES).fit(signals)
    for kind in (1, 2):
        faulty = (right & (labels == kind)).nonzero().flatten()[: 4 if small else 8]
        found = iba.attribute(fresh[faulty], target=kind)
        inside = (found.maps[:, 0] * there[faulty]).sum(1) / found.maps[:, 0].sum(1)
        share = RINGING / LENGTH
        print(
            f"{CLASSES[kind]}: {inside.mean():.0%} of the maps lie in the fault, "
            f"{share:.0%} of the time."
        )
        if inside.mean() < 5 * share:
            raise SystemExit(f"The maps of a {CLASSES[kind]} are not where it is.")
        found[0].save(f"machine_signal_{kind}.png")
    print("Written: machine_signal_1.png, machine_signal_2.png")


if __name__ == "__main__":
    main()
