"""What `--dry-run` says a sweep takes, beside what it takes.

Use: python -m benchmarks.estimates [NAME …].

In seconds of the processor, so that whatever else runs on the machine does not count.
"""

import sys
import time

import jax

from figures.command.verbs import load
from sweeps import estimate, run_sweep

NAMES = ("phase-diagram-2-1", "rotations-sweep", "superposition-20-5")


def measured(name: str) -> tuple[float, float, float]:
    """Return the seconds that are expected, that the run took and that expecting it took."""
    config = load(name, ())
    jax.clear_caches()
    began = time.process_time()
    expected = estimate(config).seconds
    asked = time.process_time() - began
    jax.clear_caches()
    began = time.process_time()
    run_sweep(config)
    return expected, time.process_time() - began, asked


def main() -> None:
    print(f"{'sweep':<24}{'expected':>10}{'took':>10}{'ratio':>8}{'asking':>10}")
    time.monotonic = time.process_time  # what an estimate is measured by
    for name in sys.argv[1:] or NAMES:
        expected, took, asked = measured(name)
        print(f"{name:<24}{expected:>10.1f}{took:>10.1f}{expected / took:>8.2f}{asked:>10.1f}")


if __name__ == "__main__":
    main()
