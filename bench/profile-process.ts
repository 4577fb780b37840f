// `npm run bench -- --profile FOLDER` loads this into the service's processes. It writes a CPU
// profile of each for Chrome's developer tools.
import { mkdirSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { basename, join } from "node:path";

const folder = process.env["PROFILE_FOLDER"] ?? ".";
mkdirSync(folder, { recursive: true });
const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.start");
process.once("exit", () => {
  // On the same thread, the callback runs before `post` returns.
  session.post("Profiler.stop", (_error, { profile }) =>
    writeFileSync(
      join(folder, `${basename(process.argv[1] ?? "", ".js")}-${process.pid}.cpuprofile`),
      JSON.stringify(profile),
    ),
  );
});
