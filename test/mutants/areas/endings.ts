import type { Mutant } from "../mutant.js";

/** What ends, and must not take others along or come too early. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a stream that is closed twice silences the user's others",
    file: "src/events/subscription.ts",
    find: "if (this.#over) return;\n    this.#over = how;",
    replace: "this.#over = how;",
    tests: ["events/subscription.test"],
  },
  {
    breaks: "a result is made again for all when one of several leaves",
    file: "src/server/graphql/websocket/shared-results.ts",
    find: "if (--audience.members === 0) ofDocument.delete(key);",
    replace: "if (--audience.members !== 0) ofDocument.delete(key);",
    tests: ["server/graphql/websocket/shared-results.test"],
  },
  {
    breaks: "the results of those who have left are kept",
    file: "src/server/graphql/websocket/shared-results.ts",
    find: "if (--audience.members === 0) ofDocument.delete(key);",
    replace: "--audience.members;",
    tests: ["server/graphql/websocket/shared-results.test"],
  },
  {
    breaks: "a stopping worker closes its database under the running reconciler",
    file: "src/worker/reconciler.ts",
    find: "await running;",
    replace: "",
    tests: ["worker/reconciler.test"],
  },
  {
    breaks: "a fault of ours is answered as the uploader's",
    file: "src/server/files/photo-uploads.ts",
    find: 'return error.code === "ECONNRESET" ||',
    replace: 'return error.code !== "ECONNRESET" ||',
    tests: ["server/files/photo-uploads/refusals.test"],
  },
];
