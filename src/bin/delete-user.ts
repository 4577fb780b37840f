import { createInterface } from "node:readline/promises";
import { setTimeout as pause } from "node:timers/promises";
import { readCommandLine } from "../runtime/command-line.js";
import { waitUntil } from "../embedded/processes/wait-until.js";
import { runCommand } from "../runtime/lifecycle.js";
import { createLogger } from "../runtime/logger.js";
import { createAccounts, type Account, type AccountContents } from "../services/users/accounts.js";
import { isUuid } from "../services/reads/ids.js";
import { createCore } from "../app/create-core.js";
import { catalogue } from "../tasks/catalogue.js";
import { readRunningConfig } from "../app/read-config.js";

type By = { email: string } | { id: string };

const { by, yes, dryRun } = readCommandLine(
  {
    name: "node dist/bin/delete-user.js",
    about:
      "Delete an account with all its photos, jobs and files, permanently. It shows what is " +
      "deleted, and asks first.",
    options: {
      email: { type: "string", value: "<address>", about: "E-mail address of the user." },
      id: {
        type: "string",
        value: "<id>",
        about: "Id of the user, when several users have the address.",
      },
      "dry-run": { type: "boolean", about: "Only show what would be deleted." },
      yes: { type: "boolean", about: "Delete without a question." },
    },
    examples: [
      "--email you@example.com",
      "--email you@example.com --dry-run",
      "--id 0198f3a0-0000-7000-8000-00000000000a --yes",
    ],
  },
  (values) => ({
    by: whichUser(values.email, values.id),
    yes: values.yes,
    dryRun: values["dry-run"],
  }),
);

function whichUser(email: string | undefined, id: string | undefined): By {
  if (email !== undefined && id === undefined) return { email };
  if (id === undefined || email !== undefined) throw new Error("Give either --email or --id");
  if (!isUuid(id)) throw new Error("--id is not a UUID");
  return { id };
}

const ERASE_MS = 60_000;
/** Pause while a worker holds a remaining row. */
const PAUSE_MS = 500;

await runCommand(async (stack) => {
  const log = createLogger({ name: "delete-user", level: "warn", pretty: false });
  const { database, storage, bus, queuedJobs } = await createCore(
    await readRunningConfig(),
    // It submits and runs nothing, so it needs no task of TASKS.
    { name: "photo-service delete-user", connections: 2, catalogue, log },
    stack,
  );
  const accounts = createAccounts({
    database,
    users: { forget: () => {} },
    deleteFiles: (keys) => storage.delete(keys),
    stopWork: (ids) => queuedJobs.stopWork(ids),
    publishGone: (userId) => bus.publishGone(userId),
    log,
  });
  const account = theOnly(await accounts.find(by));
  const summary = `${describe(account)}: ${inWords(await accounts.contents(account.id))}`;
  if (dryRun) {
    process.stdout.write(`Would delete ${summary}.\n`);
    return;
  }
  if (!yes && !(await isConfirmed(summary))) {
    process.stdout.write("Nothing was deleted.\n");
    return;
  }
  // Other processes are notified through Redis; without it they notice the deletion within a
  // minute.
  await waitUntil(() => bus.awayReason() === null, { deadlineMs: 2000 });
  await accounts.close(account.id);
  // The account is closed now; if this command is stopped, the workers' maintenance continues.
  while (!(await accounts.erase(account.id, { forMs: ERASE_MS }))) await pause(PAUSE_MS);
  process.stdout.write(`Deleted ${describe(account)}, with all photos, jobs and files.\n`);
});

async function isConfirmed(summary: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new Error(
      `${summary}.\nNothing was deleted, because this is not a terminal: add --yes to delete ` +
        "it, or --dry-run to only look.",
    );
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${summary}.\nDelete it permanently? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

function inWords({ photos, queuedJobs, unfinished, storedBytes }: AccountContents): string {
  const waiting = unfinished > 0 ? ` (${unfinished} unfinished)` : "";
  return `${photos} photos, ${queuedJobs} jobs${waiting}, ${(storedBytes / 1e6).toFixed(1)} MB`;
}

/** Several issuers may have a user with this e-mail address, and guessing one would be wrong. */
function theOnly(accounts: Account[]): Account {
  const [account, ...others] = accounts;
  if (!account)
    throw new Error(
      `No user has ${"id" in by ? `the id ${by.id}` : `the e-mail ${by.email}`}; nothing ` +
        "was deleted.",
    );
  if (others.length === 0) return account;
  const list = accounts.map((one) => `  --id ${one.id}   ${describe(one)}`).join("\n");
  throw new Error(
    `${accounts.length} users have this e-mail, so nothing was deleted; choose one of them ` +
      `with --id:\n${list}`,
  );
}

function describe({ id, issuer, subject, email, emailVerified }: Account): string {
  return `${email}${emailVerified ? "" : " (not verified)"}, ${subject} of ${issuer}, id ${id}`;
}
