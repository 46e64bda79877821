import { useEffect, useState } from 'preact/hooks';
import { z } from 'zod';
import { isOwnMachine } from '../../../src/ground/own-machine.ts';
import { Choices, TextField } from '../parts/fields.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { TwiceButton } from '../parts/twice-button.tsx';
import { day, dayAndTime } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import { ask, askFor, sendJson } from '../sync/farm-server.ts';

const Listed = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      role: z.string(),
      createdAt: z.string(),
      seenAt: z.string().nullish(),
      revokedAt: z.string().nullable(),
    }),
  ),
});
const Pairing = z.object({ link: z.string(), qr: z.string() });
const ROLE_WORDS = {
  recorder: 'recorder: photographs and cuts',
  viewer: 'viewer: only looks',
  owner: 'owner: may do all',
} as const;

const LOOK_FOR_DEVICE_MS = 5_000;
const ENDING =
  'When it next reaches the server it is told, and drops all that it holds of the farm but what it has not sent. ' +
  'Until then it still shows what it had.';

/** The devices of the farm, and how one more comes in. */
export function Devices() {
  const { sync } = useApp();
  const [items, setItems] = useState<z.output<typeof Listed>['items']>([]);
  const [name, setName] = useState('');
  const [role, setRole] = useState<keyof typeof ROLE_WORDS>('recorder');
  const [pairing, setPairing] = useState<z.output<typeof Pairing> | null>(null);
  const { problem, run } = useWork();
  const look = async (): Promise<void> => setItems((await askFor(Listed, '/api/devices')).items);
  const isOwner = sync.device.value?.role === 'owner';
  useEffect(() => {
    if (isOwner) void run(look);
  }, [isOwner]);
  useEffect(() => {
    if (!pairing) return;
    // Whoever shows the link waits to see the device come in.
    const timer = setInterval(() => void look().catch(() => {}), LOOK_FOR_DEVICE_MS);
    return () => clearInterval(timer);
  }, [pairing]);
  if (!isOwner) {
    return (
      <Page title="Devices" back="#/more">
        <p>Owners let devices in, and end their access, on their own.</p>
      </Page>
    );
  }
  return (
    <Page title="Devices" back="#/more">
      <Problem of={problem} />
      <div class="columns">
        <div>
          <form
            class="card"
            onSubmit={(event) => {
              event.preventDefault();
              void run(async () => {
                setPairing(
                  await askFor(
                    Pairing,
                    '/api/devices/pairings',
                    sendJson('POST', { name: name.trim(), role }),
                  ),
                );
              });
            }}
          >
            <h2>One more device</h2>
            <TextField label="What it is called" value={name} maxLength={100} required onValue={setName} />
            <Choices legend="What it may do" choices={ROLE_WORDS} value={role} onValue={setRole} />
            <button type="submit" class="main" disabled={name.trim() === ''}>
              Make a link
            </button>
          </form>
          {pairing && (
            <section class="card">
              <h2>Open this on the device, within a day</h2>
              <img
                class="qr"
                alt="QR code of the link"
                width="224"
                height="224"
                src={`data:image/svg+xml,${encodeURIComponent(pairing.qr)}`}
              />
              <code>{pairing.link}</code>
              {isOwnMachine(new URL(pairing.link).hostname) && (
                <p class="warn">
                  This link leads to this computer alone: no phone can open it. Start the server so that
                  phones reach it, with a certificate (--host, --tls-cert, --tls-key) or a proxy, give that
                  address as --public-url, and make the link again.
                </p>
              )}
            </section>
          )}
        </div>
        <ul class="list">
          {items.map((device) => (
            <li key={device.id}>
              <div class="item" style={{ flexWrap: 'wrap' }}>
                <span class="grow">
                  <strong>{device.name}</strong>
                  <span class="quiet">
                    {device.id === sync.device.value?.id && 'this device, '}
                    {device.role}, since {day(device.createdAt)}
                    {device.revokedAt === null
                      ? `, ${device.seenAt ? `last there ${dayAndTime(device.seenAt)}` : 'not seen yet'}`
                      : `, access ended ${day(device.revokedAt)}`}
                  </span>
                </span>
                {device.revokedAt === null && device.id !== sync.device.value?.id && (
                  <TwiceButton
                    sure={ENDING}
                    onSure={() =>
                      void run(() => ask(`/api/devices/${device.id}`, { method: 'DELETE' }).then(look))
                    }
                  >
                    End access
                  </TwiceButton>
                )}
              </div>
            </li>
          ))}
        </ul>
      </div>
    </Page>
  );
}
