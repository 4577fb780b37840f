import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import postgres from "postgres";
import { processesIn } from "../../../src/embedded/processes/processes-in.js";
import { startPostgres } from "../../../src/embedded/postgres/start-postgres.js";
import { eventually } from "../../support/runner/eventually.js";
import { createScene, isAlive, isRoot, killHard, moduleUrl, query, uidOf } from "../scene.js";

const scene = createScene();
const dataDir = join(scene.folder, "postgres");
const data = join(dataDir, "data");
const busyStatement =
  "select 1 from pg_stat_activity where query like '%generate_series(1%' and pid <> " +
  "pg_backend_pid()";
const start = async (durable = false) =>
  scene.use(await startPostgres({ dataDir, log: scene.log, durable }));
after(() => scene.clear());

/** Starts another process that starts PostgreSQL in the same folder and stays alive. */
function launcher() {
  return scene.launch<{ url: string; pid: number }>(`
    import { startPostgres } from ${JSON.stringify(moduleUrl("embedded/postgres/start-postgres"))};
    import { createLoggerTo } from ${JSON.stringify(moduleUrl("runtime/logger"))};
    const log = createLoggerTo({ write() {} });
    const dataDir = ${JSON.stringify(dataDir)};
    const { url, pid } = await startPostgres({ dataDir, log, durable: false });
    process.on("SIGINT", () => console.log("interrupted"));
    console.log(JSON.stringify({ url, pid }));
    setInterval(() => {}, 60_000);
  `);
}

/** Waiting backends of a killed postmaster notice it at once, so this one gets work to do. */
function keepBackendBusy(url: string) {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const ended = sql`select count(*) from generate_series(1, 10000000000)`.catch(() => "ended");
  // No timeout: a client that lost its connection during a query never ends by itself.
  return { close: () => ended.then(() => sql.end({ timeout: 0 })) };
}

test("the first start creates a durable UTF8 and UTC database, only on 127.0.0.1", async () => {
  const server = await start(true);
  const names = [
    "server_encoding",
    "TimeZone",
    "listen_addresses",
    "unix_socket_directories",
    "max_connections",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
  ];
  const rows = await query(
    server.url,
    "select name, setting from pg_settings where name in " +
      `(${names.map((name) => `'${name}'`).join()})`,
  );
  assert.deepEqual(Object.fromEntries(rows.map((row) => [row["name"], row["setting"]])), {
    server_encoding: "UTF8",
    TimeZone: "UTC",
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "100",
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
  });
  assert.deepEqual(
    await query(server.url, "select current_database() as name, lower('ÄÖ') as lower"),
    [{ name: "photos", lower: "äö" }],
  );
  await query(server.url, "create table kept as select 1 as n");
  await server.close();
  assert.equal(isAlive(server.pid), false);
});

test("the next start has the same data, URL and port, and requires the password", async () => {
  const first = await start();
  await query(first.url, "insert into kept values (2)");
  await first.close();
  const server = await start();
  assert.equal(server.url, first.url);
  assert.deepEqual(await query(server.url, "select n from kept"), [{ n: 1 }, { n: 2 }]);
  assert.equal(statSync(join(dataDir, "password")).mode & 0o777, 0o600);
  const wrong = new URL(server.url);
  wrong.password = "wrong";
  await assert.rejects(query(wrong.href, "select 1"), { code: "28P01" });
  await server.close();
});

test("durable: false trades safety for speed", async () => {
  const server = await start(false);
  const rows = await query(
    server.url,
    "select setting from pg_settings where name in ('fsync', 'synchronous_commit', " +
      "'full_page_writes')",
  );
  assert.deepEqual(
    rows.map((row) => row["setting"]),
    ["off", "off", "off"],
  );
  await server.close();
});

test(
  "PostgreSQL runs as another user when started by root",
  { skip: !isRoot && "only root can change to another user: run the suite as root" },
  async () => {
    const server = await start();
    assert.notEqual(uidOf(server.pid), 0);
    assert.equal(uidOf(server.pid), statSync(data).uid);
    await server.close();
  },
);

test("a Ctrl-C that signals the whole process group does not reach PostgreSQL", async () => {
  const { child, firstLine: launched } = await launcher();
  const output = once(child.stdout!, "data");
  process.kill(-child.pid!, "SIGINT");
  await output;
  assert.deepEqual(await query(launched.url, "select 1 as n"), [{ n: 1 }]);
  await killHard(child.pid!);
  await killHard(launched.pid);
});

test("a start after a killed launcher replaces PostgreSQL and keeps its data", async () => {
  const { child, firstLine: launched } = await launcher();
  await query(launched.url, "insert into kept values (3)");
  await killHard(child.pid!);
  assert.equal(isAlive(launched.pid), true);
  const server = await start();
  assert.equal(isAlive(launched.pid), false);
  assert.equal(server.url, launched.url);
  assert.deepEqual(await query(server.url, "select max(n) as n from kept"), [{ n: 3 }]);
  await server.close();
});

