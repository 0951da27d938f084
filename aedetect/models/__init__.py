"""The autoencoders: one small file each, behind the contracts in `base`."""
