import { startTorchProgram, type TorchTraining } from '../yardstick/torch-process.ts';

/** The transformer that both sides train: its blocks on random tokens, mean square as the loss. */
export interface TransformerSize {
  readonly batch: number;
  readonly tokens: number;
  readonly dim: number;
  readonly hidden: number;
  readonly heads: number;
  readonly depth: number;
}

/** Does one step for every line it reads, and answers with a line. */
const PROGRAM = `
import json, sys, torch
from torch import nn
size = json.loads(sys.argv[1])
torch.set_num_threads(size['threads'])
class Block(nn.Module):
    def __init__(self, d, hidden, heads):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(d, eps=1e-6), nn.LayerNorm(d, eps=1e-6)
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, hidden), nn.GELU(), nn.Linear(hidden, d))
        self.heads = heads
    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.n1(x)).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        if hasattr(nn.functional, 'scaled_dot_product_attention'):
            a = nn.functional.scaled_dot_product_attention(q, k, v)
        else:
            a = ((q * (d // self.heads) ** -0.5) @ k.transpose(-2, -1)).softmax(-1) @ v
        x = x + self.proj(a.transpose(1, 2).reshape(b, n, d))
        return x + self.mlp(self.n2(x))
model = nn.Sequential(*[Block(size['dim'], size['hidden'], size['heads']) for _ in range(size['depth'])])
opt = torch.optim.AdamW(model.parameters(), lr=1e-4)
x = torch.randn(size['batch'], size['tokens'], size['dim'])
x @ x.transpose(1, 2)
maps = open('/proc/self/maps').read() if sys.platform == 'linux' else ''
library = next((name for name in ('mkl', 'openblas', 'blis') if name in maps), 'an unknown library')
print(f'PyTorch {torch.__version__} on {library}', flush=True)
for line in sys.stdin:
    opt.zero_grad()
    model(x).square().mean().backward()
    opt.step()
    print('done', flush=True)
`;

/** Starts PyTorch's side; null where no Python on this machine has it. */
export const startTorch = (size: TransformerSize, threads: number): Promise<TorchTraining | null> =>
  startTorchProgram(PROGRAM, size, { threads, modules: ['torch'] });
