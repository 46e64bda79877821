import { Problem } from '../parts/problem.tsx';
import { TwiceButton } from '../parts/twice-button.tsx';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import type { ItemKind } from '../store/records.ts';
import { ask } from '../sync/farm-server.ts';

interface RemoveRecordProps {
  readonly kind: Exclude<ItemKind, 'photo'>;
  readonly id: string;
  /** Why it has to stay; null where it may go. */
  readonly stays: string | null;
  /** Leaves its screen before it is gone. */
  readonly leave: () => void;
}

/** Removes a paddock, a visit or a cut that was made by mistake, here and on the server: owners may. */
export function RemoveRecord({ kind, id, stays, leave }: RemoveRecordProps) {
  const { store, sync } = useApp();
  const { run, problem } = useWork();
  const device = sync.device.value;
  if (device && device.role !== 'owner') return null;
  if (stays !== null) return <p class="quiet">{stays}</p>;
  return (
    <>
      <TwiceButton
        sure={
          device
            ? 'It is removed on all devices and on the server.'
            : 'It is gone then: this is the only copy.'
        }
        onSure={() =>
          void run(async () => {
            if (device) await ask(`/api/${kind}s/${id}`, { method: 'DELETE' });
            leave();
            await store.remove(kind, id);
          })
        }
      >
        Remove this {kind}
      </TwiceButton>
      <Problem of={problem} />
    </>
  );
}
