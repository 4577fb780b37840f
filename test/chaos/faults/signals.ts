import { setTimeout as pause } from "node:timers/promises";

export function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // The process has already ended.
    }
  }
}

export async function freeze(pids: readonly number[], ms: number): Promise<void> {
  send(pids, "SIGSTOP");
  await pause(ms);
  send(pids, "SIGCONT");
}
