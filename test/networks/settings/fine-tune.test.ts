import { describe, expect, it } from 'vitest';
import { fineTuneSettings, precisionWarning } from '../../../src/networks/settings/fine-tune.ts';

describe('the precision of fine-tuning', () => {
  it('is read from recipes that called it computeType', () => {
    const { precision } = fineTuneSettings.parse({});
    expect(precision).toBe('float32');
    expect(fineTuneSettings.parse({ computeType: 'float32' })).toEqual(fineTuneSettings.parse({}));
    expect(fineTuneSettings.parse({ computeType: 'float16' }).precision).toBe('float16');
    expect(() => fineTuneSettings.parse({ computeTypes: 'float16' })).toThrow(/computeTypes/);
  });

  it('warns where halves cost time', () => {
    const warningOf = (draft: object) => precisionWarning(fineTuneSettings.parse(draft));
    expect(warningOf({ precision: 'float16' })).toBe(
      'warning: fineTune.precision float16 is slower on the CPU than float32; it is for a graphics card',
    );
    expect(warningOf({ precision: 'float16', provider: 'cuda' })).toBeNull();
    expect(warningOf({})).toBeNull();
  });

  it('warns of int8 where the processor has no fast products of it', () => {
    const warningOf = (precision: string, lacksInt8: boolean) =>
      precisionWarning(fineTuneSettings.parse({ precision }), lacksInt8);
    expect(warningOf('int8', true)).toMatch(/neither VNNI nor AMX/);
    expect(warningOf('int8', false)).toBeNull();
    expect(warningOf('float32', true)).toBeNull();
  });
});
