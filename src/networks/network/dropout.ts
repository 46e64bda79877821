import type { NetworkSettings } from './settings.ts';

/** Whether a network leaves anything to chance that can be left on in prediction: in its heads or its backbone. */
export function hasDropout({ architecture, fineTune }: NetworkSettings): boolean {
  const { mode, dropPath, lora } = fineTune;
  const inHeads = architecture.dropout > 0 || (architecture.kind === 'mlp' && architecture.inputDropout > 0);
  const inBackbone = mode !== 'none' && (dropPath > 0 || (mode === 'lora' && lora.dropout > 0));
  return inHeads || inBackbone;
}
