import { fileURLToPath } from "node:url";
import type { InlineConfig } from "vite";

/** Path of the repository, relative to the compiled file. */
export const REPOSITORY = fileURLToPath(new URL("../../../..", import.meta.url));

/** Bundles the page at `/` into dist/console/; the API serves it under /console/. */
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
      // Older ones lack light-dark(), and what replaces it does not follow a part's colour scheme.
      cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"],
      modulePreload: false,
      reportCompressedSize: false,
    },
  };
}
