// Writes the schema where tools look for it: as SDL and as the result of introspection. The folder
// is the argument; `npm run build` passes `dist`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { introspectionFromSchema, printSchema } from "graphql";
import { createSchema } from "../graphql/schema.js";
import { createTypedJobs } from "../graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../tasks/catalogue.js";

const [folder = "."] = process.argv.slice(2);
const schema = await createSchema(createTypedJobs(catalogue.values()));
writeFileSync(join(folder, "schema.graphql"), `${printSchema(schema)}\n`);
writeFileSync(join(folder, "schema.json"), JSON.stringify(introspectionFromSchema(schema)));
