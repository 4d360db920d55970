#!/usr/bin/python3
"""The language-model yardstick: a gpt2-shaped forward pass in plain PyTorch modules, up to the middle of the network.

Same work as the other side of the bench: embeddings, half of the blocks, the residual stream read back as numpy.
Prints one JSON line. Needs Debian's python3-torch and python3-numpy.
"""
import json
import math
import os
import sys
import time

import torch
from torch import nn

shape = json.loads(sys.argv[1])
torch.set_num_threads(os.cpu_count())
torch.manual_seed(0)
layers, d, heads, vocabulary = shape["layers"], shape["dModel"], shape["heads"], shape["vocabulary"]
batch, context, rounds = shape["batch"], shape["context"], shape["rounds"]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x, mask):
        rows, time_, _ = x.shape
        q, k, v = self.qkv(self.ln1(x)).split(d, dim=2)
        q, k, v = (t.view(rows, time_, heads, d // heads).transpose(1, 2) for t in (q, k, v))
        scores = q @ k.transpose(2, 3) / math.sqrt(d // heads)
        mixed = torch.softmax(scores.masked_fill(mask, float("-inf")), dim=-1) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, time_, d))
        hidden = self.up(self.ln2(x))
        gelu = 0.5 * hidden * (1 + torch.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)))
        return x + self.down(gelu)


tokens, positions = nn.Embedding(vocabulary, d), nn.Embedding(shape["positions"], d)
blocks = nn.ModuleList(Block() for _ in range(layers // 2)).eval()
ids = torch.randint(0, vocabulary, (batch, context))
mask = torch.triu(torch.ones(context, context, dtype=torch.bool), diagonal=1)


@torch.no_grad()
def capture():
    x = tokens(ids) + positions(torch.arange(context))
    for block in blocks:
        x = block(x, mask)
    return x.numpy()


times = []
for _ in range(rounds + 1):
    started = time.perf_counter()
    capture()
    times.append(time.perf_counter() - started)
median = sorted(times[1:])[rounds // 2]
print(json.dumps({"tokensPerSecond": batch * context / median, "torch": torch.__version__, "threads": torch.get_num_threads()}))
