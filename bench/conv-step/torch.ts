import { startTorchProgram, type TorchTraining } from '../yardstick/torch-process.ts';

/** What both sides train: timm's model, pictures of one size, mean square of the pooled features as the loss. */
export interface ConvolutionalStep {
  readonly timm: string;
  readonly batch: number;
  readonly side: number;
}

/** A step as a good Python engineer writes it for a CPU: channels last, and bfloat16 under autocast where asked for. */
const PROGRAM = `
import json, sys, timm, torch
spec = json.loads(sys.argv[1])
torch.set_num_threads(spec['threads'])
model = timm.create_model(spec['timm'], num_classes=0).train().to(memory_format=torch.channels_last)
opt = torch.optim.AdamW(model.parameters(), lr=1e-4)
x = torch.randn(spec['batch'], 3, spec['side'], spec['side']).to(memory_format=torch.channels_last)
print(f'PyTorch {torch.__version__}, timm {timm.__version__}', flush=True)
for line in sys.stdin:
    opt.zero_grad()
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=spec['bfloat16']):
        y = model(x)
    y.float().square().mean().backward()
    opt.step()
    print('done', flush=True)
`;

/** Starts PyTorch's side; null where no Python on this machine has torch and timm. */
export const startTorch = (
  step: ConvolutionalStep,
  bfloat16: boolean,
  threads: number,
): Promise<TorchTraining | null> =>
  startTorchProgram(PROGRAM, { ...step, bfloat16 }, { threads, modules: ['torch', 'timm'] });
