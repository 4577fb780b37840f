import * as nodeModule from "node:module";
import { resolve } from "./resolve-import.js";

/** Newer versions of Node have this function, and warn about the use of `register`. */
interface WithSyncHooks {
  registerHooks?(hooks: { resolve: typeof resolve }): void;
}

let served = false;

/** Lets tasks outside this repository import zod and "photo-service/tasks" in this process. */
export function serveImports(): void {
  if (served) return;
  served = true;
  const { registerHooks } = nodeModule as WithSyncHooks;
  if (registerHooks) registerHooks({ resolve });
  else nodeModule.register(new URL("./resolve-import.js", import.meta.url));
}
