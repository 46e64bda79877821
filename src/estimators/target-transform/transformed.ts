import type { Estimator } from '../../learning/estimator.ts';
import { composition } from './composition.ts';
import { curved } from './curved.ts';
import type { TransformSettings } from './transform-settings.ts';

/** An estimator that learns transformed masses and predicts grams. */
export function transformed(settings: TransformSettings, inner: Estimator): Estimator {
  switch (settings.kind) {
    case 'none':
      return inner;
    case 'sqrt':
    case 'log1p':
      return curved(settings, inner);
    case 'composition':
      return composition(inner);
  }
}
