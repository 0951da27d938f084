"""The networks behind encode, impute and sample; no score depends on them."""
