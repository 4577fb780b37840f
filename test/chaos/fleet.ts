import { setTimeout as pause } from "node:timers/promises";
import { processesOfSession } from "./processes-of-session.js";
import { startServiceProcess, type Role, type ServiceProcess } from "./service-process.js";
import type { Violations } from "./checks/violations.js";
import { freezeServer } from "./faults/signals.js";

/** The processes of the service, with a constant number per role. */
export interface Fleet {
  members(role: Role): ServiceProcess[];
  /** Adds a process; resolves when it is ready. */
  start(role: Role): Promise<ServiceProcess>;
  /** Kills the process with SIGKILL, and starts another one. */
  kill(member: ServiceProcess): Promise<void>;
  /** Starts another process first, then sends SIGTERM, as in a rolling restart. */
  roll(member: ServiceProcess): Promise<void>;
  /** Sends SIGSTOP, and SIGCONT after `ms`. */
  freeze(member: ServiceProcess, ms: number): Promise<void>;
  /** Stops all processes. Those they left running are reported as violations, and killed. */
  close(): Promise<void>;
}

/** Longer than the deadlines for shutdown within the processes. */
const STOP_WITHIN_MS = 45_000;

export function createFleet(options: {
  env: Record<string, string>;
  logs: string;
  cwd: string;
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

  /** Replaces a member that ended unexpectedly, and reports a violation. */
  async function leave(member: ServiceProcess, how: string): Promise<void> {
    if (member.mayEnd) return;
    violations.add("other", `${member.name} (process ${member.pid}) ended by itself with ${how}`);
    await replace(member);
  }

  /** The old member stays listed until the new one is ready, so clients meet a dead address. */
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
    freeze: freezeServer,
    async close() {
      closing = true;
      await Promise.all(members.splice(0).map((member) => stop(member, violations)));
      await pause(1000); // Child processes need a moment to notice the end of their parent.
      endLeftovers(everyPid, violations);
    },
  };
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
    violations.add("other", `process ${pid} (${command}) was still running`);
    process.kill(pid, "SIGKILL");
  }
}
