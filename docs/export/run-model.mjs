// Predicts photos with a model that `sward export` wrote. Needs Node 20, sharp and onnxruntime-node, not sward:
//   npm install sharp onnxruntime-node
//   node run-model.mjs EXPORT photo.jpg …
//   node run-model.mjs EXPORT height=12 photo.jpg …      (of a model that reads heights: see covariates in model.json)
// Prints one JSON line a photo: dry masses in grams on the frame.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const [folder, ...rest] = process.argv.slice(2);
const photos = rest.filter((argument) => !/^[^/\\=]+=[^=]*$/.test(argument));
const given = rest.filter((argument) => !photos.includes(argument)).map((argument) => argument.split('='));
const measured = new Map(given);
if (folder === undefined || photos.length === 0) {
  console.error('usage: node run-model.mjs EXPORT photo.jpg …');
  process.exit(2);
}
const facts = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
if (facts.input.name !== 'photos') {
  console.error('this export takes views that were cut and resized already; export with --input photos');
  process.exit(1);
}

/** The photo as the models take it: RGB bytes [1, height, width, 3], turned as its EXIF says. */
async function readPhoto(path) {
  const { data, info } = await sharp(path)
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${path}: not a colour photo`);
  return new Tensor('uint8', data, [1, info.height, info.width, 3]);
}

/** x64 processors without VNNI add int8 products in 16 bits, which overflow; this setting is slower but exact. */
function exactInt8() {
  const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const exact = process.arch !== 'x64' || /\b(avx_vnni|avx512_vnni|amx_int8)\b/.test(flags);
  return exact ? {} : { extra: { session: { x64quantprecision: '1' } } };
}

const columns = facts.covariates?.columns ?? [];
const unread = [...measured.keys()].find((name) => !columns.some((column) => column.name === name));
if (unread !== undefined) {
  console.error(
    `the model reads no ${unread}; it reads ${columns.map(({ name }) => name).join(', ') || 'photos alone'}`,
  );
  process.exit(1);
}
/** Height of pasture that nobody sees surpassed, cm. */
const TALLEST_SWARD = 300;

/** A number as a person writes it, with a decimal point or comma: `12.5`, `12,5`. NaN for what is none. */
function numberIn(text) {
  const written = text.trim();
  if (/^[+-]?[1-9]\d{0,2},\d{3}$/.test(written)) return Number.NaN;
  return /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/.test(written) ? Number(written.replace(',', '.')) : Number.NaN;
}

for (const [name, text] of given) {
  const value = numberIn(text);
  const isHeight = name === 'height';
  const isTwice = given.filter(([other]) => other === name).length > 1;
  const isSward = value >= 0 && value <= TALLEST_SWARD;
  if (!isTwice && (isHeight ? isSward : Number.isFinite(Math.fround(value)))) continue;
  const remedy = isHeight ? `centimetres from 0 to ${TALLEST_SWARD}, as 12.5` : 'a number, as 0.45';
  console.error(isTwice ? `${name} is given twice; give it once` : `${name}=${text}: give ${remedy}`);
  process.exit(1);
}
/** What was measured beside the photos, NaN where it was not. */
const values = Float32Array.from(columns, ({ name }) => numberIn(measured.get(name) ?? ''));

const int8 = facts.branches.some(({ precision }) => precision === 'int8');
const options = { logSeverityLevel: 3, ...(int8 && exactInt8()) };
const session = await InferenceSession.create(join(folder, facts.files[0].file), options);
for (const path of photos) {
  const { masses } = await session.run({
    photos: await readPhoto(path),
    ...(columns.length > 0 && { covariates: new Tensor('float32', values, [1, columns.length]) }),
  });
  const named = Object.fromEntries(facts.targets.map((target, index) => [target, masses.data[index]]));
  console.log(JSON.stringify({ photo: path, ...named }));
}
