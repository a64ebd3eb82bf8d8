"""Faults of reference/common/arrays.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("sigmoid as e^x / (1 + e^x)", "sigmoid", "np.where(positive, 1, e) / (1 + e)", "np.exp(x) / (1 + np.exp(x))",
          source="onnxruntime #4628, dynet #1525, ComputeLibrary #779: infinity over infinity past 89 in float32",
          kinds=("lstm", "lstm-proj", "gru", "gru-before")),
    Fault("relu drops NaN", "relu", "np.where(x.real <= 0, 0, x)", "np.where(x.real > 0, x, 0)", shows="non-finite",
          source="pytorch #7999, burn #5609", kinds=("rnn-relu",)),
]
