import type { ServerResponse } from "node:http";
import type { Logger } from "../../../runtime/logger.js";

export interface StreamWriter {
  /** Resolves when the frame has left; false when nobody is there any more. */
  write(frame: string): Promise<boolean>;
  /**
   * Resolves when all that was written has left, so that a stream is pulled no faster than it is
   * read.
   */
  taken(): Promise<unknown>;
}

/** A frame that was not taken for so long is not waited for any more. */
const UNSENT_MS = 30_000;

/** A reader that stops reading is cut off: its cursor lets it resume, and nobody buffers for it. */
export function createStreamWriter(
  response: ServerResponse,
  log: Logger,
  unsentMs = UNSENT_MS,
): StreamWriter {
  let last: Promise<boolean> = Promise.resolve(true);

  function cutOff(): void {
    log.info(
      { buffered: response.writableLength },
      "a reader of a stream is too slow and is cut off",
    );
    response.destroy();
  }

  return {
    write(frame) {
      last = new Promise((resolve) => {
        if (!response.writable) return resolve(false);
        const late = setTimeout(cutOff, unsentMs);
        const settle = (left: boolean) => {
          clearTimeout(late);
          response.off("close", onClose);
          resolve(left);
        };
        const onClose = () => settle(false);
        // Beware: of a response that is destroyed the callback of a write is not always called.
        response.once("close", onClose);
        response.write(frame, (error) => settle(!error));
      });
      return last;
    },
    taken: () => last,
  };
}
