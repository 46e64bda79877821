import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { registerBackbones } from '../../src/cli/backbones.ts';
import { environmentFrom } from '../../src/cli/environment.ts';
import { configure } from '../../src/ground/environment.ts';
import { messageOf } from '../../src/ground/errors.ts';
import { backboneParameters, makeBackbone } from '../../src/vision/backbones/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { huggingFaceDinov2, writeDistinct } from '../vision/weights/layout-files.ts';
import { COMMIT, type LocalHub, localHub, NO_TENSORS } from '../vision/weights/local-hub.ts';

const root = temporaryFolder('backbones-command');
/** An entry whose checksum is not known, so that something small can stand in for its file. */
const NAME = 'vit_small_patch14_reg4_dinov2.lvd142m';
let made = 0;

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly error: string | undefined;
}

/** Runs `sward backbones …` in this process, against a hub and with folders of its own. */
async function run(hub: LocalHub, home: string, ...args: string[]): Promise<Outcome> {
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  vi.stubEnv('HF_HOME', home);
  vi.stubEnv('SWARD_CACHE', join(home, 'sward'));
  configure(environmentFrom(process.env));
  let stdout = '';
  let stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
  const program = new Command('sward').exitOverride();
  registerBackbones(program);
  const error = await program.parseAsync(['node', 'sward', 'backbones', ...args]).then(
    () => undefined,
    (reason: unknown) => messageOf(reason),
  );
  vi.restoreAllMocks();
  return { stdout, stderr, error };
}

