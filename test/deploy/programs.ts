import { execFileSync } from "node:child_process";
import type { Need } from "../../src/runtime/config.js";
import { VARIABLE_NAMES } from "../../src/runtime/variables.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";

export const NEEDS: Record<string, Need[]> = {
  api: ["database", "redis", "tokens", "files", "storage"],
  worker: ["database", "redis", "storage", "webhooks"],
  migrate: ["database"],
  seed: ["database", "redis", "storage"],
};
export const programOf = (words: string[] = []) =>
  /bin\/([\w-]+)\.js/.exec(words.join(" "))?.[1] ?? "";
export const secondsOf = (text = "0s") => Number(/^(\d+)s$/.exec(text)?.[1]);

export const unknown = (names: string[]) =>
  names.filter((name) => !(VARIABLE_NAMES as string[]).includes(name.replace(/_FILE$/, "")));

/** Runs deploy/make-secrets.sh, and returns its folder, which is deleted after the tests. */
export function makeSecrets(): string {
  const folder = temporaryFolder().path;
  execFileSync("deploy/make-secrets.sh", [folder], { stdio: "ignore" });
  return folder;
}