test("a start after a killed launcher and postmaster ends the busy backends", async () => {
  const { child, firstLine: launched } = await launcher();
  const busy = keepBackendBusy(launched.url);
  await eventually(
    "the statement runs",
    async () => (await query(launched.url, busyStatement)).length > 0,
  );
  await killHard(child.pid!);
  await killHard(launched.pid);
  assert.notDeepEqual(processesIn(data, ["postgres"]), []);
  const server = await start();
  assert.deepEqual(await query(server.url, "select max(n) as n from kept"), [{ n: 3 }]);
  await busy.close();
  await server.close();
});

test("a stale postmaster.pid ends no other process and blocks no start", async () => {
  const shell = scene.kill(
    spawn("sh", ["-c", "sleep 0.1 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  const [zombie] = (await once(createInterface(shell.stdout!), "line")) as [string];
  await eventually("it is a zombie", () =>
    / Z /.test(readFileSync(`/proc/${zombie}/stat`, "utf8")),
  );
  for (const pid of [zombie, shell.pid]) {
    writeFileSync(
      join(data, "postmaster.pid"),
      `${pid}\n${data}\n1700000000\n15001\n\n127.0.0.1\n  5242888         4\nready   \n`,
    );
    const server = await start();
    await query(server.url, "select 1");
    await server.close();
  }
  assert.equal(isAlive(shell.pid!), true);
});

test("a PostgreSQL that dies is started again with the same URL and data", async () => {
  const server = await start();
  const busy = keepBackendBusy(server.url);
  await eventually(
    "the statement runs",
    async () => (await query(server.url, busyStatement)).length > 0,
  );
  const first = server.pid;
  await killHard(first);
  assert.deepEqual(
    await eventually("it answers again", () => query(server.url, "select max(n) as n from kept")),
    [{ n: 3 }],
  );
  await eventually("it is another process", () => server.pid !== first);
  await busy.close();
  await server.close();
  assert.deepEqual(processesIn(data, ["postgres"]), []);
});

test("closing during a restart leaves no process running", async () => {
  const server = await start();
  await killHard(server.pid);
  await server.close();
  assert.deepEqual(processesIn(data, ["postgres"]), []);
});

test("a start uses a free port when another program has taken the previous one", async () => {
  const port = Number(readFileSync(join(dataDir, "port"), "utf8"));
  const other = createServer().listen(port, "127.0.0.1");
  await once(other, "listening");
  const server = await start();
  assert.notEqual(server.port, port);
  await query(server.url, "select 1");
  await server.close();
  other.close();
});

test("a second start in the same folder is rejected without harm to the first", async () => {
  const server = await start();
  await assert.rejects(start(), {
    name: "EmbeddedError",
    message:
      `PostgreSQL already runs in ${dataDir} for process ${process.pid}: stop it first ` +
      `(kill ${process.pid}).`,
  });
  await query(server.url, "select 1");
  await server.close();
});

test("a wrong password file is reported in one sentence, and no process is left", async () => {
  const password = readFileSync(join(dataDir, "password"), "utf8");
  writeFileSync(join(dataDir, "password"), "another");
  await assert.rejects(start(), {
    name: "EmbeddedError",
    message: new RegExp(
      "PostgreSQL runs, but it rejected the login \\(PostgresError: password " +
        "authentication failed.*put the right password into",
    ),
  });
  assert.deepEqual(processesIn(data, ["postgres"]), []);
  writeFileSync(join(dataDir, "password"), password);
});

test(
  "root can use a folder that is closed to other users, without opening it",
  { skip: !isRoot && "only root can change to another user: run the suite as root" },
  async () => {
    const closed = join(scene.folder, "closed");
    mkdirSync(closed);
    chmodSync(closed, 0o700);
    const server = scene.use(
      await startPostgres({ dataDir: join(closed, "postgres"), log: scene.log, durable: false }),
    );
    await query(server.url, "create table t as select 1 as n");
    await query(server.url, "checkpoint");
    const { pid } = server;
    await killHard(pid);
    assert.deepEqual(await eventually("it answers", () => query(server.url, "select n from t")), [
      { n: 1 },
    ]);
    assert.equal(statSync(closed).mode & 0o777, 0o700);
    await server.close();
  },
);

test("data of another version is rejected in one sentence", async () => {
  writeFileSync(join(data, "PG_VERSION"), "17\n");
  await assert.rejects(start(), {
    name: "EmbeddedError",
    message:
      `The data in ${data} was written by PostgreSQL 17, but this one is 18: move that ` +
      "folder away to start with empty data, or set DATABASE_URL to a PostgreSQL 17.",
  });
});
