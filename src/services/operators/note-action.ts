import type { Database } from "../../db/database.js";
import type { Logger } from "../../runtime/logger.js";

/** The operator and the request of an action. */
export interface Operator {
  actor: string;
  requestId: string;
}

export interface OperatorAction extends Operator {
  /** A short phrase, for example "pause Job". */
  action: string;
  /** The object of the action. */
  target: Record<string, unknown>;
  /** Number of objects that the action concerns. */
  count: number;
}

/** Notes an action of an operator. Call it first: an action without a note must not happen. */
export async function noteAction(
  { log }: { database: Database; log: Logger },
  action: OperatorAction,
): Promise<void> {
  log.info(action, "operator action");
}
