export interface ZipEntry {
  name: string;
  /** 0: stored without compression. */
  method: number;
  /** Bit 11: the name is UTF-8. */
  flags: number;
  mode: number;
  /** Time from the extra field that holds seconds in UTC. */
  modifiedAt: Date;
  bytes: Buffer;
}

/** Reads an archive by its central directory, as most programs do. */
export function readZip(file: Buffer): ZipEntry[] {
  const end = file.lastIndexOf(Buffer.from("PK\u0005\u0006"));
  const count = file.readUInt16LE(end + 10);
  let at = file.readUInt32LE(end + 16);
  return Array.from({ length: count }, () => {
    const [nameLength, extraLength] = [file.readUInt16LE(at + 28), file.readUInt16LE(at + 30)];
    const extra = file.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const header = file.readUInt32LE(at + 42);
    const start = header + 30 + file.readUInt16LE(header + 26) + file.readUInt16LE(header + 28);
    const entry = {
      name: file.toString("utf8", at + 46, at + 46 + nameLength),
      method: file.readUInt16LE(at + 10),
      flags: file.readUInt16LE(at + 8),
      mode: file.readUInt32LE(at + 38) >>> 16,
      modifiedAt: new Date(extra.readUInt32LE(5) * 1000),
      bytes: file.subarray(start, start + file.readUInt32LE(at + 20)),
    };
    at += 46 + nameLength + extraLength + file.readUInt16LE(at + 32);
    return entry;
  });
}
