"""Figures without sampling noise: solved, followed and computed in closed form."""
