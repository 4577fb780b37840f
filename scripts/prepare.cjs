// Runs before the scripts of package.json. It refuses a Node.js that is too old, and compiles the
// sources, with the catalogue of tasks, when they are newer than the last build. `--always` compiles in any case. Plain CommonJS
// in old syntax, because an old Node.js must be able to parse it before anything is compiled.
"use strict";
const childProcess = require("child_process");
const fs = require("fs");
const path = require("path");
const manifest = require("../package.json");

const INPUTS = [
  "src",
  "test",
  "bench",
  "examples",
  "client/src",
  "client/build",
  "package-lock.json",
  "tsconfig.json",
];
/** The time of this file is when the last successful compilation began. */
const BUILT = "dist/.built";
const COMPILER = "node_modules/typescript/bin/tsc";

process.chdir(path.join(__dirname, ".."));
checkNode();
const SEPARATE = separateFolders();
if (!fs.existsSync("node_modules")) refuse("The packages are not installed: run npm ci first.");
// An installation without development packages, or an image without sources, is already compiled.
const canCompile = fs.existsSync(COMPILER) && fs.existsSync("src");
if (canCompile && (process.argv.includes("--always") || isStale())) compile();

function checkNode() {
  const minimum = /(\d+)\.(\d+)/.exec(manifest.engines.node);
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [least, leastMinor] = [Number(minimum[1]), Number(minimum[2])];
  if (major > least || (major === least && minor >= leastMinor)) return;
  refuse(
    `Node.js ${process.versions.node} is too old: the Photo Service needs ${least}.${leastMinor} ` +
      "or newer. Install it from https://nodejs.org, or run: nvm install --lts",
  );
}

function isStale() {
  if (!fs.existsSync(BUILT)) return true;
  const built = fs.statSync(BUILT).mtimeMs;
  return INPUTS.some((input) => isNewer(input, built));
}

/** A folder also counts as newer when something was removed from it, unless npm installs in it. */
function isNewer(file, time) {
  const stats = fs.existsSync(file) ? fs.statSync(file) : null;
  if (stats === null || path.basename(file) === "node_modules" || SEPARATE.includes(file))
    return false;
  if (!stats.isDirectory()) return stats.mtimeMs > time;
  const names = fs.readdirSync(file);
  if (stats.mtimeMs > time && !names.includes("node_modules")) return true;
  return names.some((name) => isNewer(path.join(file, name), time));
}

/** Examples that are compiled on their own, where installing and building changes nothing here. */
function separateFolders() {
  if (!fs.existsSync("tsconfig.json")) return [];
  const { exclude = [] } = JSON.parse(fs.readFileSync("tsconfig.json", "utf8"));
  return exclude.filter((folder) => folder.startsWith("examples/")).map(path.normalize);
}

/** Reports a folder without one of its two files in one sentence. */
function writeCatalogue() {
  try {
    require("./write-catalogue.cjs").writeCatalogue();
  } catch (error) {
    refuse(`The catalogue cannot be written: ${error.message}.`);
  }
}

function compile() {
  // It is written before the time is taken, so that it does not count as changed since.
  writeCatalogue();
  const begun = new Date();
  process.stderr.write("Compiling the sources; this takes a few seconds …\n");
  run(COMPILER);
  run("dist/src/bin/build-console.js");
  run("dist/src/bin/build-programs.js");
  if (process.argv.includes("--always")) run("dist/src/bin/build-schema.js", "dist");
  fs.writeFileSync(BUILT, "");
  fs.utimesSync(BUILT, begun, begun);
}

/** Prints to stderr, because other programs read the stdout of `npm run --silent token`. */
function run(script, ...args) {
  const { status, signal } = childProcess.spawnSync(process.execPath, [script, ...args], {
    stdio: ["ignore", 2, 2],
  });
  if (signal !== null) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status || 1);
}

function refuse(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
