import { chmod, mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { launchServer } from "../../../src/embedded/processes/launch-server.js";
import { makePrivateFolder } from "../../../src/embedded/private-folder.js";
import { chooseRunUser } from "../../../src/embedded/postgres/run-user.js";

export interface TestServer {
  signal(signal: NodeJS.Signals): void;
  /** Ends it without a chance to say so. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, with its files as it left them. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a server that reads its configuration from a file in `folder` and listens on `port`. */
export async function startTestServer(options: {
  folder: string;
  command: string;
  port: number;
  /** Files in the folder, by name; the first is the configuration. */
  files: Record<string, string>;
  /** Arguments before or after the name of that file, which is `{}`. */
  args?: string[];
}): Promise<TestServer> {
  const { folder, command, port, files, args = ["{}"] } = options;
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const user = chooseRunUser(folder);
  await makePrivateFolder(folder, { user, mode: 0o700 });
  await Promise.all(Object.keys(files).map((name) => chmod(join(folder, name), 0o600)));
  const [configuration = ""] = Object.keys(files);
  const launch = () =>
    launchServer({
      attempt: { program: command, variable: "PATH", folder },
      command,
      args: args.map((one) => one.replace("{}", configuration)),
      folder,
      user,
      logFile: `${folder}.log`,
      steps: [
        { signal: "SIGTERM", waitMs: 5000 },
        { signal: "SIGKILL", waitMs: 5000 },
      ],
      isReady: () => accepts(port),
      signal: AbortSignal.timeout(30_000),
    });
  let running = await launch();
  return {
    signal: (signal) => void process.kill(running.pid, signal),
    async kill() {
      process.kill(running.pid, "SIGKILL");
      await running.exited;
    },
    async start() {
      running = await launch();
    },
    close: () => running.stop(),
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
