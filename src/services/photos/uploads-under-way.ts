// What is being uploaded in this process: bounded for each user, and for all of them together,
// since all of it lies on the disk at the same time, and only what is stored in the end is counted
// by the database.
import { ServiceUnavailableError } from "../../domain/errors.js";
import { quotaExceeded } from "./quota-exceeded.js";

export interface UploadUnderWay {
  /**
   * Throws QuotaExceededError when the user's other uploads fill what `storedBytes` leaves of their
   * storage.
   */
  checkStorage(storedBytes: number): void;
  /**
   * So many more bytes lie on the disk. Throws ServiceUnavailableError when there is no more room
   * for anybody.
   */
  add(bytes: number): void;
  /** Runs `work` when that of the user's earlier uploads has ended. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Nothing of it lies on the disk any more. */
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
/** Bytes of all users, in uploads of the greatest length. */
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

  /** Throws QuotaExceededError when this user has as many as they may. */
  begin(userId: string): UploadUnderWay {
    const ofUser = this.#users.get(userId) ?? { count: 0, bytes: 0, turn: Promise.resolve() };
    if (ofUser.count >= MAX_PER_USER) throw quotaExceeded.uploads(MAX_PER_USER);
    ofUser.count++;
    this.#users.set(userId, ofUser);
    let own = 0;
    return {
      checkStorage: (storedBytes) => {
        const reserved = ofUser.bytes - own;
        if (storedBytes + reserved >= this.#maxStoredBytes)
          throw quotaExceeded.storedBytes(this.#maxStoredBytes);
      },
      add: (bytes) => {
        if (this.#bytes + bytes > this.#maxBytes) throw new ServiceUnavailableError(BUSY);
        own += bytes;
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
        ofUser.bytes -= own;
        this.#bytes -= own;
        if (ofUser.count === 0) this.#users.delete(userId);
      },
    };
  }
}

const BUSY = "Too many uploads are under way; try again in a moment.";
