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

export function freeze(pids: readonly number[], ms: number): Promise<void> {
  return freezeServer({ signal: (signal) => send(pids, signal) }, ms);
}

export async function freezeServer(
  server: { signal(signal: NodeJS.Signals): void },
  ms: number,
): Promise<void> {
  server.signal("SIGSTOP");
  await pause(ms);
  server.signal("SIGCONT");
}
