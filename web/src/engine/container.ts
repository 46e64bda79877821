/** What a photo's file says of itself before it is decoded. */
export interface Container {
  /** The file without its colours' meaning, one part after another: browsers differ in what they make of that. */
  readonly bare: readonly Uint8Array<ArrayBuffer>[];
  /** The ICC profile of its colours; null where it has none, and they are sRGB. */
  readonly profile: Uint8Array<ArrayBuffer> | null;
  /** Whether its end is there: browsers fill what is missing with grey. */
  readonly isWhole: boolean;
}

/** What stands before a part of a profile in a JPEG, and which part it is of how many. */
const [PROFILE_MARK, PROFILE_MARK_BYTES] = ['ICC_PROFILE\0', 14];

const latin = (bytes: Uint8Array, start: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(start, start + length));

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** Reads the segments of a JPEG up to its pixels, and looks for its end. */
export function jpegContainer(bytes: Uint8Array<ArrayBuffer>): Container {
  const view = viewOf(bytes);
  const bare: Uint8Array<ArrayBuffer>[] = [];
  const profile: Uint8Array<ArrayBuffer>[] = [];
  let kept = 0;
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    // Any number of these may stand before a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    if (marker === 0xe2 && latin(bytes, at + 4, PROFILE_MARK.length) === PROFILE_MARK) {
      profile.push(bytes.subarray(at + 4 + PROFILE_MARK_BYTES, end));
      bare.push(bytes.subarray(kept, at));
      kept = end;
    }
    at = end;
    if (marker === 0xda) break;
  }
  bare.push(bytes.subarray(kept));
  // Phones append films and more to photos, so the end is not always at the end.
  let last = bytes.length - 2;
  while (last >= at && !(bytes[last] === 0xff && bytes[last + 1] === 0xd9)) last--;
  return { bare, profile: profile.length > 0 ? joined(profile) : null, isWhole: last >= at };
}

/** Chunks of a PNG that say what its colours mean; of these the server goes by profiles alone. */
const COLOUR_CHUNKS = new Set(['iCCP', 'sRGB', 'gAMA', 'cHRM', 'cICP']);

/** Reads the chunks of a PNG. */
export async function pngContainer(bytes: Uint8Array<ArrayBuffer>): Promise<Container> {
  const view = viewOf(bytes);
  const bare = [bytes.subarray(0, 8)];
  let profile: Container['profile'] = null;
  let isWhole = false;
  for (let at = 8; at + 12 <= bytes.length && !isWhole; ) {
    const end = Math.min(bytes.length, at + 12 + view.getUint32(at));
    const type = latin(bytes, at + 4, 4);
    if (!COLOUR_CHUNKS.has(type)) bare.push(bytes.subarray(at, end));
    if (type === 'iCCP') {
      // A name, a zero, the method, and the profile compressed.
      const start = bytes.indexOf(0, at + 8) + 2;
      profile = await inflated(bytes.subarray(start, end - 4));
    }
    isWhole = type === 'IEND';
    at = end;
  }
  return { bare, profile, isWhole };
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Boxes of a HEIF that hold others, with the bytes before these. */
const HOLDERS: Readonly<Record<string, number>> = { meta: 4, iprp: 0, ipco: 0 };

/** The first ICC profile among the properties of a HEIF (ISO/IEC 14496-12, box `colr`); null where there is none. */
export function heifProfile(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
  const view = viewOf(bytes);
  for (let at = 0; at + 16 <= bytes.length; ) {
    const isLong = view.getUint32(at) === 1;
    const [size, head] = isLong ? [Number(view.getBigUint64(at + 8)), 16] : [view.getUint32(at), 8];
    const end = size === 0 ? bytes.length : at + size;
    const type = latin(bytes, at + 4, 4);
    const content = bytes.subarray(at + head, end);
    if (type === 'colr' && /^(prof|rICC)$/.test(latin(content, 0, 4))) return content.subarray(4);
    const skipped = HOLDERS[type];
    const inside = skipped === undefined ? null : heifProfile(content.subarray(skipped));
    if (inside !== null || end <= at) return inside;
    at = end;
  }
  return null;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
