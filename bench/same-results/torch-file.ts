import { writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** A float32 tensor, row by row. */
export interface PlainTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const head = Buffer.alloc(5);
  head[0] = 0x58; // BINUNICODE
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};

const whole = (value: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x4a; // BININT
  bytes.writeInt32LE(value, 1);
  return bytes;
};

const global = (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`);
const tuple = (...items: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
const EMPTY_ORDERED = Buffer.concat([global('collections', 'OrderedDict'), Buffer.from(')R')]);

/**
 * Writes `{"epoch": 12, "model_state_dict": OrderedDict(tensors)}` as `torch.save` of PyTorch 1.6 and later does:
 * a ZIP of a pickle and of one file a storage. It is written by hand so that the reference does not depend on
 * helpers of the tests, which are refactored together with the product.
 */
export function writeTorchFile(path: string, tensors: Readonly<Record<string, PlainTensor>>): void {
  const entries = Object.entries(tensors);
  const state = entries.flatMap(([name, { shape, values }], index) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const storage = tuple(
      text('storage'),
      global('torch', 'FloatStorage'),
      text(String(index)),
      text('cpu'),
      whole(values.length),
    );
    const view = tuple(
      Buffer.concat([storage, Buffer.from('Q')]),
      whole(0),
      tuple(...shape.map(whole)),
      tuple(...strides.map(whole)),
      Buffer.from([0x89]),
      EMPTY_ORDERED,
    );
    return [text(name), global('torch._utils', '_rebuild_tensor_v2'), view, Buffer.from('R')];
  });
  const pickle = Buffer.concat([
    Buffer.from([0x80, 2]),
    Buffer.from('}('),
    ...[text('epoch'), whole(12), text('model_state_dict')],
    ...[EMPTY_ORDERED, Buffer.from('('), ...state, Buffer.from('u')],
    Buffer.from('u.'),
  ]);
  writeFileSync(
    path,
    storedZip([
      ['archive/data.pkl', pickle],
      ...entries.map(([, { values }], index): [string, Buffer] => [
        `archive/data/${index}`,
        Buffer.from(values.buffer, values.byteOffset, values.byteLength),
      ]),
      ['archive/version', Buffer.from('3\n')],
    ]),
  );
}

/** A ZIP whose entries are stored as they are, without a time. */
function storedZip(entries: readonly (readonly [string, Buffer])[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of entries) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const body = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), content]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, place, Buffer.from(name)]),
    );
    bodies.push(body);
    offset += body.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, listed, end]);
}
