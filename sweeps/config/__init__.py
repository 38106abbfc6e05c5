"""Configs: TOML in, validated sweeps out; the one registry of names."""
