import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { JudgedGoal } from "./judge-goals.js";
import { renderGoals } from "./render-goals.js";

/** File with the results of the releases. */
export const RESULTS_PATH = "bench/RESULTS.md";

const TITLE = `# Results of the bench

Each recorded run has a section, oldest first: \`npm run bench -- --record\` appends one. Values are
medians of the rounds; a ratio is the median of the ratios of each round; the spread is the largest
value divided by the smallest, minus one. Compare ratios, not values, between machines.
`;

/** Circumstances of a run. */
export interface Circumstances {
  release: string;
  date: Date;
  /** Commit; followed by "and changes" if the sources differ from it. */
  commit: string;
  machine: string;
  node: string;
}

export interface Run extends Circumstances {
  rounds: number;
  /** Maximum number of cores that other processes used. */
  coresElsewhere: number;
  judged: readonly JudgedGoal[];
  /** Measurements of peers that failed, each in a sentence without its full stop. */
  notMeasured: readonly string[];
}

export function readCircumstances(): Circumstances {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const model = cpus()[0]?.model.trim() ?? process.arch;
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  return {
    release: manifest.version,
    date: new Date(),
    commit: readCommit(),
    machine: `${availableParallelism()} × ${model}, ${gigabytes} GB, ${process.platform}`,
    node: process.version,
  };
}

/** Renders a dated section in Markdown. */
export function renderResults(run: Run): string {
  const rounds = `${run.rounds} ${run.rounds === 1 ? "round" : "rounds"}`;
  return [
    `## ${run.release}, ${run.date.toISOString().slice(0, 10)}`,
    "",
    `Commit ${run.commit}. ${run.machine}, Node ${run.node}. ${rounds}; other processes used at ` +
      `most ${run.coresElsewhere.toFixed(1)} cores.`,
    "",
    renderGoals(run.judged),
    "",
    ...run.notMeasured.map((sentence) => `Not measured: ${sentence}.\n`),
  ].join("\n");
}

/** Appends a section; creates the file with its title if it does not exist. */
export function appendResults(section: string, path: string = RESULTS_PATH): void {
  if (!existsSync(path)) writeFileSync(path, TITLE);
  appendFileSync(path, `\n${section}`);
}

function readCommit(): string {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
  try {
    const isChanged = git("status", "--porcelain", "--untracked-files=no") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${isChanged ? " and changes" : ""}`;
  } catch {
    return "unknown";
  }
}
