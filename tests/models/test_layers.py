"""What is typical of scores."""

import torch

from aedetect.models.layers import typical


def test_what_is_typical_is_the_median_of_each_column_and_never_nothing() -> None:
    values = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    torch.testing.assert_close(typical(values, least=1e-6), torch.tensor([2.02, 1e-6]))
