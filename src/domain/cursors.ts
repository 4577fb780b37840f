// Cursors come in two kinds. Both are opaque to clients, carry a tag of their owner, and have
// exactly one spelling.
import { InvalidInputError } from "./errors.js";

/** A position in a user's event stream. */
export interface StreamCursor {
  /**
   * Identifies the database's history: a cursor of another history cannot be resumed. 8 bytes, hex.
   */
  epoch: string;
  userId: string;
  seq: number;
}

/** An end of a page, and the position of the event stream when the first page was read. */
export interface PageCursor {
  userId: string;
  list: List;
  /** Key of the row beside the page: a UUID or a name. */
  key: string;
  stream: { epoch: string; seq: number } | null;
}

/** Lists that are read in pages. A cursor is valid for one list only. */
export type List = keyof typeof LISTS;

const STREAM = 1;
const LISTS = {
  queuedJobs: 2,
  photos: 3,
  users: 4,
  jobs: 5,
  jobGroups: 6,
  groupMembers: 7,
} as const;
const STREAM_BYTES = 23;

export function encodeStreamCursor({ epoch, userId, seq }: StreamCursor): string {
  return Buffer.concat([Buffer.of(STREAM), streamBytes(epoch, seq), userTag(userId)]).toString(
    "base64url",
  );
}

/** Throws InvalidInputError at `after` when it is malformed or another user's. */
export function decodeStreamCursor(text: string, userId: string): { epoch: string; seq: number } {
  const bytes = decode(text, STREAM);
  if (bytes.length !== STREAM_BYTES || !bytes.subarray(17).equals(userTag(userId)))
    throw malformedCursor();
  return readStream(bytes.subarray(1, 17));
}

export function encodePageCursor({ userId, list, key, stream }: PageCursor): string {
  const position = stream ? streamBytes(stream.epoch, stream.seq) : Buffer.alloc(0);
  return Buffer.concat([
    Buffer.of(LISTS[list]),
    userTag(userId),
    Buffer.of(position.length),
    position,
    Buffer.from(key),
  ]).toString("base64url");
}

/**
 * Throws InvalidInputError at `argument` when it is malformed, another user's or of another list.
 */
export function decodePageCursor(
  text: string,
  { userId, list }: Pick<PageCursor, "userId" | "list">,
  argument: "after" | "before",
): Pick<PageCursor, "key" | "stream"> {
  const bytes = decode(text, LISTS[list], argument);
  const length = bytes[7];
  if (!bytes.subarray(1, 7).equals(userTag(userId)) || (length !== 0 && length !== 16))
    throw malformedCursor(argument);
  const key = bytes.subarray(8 + length).toString();
  if (key === "" || bytes.length < 8 + length) throw malformedCursor(argument);
  return { key, stream: length === 0 ? null : readStream(bytes.subarray(8, 24), argument) };
}

function decode(text: string, kind: number, argument = "after"): Buffer {
  const bytes = Buffer.from(text, "base64url");
  // One byte sequence has several base64url spellings, and Buffer accepts all of them.
  if (bytes[0] !== kind || bytes.toString("base64url") !== text) throw malformedCursor(argument);
  return bytes;
}

function streamBytes(epoch: string, seq: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.write(epoch, 0, 8, "hex");
  bytes.writeBigUInt64BE(BigInt(seq), 8);
  return bytes;
}

function readStream(bytes: Buffer, argument = "after"): { epoch: string; seq: number } {
  const seq = Number(bytes.readBigUInt64BE(8));
  if (!Number.isSafeInteger(seq)) throw malformedCursor(argument);
  return { epoch: bytes.toString("hex", 0, 8), seq };
}

/** The random end of a UUIDv7. Its beginning is a timestamp that users can share. */
function userTag(userId: string): Buffer {
  return Buffer.from(userId.slice(-12), "hex");
}

export function malformedCursor(argument = "after"): InvalidInputError {
  return InvalidInputError.at(
    [argument],
    "is not one of your cursors; pass a cursor from an earlier response or event",
  );
}
