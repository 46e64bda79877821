import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { heads } from '../../../src/networks/heads/heads.ts';
import type { Heads } from '../../../src/networks/heads/masses.ts';
import type { NetworkSettings } from '../../../src/networks/settings/network.ts';
import { compile, input, Scope, type Tensor } from '../../../src/tensor/index.ts';
import { settingsOf } from '../small-sets.ts';

const BATCH = 2;

interface Built {
  readonly heads: Heads;
  readonly names: string[];
  readonly shapes: Record<string, readonly number[]>;
  run(output: Tensor, parts: readonly number[], extra?: readonly number[]): Promise<number[]>;
}

function build(settings: NetworkSettings, parts: readonly [number, number, number], extra = 0): Built {
  const scope = Scope.root({ random: randomStream(3) });
  const features = {
    parts: input('parts', [BATCH, ...parts]),
    ...(extra > 0 && { extra: input('extra', [BATCH, extra]) }),
  };
  const built = heads(scope.forInference(), features, settings);
  return {
    heads: built,
    names: scope.parameters.map(({ name }) => name).sort(),
    shapes: Object.fromEntries(scope.parameters.map(({ name, shape }) => [name, shape])),
    async run(output, values, beside) {
      const program = await compile({ outputs: { output } });
      const feeds = { parts: Float32Array.from(values), ...(beside && { extra: Float32Array.from(beside) }) };
      const { output: result } = await program.run(feeds);
      await program.dispose();
      return Array.from(result?.values as Float32Array);
    },
  };
}

const noise = (length: number): number[] => {
  const random = randomStream(9);
  return Array.from({ length }, () => random.normal());
};

const closeTo = (value: number): unknown => expect.closeTo(value, 4);

describe('film-dual', () => {
  const settings = settingsOf({ architecture: { kind: 'film-dual', hidden: 8 } });

  it("has the names and shapes of seed 2's checkpoints", () => {
    const { names, shapes } = build(settings, [2, 1, 6]);
    expect(names).toEqual(
      [
        ...['film.mlp.0', 'film.mlp.2'],
        ...['head_green', 'head_clover', 'head_dead'].flatMap((head) => [`${head}.0`, `${head}.3`]),
      ]
        .flatMap((layer) => [`${layer}.bias`, `${layer}.weight`])
        .sort(),
    );
    expect(shapes['film.mlp.0.weight']).toEqual([3, 6]);
    expect(shapes['film.mlp.2.weight']).toEqual([12, 3]);
    expect(shapes['head_green.0.weight']).toEqual([8, 12]);
  });

  it('answers with masses that add up', async () => {
    const built = build(settings, [2, 1, 6]);
    const masses = await built.run(built.heads.masses, noise(24));
    for (const [green = 0, dead = 0, clover = 0, gdm, total] of [masses.slice(0, 5), masses.slice(5)]) {
      expect(Math.min(green, dead, clover)).toBeGreaterThan(0);
      expect([gdm, total]).toEqual([closeTo(green + clover), closeTo(green + clover + dead)]);
    }
  });

  it('keeps γ in ±1 where that is asked for', async () => {
    const parts = noise(24).map((value) => 40 * value);
    const ratios = async (gamma: 'free' | 'tanh'): Promise<number[]> => {
      const built = build(settingsOf({ architecture: { kind: 'film-dual', hidden: 8, gamma } }), [2, 1, 6]);
      const joined = await built.run(built.heads.embedding, parts);
      // Both halves of a photo have the same γ and β, so their difference grows by 1 + γ.
      return Array.from({ length: 6 }, (_, at) => {
        const after = (joined[at] as number) - (joined[at + 6] as number);
        return after / ((parts[at] as number) - (parts[at + 6] as number));
      });
    };
    for (const ratio of await ratios('tanh')) {
      expect(ratio).toBeGreaterThan(-1e-3);
      expect(ratio).toBeLessThan(2 + 1e-3);
    }
    expect((await ratios('free')).some((ratio) => ratio < 0 || ratio > 2)).toBe(true);
  });

  it('takes a whole photo as both of its halves', async () => {
    const half = noise(12);
    const twice = [...half.slice(0, 6), ...half.slice(0, 6), ...half.slice(6), ...half.slice(6)];
    const whole = build(settings, [1, 1, 6]);
    const halves = build(settings, [2, 1, 6]);
    expect(await whole.run(whole.heads.masses, half)).toEqual(await halves.run(halves.heads.masses, twice));
  });
});

