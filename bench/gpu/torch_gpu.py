"""The cases of `npm run bench -- gpu` in PyTorch: bfloat16 autocast, scaled_dot_product_attention, fused AdamW."""
import json, sys, time
import timm, torch

spec = json.loads(sys.argv[1])
cuda = torch.cuda.is_available() and spec['provider'] != 'cpu'
device = 'cuda' if cuda else 'cpu'
deadline = time.time() + spec['seconds']


def made(case):
    options = {'num_classes': 0, **case['timmOptions']}
    try:
        return timm.create_model(case['timm'], img_size=case['size'], **options).to(device)
    except TypeError:
        return timm.create_model(case['timm'], **options).to(device)


def median_seconds(run):
    times, start = [], time.time()
    count = 0
    while not times or (count < 20 and time.time() - start < 4):
        before = time.time()
        run()
        if cuda:
            torch.cuda.synchronize()
        if count >= 2:
            times.append(time.time() - before)
        count += 1
    times.sort()
    return (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2


def forward(case, dtype):
    model = made(case).eval()
    if cuda:
        model = model.to(memory_format=torch.channels_last)
    # From the host each time, as sward's come.
    images = torch.rand(case['batch'], 3, *case['size'])

    def run():
        with torch.inference_mode(), torch.autocast(device, dtype, enabled=dtype != torch.float32):
            return model(images.to(device)).float().cpu()

    return median_seconds(run)


def step(case, dtype):
    model = torch.nn.Sequential(made(case), torch.nn.Linear(case['config']['dim'], 1).to(device)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=cuda)
    images = torch.rand(case['batch'], 3, *case['size'])
    targets = torch.rand(case['batch'], 1)

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype, enabled=dtype != torch.float32):
            answer = model(images.to(device))
        loss = torch.nn.functional.mse_loss(answer.float(), targets.to(device))
        loss.backward()
        optimizer.step()
        loss.item()

    return median_seconds(run)


rows = []
for kind, cases, measure in (('forward', spec['backbones'], forward), ('step', [spec['step']], step)):
    for case in cases:
        for dtype in (torch.float32, torch.bfloat16):
            if time.time() > deadline:
                continue
            if cuda:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            seconds = measure(case, dtype)
            peak = torch.cuda.max_memory_reserved() / 2**20 if cuda else None
            precision = str(dtype).removeprefix('torch.')
            rows.append({'name': case['name'], 'kind': kind, 'precision': precision, 'seconds': seconds, 'peakMib': peak})
name = torch.cuda.get_device_name() if cuda else 'the CPU'
print(json.dumps({'rows': rows, 'description': f'PyTorch {torch.__version__} on {name}'}))
