import { describe, expect, it } from 'vitest';
import { lettering } from '../../src/vision/lettering.ts';

describe('lettering', () => {
  it('draws all letters and figures, each unlike the others', () => {
    const all = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;-+=%()/_²≥';
    const drawings = [...all].map((letter) => JSON.stringify(lettering(letter).letters));
    const box = JSON.stringify(lettering('€').letters);
    // Capital I and small l are both a bar.
    expect(new Set(drawings).size).toBe(all.length - 1);
    expect(drawings).not.toContain(box);
  });

  it('stays between the top of capitals and the depth of g, within its width', () => {
    const { letters, width } = lettering('Total 2,158 kg DM/ha');
    const points = letters.flat(2);
    for (const [x, y] of points) {
      expect(x).toBeGreaterThanOrEqual(-0.03);
      expect(x).toBeLessThanOrEqual(width + 0.03);
      expect(y).toBeGreaterThanOrEqual(-0.1);
      expect(y).toBeLessThanOrEqual(1.4);
    }
  });

  it('sets one letter after another', () => {
    expect(lettering('AB').width).toBeGreaterThan(lettering('A').width + lettering('B').width);
    expect(lettering('').width).toBe(0);
    expect(lettering('a b').letters[1]).toEqual([]);
  });
});
