import { describe, expect, it } from 'vitest';
import {
  augmentationPreset,
  augmentationSettings,
  changesPictures,
  OPERATION_NAMES,
  PRESET_NAMES,
} from '../../../src/vision/augment/index.ts';

describe('augmentation settings', () => {
  it('are complete, and give themselves when parsed again', () => {
    for (const name of PRESET_NAMES) {
      const settings = augmentationPreset(name);
      expect(settings.preset).toBe(name);
      expect(augmentationSettings.parse(settings)).toEqual(settings);
      expect(augmentationSettings.parse(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
      for (const operation of OPERATION_NAMES) expect(settings[operation].probability).toBeTypeOf('number');
    }
  });

  it('start from nothing, or from a preset that single members change', () => {
    expect(augmentationSettings.parse({})).toEqual(augmentationPreset('none'));
    const changed = augmentationSettings.parse({
      preset: 'heavy',
      shiftScaleRotate: { rotate: 5 },
      randomShrink: { probability: 0.2, factor: 0.9 },
    });
    const heavy = augmentationPreset('heavy');
    expect(changed.shiftScaleRotate).toEqual({ ...heavy.shiftScaleRotate, rotate: 5 });
    expect(changed.randomShrink).toEqual({ probability: 0.2, factor: [0.9, 0.9] });
    expect(changed.coarseDropout).toEqual(heavy.coarseDropout);
  });

  it('have the numbers of the solution documents in heavy and first-place', () => {
    const heavy = augmentationPreset('heavy');
    expect(heavy.shiftScaleRotate).toEqual({ probability: 0.5, shift: 0.1, scale: 0.15, rotate: 15 });
    expect(heavy.oneOf.map(({ probability }) => probability)).toEqual([0.7, 0.3]);
    expect(heavy.coarseDropout).toMatchObject({ probability: 0.3, holes: [1, 8], fill: 'black' });
    expect(heavy.coarseDropout.side[1] * 512).toBe(32);
    expect(heavy.batch).toEqual({ probability: 0.5, mixupAlpha: 0.4, cutmixAlpha: 1 });
    expect(augmentationPreset('first-place').randomShrink).toEqual({ probability: 0.2, factor: [0.85, 1] });
  });

  it('refuse unknown names, probabilities above one and ranges the wrong way round', () => {
    for (const wrong of [
      'strong',
      { preset: 'strong' },
      { brightnes: { probability: 1 } },
      { brightness: { probability: 1.5 } },
      { randomShrink: { factor: [1, 0.8] } },
      { oneOf: [{ probability: 1, among: ['blurr'] }] },
      [],
      3,
    ]) {
      expect(augmentationSettings.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });

  it('say whether they change pictures at all', () => {
    expect(changesPictures(augmentationPreset('none'))).toBe(false);
    expect(changesPictures(augmentationPreset('light'))).toBe(true);
    expect(changesPictures(augmentationSettings.parse({ batch: { probability: 1 } }))).toBe(false);
    const grouped = { oneOf: [{ probability: 0, among: ['hue'] }], hue: { probability: 1 } };
    expect(changesPictures(augmentationSettings.parse(grouped))).toBe(false);
    const chosen = { oneOf: [{ probability: 0.1, among: ['hue'] }], hue: { probability: 1 } };
    expect(changesPictures(augmentationSettings.parse(chosen))).toBe(true);
  });
});
