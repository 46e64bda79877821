import { InputError } from '../../ground/errors.ts';

/** The number that `torch.save` began its pickles with before PyTorch 1.6. */
const OLD_NUMBER = Buffer.from([0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);
const ZIP_MAGIC = Buffer.from('PK\x03\x04', 'latin1');
const EMPTY_ZIP_MAGIC = Buffer.from('PK\x05\x06', 'latin1');

/** What a file that is no ZIP file begins with, what that means and what to do about it. */
const OTHERS: readonly (readonly [magic: Buffer, what: string, remedy: string])[] = [
  [Buffer.from([0x80]), 'is a bare pickle, not a file of torch.save', 'save it with torch.save'],
  [Buffer.from('version https://git-lfs'), 'is a pointer of Git LFS', 'fetch the file itself: git lfs pull'],
  [Buffer.from('<'), 'is a web page', 'download the file itself'],
  [Buffer.from([0x1f, 0x8b]), 'is compressed by gzip', 'unpack it'],
  [Buffer.from('\x89HDF', 'latin1'), 'is an HDF5 file', 'give a file of torch.save or safetensors'],
];

/** Bytes that are enough to tell. */
export const START_BYTES = 32;

/** @throws InputError when the first bytes are not those of a ZIP file, saying what they are */
export function requireZip(path: string, start: Uint8Array): void {
  const bytes = Buffer.from(start);
  const begins = (magic: Buffer): boolean => magic.equals(bytes.subarray(0, magic.byteLength));
  if (begins(ZIP_MAGIC) || begins(EMPTY_ZIP_MAGIC)) return;
  if (bytes[0] === 0x80 && bytes.includes(OLD_NUMBER)) {
    throw new InputError(
      path,
      'is in the form torch.save had before PyTorch 1.6',
      "save it again with a newer PyTorch: torch.save(torch.load(FILE, map_location='cpu'), FILE)",
    );
  }
  const other = OTHERS.find(([magic]) => begins(magic));
  const [, what, remedy] = other ?? [null, 'is not a file of torch.save', 'give one, or a safetensors file'];
  throw new InputError(path, what, remedy);
}
