"""The networks: one small file for each architecture, behind the contracts in `base`; they know no files."""
