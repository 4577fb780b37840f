import { setTimeout as pause } from "node:timers/promises";
import { processesOfSession } from "./processes-of-session.js";
import { startServiceProcess, type Role, type ServiceProcess } from "./service-process.js";
import type { Violations } from "./checks/violations.js";

/** The processes of the service: so many of each role, whatever happens to them. */
export interface Fleet {
  members(role: Role): ServiceProcess[];
  /** Adds one; resolves when it is ready. */
  start(role: Role): Promise<ServiceProcess>;
  /** kill -9, and another in its place. */
  kill(member: ServiceProcess): Promise<void>;
  /** Another one first, then SIGTERM: a rolling restart. */
  roll(member: ServiceProcess): Promise<void>;
  /** SIGSTOP, and SIGCONT after `ms`. */
  freeze(member: ServiceProcess, ms: number): Promise<void>;
  /** Stops all; what they left running is told as a violation, and ended. */
  close(): Promise<void>;
}

/** Longer than the processes' own deadlines. */
const STOP_WITHIN_MS = 45_000;

export function createFleet(options: {
  env: Record<string, string>;
  logs: string;
  violations: Violations;
}): Fleet {
  const { violations } = options;
  const members: ServiceProcess[] = [];
  const everyPid: number[] = [];
  let started = 0;
  let closing = false;

  async function start(role: Role): Promise<ServiceProcess> {
    const member = await startServiceProcess({ ...options, role, name: `${role}-${++started}` });
    members.push(member);
    everyPid.push(member.pid);
    void member.exited.then((how) => leave(member, how));
    if (closing)
      await stop(members.splice(members.indexOf(member), 1)[0] as ServiceProcess, violations);
    return member;
  }

  /** A member that ended: one that nobody ended is an accident, and is replaced. */
  async function leave(member: ServiceProcess, how: string): Promise<void> {
    if (member.mayEnd) return;
    violations.add("other", `${member.name} (process ${member.pid}) ended by itself with ${how}`);
    await replace(member);
  }

  /** Whoever knows the address of the old one finds nobody there until the new one is ready. */
  async function replace(member: ServiceProcess): Promise<void> {
    if (!closing)
      await start(member.role).catch((error: unknown) => violations.add("other", String(error)));
    members.splice(members.indexOf(member), 1);
  }

  return {
    members: (role) => members.filter((member) => member.role === role),
    start,
    async kill(member) {
      member.mayEnd = true;
      member.signal("SIGKILL");
      await member.exited;
      await replace(member);
    },
    async roll(member) {
      await start(member.role);
      members.splice(members.indexOf(member), 1);
      await stop(member, violations);
    },
    freeze,
    async close() {
      closing = true;
      await Promise.all(members.splice(0).map((member) => stop(member, violations)));
      await pause(1000); // Children that notice the end of their parent.
      endLeftovers(everyPid, violations);
    },
  };
}

async function freeze(member: ServiceProcess, ms: number): Promise<void> {
  member.signal("SIGSTOP");
  await pause(ms);
  member.signal("SIGCONT");
}

async function stop(member: ServiceProcess, violations: Violations): Promise<void> {
  member.mayEnd = true;
  member.signal("SIGCONT");
  member.signal("SIGTERM");
  const late = pause(STOP_WITHIN_MS, "late", { ref: false });
  const how = await Promise.race([member.exited, late]);
  if (how !== "code 0")
    violations.add(
      "other",
      `${member.name} (process ${member.pid}) ended with ${how} after SIGTERM`,
    );
  if (how === "late") member.signal("SIGKILL");
}

function endLeftovers(pids: number[], violations: Violations): void {
  for (const { pid, command } of processesOfSession(pids)) {
    violations.add("other", `process ${pid} (${command}) was left running`);
    process.kill(pid, "SIGKILL");
  }
}
