// Measures other users' reads while a hostile user requests as many photos as a document may.
//   node dist/bench/load/hostile-document.js [--readers 48] [--reads 5000]
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openRawSocket } from "../../test/support/clients/raw-socket.js";
import { smallPhoto } from "../../test/support/service/small-photo.js";
import { say, withLoadService, type LoadService } from "./load-service.js";

interface Page {
  data?: {
    me: { id: string };
    queuedJobs: { totalCount: number; edges: { cursor: string; node: { id: string } }[] };
  } | null;
  errors?: { extensions: { code: string } }[];
}

interface Reader {
  token: string;
  /** The reader's page before the attack. */
  expected: string;
}

type Ask = (token: string, query: string, variables?: object) => Promise<Page>;
type Counts = Record<string, number>;

const { values } = parseArgs({
  options: {
    readers: { type: "string", default: "48" },
    reads: { type: "string", default: "5000" },
  },
});
const PAGE = "{ me { id } queuedJobs(first: 20) { totalCount edges { cursor node { id } } } }";
const SUBMIT = "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }";
const ALIASES = 7;
const SHEETS = 700;
const SHEETS_PER_REQUEST = 50;
const PHOTOS_PER_SHEET = 100;
const RUN_AT = new Date(Date.now() + 3_600_000);

await withLoadService({ DISABLED_JOBS: "" }, async (service) => {
  const url = `http://127.0.0.1:${service.port}`;
  const ask: Ask = async (token, query, variables = {}) => {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Page;
  };
  const hostile = await createHostileUser(service, url, ask);
  const readers = await createReaders(service, ask);
  const attacked = new AbortController();
  const attacking = attack(url, hostile, attacked.signal);
  await pause(500);
  const answers = await readAll(readers, ask);
  attacked.abort();
  const documents = await attacking;
  say(`reads: ${JSON.stringify(answers)}; hostile documents: ${JSON.stringify(documents)}`);
});

/** Creates a user with many jobs on many photos; resolves with the token. */
async function createHostileUser({ user }: LoadService, url: string, ask: Ask): Promise<string> {
  const { token } = await user("hostile");
  const uploaded = await fetch(`${url}/photos`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "image/png" },
    body: smallPhoto(),
  });
  const { id } = (await uploaded.json()) as { id: string };
  const photoIds = Array.from({ length: PHOTOS_PER_SHEET }, () => id);
  const sheet = { job: "contact-sheet", photoIds, runAt: RUN_AT };
  const inputs = Array.from({ length: SHEETS_PER_REQUEST }, () => sheet);
  for (let sent = 0; sent < SHEETS; sent += SHEETS_PER_REQUEST)
    await ask(token, SUBMIT, { inputs });
  return token;
}

function createReaders({ user }: LoadService, ask: Ask): Promise<Reader[]> {
  const inputs = Array.from({ length: 3 }, () => ({ job: "echo", runAt: RUN_AT }));
  return Promise.all(
    Array.from({ length: Number(values.readers) }, async (_, i) => {
      const { token } = await user(`reader-${i}`);
      await ask(token, SUBMIT, { inputs });
      return { token, expected: JSON.stringify((await ask(token, PAGE)).data) };
    }),
  );
}

/** Sends one document after the other until `ended`; resolves with the count of each outcome. */
async function attack(url: string, token: string, ended: AbortSignal): Promise<Counts> {
  const list = "(first: 100) { nodes { photos { id } } }";
  const aliases = Array.from({ length: ALIASES }, (_, i) => `a${i}: queuedJobs${list}`);
  const query = `{ ${aliases.join(" ")} }`;
  const documents: Counts = {};
  const socket = openRawSocket(url);
  await socket.init(token);
  for (let id = 1; !ended.aborted; id++) {
    socket.send({ type: "subscribe", id: `${id}`, payload: { query } });
    const { type, payload } = await socket.next(
      "a response to the document",
      (message) => message.id === `${id}`,
    );
    const errors = Array.isArray(payload) ? payload : payload?.errors;
    const outcome = errors?.[0]?.extensions?.code ?? errors?.[0]?.message ?? type;
    documents[outcome] = (documents[outcome] ?? 0) + 1;
    socket.messages.length = 0;
  }
  socket.close();
  return documents;
}

/** Lets all readers read concurrently; resolves with the count of each outcome. */
async function readAll(readers: readonly Reader[], ask: Ask): Promise<Counts> {
  const answers: Counts = { right: 0, wrong: 0 };
  let left = Number(values.reads);
  async function read({ token, expected }: Reader): Promise<void> {
    while (left-- > 0) {
      const { data, errors } = await ask(token, PAGE).catch((error: Error): Page => ({
        errors: [{ extensions: { code: String(error.cause ?? error) } }],
      }));
      const isRight = JSON.stringify(data) === expected;
      const outcome = errors?.[0]?.extensions.code ?? (isRight ? "right" : "wrong");
      answers[outcome] = (answers[outcome] ?? 0) + 1;
    }
  }
  await Promise.all(readers.map(read));
  return answers;
}
