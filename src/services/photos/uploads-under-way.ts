// The uploads under way in this process, limited per user and in total. Their bytes share one disk,
// and the database counts only bytes that are stored.
import { ServiceUnavailableError } from "../../domain/errors.js";
import { quotaExceeded } from "./quota-exceeded.js";

export interface UploadUnderWay {
  /** Throws QuotaExceededError when `storedBytes` and the user's other uploads fill the quota. */
  checkStorage(storedBytes: number): void;
  /**
   * Adds bytes that lie on the disk. Throws ServiceUnavailableError when the disk has no more room
   * for uploads.
   */
  add(bytes: number): void;
  /** Runs `work` after the work of this user's earlier uploads has ended. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the upload, after its file was removed from the disk. */
  end(): void;
}

interface OfUser {
  count: number;
  bytes: number;
  turn: Promise<unknown>;
}

export interface UploadsUnderWayOptions {
  maxUploadBytes: number;
  maxStoredBytes: number;
}

const MAX_PER_USER = 10;
/** Maximum bytes of all uploads together, in units of the longest allowed upload. */
const MAX_LONGEST_UPLOADS = 64;

export class UploadsUnderWay {
  readonly #maxBytes: number;
  readonly #maxStoredBytes: number;
  readonly #users = new Map<string, OfUser>();
  #bytes = 0;

  constructor({ maxUploadBytes, maxStoredBytes }: UploadsUnderWayOptions) {
    this.#maxBytes = MAX_LONGEST_UPLOADS * maxUploadBytes;
    this.#maxStoredBytes = maxStoredBytes;
  }

  /** Throws QuotaExceededError when this user has too many concurrent uploads. */
  begin(userId: string): UploadUnderWay {
    const ofUser = this.#users.get(userId) ?? { count: 0, bytes: 0, turn: Promise.resolve() };
    if (ofUser.count >= MAX_PER_USER) throw quotaExceeded.uploads(MAX_PER_USER);
    ofUser.count++;
    this.#users.set(userId, ofUser);
    let ownBytes = 0;
    return {
      checkStorage: (storedBytes) => {
        const reserved = ofUser.bytes - ownBytes;
        if (storedBytes + reserved >= this.#maxStoredBytes)
          throw quotaExceeded.storedBytes(this.#maxStoredBytes);
      },
      add: (bytes) => {
        if (this.#bytes + bytes > this.#maxBytes) throw new ServiceUnavailableError(BUSY);
        ownBytes += bytes;
        ofUser.bytes += bytes;
        this.#bytes += bytes;
      },
      inTurn(work) {
        const result = ofUser.turn.then(work);
        ofUser.turn = result.catch(() => null);
        return result;
      },
      end: () => {
        ofUser.count--;
        ofUser.bytes -= ownBytes;
        this.#bytes -= ownBytes;
        if (ofUser.count === 0) this.#users.delete(userId);
      },
    };
  }
}

const BUSY = "Too many uploads are under way; try again in a moment.";
