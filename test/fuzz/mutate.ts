import type { SeededRandom } from "../support/runner/seeded-random.js";

/** A damaged photo, with a description of the damage. */
export interface Mutant {
  bytes: Buffer;
  how: string;
}

/** Damages a copy in one to three ways; one of them appends the tail of `other`. */
export function mutate(photo: Buffer, other: Buffer, random: SeededRandom): Mutant {
  let bytes: Buffer = Buffer.from(photo);
  const how: string[] = [];
  for (let times = random.int(1, 3); times > 0; times--) {
    const name = random.pick(NAMES);
    how.push(name);
    if (bytes.length > 0) bytes = MUTATIONS[name](bytes, random, other);
  }
  return { bytes, how: how.join(", ") };
}

type Mutation = (bytes: Buffer, random: SeededRandom, other: Buffer) => Buffer;

/** Size of the header, which contains lengths and counts. */
const HEADER = 2048;
const EDGES = [
  0, 1, 2, 8, 0x7f, 0xff, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe,
  0xffff_ffff,
];
const most = (bytes: Buffer, limit: number) => Math.min(bytes.length, limit) - 1;

const MUTATIONS = {
  cut: (bytes, random) =>
    bytes.subarray(
      0,
      Math.floor(bytes.length * random.pick([0.01, 0.1, 0.5, 0.9, 0.99, random.next()])),
    ),
  "last bytes lost": (bytes, random) => bytes.subarray(0, -random.int(1, 16)),
  "bits flipped": (bytes, random) => {
    for (let times = random.int(1, 32); times > 0; times--)
      xor(bytes, random.int(0, bytes.length - 1), 1 << random.int(0, 7));
    return bytes;
  },
  "header garbled": (bytes, random) => {
    for (let times = random.int(1, 8); times > 0; times--)
      bytes[random.int(0, most(bytes, HEADER))] = random.int(0, 255);
    return bytes;
  },
  "number at an edge": (bytes, random) => {
    const value = random.pick(EDGES);
    const at = random.int(0, most(bytes, HEADER));
    const number = Buffer.alloc(4);
    if (random.chance(0.5)) number.writeUInt32BE(value);
    else number.writeUInt32LE(value);
    number.subarray(random.chance(0.3) ? 2 : 0).copy(bytes, at);
    return bytes;
  },
  "stretch removed": (bytes, random) => {
    const [from, to] = stretch(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  "stretch repeated": (bytes, random) => {
    const [from, to] = stretch(bytes, random);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  "stretch zeroed": (bytes, random) => bytes.fill(0, ...stretch(bytes, random)),
  "noise inserted": (bytes, random) => {
    const at = random.int(0, bytes.length);
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(Array.from({ length: random.int(1, 64) }, () => random.int(0, 255))),
      bytes.subarray(at),
    ]);
  },
  "tail of another": (bytes, random, other) => {
    const share = random.next();
    return Buffer.concat([
      bytes.subarray(0, bytes.length * share),
      other.subarray(other.length * share),
    ]);
  },
  "bytes appended": (bytes) => Buffer.concat([bytes, Buffer.from("PK\x03\x04 and more")]),
} satisfies Record<string, Mutation>;

const NAMES = Object.keys(MUTATIONS) as (keyof typeof MUTATIONS)[];

function xor(bytes: Buffer, at: number, bits: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ bits;
}

function stretch(bytes: Buffer, random: SeededRandom): [from: number, to: number] {
  const from = random.int(0, bytes.length - 1);
  return [from, Math.min(bytes.length, from + random.int(1, random.pick([4, 64, 4096])))];
}
