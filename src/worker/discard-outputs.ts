import type { Logger } from "../runtime/logger.js";
import type { Storage } from "../photos/storage.js";

/** Deletes files that no row will name; what cannot be deleted now is swept later. */
export async function discardOutputs(
  { storage, log }: { storage: Storage; log: Logger },
  outputs: readonly { storageKey: string }[],
): Promise<void> {
  await storage
    .delete(outputs.map((output) => output.storageKey))
    .catch((error: unknown) => log.warn({ err: error }, "the outputs of an attempt are left over"));
}
