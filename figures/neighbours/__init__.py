"""Figures of questions next door: dictionaries, probes and masks on toy models."""
