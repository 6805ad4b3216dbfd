"""What explainer and approximator are trained for."""

from __future__ import annotations

import math

from torch import Tensor


def soft_cross_entropy(log_probabilities: Tensor, logits: Tensor) -> Tensor:
    """Return the cross-entropy H(p, q), summed over classes, averaged over samples and draws.

    Args:
        log_probabilities: ln p of the black box on whole inputs (S, classes).
        logits: Of q (S·K, classes), the K draws of a sample in turn.

    Returns:
        A scalar in nats, float32.

    References:
        Bang et al. 2019 (arXiv 1902.06918), equation 8.
    """
    samples = len(log_probabilities)
    wanted = log_probabilities.float().exp()[:, None]
    predicted = logits.float().log_softmax(-1).view(samples, -1, logits.shape[-1])
    loss: Tensor = -(wanted * predicted).sum(-1).mean()
    return loss


def kl_from_uniform(logits: Tensor) -> Tensor:
    """Return KL[p(z|x) ‖ uniform] in nats, averaged over samples.

    Args:
        logits: Of p(z|x), one draw of a chunk (S, N); -inf marks a chunk that does not exist, and
            the uniform distribution is over those that do.

    Returns:
        A scalar, float32, at least 0.

    References:
        Bang et al. 2019 (arXiv 1902.06918), equation 5, with a uniform r(z).
    """
    log_p = logits.float().log_softmax(-1)
    exists = log_p > -math.inf
    log_p = log_p.masked_fill(~exists, 0.0)
    negative_entropy = (log_p.exp() * log_p * exists).sum(-1)
    return (negative_entropy + exists.sum(-1).float().log()).mean()


def jensen_shannon(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return the Jensen–Shannon distance of two distributions per row, in [0, 1].

    Args:
        log_p: (B, classes), ln p.
        log_q: Likewise.

    Returns:
        (B,): the square root of the divergence in bits.
    """
    p, q = log_p.float().exp(), log_q.float().exp()
    log_m = ((p + q) / 2).clamp_min(1e-38).log()
    divergence = (p * (log_p.float().clamp_min(-87.0) - log_m)).sum(-1) / 2
    divergence = divergence + (q * (log_q.float().clamp_min(-87.0) - log_m)).sum(-1) / 2
    return (divergence / math.log(2)).clamp(0.0, 1.0).sqrt()
