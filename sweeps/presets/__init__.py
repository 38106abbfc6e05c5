"""Every published sweep as data: one TOML file each."""
