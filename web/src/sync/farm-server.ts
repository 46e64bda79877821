import { z } from 'zod';
import {
  Answering,
  Calibration,
  Contested,
  Cut,
  Estimate,
  Paddock,
  PhotoRecord,
  Visit,
} from '../../../src/farm/index.ts';
import { hearClock } from './server-clock.ts';

/** What the server says instead of what was asked for. */
export class ServerRefusal extends Error {
  override name = 'ServerRefusal';
  readonly status: number;
  /** What kind it is, as the server calls it. */
  readonly code: string;

  constructor(status: number, message: string, code = '') {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** Whether an owner has ended this device's access. */
  get isRevoked(): boolean {
    return this.status === 401 && this.code === 'revoked';
  }

  /** Whether trying again later may help by itself. */
  get passes(): boolean {
    // The part of a photo that was cut on its way may still be being written, or made whole, when the next one comes:
    // what is asked anew finds how far it is.
    if (this.code === 'upload' && [404, 409, 410, 423].includes(this.status)) return true;
    return this.status === 429 || this.status >= 500 || this.status === 408;
  }
}

/** Whether something was removed that this would change. */
export const isRemoval = (error: unknown): boolean => error instanceof ServerRefusal && error.status === 410;

/** The server cannot be reached. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}

const Device = z.object({ id: z.string(), name: z.string(), role: z.enum(['viewer', 'recorder', 'owner']) });
export type Device = z.output<typeof Device>;

const ServerPhoto = z.object({
  ...PhotoRecord.shape,
  storedAt: z.string(),
  file: z.object({
    bytes: z.number(),
    mediaType: z.string(),
    cameraPosition: z.object({ latitude: z.number(), longitude: z.number() }).nullable(),
  }),
});
export type ServerPhoto = z.output<typeof ServerPhoto>;

const Outcome = z.object({
  photoId: z.string(),
  estimate: Estimate.nullable(),
  problem: z.string().nullable(),
});

const Removal = z.object({
  id: z.string(),
  kind: z.enum(['paddock', 'visit', 'photo', 'cut']),
  into: z.string().nullable(),
});

/** What is answered of changes to single fields. */
export const Edited = z.object({ record: z.unknown(), contested: z.array(Contested) });

const part = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() });

/** Parts of lists are asked for in so many. */
const TOGETHER = 500;
const PATIENCE_MS = 30_000;

/** Asks the server. @throws ServerRefusal, Unreachable */
export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, {
    ...options,
    cache: 'no-store',
    signal: options.signal ?? AbortSignal.timeout(PATIENCE_MS),
  }).catch(unreachable);
  hearClock(response);
  if (response.ok) return response;
  throw refusalOf(response.status, await response.text().catch(() => ''));
}

function unreachable(error: unknown): never {
  throw new Unreachable('The server cannot be reached now. Try again when there is a network.', {
    cause: error,
  });
}

const Said = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** What a refusal's body says, for a person. */
export function refusalOf(status: number, body: string): ServerRefusal {
  const said = Said.safeParse(jsonOf(body)).data?.error;
  return new ServerRefusal(status, said?.message ?? `the server answers ${status}`, said?.code);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Asks for JSON of a shape. */
export async function askFor<Schema extends z.ZodType>(
  schema: Schema,
  path: string,
  options?: RequestInit,
): Promise<z.output<Schema>> {
  const response = await ask(path, options);
  // An answer that breaks off has not come.
  const read = schema.safeParse(await response.json().catch(unreachable));
  if (read.success) return read.data;
  throw new Error(
    'the server answers otherwise than this app knows it; open the app again, which fetches its newest',
    {
      cause: read.error,
    },
  );
}

export const sendJson = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

async function whole<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.output<Schema>[]> {
  const items: z.output<Schema>[] = [];
  for (let after: string | null = null; ; ) {
    const query: string = new URLSearchParams({
      limit: String(TOGETHER),
      ...(after !== null && { after }),
    }).toString();
    const { items: some, next } = await askFor(part(schema), `${path}?${query}`);
    items.push(...some);
    if (next === null) return items;
    after = next;
  }
}

/** Which device this is to the server; null where it is none. @throws ServerRefusal of one whose access was ended */
export async function whoAmI(): Promise<Device | null> {
  try {
    return await askFor(Device, '/api/devices/me');
  } catch (error) {
    if (error instanceof ServerRefusal && error.status === 401 && !error.isRevoked) return null;
    throw error;
  }
}

/** Pairs this device with the code of a link. */
export const pair = async (code: string): Promise<Device> =>
  (await askFor(z.object({ device: Device }), '/api/devices/pair', sendJson('POST', { code }))).device;

/** Which run answers the farm's photos; null where the server is of a version that does not say. */
async function answeringNow(): Promise<Answering | null> {
  const response = await ask('/api/answering').catch((error: unknown) => {
    if (error instanceof ServerRefusal && error.status === 404) return null;
    throw error;
  });
  return Answering.safeParse(await response?.json().catch(unreachable)).data ?? null;
}

/** Everything that the server has. */
export async function everything() {
  return {
    paddocks: await whole(Paddock, '/api/paddocks'),
    visits: await whole(Visit, '/api/visits'),
    photos: await whole(ServerPhoto, '/api/photos'),
    outcomes: await whole(Outcome, '/api/estimates'),
    cuts: await whole(z.object(Cut.shape), '/api/cuts'),
    removals: await whole(Removal, '/api/removals'),
    answering: await answeringNow(),
    calibrations: (
      await askFor(z.object({ items: z.array(z.object({ calibration: Calibration })) }), '/api/calibrations')
    ).items.map(({ calibration }) => calibration),
  };
}

/** The photo as the server has it; null where it has none. */
export async function findPhoto(id: string): Promise<ServerPhoto | null> {
  try {
    return await askFor(ServerPhoto, `/api/photos/${id}`);
  } catch (error) {
    if (error instanceof ServerRefusal && error.status === 404) return null;
    throw error;
  }
}
