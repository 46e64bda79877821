import { useState } from 'preact/hooks';
import type { Paddock } from '../../../src/farm/index.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { newPaddock, requireFreeName } from '../visits/visits.ts';
import { TextField } from './fields.tsx';
import { Problem } from './problem.tsx';
import { useWork } from './work.ts';

/** Names a new paddock. */
export function NewPaddock({ onMade }: { readonly onMade: (paddock: Paddock) => unknown }) {
  const { store } = useApp();
  const [name, setName] = useState('');
  const { run, problem } = useWork();
  if (!useMayRecord()) return null;
  return (
    <form
      class="beside"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() === '') return;
        const made = newPaddock(name);
        void run(async () => {
          requireFreeName(store, made);
          await store.save('paddock', made);
          setName('');
          await onMade(made);
        });
      }}
    >
      <TextField class="grow" label="New paddock" value={name} maxLength={200} onValue={setName} />
      <button type="submit">Add</button>
      <Problem of={problem} />
    </form>
  );
}
