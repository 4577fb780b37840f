import type { Mutant } from "../mutant.js";

const ADMISSION = [
  "server/access/connection-admission.test",
  "server/graphql/websocket/graphql-sockets",
];
const SOCKETS = ["server/graphql/websocket/graphql-sockets/places.test", "security/sockets.test"];

export const MUTANTS: Mutant[] = [
  {
    breaks: "one network holds all places while others wait",
    file: "src/server/access/connection-admission.ts",
    find: "if (!oldest || !needy) return;",
    replace: "if (!oldest || !needy || most > 0) return;",
    tests: ADMISSION,
  },
  {
    breaks: "an idle socket keeps its place while others wait",
    file: "src/server/access/connection-admission.ts",
    find: "since <= now - IDLE_MS",
    replace: "since <= now - 1000 * IDLE_MS",
    tests: ADMISSION,
  },
  {
    breaks: "a socket that signs in counts as idle",
    file: "src/server/access/connection-admission.ts",
    find: "onSignIn: () => void network.idle.delete(held)",
    replace: "onSignIn: () => void network",
    tests: ADMISSION,
  },
  {
    breaks: "waiting networks are not served in turn",
    file: "src/server/access/connection-admission.ts",
    find: "this.#turns.delete(network);",
    replace: "if (network.waiting.length === 0) this.#turns.delete(network);",
    tests: ADMISSION,
  },
  {
    breaks: "a socket can wait without a limit",
    file: "src/server/access/connection-admission.ts",
    find: "first.since <= now - MAX_WAIT_MS",
    replace: "first.since <= now - 1000 * MAX_WAIT_MS",
    tests: ADMISSION,
  },
  {
    breaks: "the number of waiting sockets is not limited",
    file: "src/server/access/connection-admission.ts",
    find: "if (this.#waiting < MAX_WAITING) return true;",
    replace: "if (this.#waiting >= 0) return true;",
    tests: ADMISSION,
  },
  {
    breaks: "a socket that is closed keeps its place until its peer answers",
    file: "src/server/graphql/websocket/graphql-sockets.ts",
    find: "    place.leave();\n    socket.close(code, reason);",
    replace: "      socket.close(code, reason);",
    tests: SOCKETS,
  },
  {
    breaks: "a peer that has not signed in can ignore a close",
    file: "src/server/graphql/websocket/graphql-sockets.ts",
    find: "if (!peer.session) setTimeout(",
    replace: "if (peer.session) setTimeout(",
    tests: SOCKETS,
  },
];
