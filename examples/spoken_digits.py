"""A classifier of spectrograms of spoken digits: does it listen to what tells them apart?

The digits are synthesised: a buzzing voice of any pitch is shaped by two resonances (formants), as
a throat does. Every word begins with the same vowel and ends with one of four, so that nothing
before the second vowel says which digit it is. The script says how much of each map lies there.

    python examples/spoken_digits.py            a minute of one core; writes spoken_digits.png
    python examples/spoken_digits.py --small    a few seconds, on fewer words
"""

import argparse

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

import input_iba

RATE, FRAME, FRAMES = 8000, 128, 64
"""Samples a second, samples between two columns of a spectrogram, and columns."""

FIRST = (700.0, 1200.0)
SECOND = ((300.0, 2300.0), (500.0, 1800.0), (400.0, 800.0), (650.0, 1600.0))
"""Formants in hertz: of the vowel that all words begin with, and of the one that each ends with."""

VOWEL = 18
"""Columns that a vowel takes."""


def spoken(digits: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return spectrograms (S, 1, 64, FRAMES), and when the second vowel is, (S, FRAMES)."""
    count, length = len(digits), FRAME * FRAMES
    time = torch.arange(length) / RATE
    pitch = 100 + 80 * torch.rand(count, 1, generator=draws)
    start = torch.randint(2, FRAMES - 2 * VOWEL - 2, (count,), generator=draws)
    column = torch.arange(length)[None] // FRAME - start[:, None]
    vowel = torch.stack([torch.tensor([FIRST, SECOND[digit]]) for digit in digits.tolist()])
    sound = torch.zeros(count, length)
    for harmonic in range(1, 30):
        tone = torch.sin(2 * torch.pi * harmonic * pitch * time)
        for part in (0, 1):  # the vowels, one after the other
            distance = (harmonic * pitch[:, :, None] - vowel[:, part, None]) / 90.0
            loudness = (1 / (1 + distance.square())).sum(2)
            sounding = (column >= part * VOWEL) & (column < (part + 1) * VOWEL)
            sound += loudness * tone * sounding
    sound += 0.3 * torch.randn(count, length, generator=draws)
    window = torch.hann_window(256)
    bands = torch.stft(sound, 256, FRAME, window=window, return_complex=True).abs()
    second = (column[:, ::FRAME] >= VOWEL) & (column[:, ::FRAME] < 2 * VOWEL)
    return (bands[:, None, :128:2, :FRAMES].log1p() - 1.5) / 0.9, second


def network() -> nn.Module:
    """Return convolutions over time and frequency, behind which pitch still counts."""
    layers: list[nn.Module] = []
    for put_in, put_out in ((1, 8), (8, 16)):
        layers += [nn.Conv2d(put_in, put_out, 5, padding=2), nn.BatchNorm2d(put_out), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d((16, 1)), nn.Flatten(), nn.Linear(256, 4))


def trained(model: nn.Module, sounds: Tensor, digits: Tensor, steps: int) -> nn.Module:
    """Train a model; return it in eval mode."""
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(steps):
        some = torch.randint(len(sounds), (32,))
        optimiser.zero_grad()
        F.cross_entropy(model(sounds[some]), digits[some], label_smoothing=0.05).backward()
        optimiser.step()
    return model.eval()


def draw(path: str, sounds: Tensor, maps: Tensor, seconds: Tensor, digits: Tensor) -> None:
    """Write spectrograms, low tones below, above maps; the second vowel between two lines."""
    figure = Figure(figsize=(2.2 * len(sounds), 4.2), layout="constrained")
    rows = zip(sounds, maps, seconds, digits.tolist(), strict=True)
    for column, (sound, heat, second, digit) in enumerate(rows):
        ends = second.nonzero().flatten()[[0, -1]] + torch.tensor([-0.5, 0.5])
        for row, (image, colours) in enumerate(((sound[0], "gray"), (heat[0], "inferno"))):
            axis = figure.add_subplot(2, len(sounds), row * len(sounds) + column + 1)
            axis.imshow(image.numpy(), cmap=colours, origin="lower")
            axis.vlines(ends.tolist(), -0.5, 63.5, "cyan", linewidth=0.9)
            axis.set_axis_off()
            axis.set_title(f"digit {digit}" if row == 0 else "", fontsize=9)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Train, explain, and check when the map listens."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a few seconds, on fewer words")
    small = parser.parse_args().small
    torch.manual_seed(0)
    draws = torch.Generator().manual_seed(0)
    digits = torch.arange(240 if small else 800) % 4
    sounds, _ = spoken(digits, draws)
    model = trained(network(), sounds, digits, steps=80 if small else 300)
    fresh, seconds = spoken(torch.arange(80) % 4, draws)
    with torch.no_grad():
        right = model(fresh).argmax(1) == torch.arange(80) % 4
    print(f"Of 80 new words {right.double().mean():.1%} are told right.")

    heard = right.nonzero().flatten()[: 4 if small else 8]
    iba = input_iba.InputIBA(model).fit(sounds)
    found = iba.attribute(fresh[heard])

    by_time = found.maps[:, 0].sum(1)
    inside = (by_time * seconds[heard]).sum(1) / by_time.sum(1)
    share = VOWEL / FRAMES
    print(f"Of the maps {inside.mean():.0%} lie in the second vowel, {share:.0%} of the time.")
    draw("spoken_digits.png", fresh[heard], found.maps, seconds[heard], heard % 4)
    print("Written: spoken_digits.png")
    if inside.mean() < 2.5 * share:
        raise SystemExit("The maps are not where the digits differ.")


if __name__ == "__main__":
    main()
