"""Kinds of work, one file each, and the engine of training."""
