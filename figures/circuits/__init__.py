"""Circuits in superposition: Linsefors & Bushnaq 2025, and our sweeps of their construction.

What they share: `errors` (means over networks, published estimates, curves) and `reference` (values
measured apart, with the configuration that they belong to).
"""
