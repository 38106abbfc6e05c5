"""Figures of circuits in superposition, after Linsefors & Bushnaq 2025."""
