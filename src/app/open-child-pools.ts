import {
  createChildPool,
  type ChildPool,
  type ChildPoolOptions,
} from "../child-pool/child-pool.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import { CHILD_MEMORY_BYTES } from "./create-core.js";

/** Maximum attempts at once that run alone because their last worker died. */
const MAX_SUSPECTS = 8;

/**
 * Opens the children that run tasks. `size` of them stay warm and decode photos; those for suspects
 * end after each task, since suspects are rare.
 */
export function openChildPools(
  options: Pick<ChildPoolOptions, "entry" | "size" | "log" | "onFault">,
  stack: ClosingStack,
): { pool: ChildPool; suspects: ChildPool } {
  const common = { ...options, memoryLimitBytes: CHILD_MEMORY_BYTES };
  const pool = createChildPool(common);
  stack.add("child pool", () => pool.close());
  const alone = { size: MAX_SUSPECTS, recycleAfterTasks: 1, keepsWarm: false };
  const suspects = createChildPool({ ...common, ...alone });
  stack.add("child pool of suspects", () => suspects.close());
  return { pool, suspects };
}
