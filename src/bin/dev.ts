import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

// The compiler writes what was changed, and the service, which watches what is written, starts its processes anew.
const compiler = spawn("node_modules/.bin/tsc", ["--watch", "--preserveWatchOutput"], { stdio: "inherit" });
const service = spawn(process.execPath, ["--enable-source-maps", fileURLToPath(new URL("start.js", import.meta.url)), "--watch"], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => service.kill("SIGTERM"));
service.once("exit", (code) => {
  compiler.kill();
  process.exitCode = code ?? 1;
});
