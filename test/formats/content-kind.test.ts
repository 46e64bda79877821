import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { contentKind } from '../../src/formats/content-kind.ts';
import { readCsvGrid } from '../../src/formats/csv.ts';
import { readNpy } from '../../src/formats/npy/npy.ts';
import { readGrid } from '../../src/formats/spreadsheet.ts';
import { openStateDict } from '../../src/formats/state-dict/index.ts';
import { decodePhoto, listPhotos } from '../../src/vision/photos/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { workbookBytes } from '../support/workbook.ts';

const root = temporaryFolder('content-kind');
let jpeg: Buffer;
const workbook = workbookBytes({
  Cuts: [
    ['photo', 'total'],
    ['a', 1],
  ],
});
const PDF = Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\0\0\0', 'latin1');

function put(name: string, bytes: Uint8Array): string {
  const path = join(root, name);
  writeFileSync(path, bytes);
  return path;
}

beforeAll(async () => {
  mkdirSync(root, { recursive: true });
  const create = { width: 300, height: 200, channels: 3, background: '#3a5' } as const;
  jpeg = await sharp({ create }).jpeg().toBuffer();
});

describe('a file of another kind than it is given as', () => {
  it('is named in place of a table', async () => {
    await expect(readCsvGrid(put('cuts.csv', workbook))).rejects.toThrow(
      /cuts\.csv: is not a table of text but an Excel workbook; name it \.xlsx/,
    );
    await expect(readCsvGrid(put('photo.csv', jpeg))).rejects.toThrow(
      /but a JPEG photo; save it as CSV UTF-8/,
    );
    await expect(readGrid(put('photo.xlsx', jpeg))).rejects.toThrow(
      /cannot be read as an Excel workbook \(it is a JPEG photo\)/,
    );
  });

  it('is named in place of weights and arrays', async () => {
    for (const name of ['photo.pth', 'photo.safetensors', 'photo.jpg']) {
      await expect(openStateDict(put(name, jpeg))).rejects.toThrow(
        /is a JPEG photo, not a file of weights; give a file of safetensors or torch\.save/,
      );
    }
    await expect(openStateDict(put('cuts.pth', workbook))).rejects.toThrow(
      /is an Excel workbook, not a file/,
    );
    await expect(readNpy(put('photo.npy', jpeg))).rejects.toThrow(/is not an \.npy file but a JPEG photo/);
  });

  it('is named in place of a photo', async () => {
    await expect(decodePhoto(put('paper.jpg', PDF))).rejects.toThrow(
      /paper\.jpg: is not a photo but a PDF; give/,
    );
    await expect(decodePhoto(put('cuts.jpg', workbook))).rejects.toThrow(
      /is not a photo but an Excel workbook/,
    );
    await expect(listPhotos(put('paper.pdf', PDF))).rejects.toThrow(/is not a photo but a PDF/);
  });

  it.each([
    ['PK\x03\x04 … data … archive/data.pkl', 'a file of torch.save'],
    ['PK\x03\x04 letter.txt', 'a ZIP archive'],
    ['\x93NUMPY\x01\0', 'a NumPy array'],
    ['        {"a": {}}', 'a file of safetensors'],
    ['<!DOCTYPE html><html>', 'a web page'],
    ['photo,total\na,1\n', null],
    ['', null],
  ])('%j is %s', (text, kind) => {
    expect(contentKind(Buffer.from(text, 'latin1'))).toBe(kind);
  });
});
