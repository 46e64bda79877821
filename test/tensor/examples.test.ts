import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fineTune } from '../../docs/examples/fine-tune-a-vit.ts';
import { fitALine } from '../../docs/examples/fit-a-line.ts';

describe('the examples of docs/engine.md', () => {
  it('fit a line', async () => {
    const { w, b } = await fitALine();
    expect(w).toBeCloseTo(3, 1);
    expect(b).toBeCloseTo(-1, 1);
  });

  it('fine-tune a tiny ViT', async () => {
    const losses = await fineTune();
    expect(losses[0]).toBeGreaterThan(0.2);
    expect(Math.max(...losses.slice(-10))).toBeLessThan(0.05);
  });

  it('are short, and each is named by the page', () => {
    const docs = join(import.meta.dirname, '../../docs');
    const page = readFileSync(join(docs, 'engine.md'), 'utf8');
    const files = readdirSync(join(docs, 'examples')).filter((name) => /^(fit|fine)/.test(name));
    expect(files).toHaveLength(2);
    for (const name of files) {
      const lines = readFileSync(join(docs, 'examples', name), 'utf8')
        .trimEnd()
        .split('\n');
      expect(lines.length, name).toBeLessThanOrEqual(40);
      expect(page).toContain(`examples/${name}`);
    }
  });
});
