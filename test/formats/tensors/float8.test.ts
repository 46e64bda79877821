import { describe, expect, it } from 'vitest';
import { float32FromFloat8 } from '../../../src/formats/tensors/float8.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

describe('8-bit floats', () => {
  // What torch.tensor(bytes, dtype=torch.uint8).view(kind).float() gives (PyTorch 2.15).
  it.each([
    [
      'F8_E4M3',
      [0x00, 0x01, 0x08, 0x38, 0x7e, 0x7f, 0x80, 0xb8, 0xff],
      [0, 2 ** -9, 2 ** -6, 1, 448, nan, -0, -1, nan],
    ],
    [
      'F8_E5M2',
      [0x00, 0x01, 0x04, 0x3c, 0x7b, 0x7c, 0x7d, 0xbc, 0xfc],
      [0, 2 ** -16, 2 ** -14, 1, 57344, infinity, nan, -1, -infinity],
    ],
    [
      'F8_E4M3FNUZ',
      [0x00, 0x01, 0x08, 0x40, 0x7f, 0x80, 0xc0, 0xff],
      [0, 2 ** -10, 2 ** -7, 1, 240, nan, -1, -240],
    ],
    ['F8_E5M2FNUZ', [0x00, 0x01, 0x04, 0x40, 0x7f, 0x80, 0xc0], [0, 2 ** -17, 2 ** -15, 1, 57344, nan, -1]],
    ['F8_E8M0', [0, 126, 127, 254, 255], [2 ** -127, 0.5, 1, 2 ** 127, nan]],
  ] as const)('widen to the numbers they are: %s', (kind, bytes, numbers) => {
    expect([...float32FromFloat8(kind, Uint8Array.from(bytes))]).toEqual([...numbers]);
  });

  it('widen to numbers that rise with their bytes', () => {
    for (const kind of ['F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'] as const) {
      const finite = [
        ...float32FromFloat8(
          kind,
          Uint8Array.from({ length: 128 }, (_, byte) => byte),
        ),
      ].filter(Number.isFinite);
      expect(finite.length, kind).toBeGreaterThan(123);
      expect([...finite].sort((a, b) => a - b)).toEqual(finite);
      expect(new Set(finite).size).toBe(finite.length);
    }
  });
});
