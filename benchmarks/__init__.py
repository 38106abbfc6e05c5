"""Side by side with a plain PyTorch loop, in one run: speed, and that the losses are the same.

    python -m benchmarks.training        milliseconds per step, ours and torch's in turns
    python -m benchmarks.same_losses     final losses over 64 seeds, ours and torch's

Without torch (the extra `bench`) the first says so and prints our rows alone.
"""
