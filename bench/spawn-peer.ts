import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A process of a peer. It exits with this process, because its IPC channel then closes. */
export interface PeerProcess {
  pid: number;
  stop(): Promise<void>;
}

/**
 * Starts a compiled script below bench/, and waits until it reports that it is ready. Its output
 * goes to `<logs>/<name>.log`.
 */
export async function spawnPeer(options: {
  name: string;
  script: string;
  env: Record<string, string>;
  logs: string;
}): Promise<PeerProcess> {
  const { name, env, logs } = options;
  const log = openSync(`${logs}/${name}.log`, "a");
  const script = fileURLToPath(new URL(options.script, import.meta.url));
  const child = spawn(process.execPath, [script], {
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
    env: { PATH: process.env["PATH"] ?? "", NODE_ENV: "production", ...env },
  });
  closeSync(log);
  const exited = once(child, "exit");
  const ready = await Promise.race([
    once(child, "message").then(() => true),
    exited.then(() => false),
  ]);
  if (!ready) throw new Error(`${name} ended before it was ready: see ${logs}/${name}.log`);
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