describe('tiled-dual', () => {
  it('averages tiles, joins halves and the further embedding, and leaves dead and clover between', async () => {
    const settings = settingsOf({ architecture: { kind: 'tiled-dual' } });
    const built = build(settings, [2, 4, 3], 2);
    expect(built.shapes['head_total.0.weight']).toEqual([2, 8]);
    const [green = 0, dead, clover, gdm = 0, total = 0] = await built.run(
      built.heads.masses,
      noise(48),
      noise(4),
    );
    expect([dead, clover]).toEqual([closeTo(total - gdm), closeTo(gdm - green)]);
    const [first] = await built.run(built.heads.embedding, [...noise(24), ...noise(24)], noise(4));
    const tiles = noise(24);
    expect(first).toBeCloseTo(
      [0, 3, 6, 9].reduce((sum, at) => sum + (tiles[at] ?? 0) / 4, 0),
      5,
    );
  });

  it.each(['attention', 'quality'] as const)(
    'weighs tiles by %s with weights that sum to 1',
    async (tiles) => {
      const built = build(settingsOf({ architecture: { kind: 'tiled-dual', tiles } }), [2, 4, 3]);
      expect(built.names.some((name) => name.startsWith('tiles.'))).toBe(true);
      const alike = Array.from({ length: 48 }, (_, at) => at % 3);
      const embedding = await built.run(built.heads.embedding, alike);
      embedding.forEach((value, at) => {
        expect(value).toBeCloseTo(at % 3, 4);
      });
      const tilesOfHalf = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
      const one = await built.run(built.heads.embedding, [...tilesOfHalf, ...new Array(36).fill(0)]);
      expect(one[0]).toBeGreaterThan(0);
      expect(one[0]).toBeLessThan(1);
    },
  );

  it('lets blocks attend to each other before tiles are pooled', async () => {
    const joinedWith = async (attendingBlocks: number, lastBlock: number): Promise<number[]> => {
      const built = build(settingsOf({ architecture: { kind: 'tiled-dual', attendingBlocks } }), [2, 1, 6]);
      const first = [0.3, -0.2, 0.5];
      const half = [...first, lastBlock, 0.1, -0.4];
      return built.run(built.heads.embedding, [...half, ...half, ...half, ...half]);
    };
    const firstBlock = (joined: readonly number[]): readonly number[] => joined.slice(0, 3);
    expect(firstBlock(await joinedWith(0, 1))).toEqual(firstBlock(await joinedWith(0, 2)));
    expect(firstBlock(await joinedWith(2, 1))).not.toEqual(firstBlock(await joinedWith(2, 2)));
    const settings = settingsOf({ architecture: { kind: 'tiled-dual', attendingBlocks: 4 } });
    expect(() => build(settings, [2, 1, 6])).toThrow(/6 features are not those of so many blocks/);
  });

  it('is told when there are no tiles to weigh', () => {
    const settings = settingsOf({ architecture: { kind: 'tiled-dual', tiles: 'attention' } });
    expect(() => build(settings, [2, 1, 3])).toThrow(/each half is one vector; set input\.combine=keep/);
  });

  it.each([
    ['concat', 6],
    ['film', 6],
    ['gated', 3],
  ] as const)('fuses halves by %s to %i features', (fusion, width) => {
    const { heads: built } = build(settingsOf({ architecture: { kind: 'tiled-dual', fusion } }), [2, 1, 3]);
    expect(built.embedding.shape).toEqual([BATCH, width]);
  });

  it('narrows the heads by a bottleneck', () => {
    const { shapes } = build(settingsOf({ architecture: { kind: 'tiled-dual', bottleneck: 8 } }), [2, 1, 64]);
    expect(shapes['bottleneck.weight']).toEqual([8, 128]);
    expect(shapes['head_green.0.weight']).toEqual([2, 8]);
  });
});

describe('density', () => {
  it('sums the masses of its patches, and of the halves', async () => {
    const built = build(settingsOf({ architecture: { kind: 'density' } }), [2, 9, 4]);
    const parts = noise(2 * 72);
    const masses = await built.run(built.heads.masses, parts);
    const maps = await built.run(built.heads.maps as Tensor, parts);
    const halves = await built.run(built.heads.halves as Tensor, parts);
    expect(maps).toHaveLength(BATCH * 2 * 9 * 3);
    expect(maps.every((grams) => grams > 0)).toBe(true);
    const dead = maps.slice(0, 54).filter((_, at) => at % 3 === 1);
    expect(masses[1]).toBeCloseTo(
      dead.reduce((sum, grams) => sum + grams, 0),
      4,
    );
    expect(masses[4]).toBeCloseTo((halves[4] ?? 0) + (halves[9] ?? 0), 4);
  });

  it('has no halves of its own where both learn together', () => {
    const settings = settingsOf({ architecture: { kind: 'density', halves: 'together' } });
    expect(build(settings, [2, 4, 3]).heads.halves).toBeUndefined();
  });
});

describe('mlp', () => {
  it('adds a linear path that begins at nothing', async () => {
    const plain = build(settingsOf({ architecture: { kind: 'mlp', hidden: [4] } }), [2, 1, 3]);
    const skipping = build(settingsOf({ architecture: { kind: 'mlp', hidden: [4], skip: true } }), [2, 1, 3]);
    expect(skipping.shapes['skip.weight']).toEqual([3, 6]);
    const parts = noise(12);
    expect(await skipping.run(skipping.heads.masses, parts)).toEqual(
      await plain.run(plain.heads.masses, parts),
    );
  });

  it('counts in the mean masses of training where those are the unit', async () => {
    const draft = { architecture: { kind: 'mlp', hidden: [4] } };
    const grams = build(settingsOf(draft), [1, 1, 3]);
    const means = build(settingsOf({ ...draft, unit: 'mean' }), [1, 1, 3]);
    expect(means.names).toContain('unit.mean');
    const parts = noise(6);
    const [inGrams, inMeans] = [
      await grams.run(grams.heads.masses, parts),
      await means.run(means.heads.masses, parts),
    ];
    // Means are 1 until training sets them, and a logit of 0 is the mean: softplus(0) = ln 2.
    inMeans.forEach((mass, at) => {
      expect(mass * Math.LN2).toBeCloseTo(inGrams[at] ?? Number.NaN, 5);
    });
  });
});
