/** Bytes from the start of a file that are enough to tell what it is. */
export const KIND_BYTES = 4096;

/** How files begin that people take for others, a character a byte: at a place, and what else is near. */
const KINDS: readonly (readonly [kind: string, begins: string, at?: number, holds?: string])[] = [
  ['a JPEG photo', '\xff\xd8\xff'],
  ['a PNG picture', '\x89PNG'],
  ['a GIF picture', 'GIF8'],
  ['a WebP picture', 'WEBP', 8],
  ['a TIFF picture', 'II*\0'],
  ['a TIFF picture', 'MM\0*'],
  ['a HEIC or AVIF photo, or a film', 'ftyp', 4],
  ['a PDF', '%PDF-'],
  ['an Excel workbook', 'PK\x03\x04', 0, 'xl/'],
  ['an Office document', 'PK\x03\x04', 0, '[Content_Types].xml'],
  ['a file of torch.save', 'PK\x03\x04', 0, '/data.pkl'],
  ['a ZIP archive', 'PK\x03\x04'],
  ['an old Excel or Word file (.xls, .doc)', '\xd0\xcf\x11\xe0'],
  ['a file compressed by gzip', '\x1f\x8b'],
  ['a compressed archive', '7z\xbc\xaf'],
  ['a compressed archive', 'Rar!'],
  ['a NumPy array', '\x93NUMPY'],
  ['an HDF5 file', '\x89HDF'],
  ['a database of SQLite', 'SQLite format 3'],
  ['a file of safetensors', '{"', 8],
  ['a web page', '<!doctype html'],
  ['a web page', '<html'],
];

/**
 * What a file is by its first bytes, whatever it is called, with its article; null where they do not tell.
 *
 * @param start up to {@link KIND_BYTES} bytes
 */
export function contentKind(start: Uint8Array): string | null {
  const head = String.fromCharCode(...start.subarray(0, KIND_BYTES));
  const words = head.toLowerCase();
  const found = KINDS.find(([, begins, at = 0, holds = '']) =>
    begins.startsWith('<') ? words.startsWith(begins) : head.startsWith(begins, at) && head.includes(holds),
  );
  return found?.[0] ?? null;
}

/** Added to what is said of a file that is not what it was given as: ` but a PDF`; empty where nobody can tell. */
export function butKind(start: Uint8Array): string {
  const kind = contentKind(start);
  return kind === null ? '' : ` but ${kind}`;
}
