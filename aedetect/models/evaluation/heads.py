"""placeholder until merged"""


class AuxiliaryHeads:
    def __init__(self, layout, config, arrays):
        self.arrays = arrays
