import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { openTorchCheckpoint, readTensor } from '../../../src/formats/torch-checkpoint/index.ts';
import { calledValue } from '../../../src/formats/torch-checkpoint/pickle-globals.ts';
import type { PickleDict } from '../../../src/formats/torch-checkpoint/pickle-values.ts';
import { findStateDict } from '../../../src/formats/torch-checkpoint/state-dict.ts';
import { InputError } from '../../../src/ground/errors.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { Call, Global, Mapping, PersistentId, type Picklable, Raw, Tuple } from './pickle-writer.ts';
import {
  floats,
  saveStateDict,
  type TensorToSave,
  type TorchFileOptions,
  torchBytes,
} from './torch-writer.ts';

const root = temporaryFolder('torch-hostile');
const path = join(root, 'hostile.pth');

/** What opening a file says, which is one line about that file. */
async function refusal(bytes: Uint8Array): Promise<string> {
  writeFileSync(path, bytes);
  const error = await openTorchCheckpoint(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  const { message } = error as InputError;
  expect(message.startsWith(path)).toBe(true);
  expect(message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  return message.slice(path.length);
}

const sound = (options: TorchFileOptions = {}): Buffer =>
  torchBytes((save) => new Mapping([['w', save(floats([1, 2, 3, 4], [2, 2]))]]), options);

/** A file whose pickle is `value`, or these instructions. */
const holding = (value: Picklable): Buffer => torchBytes(() => value);
const instructions = (...codes: readonly (number | string)[]): Buffer =>
  holding(new Raw(Buffer.concat(codes.map((code) => Buffer.from(typeof code === 'string' ? code : [code])))));

describe('broken files', () => {
  it('are refused wherever they are cut', async () => {
    const bytes = sound();
    for (let length = 0; length < bytes.length; length += 7) {
      expect(await refusal(bytes.subarray(0, length))).toMatch(/: (has no directory|is not a file of torch)/);
    }
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0', /is a pointer of Git LFS; .*git lfs pull/],
    ['<!DOCTYPE html>', /is a web page/],
    ['\x80\x04K\x01.', /is a bare pickle/],
    [
      '\x80\x04\x95\x0d\0\0\0\0\0\0\0\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.',
      /ends early, at byte 24; the file is damaged or incomplete/,
    ],
    ['hello', /is not a file of torch\.save; give one, or a safetensors file/],
    ['', /is not a file of torch\.save/],
  ])('are told apart by how they begin: %j', async (start, message) => {
    expect(await refusal(Buffer.from(start, 'latin1'))).toMatch(message);
  });

  it('that are other ZIP files are refused', async () => {
    const renamed = sound({
      change: (entries) => entries.map((entry) => ({ ...entry, name: entry.name.replace('data.pkl', 'x') })),
    });
    expect(await refusal(renamed)).toMatch(/is a ZIP file, but not one of torch\.save/);
  });

  it('are refused where entries are compressed, encrypted, doubled or big-endian', async () => {
    const changed = (change: TorchFileOptions['change']): Buffer => sound({ ...(change && { change }) });
    const compressed = changed((entries) =>
      entries.map((entry) => ({ ...entry, content: deflateRawSync(entry.content), method: 8 })),
    );
    expect(await refusal(compressed)).toMatch(/ entry "archive\/data\.pkl": is compressed; save it again/);
    const encrypted = changed((entries) => entries.map((entry) => ({ ...entry, flags: 1 })));
    expect(await refusal(encrypted)).toMatch(/ entry "archive\/data\.pkl": is encrypted/);
    const doubled = changed((entries) => [...entries, ...entries]);
    expect(await refusal(doubled)).toMatch(/names the entry "archive\/data\.pkl" twice/);
    expect(await refusal(sound({ byteorder: 'big' }))).toMatch(
      /has the byte order "big"; save it again on a/,
    );
  });

  it('are refused where the directory lies about sizes, places and numbers', async () => {
    const lying = (name: string, lie: { statedSize?: number; statedOffset?: number }): Buffer =>
      sound({
        change: (entries) =>
          entries.map((entry) => (entry.name.endsWith(name) ? { ...entry, ...lie } : entry)),
      });
    expect(await refusal(lying('data.pkl', { statedSize: 2 ** 31 }))).toMatch(/does not lie inside the file/);
    expect(await refusal(lying('data.pkl', { statedOffset: 2 ** 31 }))).toMatch(
      /does not lie inside the file/,
    );
    expect(await refusal(lying('data.pkl', { statedOffset: 3 }))).toMatch(/does not lie where the directory/);
    expect(await refusal(lying('data/0', { statedSize: 8 }))).toMatch(
      / tensor "w": needs a storage of 16 bytes, but data\/"0" has 8; the file is damaged/,
    );
    expect(await refusal(sound({ statedCount: 60_000 }))).toMatch(/its directory is damaged at entry 3/);
    expect(await refusal(sound({ statedCount: 60_000, zip64: true }))).toMatch(/damaged at entry 3/);
  });
});

describe('tensors that do not fit the file', () => {
  const tensor: TensorToSave = floats([1, 2, 3, 4], [2, 2]);
  it.each<readonly [string, Partial<TensorToSave>, RegExp]>([
    ['a shape too large', { shape: [3, 2] }, /reaches to byte 24 of a storage of 16 bytes/],
    ['an offset too large', { offset: 1 }, /reaches to byte 20 of a storage of 16 bytes/],
    ['strides too large', { strides: [3, 1] }, /reaches to byte 20 of a storage of 16 bytes/],
    ['strides for another shape', { strides: [1] }, /has 1 strides for the shape \[2, 2\]/],
    ['an absurd shape', { shape: [2 ** 40, 2 ** 40], strides: [0, 0] }, /the absurd shape \[1099511627776, /],
    [
      'a shape of endless repeats',
      { shape: [2 ** 31], strides: [0] },
      /brings the tensors to 8589934592 bytes/,
    ],
    ['an absurd offset', { offset: Number.MAX_SAFE_INTEGER }, /reaches to byte \d+ of a storage of 16 bytes/],
    ['a lying count', { statedCount: 5 }, /needs a storage of 20 bytes, but data\/"0" has 16/],
    ['a storage that is not there', { key: '../7' }, /is stored in data\/"\.\.\/7", which is not there/],
  ])('are refused: %s', async (_, change, message) => {
    const bytes = torchBytes((save) => new Mapping([['w', save({ ...tensor, ...change })]]));
    expect(await refusal(bytes)).toMatch(message);
  });

  it.each<readonly [string, readonly Picklable[]]>([
    ['a negative offset', [-1, new Tuple(2), new Tuple(1)]],
    ['a negative stride', [1, new Tuple(2), new Tuple(-1)]],
    ['a shape of texts', [0, new Tuple('2'), new Tuple(1)]],
    ['65 axes', [0, new Tuple(...Array(65).fill(1)), new Tuple(...Array(65).fill(1))]],
  ])('are not read: %s', async (_, view) => {
    const bytes = torchBytes((save) => {
      save(tensor);
      const id = new Tuple('storage', new Global('torch', 'FloatStorage'), '0', 'cpu', 4);
      const rebuilt = (...args: readonly Picklable[]): Call =>
        new Call(new Global('torch._utils', '_rebuild_tensor_v2'), new Tuple(new PersistentId(id), ...args));
      return Mapping.of({ w: rebuilt(...view), sound: rebuilt(1, new Tuple(2), new Tuple(1)) });
    });
    writeFileSync(path, bytes);
    const file = await openTorchCheckpoint(path);
    expect([...(await readTensor(file, 'sound'))]).toEqual([2, 3]);
    await expect(readTensor(file, 'w')).rejects.toThrow(/tensor "w": is an object of torch\._utils\._reb/);
  });

  it('are not read from what is no storage', async () => {
    const args = new Tuple(null, 0, new Tuple(1), new Tuple(1));
    const made = new Call(new Global('torch._utils', '_rebuild_tensor_v2'), args);
    writeFileSync(path, holding(Mapping.of({ w: made })));
    const file = await openTorchCheckpoint(path);
    await expect(readTensor(file, 'w')).rejects.toThrow(/tensor "w": is an object of torch\._utils\._reb/);
  });
});

describe('pickles of ill will', () => {
  it('call nothing, whatever they name', async () => {
    const marker = join(root, 'executed');
    const command = `touch ${marker}`;
    for (const [module, name] of [
      ['os', 'system'],
      ['posix', 'system'],
      ['subprocess', 'check_call'],
      ['builtins', 'eval'],
      ['builtins', '__import__'],
      ['torch._utils', '__globals__'],
      ['__proto__', 'constructor'],
    ] as const) {
      const trap = new Call(new Global(module, name), new Tuple(command), Mapping.of({ x: command }));
      saveStateDict(path, { w: floats([1], [1]) }, (stateDict) => Mapping.of({ trap, model: stateDict }));
      const file = await openTorchCheckpoint(path);
      expect([...(await readTensor(file, 'w'))]).toEqual([1]);
      expect(await refusal(holding(trap))).toMatch(/holds an object of .*, not a state dict/);
    }
    expect(existsSync(marker)).toBe(false);
  });

  it('may name tensors as they like', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'a\nb'];
    const bytes = torchBytes(
      (save) => new Mapping(names.map((name, index) => [name, save(floats([index], [1]))] as const)),
    );
    writeFileSync(path, bytes);
    const file = await openTorchCheckpoint(path);
    expect([...file.tensors.keys()]).toEqual(names);
    for (const [index, name] of names.entries()) expect([...(await readTensor(file, name))]).toEqual([index]);
    await expect(readTensor(file, 'none\n')).rejects.toThrow(/tensor "none\\u\{a\}": is not in the file/);
  });

  it.each<readonly [string, Buffer, RegExp]>([
    ['an unknown instruction', instructions(0xff), /unknown instruction 0xff at byte 2/],
    ['an extension', instructions(0x82, 1), /unknown instruction 0x82/],
    ['an empty stack', instructions('R'), /takes a value where none is at byte 3/],
    ['a mark without values', instructions('(', 'R'), /takes a value where none is/],
    ['no mark', instructions('t'), /goes back to a mark where none is/],
    ['nothing memorised', instructions('h', 7), /recalls what was not memorised/],
    ['a text without end', instructions('X', 0xff, 0xff, 0xff, 0x7f), /ends early, at byte 7/],
    ['a text of absurd length', instructions(0x8d, ...Array<number>(8).fill(255)), /states an absurd length/],
    ['a line without end', instructions('cos'), /ends inside a line/],
    ['a key without value', instructions('}', '(', 'N', 'u'), /sets a key without value/],
    ['items of a number', instructions('K', 1, '(', 'N', 'e'), /appends to what is no list/],
    ['keys of a number', instructions('K', 1, 'N', 'N', 's'), /sets a key of what is no mapping/],
    ['a class named by a number', instructions('K', 1, 'K', 2, 0x93), /names a class by what is no text/],
    ['protocol 0', instructions(0x80, 0), /is of the pickle protocol 0, not 2 to 5/],
    ['nothing', holding(new Mapping([])), /holds no state dict \(tensors by name\); save its state dict/],
    ['a number', holding(3), /holds no state dict/],
  ])('are refused: %s', async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatch(message);
  });

  it('are refused before they fill the memory', async () => {
    expect(await refusal(holding(new Raw(Buffer.alloc(3_000_000, '}'))))).toMatch(
      /more than 2000000 instruct/,
    );
    const large = holding(new Raw(Buffer.alloc(2 ** 26 + 1)));
    expect(await refusal(large)).toMatch(/data\.pkl": has \d+ bytes \(at most 67108864 are read\)/);
  });

  it.each<readonly [string, Buffer]>([
    ['tuples 500,000 deep', Buffer.concat([Buffer.from(')'), Buffer.alloc(500_000, 0x85)])],
    [
      'a list that doubles 60 times',
      Buffer.concat([Buffer.from(']'), Buffer.alloc(120, Buffer.from([0x32, 0x86]))]),
    ],
    ['a list that holds itself', Buffer.from(']q\0h\0a')],
    ['500,000 marks', Buffer.concat([Buffer.alloc(500_000, '(1', 'latin1'), Buffer.from('N')])],
  ])('are gone through however they nest: %s', async (_, content) => {
    expect(await refusal(holding(new Raw(content)))).toMatch(/holds no state dict/);
  });

  it('are searched once, though a mapping holds itself wherever state dicts are put', () => {
    const entries: NonNullable<PickleDict['entries']> = new Map();
    const mapping: PickleDict = { kind: 'dict', entries };
    for (const name of ['model', 'state_dict', 'module', 'teacher', 'ema']) entries.set(name, mapping);
    const searches = vi.spyOn(entries, 'values');
    expect(findStateDict(mapping)).toBeUndefined();
    expect(searches).toHaveBeenCalledTimes(1);
  });

  it('cannot have one long shape copied for every tensor that shares it', () => {
    const axes = Array.from({ length: 100_000 }, () => 1);
    const shape = { kind: 'tuple', items: axes } as const;
    const storage = { kind: 'storage', key: '0', dtype: 'F32', byteLength: 4 } as const;
    const iterated = vi.spyOn(axes, Symbol.iterator);
    const made = calledValue(
      { kind: 'global', name: 'torch._utils._rebuild_tensor_v2' },
      { kind: 'tuple', items: [storage, 0, shape, shape] },
    );
    expect(made).toMatchObject({ kind: 'opaque', isTensor: true });
    expect(iterated).not.toHaveBeenCalled();
  });
});

it('a file that changes after it was opened is noticed', async () => {
  saveStateDict(path, { w: floats([1, 2], [2]) });
  const file = await openTorchCheckpoint(path);
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.concat([bytes, Buffer.from([0])]));
  await expect(readTensor(file, 'w')).rejects.toThrow(/tensor "w": the file has changed since it was/);
});
