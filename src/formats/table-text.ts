/** The text of a table's file, and what it is encoded in. */
export interface TableText {
  readonly text: string;
  readonly encoding: string;
}

/** Bytes at the top of a file that tell UTF-16 without a mark. */
const TELLING_BYTES = 2_000;

/** What no text has: control characters but tab and line ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
export const NOT_TEXT = /[\u0000-\u0008\u000e-\u001f]/;

/**
 * The text of a file: UTF-8 or UTF-16, with a byte-order mark or without, and what is neither as Windows-1252, which
 * spreadsheets of Western countries write (Latin-1 is part of it). Null where it is no text.
 */
export function tableText(bytes: Uint8Array): TableText | null {
  for (const [label, encoding] of encodingsOf(bytes)) {
    try {
      const decoded = new TextDecoder(label, { fatal: true }).decode(bytes);
      const text = label === 'windows-1252' ? withSigns(decoded) : decoded;
      if (!NOT_TEXT.test(text)) return { text, encoding };
    } catch {
      // Not of this encoding: the next one is tried.
    }
  }
  return null;
}

const UTF_16_LE = ['utf-16le', 'UTF-16'] as const;
const UTF_16_BE = ['utf-16be', 'UTF-16'] as const;

function encodingsOf(bytes: Uint8Array): readonly (readonly [label: string, encoding: string])[] {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return [UTF_16_LE];
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return [UTF_16_BE];
  const top = bytes.subarray(0, TELLING_BYTES);
  const nulls = (odd: number): number => top.filter((byte, at) => byte === 0 && at % 2 === odd).length;
  // Nearly every other byte of Western text in UTF-16 is 0.
  if (nulls(1) > top.length / 4) return [UTF_16_LE];
  if (nulls(0) > top.length / 4) return [UTF_16_BE];
  return [
    ['utf-8', 'UTF-8'],
    ['windows-1252', 'Windows-1252'],
  ];
}

/** What Windows-1252 has at 0x80 to 0x9f; a blank where it has nothing. */
const SIGNS = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';

/** Node 20 decodes Windows-1252 as Latin-1, with control characters where that has none of these signs. */
const withSigns = (text: string): string =>
  text.replaceAll(/[\u0080-\u009f]/g, (sign) => SIGNS[sign.charCodeAt(0) - 0x80] ?? sign);
