import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStateDict, withoutWrappers } from '../../../src/formats/state-dict/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { floats, saveStateDict } from '../torch-checkpoint/torch-writer.ts';

const root = temporaryFolder('state-dict');
const fixtures = join(import.meta.dirname, '../torch-checkpoint/fixtures');

describe('names without wrappers', () => {
  it.each([
    ['module.fc.weight', 'fc.weight'],
    ['_orig_mod.module.fc.weight', 'fc.weight'],
    ['model._orig_mod.blocks.0._checkpoint_wrapped_module.attn.qkv.weight', 'model.blocks.0.attn.qkv.weight'],
    ['_fsdp_wrapped_module._fpw_module._forward_module.a', 'a'],
    ['ema_model.module.a', 'ema_model.a'],
    ['submodule.a', 'submodule.a'],
    ['head.module', 'head.module'],
  ])('%s is %s', (stored, name) => {
    expect([...withoutWrappers([stored])]).toEqual([[name, stored]]);
  });

  it('lack counters', () => {
    const names = [
      'n_averaged',
      'ema_model.n_averaged',
      'ema.num_updates',
      'blocks.0._extra_state',
      'step',
      'a',
    ];
    expect([...withoutWrappers(names).keys()]).toEqual(['a']);
  });

  it('stay as they are where two would become one', () => {
    expect([...withoutWrappers(['module.a', 'a', 'module.b']).keys()]).toEqual(['module.a', 'a', 'b']);
  });
});

describe('a state dict', () => {
  it('is told by its content, whatever the file is called, in the form before PyTorch 1.6 too', async () => {
    for (const name of ['training.pth', 'before-1.6.pth']) {
      const path = join(root, `without-ending-${name.replaceAll('.', '-')}`);
      copyFileSync(join(fixtures, name), path);
      const file = await openStateDict(path);
      expect(file.kind).toBe('torch');
      expect([...file.tensors.keys()]).toContain('fc.weight');
    }
  });

  it('has entries of the names in the file', async () => {
    const path = saveStateDict(join(root, 'wrapped.pth'), { 'module.a': floats([1], [1]) });
    const file = await openStateDict(path);
    expect(file.tensors.get('a')?.name).toBe('module.a');
    expect(file.asStored).toBe(false);
  });
});
