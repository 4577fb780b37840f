// Checks the subjects of the commits since a base: conventional, and at most 72 characters.
//   node scripts/check-subjects.mjs <base>
// Merges are exempt. A base that does not exist here, as for a new branch, checks nothing.
import { execFileSync, spawnSync } from "node:child_process";

const MAX_LENGTH = 72;
const TYPES = "build|bench|chore|ci|docs|feat|fix|perf|refactor|revert|style|test";
const SUBJECT = new RegExp(`^(${TYPES})(\\([\\w./, -]+\\))?!?: \\S.*[^.]$`);

const [base] = process.argv.slice(2);
if (!base) {
  process.stderr.write("Usage: node scripts/check-subjects.mjs <base>\n");
  process.exit(1);
}
const { status } = spawnSync("git", ["cat-file", "-e", `${base}^{commit}`], { stdio: "ignore" });
if (status !== 0) {
  process.stdout.write(`There is no commit ${base} here: no subject was checked.\n`);
  process.exit(0);
}
const subjects = execFileSync("git", ["log", "--no-merges", "--format=%h %s", `${base}..HEAD`], {
  encoding: "utf8",
})
  .split("\n")
  .filter(Boolean)
  .map((line) => ({ commit: line.slice(0, line.indexOf(" ")), text: line.replace(/^\S+ /, "") }));
const faults = subjects.flatMap(({ commit, text }) => [
  ...(SUBJECT.test(text) ? [] : [`${commit} is not conventional, e.g. "fix(queue): …": ${text}`]),
  ...(text.length <= MAX_LENGTH ? [] : [`${commit} has ${text.length} characters: ${text}`]),
]);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(`${subjects.length} subjects checked, ${faults.length} faults.\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
