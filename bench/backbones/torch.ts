import { spawnSync } from 'node:child_process';
import { pythonsWith, UNHINDERED } from '../yardstick/python.ts';
import type { Model } from './models.ts';

/** Seconds of a forward pass in timm's module, or, without timm, of a transformer's blocks in plain PyTorch. */
const PROGRAM = `
import sys, json, time, torch
from torch import nn
spec = json.loads(sys.argv[1])
torch.set_num_threads(spec['threads'])
class Block(nn.Module):
    def __init__(self, d, heads, hidden, gated):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.fc1, self.fc2 = nn.Linear(d, 2 * hidden if gated else hidden), nn.Linear(hidden, d)
        self.heads, self.gated = heads, gated
    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.n1(x)).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        if hasattr(nn.functional, 'scaled_dot_product_attention'):
            a = nn.functional.scaled_dot_product_attention(q, k, v)
        else:
            a = ((q * (d // self.heads) ** -0.5) @ k.transpose(-2, -1)).softmax(-1) @ v
        x = x + self.proj(a.transpose(1, 2).reshape(b, n, d))
        h = self.fc1(self.n2(x))
        if self.gated:
            g, u = h.chunk(2, dim=-1)
            return x + self.fc2(nn.functional.silu(g) * u)
        return x + self.fc2(nn.functional.gelu(h))
try:
    import timm
    try:
        model = timm.create_model(spec['timm'], num_classes=0, img_size=spec['size'])
    except TypeError:
        model = timm.create_model(spec['timm'], num_classes=0)
    x = torch.randn(1, 3, *spec['size'])
except ImportError:
    c = spec['config']
    if 'patch' not in c:
        sys.exit(3)
    hidden = c.get('mlpHidden', 4 * c['dim'])
    gated = c.get('mlp') == 'swiglu'
    model = nn.Sequential(*[Block(c['dim'], c['heads'], hidden, gated) for _ in range(c['depth'])])
    tokens = (spec['size'][0] // c['patch']) * (spec['size'][1] // c['patch'])
    x = torch.randn(1, tokens, c['dim'])
model.eval()
best = 1e9
with torch.no_grad():
    for i in range(3):
        t = time.time()
        model(x)
        if i: best = min(best, time.time() - t)
print(best)
`;

/** Seconds in PyTorch, or null where no Python here can do it. */
export function torchSeconds({ timm, size, config }: Model, threads: number): number | null {
  const env = { ...process.env, ...UNHINDERED };
  const spec = JSON.stringify({ timm, size, config, threads });
  for (const python of pythonsWith(['torch'], UNHINDERED)) {
    const result = spawnSync(python, ['-c', PROGRAM, spec], { encoding: 'utf8', env });
    const seconds = Number(result.stdout.trim());
    if (result.status === 0 && seconds > 0) return seconds;
  }
  return null;
}
