import { fileURLToPath } from "node:url";
import type { InlineConfig } from "vite";

/** Of the repository, seen from where this is compiled to. */
export const REPOSITORY = fileURLToPath(new URL("../../../..", import.meta.url));

/**
 * How the page at `/` is bundled: into dist/console/, from where the API serves it below /console/.
 */
export function consoleBundle(): InlineConfig {
  return {
    configFile: false,
    root: `${REPOSITORY}src/console`,
    base: "/console/",
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: `${REPOSITORY}dist/console`,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: false,
      reportCompressedSize: false,
    },
  };
}
