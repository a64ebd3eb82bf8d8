"""RNN, LSTM and GRU: the rooms that define each cell, the stack over them, and the classes of torch.nn."""
