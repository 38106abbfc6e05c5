"""Figures of Elhage et al. 2022, "Toy Models of Superposition", trained on samples as there."""
