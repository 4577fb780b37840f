import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ConfigError } from "../config.js";
import { waitUntil } from "../embedded/wait-until.js";
import { runCommand } from "../lifecycle.js";
import { createLogger } from "../logger.js";
import { createAccounts } from "../services/accounts.js";
import type { Account } from "../services/accounts.js";
import { isUuid } from "../services/ids.js";
import { createCore } from "./create-core.js";
import { readRunningConfig } from "./read-running-config.js";

const USAGE = "usage: npm run delete-user -- --email a@b.c   or, where several users have this e-mail,   -- --id <id>";

const ERASE_MS = 60_000;
/** Where a worker holds a row that is still left. */
const PAUSE_MS = 500;

await runCommand(async (stack) => {
  const by = readArguments();
  const log = createLogger({ name: "delete-user", level: "warn", pretty: false });
  const { database, storage, bus, queuedJobs } = await createCore(await readRunningConfig(), { name: "photo-service delete-user", connections: 2, log }, stack);
  const accounts = createAccounts({ database, users: { forget: () => {} }, deleteFiles: (keys) => storage.delete(keys), stopWork: (ids) => queuedJobs.stopWork(ids), tellGone: (userId) => bus.ringGone(userId), log });
  const account = theOnly(await accounts.find(by), by);
  // The others are told through Redis; without it they find out by themselves, within a minute.
  await waitUntil(() => bus.awayReason() === null, { deadlineMs: 2000 });
  await accounts.remove(account.id, { forMs: 0 });
  // From here on it is closed; if this is stopped, the workers' maintenance goes on.
  while (!(await accounts.erase(account.id, { forMs: ERASE_MS }))) await pause(PAUSE_MS);
  process.stdout.write(`Deleted ${describe(account)}, with all that was theirs.\n`);
});

function readArguments(): { email: string } | { id: string } {
  try {
    const { email, id } = parseArgs({ options: { email: { type: "string" }, id: { type: "string" } } }).values;
    if ((email === undefined) === (id === undefined)) throw new Error("Give --email or --id, one of them");
    if (id !== undefined && !isUuid(id)) throw new Error("--id is no UUID");
    return id === undefined ? { email: String(email) } : { id };
  } catch (error) {
    throw new ConfigError([error instanceof Error ? error.message : String(error), USAGE]);
  }
}

/** Several issuers may vouch for one e-mail, and which of these people is meant is nobody's to guess. */
function theOnly(found: Account[], by: { email: string } | { id: string }): Account {
  const [account, ...others] = found;
  if (!account) throw new ConfigError([`No user has ${"id" in by ? `the id ${by.id}` : `the e-mail ${by.email}`}; nothing was deleted`]);
  if (others.length > 0) throw new ConfigError([`${found.length} users have this e-mail, and nothing was deleted; say which one with --id:\n${found.map((one) => `      --id ${one.id}   ${describe(one)}`).join("\n")}`]);
  return account;
}

function describe({ id, issuer, subject, email, emailVerified }: Account): string {
  return `${email}${emailVerified ? "" : " (not verified)"}, ${subject} of ${issuer}, id ${id}`;
}
