/** One entry of a crafted ZIP file; what is given beyond name and content is written as it stands, true or not. */
export interface CraftedEntry {
  readonly name: string;
  readonly content: Uint8Array;
  /** 8: deflate, which the content is not put through. */
  readonly method?: number;
  readonly flags?: number;
  readonly statedSize?: number;
  readonly statedOffset?: number;
}

export interface ZipOptions {
  /** Sizes and offsets of 64 bits everywhere, as where 32 do not hold them. */
  readonly zip64?: boolean;
  readonly comment?: string;
  /** Written in place of the number of entries. */
  readonly statedCount?: number;
}

const ALIGNMENT = 64;

/** The bytes of a ZIP file of stored entries, each content at a multiple of 64 bytes as PyTorch has it. */
export function zipBytes(
  entries: readonly CraftedEntry[],
  { zip64 = false, comment = '', statedCount }: ZipOptions = {},
): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  const put = (bytes: Uint8Array): void => {
    parts.push(Buffer.from(bytes));
    position += bytes.byteLength;
  };
  for (const { name, content, method = 0, flags = 0, statedSize, statedOffset } of entries) {
    const nameBytes = Buffer.from(name);
    const start = position;
    const size = statedSize ?? content.byteLength;
    const offset = statedOffset ?? start;
    const padding = (ALIGNMENT - ((start + 34 + nameBytes.length) % ALIGNMENT)) % ALIGNMENT;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(zip64 ? 0xffffffff : size, 18);
    local.writeUInt32LE(zip64 ? 0xffffffff : size, 22);
    local.writeUInt16LE(nameBytes.length, 26);
    local.writeUInt16LE(padding + 4, 28);
    const filler = Buffer.alloc(padding + 4, 'Z');
    filler.write('FB', 0, 'latin1');
    filler.writeUInt16LE(padding, 2);
    for (const part of [local, nameBytes, filler, content]) put(part);

    const extra = zip64 ? Buffer.alloc(28) : Buffer.alloc(0);
    if (zip64) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(size), 4);
      extra.writeBigUInt64LE(BigInt(size), 12);
      extra.writeBigUInt64LE(BigInt(offset), 20);
    }
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt16LE(flags, 8);
    record.writeUInt16LE(method, 10);
    record.writeUInt32LE(zip64 ? 0xffffffff : size, 20);
    record.writeUInt32LE(zip64 ? 0xffffffff : size, 24);
    record.writeUInt16LE(nameBytes.length, 28);
    record.writeUInt16LE(extra.length, 30);
    record.writeUInt32LE(zip64 ? 0xffffffff : offset, 42);
    directory.push(record, nameBytes, extra);
  }
  const directoryOffset = position;
  for (const part of directory) put(part);
  const directoryBytes = position - directoryOffset;
  const count = statedCount ?? entries.length;
  if (zip64) {
    const end64 = Buffer.alloc(56);
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(44n, 4);
    end64.writeBigUInt64LE(BigInt(count), 24);
    end64.writeBigUInt64LE(BigInt(count), 32);
    end64.writeBigUInt64LE(BigInt(directoryBytes), 40);
    end64.writeBigUInt64LE(BigInt(directoryOffset), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(position), 8);
    locator.writeUInt32LE(1, 16);
    put(end64);
    put(locator);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : directoryBytes, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : directoryOffset, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  put(end);
  put(Buffer.from(comment));
  return Buffer.concat(parts);
}
