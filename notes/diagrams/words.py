"""The words of the diagrams in Chinese.  A word that is missing here cannot be drawn."""

CHINESE = {
    "An RNN, folded and unrolled over three time steps": "循环神经网络：折叠的形式，以及沿三个时间步展开的形式",
    "folded": "折叠",
    "unrolled, T = 3": "展开，T = 3",
    "forward": "前向计算",
    "gradient": "梯度",
    "the same in every step": "各时间步共用",
    "loss ℓ": "损失 ℓ",
    "a weight's gradient: the sum over all steps": "权重的梯度：对所有时间步求和",
    "The RNN cell: forward and gradient": "RNN 单元：前向计算与梯度",
    "The LSTM cell: forward and gradient": "LSTM 单元：前向计算与梯度",
    "The GRU cell, reset after: forward and gradient": "GRU 单元（重置门在矩阵乘之后）：前向计算与梯度",
    "hidden state": "隐藏状态",
    "cell state": "细胞状态",
    "forget gate": "遗忘门",
    "input gate": "输入门",
    "output gate": "输出门",
    "reset gate": "重置门",
    "update gate": "更新门",
    "candidate": "候选值",
}
