import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";

/** Compiles what src/ says: "fails", or writes how often it ran. */
const COMPILER = `
  const fs = require("fs");
  const text = fs.readFileSync("src/a.ts", "utf8");
  fs.mkdirSync("dist/src/bin", { recursive: true });
  fs.appendFileSync("dist/ran", "x");
  fs.writeFileSync("dist/src/bin/build-console.js", "");
  fs.writeFileSync("dist/src/bin/build-programs.js", "");
  fs.writeFileSync("dist/src/bin/build-schema.js", "");
  console.log("said by the compiler");
  if (text === "edited meanwhile") fs.writeFileSync("src/a.ts", "edited again");
  process.exit(text === "fails" ? 2 : 0);
`;

describe("scripts/prepare.cjs", () => {
  const folders: string[] = [];
  after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

  /** A project with one source, edited a minute ago, and a compiler. */
  function createProject({ engine = ">=20.19" } = {}) {
    const folder = mkdtempSync(join(tmpdir(), "photo-service-prepare-"));
    folders.push(folder);
    for (const path of ["src/tasks", "test", "node_modules/typescript/bin"])
      mkdirSync(join(folder, path), { recursive: true });
    for (const script of ["prepare.cjs", "write-catalogue.cjs"])
      cpSync(`scripts/${script}`, join(folder, "scripts", script));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ engines: { node: engine } }));
    writeFileSync(join(folder, "node_modules/typescript/bin/tsc"), COMPILER);
    const edit = (text: string, { secondsAgo = 0 } = {}) => {
      const time = new Date(Date.now() - secondsAgo * 1000);
      writeFileSync(join(folder, "src/a.ts"), text);
      for (const path of ["src/a.ts", "src", "test"]) utimesSync(join(folder, path), time, time);
    };
    edit("fine", { secondsAgo: 60 });
    return {
      edit,
      remove: (path: string) => rmSync(join(folder, path), { recursive: true }),
      has: (path: string) => existsSync(join(folder, path)),
      read: (path: string) => readFileSync(join(folder, path), "utf8"),
      write(path: string, text: string) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      },
      get compilations() {
        return existsSync(join(folder, "dist/ran"))
          ? readFileSync(join(folder, "dist/ran"), "utf8").length
          : 0;
      },
      run(...args: string[]) {
        const { status, stdout, stderr } = spawnSync(
          process.execPath,
          [join(folder, "scripts/prepare.cjs"), ...args],
          { cwd: tmpdir(), encoding: "utf8" },
        );
        return { status, stdout, stderr };
      },
    };
  }

  it(
    "refuses a Node.js that is too old, in one line that names the cure, and does nothing " +
      "else",
    () => {
      const project = createProject({ engine: ">=99.5" });
      const stderr =
        `Node.js ${process.versions.node} is too old: the Photo Service needs 99.5 or newer. ` +
        "Install it from https://nodejs.org, or run: nvm install --lts\n";
      assert.deepEqual(project.run(), { status: 1, stdout: "", stderr });
      assert.equal(project.compilations, 0);
      for (const engine of [
        `>=${process.versions.node.split(".").slice(0, 2).join(".")}`,
        ">=19.99",
      ])
        assert.equal(createProject({ engine }).run().status, 0);
    },
  );

  it("says where no packages are installed that npm ci comes first", () => {
    const project = createProject();
    project.remove("node_modules");
    assert.deepEqual(project.run(), {
      status: 1,
      stdout: "",
      stderr: "The packages are not installed: run npm ci first.\n",
    });
  });

  it(
    "compiles what was never compiled, or changed since, and nothing else; the script's " +
      "own output stays clean",
    () => {
      const project = createProject();
      const { status, stdout, stderr } = project.run();
      assert.deepEqual([status, stdout, project.compilations], [0, "", 1]);
      assert.match(stderr, /^Compiling.*\nsaid by the compiler\n$/);
      assert.deepEqual(
        [project.run(), project.compilations],
        [{ status: 0, stdout: "", stderr: "" }, 1],
      );
      project.edit("changed", { secondsAgo: -1 });
      project.run();
      assert.equal(project.compilations, 2);
      assert.equal(project.run("--always").status, 0);
      assert.equal(project.compilations, 3);
    },
  );

  it("compiles again what was edited while it compiled", () => {
    const project = createProject();
    project.edit("edited meanwhile", { secondsAgo: 60 });
    project.run();
    project.run();
    assert.equal(project.compilations, 2);
    project.run();
    assert.equal(project.compilations, 2);
  });

  it("compiles nothing again after an installation or a build in a separate example", () => {
    const project = createProject();
    project.write("tsconfig.json", '{ "exclude": ["node_modules", "examples/page"] }');
    project.write("examples/script.ts", "");
    project.write("examples/page/main.ts", "");
    project.run();
    project.run();
    assert.equal(project.compilations, 1);
    for (const path of ["examples/node_modules/a.js", "examples/page/dist/a.js"])
      project.write(path, "");
    project.run();
    assert.equal(project.compilations, 1);
    project.write("examples/script.ts", "edited");
    project.run();
    assert.equal(project.compilations, 2);
  });

  it("ends as the compiler does, and compiles again until that succeeds", () => {
    const project = createProject();
    project.edit("fails", { secondsAgo: 60 });
    assert.deepEqual([project.run().status, project.run().status, project.compilations], [2, 2, 2]);
    project.edit("fine", { secondsAgo: 60 });
    assert.deepEqual([project.run().status, project.run().status, project.compilations], [0, 0, 3]);
  });

  it("writes the catalogue before it compiles, and names a folder without one of its files", () => {
    const project = createProject();
    project.write("src/tasks/a-task/task.ts", "");
    assert.equal(project.run().status, 1);
    assert.match(project.run().stderr, /^The catalogue .*: src\/tasks\/a-task needs both .*\.\n$/);
    assert.equal(project.compilations, 0);
    project.write("src/tasks/a-task/run.ts", "");
    assert.equal(project.run().status, 0);
    assert.equal(project.compilations, 1);
    assert.match(project.read("src/tasks/catalogue.ts"), /^import { aTask } from/m);
    assert.deepEqual([project.run().stderr, project.compilations], ["", 1]);
  });

  it("leaves alone what was installed without the compiler, and an image without sources", () => {
    for (const path of ["node_modules/typescript", "src"]) {
      const project = createProject();
      project.remove(path);
      assert.deepEqual(project.run(), { status: 0, stdout: "", stderr: "" });
      assert.equal(project.has("dist"), false);
    }
  });
});

describe("the scripts of package.json", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
    scripts: Record<string, string>;
  };
  const entries = Object.entries(scripts);
  const programs = entries.filter(([, line]) => /\bdist\//.test(line));

  it("are at most 21, of at most 100 characters each", () => {
    assert.ok(entries.length <= 21, `${entries.length} scripts`);
    assert.deepEqual(
      entries.filter(([, line]) => line.length > 100),
      [],
    );
  });

  it("check Node.js first and compile, unless they only run a development tool", () => {
    const isPrepared = (line: string) =>
      /^node scripts\/prepare\.cjs( --always$| && )/.test(line) || /^(prettier|oxlint) /.test(line);
    assert.deepEqual(
      entries.filter(([, line]) => !isPrepared(line)),
      [],
    );
  });

  it("replace their shell by the program, so that a signal to npm reaches it", () => {
    assert.ok(programs.length > 12);
    assert.deepEqual(
      programs.filter(([, line]) => !line.startsWith("node scripts/prepare.cjs && exec node ")),
      [],
    );
  });

  it("are kept from a Node.js that is too old by npm ci as well", () => {
    assert.match(readFileSync(".npmrc", "utf8"), /^engine-strict=true$/m);
  });
});
