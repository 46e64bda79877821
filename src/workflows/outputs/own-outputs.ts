import { stat } from 'node:fs/promises';
import { UsageError } from '../../ground/errors.ts';
import { withOpenFile } from '../../ground/positioned-file.ts';

/** How much of a file is looked at to tell whether sward wrote it. */
const HEAD_BYTES = 4096;

/** Further columns of predictions, in the order of their columns. */
const PREDICTION_COLUMNS =
  'low high fold_spread out_of_domain dropout_spread trained_on covariates framing'.split(' ');

/** How files that commands write begin, by what they are; nothing else begins so by chance. */
const BEGINNINGS = {
  predictions: (head) => isPredictions(head) || isRecords(head),
  paddock: (head) => /^\{\n {2}"photos": \d+,\n {2}"coverage": /.test(head),
  folds: (head) => head.startsWith('image_id,fold,group,stratum\n'),
  features: (head) => head.startsWith('\x93NUMPY') && /'<f4'[^}]*'shape': \(\d+, \d+\)/.test(head),
  report: (head) => head.includes('<meta name="generator" content="sward">'),
  patches: (head) => head.startsWith('half,row,column,left,top,right,bottom,'),
  crop: (head) => head.startsWith('\xff\xd8') && head.includes(OWN_PICTURE),
} satisfies Record<string, (head: string) => boolean>;

/** What a command writes. */
export type OutputKind = keyof typeof BEGINNINGS;

/** What crops that commands write say of who made them, in their EXIF. */
export const OWN_PICTURE = 'sward predict --show-crop';

function isPredictions(head: string): boolean {
  const [sample, target, ...further] = (head.split('\n', 1)[0] ?? '').split(',');
  return (
    sample === 'sample_id' &&
    target === 'target' &&
    further.every((name) => PREDICTION_COLUMNS.includes(name))
  );
}

const isRecords = (head: string): boolean =>
  /^\[(\]\n$|\n {2}\{\n {4}"image_id": )/.test(head) ||
  (/^\{\n {2}"type": "FeatureCollection",\n {2}"features": \[/.test(head) &&
    (/\[\]\n\}\n$/.test(head) || /"properties": \{\n {8}"image_id": /.test(head)));

/**
 * Refuses to write over a file that is not what sward writes there itself: a table of cuts, a photo. What sward wrote may
 * be written anew.
 *
 * @param option that names the file, as `--out`
 * @param overwrite whether a person said that it may be replaced, whatever it is
 * @throws UsageError naming it
 */
export async function requireOwnOutput(
  option: string,
  path: string,
  kind: OutputKind,
  overwrite = false,
): Promise<void> {
  const facts = await stat(path).catch(() => null);
  // What is no file is refused by who writes it.
  if (overwrite || !facts?.isFile() || facts.size === 0) return;
  if (BEGINNINGS[kind](await headOf(path))) return;
  throw notOurs(option, path);
}

/** What is to be thrown for a file that is there and not sward's. */
export const notOurs = (option: string, path: string): UsageError =>
  new UsageError(
    `${option} ${path} is there and was not written by this command; choose another name or pass --overwrite`,
  );

/** The beginning of a file, a character a byte. */
export async function headOf(path: string): Promise<string> {
  return withOpenFile(path, async ({ handle }) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('latin1', 0, bytesRead);
  });
}
