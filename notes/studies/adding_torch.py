"""The model of notes/studies/adding.py in PyTorch; autograd is the backward.  Measured in notes/gradients/gradient_flow.md"""

from torch import nn
from torch.nn.functional import mse_loss

from torch_impl.common.initial_weights import draw
from torch_impl.models.model import Model, hidden


class Adder(Model):
    """As notes.studies.adding.Adder with its uniform weights; ``way`` as for Model."""

    def __init__(self, cell, hidden_size, *, dtype="float32", rng=None, way="hoisted"):
        super().__init__(dtype=dtype, rng=rng, way=way)
        relu = {"nonlinearity": "relu"} if cell == "relu" else {}
        self.rnn = self.recurrent("rnn" if relu else cell, 2, hidden_size, **relu)
        self.head = nn.Linear(hidden_size, 1, dtype=self.dtype)
        draw(self, self.rng)

    def loss(self, batch):
        """Batch  ->  mean squared error, 0-d"""
        _, s_n = self.rnn(self.tensor(batch.x))
        return mse_loss(self.head(hidden(s_n)[-1])[:, 0], self.tensor(batch.target))
