import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { consoleBundle, REPOSITORY } from "../app/local-service/console-bundle.js";

// The bundler is a development dependency, and takes longer to load than to find out that it is not
// needed.
const inputs = ["src/console", "examples/resumable.ts", "package-lock.json"].flatMap((path) =>
  filesOf(join(REPOSITORY, path)),
);
const built = join(REPOSITORY, "dist/console/index.html");
if (!existsSync(built) || inputs.some((path) => statSync(path).mtimeMs > statSync(built).mtimeMs)) {
  const { build } = await import("vite");
  await build(consoleBundle());
}

function filesOf(path: string): string[] {
  // Folders too: from one something may have been removed.
  return statSync(path).isFile()
    ? [path]
    : [
        path,
        ...readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name)),
      ];
}
