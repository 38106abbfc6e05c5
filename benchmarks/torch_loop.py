"""The other side: a plain PyTorch loop of the recipe of Anthropic's notebook `toy_models.ipynb`.

All instances in one tensor, a fresh batch each step drawn apart for each instance as mask ×
uniform, two einsums, importance-weighted squared error, AdamW. The error is summed over features
as in this library (the notebook takes the mean; AdamW's steps are the same but for its epsilon).
"""

import importlib
import os
from typing import Any

import numpy as np


def import_torch() -> Any:
    """Return the module torch on all cores, or None where it is not installed."""
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        return None
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    return torch


class TorchLoop:
    """Some instances of ReLU(Wᵀ W x + b) on their way; `steps(n)` takes n steps of all."""

    def __init__(
        self,
        p_active: np.ndarray,  # [I]
        importance: np.ndarray,  # [F]
        n_hidden: int,
        *,
        scale: float,
        batch_size: int = 1024,
        device: str = "cpu",
    ) -> None:
        """Draw the first weights with standard deviation `scale`."""
        self.torch = torch = import_torch()
        self.device, n_instances, n_features = device, len(p_active), len(importance)
        self.shape = (batch_size, n_instances, n_features)
        self.p = self._tensor(p_active)[:, None]
        self.importance = self._tensor(importance)
        self.zero = torch.zeros((), device=device)
        W = scale * torch.randn(n_instances, n_features, n_hidden, device=device)
        self.W = torch.nn.Parameter(W)
        self.b = torch.nn.Parameter(torch.zeros(n_instances, n_features, device=device))
        self.optimizer = torch.optim.AdamW([self.W, self.b], lr=1e-3, weight_decay=0.01)

    def _tensor(self, values: np.ndarray) -> Any:
        return self.torch.as_tensor(values, dtype=self.torch.float32, device=self.device)

    def draw(self) -> Any:
        """Draw a fresh batch `[B, I, F]`."""
        values = self.torch.rand(self.shape, device=self.device)
        mask = self.torch.rand(self.shape, device=self.device) <= self.p
        return self.torch.where(mask, values, self.zero)

    def step(self) -> None:
        """Take one step of every instance."""
        torch = self.torch
        self.optimizer.zero_grad(set_to_none=True)
        x = self.draw()
        h = torch.einsum("bif,ifm->bim", x, self.W)
        y = torch.relu(torch.einsum("bim,ifm->bif", h, self.W) + self.b)
        loss = (self.importance * (x - y) ** 2).mean(dim=0).sum()
        loss.backward()
        self.optimizer.step()

    def steps(self, n: int) -> None:
        """Take n steps and wait for the device."""
        for _ in range(n):
            self.step()
        if self.device != "cpu":
            self.torch.cuda.synchronize()

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return `W [I, M, F]` and `b [I, F]`."""
        W, b = (a.detach().cpu().numpy() for a in (self.W, self.b))
        return np.swapaxes(W, 1, 2), b
