import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { processTree } from "../support/processes/process-tree.js";

/** A copy of the project in which one source at a time is replaced. */
export interface Lane {
  /**
   * Returns the name of the first failing test, or the path of a file that fails as a whole.
   * Returns null if all pass.
   */
  firstRed(files: string[]): Promise<string | null>;
  /** Runs `work` while the file has this source. */
  with<T>(file: string, source: string, work: () => Promise<T>): Promise<T>;
}

const COPIED = ["src", "client", "dist"];
const TEST_TIMEOUT_MS = 180_000;

/** Copies the sources and the compiled files to `folder` and links everything else. */
export function createLane(folder: string, env: NodeJS.ProcessEnv): Lane {
  mkdirSync(folder);
  for (const name of readdirSync(".").filter((entry) => !entry.startsWith(".git"))) {
    if (COPIED.includes(name)) cpSync(name, join(folder, name), { recursive: true });
    else symlinkSync(resolve(name), join(folder, name));
  }
  // A bundle would not contain the change.
  const programs = join(folder, "dist/bin");
  for (const name of readdirSync(programs).filter((file) => file.endsWith(".js")))
    writeFileSync(join(programs, name), `await import("../src/bin/${name}");`);

  /**
   * Compiles only this file, without type checks: the tests must detect the change, not the
   * compiler.
   */
  function compile(file: string): void {
    const project = join(folder, "one.json");
    const compilerOptions = {
      rootDir: ".",
      outDir: "dist",
      noCheck: true,
      noResolve: true,
      incremental: false,
      tsBuildInfoFile: null,
      types: [],
    };
    writeFileSync(
      project,
      JSON.stringify({ extends: "./tsconfig.json", include: [], files: [file], compilerOptions }),
    );
    execFileSync(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", project]);
  }

  /** Bundles the page from the changed sources. */
  function bundle(): void {
    execFileSync(process.execPath, ["dist/src/bin/build-console.js"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  return {
    async with(file, source, work) {
      const isOfPage = file.startsWith("src/console/");
      const compiled = join("dist", file.replace(/\.ts$/, ".js"));
      writeFileSync(join(folder, file), source);
      try {
        if (file.endsWith(".ts")) compile(file);
        if (isOfPage) bundle();
        return await work();
      } finally {
        for (const path of [file, compiled, `${compiled}.map`].filter((one) => existsSync(one)))
          cpSync(path, join(folder, path));
        if (isOfPage) bundle();
      }
    },
    firstRed: (files) => runTests(folder, files, env),
  };
}

/** Stops at the first failing test. */
function runTests(cwd: string, files: string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  const child = spawn(
    process.execPath,
    [
      "--enable-source-maps",
      "--test",
      "--test-reporter=tap",
      `--test-timeout=${TEST_TIMEOUT_MS}`,
      ...files,
    ],
    { cwd, env, detached: true, stdio: ["ignore", "pipe", "inherit"] },
  );
  let red: string | null = null;
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    // For nested tests the inner one is reported first.
    red ??=
      lines
        .map((line) => /^\s*not ok \d+ - (.*)$/.exec(line)?.[1])
        .find((name) => name !== undefined) ?? null;
    if (red !== null && child.pid !== undefined) stop(child.pid);
  });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => done(red ?? (code === 0 ? null : files.join(" "))));
  });
}

/** Also kills the processes that its tests started, which may be in other groups. */
function stop(pid: number): void {
  for (const one of [-pid, ...(existsSync("/proc/self/stat") ? processTree(pid) : [])]) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
