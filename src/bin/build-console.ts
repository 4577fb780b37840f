import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
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
  compressAssets();
}

/** The API serves the compressed files that are beside the others. */
function compressAssets(): void {
  for (const path of filesOf(join(REPOSITORY, "dist/console/assets"))) {
    if (!/\.(js|css)$/.test(path)) continue;
    const bytes = readFileSync(path);
    writeFileSync(`${path}.br`, brotliCompressSync(bytes));
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
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