async function aHub(): Promise<{ hub: LocalHub; home: string }> {
  const hub = await localHub({ [`timm/${NAME}/model.safetensors`]: NO_TENSORS });
  return { hub, home: join(root, `home-${made++}`) };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('sward backbones', () => {
  it('lists every backbone with its width, licence and whether it is pulled', async () => {
    const { hub, home } = await aHub();
    const { stdout } = await run(hub, home, 'list');
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^name +features +parameters +download +input +licence +gated +pulled$/);
    const row = lines.find((line) => line.startsWith('vit_large_patch14_dinov2.lvd142m '));
    expect(row).toMatch(/1024 +304\.4 M +1218 MB +518×518 +Apache-2\.0 +no +–$/);
    const gated = lines.find((line) => line.startsWith('facebook/dinov3-vitl16-pretrain-lvd1689m '));
    expect(gated).toMatch(/1213 MB +224×224 +DINOv3 +yes +–$/);
    expect(lines[1]).toMatch(/^bundled +1280 +\d\.\d M +\d+ MB +\d+×\d+ +Apache-2\.0 +no +yes$/);
    expect(lines.at(-1)).toMatch(/^\d+ backbones, 1 pulled$/);
    expect(hub.seen).toEqual([]);
  });

  it('lists as JSON, only what is asked for', async () => {
    const { hub, home } = await aHub();
    const { stdout } = await run(hub, home, 'list', 'patch14_reg4_dinov2', '--json');
    const rows = JSON.parse(stdout) as { name: string; pulled: boolean; width: number }[];
    expect(rows.map(({ name }) => name)).toContain(NAME);
    expect(rows.every(({ name, pulled }) => name.includes('patch14_reg4_dinov2') && !pulled)).toBe(true);
  });

  it('pulls, prints where the weights lie, and knows them afterwards', async () => {
    const { hub, home } = await aHub();
    const path = join(home, 'hub', `models--timm--${NAME}`, 'snapshots', COMMIT, 'model.safetensors');
    const pulled = await run(hub, home, 'pull', NAME);
    expect(pulled).toMatchObject({ stdout: `${path}\n`, error: undefined });
    expect(pulled.stderr).toMatch(/pulling timm\/vit_small/);
    expect(existsSync(path)).toBe(true);
    expect((await run(hub, home, 'path', NAME)).stdout).toBe(`${path}\n`);
    expect((await run(hub, home, 'list', '--pulled')).stdout).toMatch(/2 backbones, 2 pulled/);
    expect(JSON.parse((await run(hub, home, 'path', NAME, '--json')).stdout)).toMatchObject({
      arch: 'dinov2',
      path,
    });
  });

  it('says where in a file a backbone lies, and what was assumed of it', async () => {
    const { hub, home } = await aHub();
    const config = { dim: 12, depth: 1, heads: 3, imgSize: [168, 168] };
    const parameters = backboneParameters(makeBackbone('dinov2', config));
    const path = join(home, 'mine.safetensors');
    await writeDistinct(
      path,
      Object.fromEntries(parameters.map(({ name, shape }) => [`model._orig_mod.${name}`, shape])),
    );
    writeFileSync(join(home, 'mine.json'), JSON.stringify({ arch: 'dinov2', config: { heads: 3 } }));
    const { stdout, stderr } = await run(hub, home, 'path', path);
    expect(stdout).toMatch(/converted-v2/);
    expect(stderr).toMatch(
      /^backbone: what lies below "model\._orig_mod\."\nassumed: positions of 144 patches are taken for 12 × 12 /,
    );
    expect(JSON.parse((await run(hub, home, 'path', path, '--json')).stdout)).toMatchObject({
      part: 'model._orig_mod.',
      assumed: expect.stringMatching(/were they 9 × 16 or 8 × 18, state it in .*mine\.json/) as string,
    });
  });

  it('has one that is always there', async () => {
    const { hub, home } = await aHub();
    const path = (await run(hub, home, 'path', 'bundled')).stdout.trim();
    expect(path).toMatch(/weights[\\/]tf_efficientnet_lite\d\.safetensors$/);
    expect(existsSync(path)).toBe(true);
    expect((await run(hub, home, 'pull', 'bundled')).stdout.trim()).toBe(path);
    expect(hub.seen).toEqual([]);
  });

  it('says how to get what is not there', async () => {
    const { hub, home } = await aHub();
    const { stdout, error } = await run(hub, home, 'path', NAME);
    expect(stdout).toBe('');
    expect(error).toMatch(
      /not pulled yet .* run `sward backbones pull vit_small_patch14_reg4_dinov2.lvd142m`$/,
    );
    expect((await run(hub, home, 'pull', 'vit_tiny')).error).toMatch(
      /unknown backbone "vit_tiny": did you mean/,
    );
    expect((await run(hub, home, 'pull', 'someone/else')).error).toMatch(/no such repository \(404\)/);
  });

  it('says how to get access to a gated repository', async () => {
    const { hub, home } = await aHub();
    hub.mischief = (_, response) => {
      response.writeHead(401, { 'x-error-code': 'GatedRepo' }).end('no');
      return true;
    };
    const { error } = await run(hub, home, 'pull', 'facebook/dinov3-vits16-pretrain-lvd1689m');
    expect(error).toMatch(
      /gated \(401\); ask for access at .*\/facebook\/dinov3-vits16-pretrain-lvd1689m, then set HF_TOKEN/,
    );
    expect(error).not.toMatch(/\n/);
  });

  it('uses no network offline', async () => {
    const { hub, home } = await aHub();
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect((await run(hub, home, 'pull', NAME)).error).toMatch(/HF_HUB_OFFLINE forbids the network/);
    expect(hub.seen).toEqual([]);
  });

  it('tells what a file is', async () => {
    const { hub, home } = await aHub();
    mkdirSync(home, { recursive: true });
    const path = join(home, 'mine.safetensors');
    await writeDistinct(path, huggingFaceDinov2('', 0));
    writeFileSync(join(home, 'mine.json'), JSON.stringify({ arch: 'dinov2', config: { heads: 2 } }));
    const { stdout } = await run(hub, home, 'path', path, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      arch: 'dinov2',
      config: { heads: 2, dim: 6 },
      source: `file ${path}`,
    });
  });
});
