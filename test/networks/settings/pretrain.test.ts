import { describe, expect, it } from 'vitest';
import { resolvePretrainSettings } from '../../support/written-settings.ts';

describe('settings of a pretraining', () => {
  it('keep their usual values beside one that is changed', () => {
    const { estimator } = resolvePretrainSettings([
      'estimator.optimizer.rate=0.01',
      'estimator.fineTune.mode=lora',
      'estimator.fineTune.lora.targets=',
      'estimator.augmentation.dateStamp.probability=0.5',
    ]);
    expect(estimator.optimizer).toMatchObject({
      kind: 'adamw',
      rate: 0.01,
      weightDecay: 0.05,
      decayBiases: false,
    });
    expect(estimator.fineTune).toMatchObject({
      mode: 'lora',
      layerDecay: 0.8,
      lora: { rank: 8, targets: [] },
    });
    expect(estimator.augmentation).toMatchObject({ preset: 'seed1', dateStamp: { probability: 0.5 } });
    expect(estimator.augmentation.quarterTurns.probability).toBe(0.5);
  });

  it('take one column or several', () => {
    expect(resolvePretrainSettings(['columns=grass']).columns).toEqual(['grass']);
    expect(resolvePretrainSettings(['columns=grass,clover']).columns).toEqual(['grass', 'clover']);
    expect(resolvePretrainSettings([]).columns).toBeNull();
  });

  it.each([
    ['estimator.fineTune.mode=none', /estimator\.fineTune\.mode/],
    ['estimator.epochs=0', /estimator\.epochs/],
    ['estimator.loss.labelSmoothing=1', /estimator\.loss\.labelSmoothing/],
    ['estimator.epoch=3', /estimator.*epoch/],
    ['input.view=halves', /input.*view/],
    ['input.pooling=patches', /input\.pooling: patches are no vector/],
    ['input.blocks=0,1', /pooling "pooled" is of the last block/],
    ['holdout.share=2', /holdout\.share/],
    ['epochs', /write it as a\.b=value/],
  ])('refuse %s', (change, message) => {
    expect(() => resolvePretrainSettings([change])).toThrow(message);
  });
});
