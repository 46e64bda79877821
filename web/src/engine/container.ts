/** What a JPEG or PNG says of itself before it is decoded. */
export interface Container {
  /** Whether its colours are other than sRGB, by a profile. */
  readonly hasProfile: boolean;
  /** Whether its end is there: browsers fill what is missing with grey. */
  readonly isWhole: boolean;
}

/** Reads the segments of a JPEG up to its pixels, and looks for its end. */
export function jpegContainer(bytes: Uint8Array): Container {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder('latin1');
  let hasProfile = false;
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] as number;
    const length = view.getUint16(at + 2);
    if (marker === 0xe2 && text.decode(bytes.subarray(at + 4, at + 15)) === 'ICC_PROFILE') hasProfile = true;
    at += 2 + length;
    if (marker === 0xda) break;
  }
  // Programs append films and more to photos, so the end is not always at the end.
  for (let end = bytes.length - 2; end >= at; end--) {
    if (bytes[end] === 0xff && bytes[end + 1] === 0xd9) return { hasProfile, isWhole: true };
  }
  return { hasProfile, isWhole: false };
}

/** Reads the chunks of a PNG. */
export function pngContainer(bytes: Uint8Array): Container {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder('latin1');
  let hasProfile = false;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = text.decode(bytes.subarray(at + 4, at + 8));
    if (type === 'iCCP') hasProfile = true;
    if (type === 'IEND') return { hasProfile, isWhole: true };
    at += 12 + length;
  }
  return { hasProfile, isWhole: false };
}
