import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { consoleBundle, REPOSITORY } from "../app/local-service/console-bundle.js";

// The bundler is a development dependency, and loading it takes longer than checking whether it is
// needed.
const inputs = ["src/console", "client/src", "package-lock.json"].flatMap((path) =>
  filesOf(join(REPOSITORY, path)),
);
const built = join(REPOSITORY, "dist/console/index.html");
if (!existsSync(built) || inputs.some((path) => statSync(path).mtimeMs > statSync(built).mtimeMs)) {
  const { build } = await import("vite");
  await build(consoleBundle());
}

function filesOf(path: string): string[] {
  // Folders are included, because a file may have been removed from one.
  return statSync(path).isFile()
    ? [path]
    : [
        path,
        ...readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name)),
      ];
}
