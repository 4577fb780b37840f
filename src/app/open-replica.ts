import { createDatabase, type Database } from "../db/database.js";
import { openReplica, readPrimary, type RecentReads } from "../db/replica.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import type { Config } from "../runtime/config.js";

const CONNECTIONS = 4;

/** Opens DATABASE_REPLICA_URL, if it is set. Without it, all reads go to the primary. */
export function openRecentReads(
  { databaseReplicaUrl: url }: Config,
  { primary, name, log }: { primary: Database; name: string; log: Logger },
  stack: ClosingStack,
): RecentReads {
  if (url === null) return readPrimary(primary);
  const replica = createDatabase({ url, connections: CONNECTIONS, applicationName: name });
  const recent = openReplica({
    primary,
    replica,
    onChange: (usable) =>
      usable
        ? log.info("the read replica is up to date and answers reads")
        : log.warn("the read replica is behind or away: the primary answers its reads"),
  });
  stack.add("read replica", () => {
    recent.close();
    return replica.close();
  });
  return recent;
}
