// The database page with other users in DATABASE_URL than the superuser of the tests.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import postgres, { type Sql } from "postgres";
import { migrate } from "../../../src/db/migrate.js";
import { createReadOnlyQueries } from "../../../src/db/read-only-queries.js";
import { startPostgres } from "../../../src/embedded/postgres/start-postgres.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { long } from "../../support/runner/long.js";
import { silentLog } from "../../support/runner/silent-log.js";

/** Statements that succeed only if the role of the owner is reached. */
const ESCAPES = [
  "select set_config('role', 'none', true), query_to_xml('table public.photos', true, true, '')",
  "select set_config('session_authorization', 'default', true)",
  "select query_to_xml('table public.photos', true, true, '')",
  "select * from public.photos",
];

describe("the queries of operators", () => {
  const server = process.env["TEST_DATABASE_URL"] ?? "";
  const folder = temporaryFolder().path;
  let admin: Sql;
  before(() => {
    admin = postgres(server, { max: 1, onnotice: () => {} });
  });
  after(() => admin.end());

  /** Creates a database with its own owner, who is not a superuser. */
  async function createOwned(
    sql: Sql,
    rights: string,
    name = `o_${randomBytes(6).toString("hex")}`,
  ) {
    await sql.unsafe(`create role "${name}" login password 'p' ${rights}`);
    await sql.unsafe(`create database "${name}" owner "${name}"`);
    return {
      name,
      url: Object.assign(new URL(server), { username: name, password: "p", pathname: `/${name}` })
        .href,
      async drop() {
        await sql.unsafe(`drop database "${name}" with (force)`);
        await sql.unsafe(`drop role if exists "${name}_readonly"`);
        await sql.unsafe(`drop role "${name}"`);
      },
    };
  }

  /** Opens a Unix socket that leads to a port of this machine. */
  async function openSocket(port: number): Promise<Server> {
    const socket = createServer((client) => {
      const upstream = connect(port, "127.0.0.1");
      client.pipe(upstream).pipe(client);
      for (const end of [client, upstream]) end.on("error", () => end.destroy());
    });
    await once(socket.listen(join(folder, ".s.PGSQL.5432")), "listening");
    return socket;
  }

  async function assertReads(url: string): Promise<void> {
    const queries = createReadOnlyQueries(url);
    assert.deepEqual((await queries.run("select count(*) from users")).rows, [["0"]]);
    for (const text of ESCAPES)
      await assert.rejects(queries.run(text), /permission denied|within security-definer/, text);
  }

  it("run for an owner who may create roles, and take the role's earlier password away", async () => {
    const owned = await createOwned(admin, "createrole");
    const own = postgres(owned.url, { max: 1, onnotice: () => {} });
    await own.unsafe(`create role "${owned.name}_readonly" login password 'p'`);
    await own.end();
    for (let migrations = 0; migrations < 2; migrations++) {
      await migrate(owned.url);
      await assertReads(owned.url);
    }
    const [role] = await admin`select rolcanlogin, rolpassword from pg_authid
      where rolname = ${`${owned.name}_readonly`}`;
    assert.deepEqual({ ...role }, { rolcanlogin: false, rolpassword: null });
    const { port } = new URL(owned.url);
    const socket = await openSocket(Number(port));
    const local = `postgres://${owned.name}:p@localhost/${owned.name}`;
    await assertReads(`${local}?host=${encodeURIComponent(folder)}`);
    socket.close();
    await owned.drop();
  });

  it("say what an administrator grants to an owner who may not create roles", async () => {
    const owned = await createOwned(admin, "");
    await migrate(owned.url);
    const role = `"${owned.name}_readonly"`;
    await assert.rejects(
      createReadOnlyQueries(owned.url).run("select 1"),
      new RegExp(`an administrator first runs: create role ${role}; grant ${role} to the user of`),
    );
    await admin.unsafe(`create role ${role}`);
    await admin.unsafe(`grant ${role} to "${owned.name}"`);
    await migrate(owned.url);
    await assertReads(owned.url);
    await owned.drop();
  });

  it("run over a Unix socket, without a user and a password in the URL", long, async () => {
    const dataDir = join(folder, "postgres");
    const private_ = await startPostgres({ dataDir, log: silentLog, durable: false });
    const { port } = new URL(private_.url);
    const owner = postgres(private_.url, { max: 1, onnotice: () => {} });
    // No role but the superuser needs a password now.
    const rules = "host all photos all scram-sha-256\nhost all all 127.0.0.1/32 trust\n";
    await writeFile(join(dataDir, "data", "pg_hba.conf"), rules);
    await owner`select pg_reload_conf()`;
    const { name } = await createOwned(owner, "createrole", userInfo().username);
    const socket = await openSocket(Number(port));
    const encoded = encodeURIComponent(folder);
    try {
      await migrate(`postgres:///${name}?host=${encoded}`);
      for (const url of [`postgres:///${name}?host=${encoded}`, `postgres://${encoded}/${name}`])
        await assertReads(url);
    } finally {
      socket.close();
      await owner.end();
      await private_.close();
    }
  });
});
