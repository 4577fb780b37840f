import { format, resolveConfig } from "prettier";
import { z } from "zod";
import { declareType, docComment, type JsonSchema } from "./json-schema-type.js";

/** The parts of a task that its types are made of. */
interface TypedTask {
  name: string;
  description: string;
  parameters: z.ZodType;
  result: z.ZodType;
}

const HEADER = `// Generated from the schemas of the tasks. Renew: npm run build:client
`;

/** The text of `client/src/generated/jobs.ts`: parameters and result of each Job. */
export async function renderJobTypes(tasks: Iterable<TypedTask>): Promise<string> {
  const sorted = [...tasks].sort((a, b) => (a.name < b.name ? -1 : 1));
  const declared = sorted.map((task) => {
    const name = pascalCase(task.name);
    return {
      ...task,
      types: [
        declareType(`${name}Parameters`, schemaOf(task.parameters, "input")),
        declareType(`${name}Result`, schemaOf(task.result, "output")),
      ].join("\n"),
      entry:
        `${docComment(task.description)}${JSON.stringify(task.name)}: ` +
        `{ parameters: ${name}Parameters; result: ${name}Result };`,
    };
  });
  const text = [
    HEADER,
    ...declared.map(({ types }) => types),
    "/** Parameters and result of each Job, by its name. */",
    `export interface Jobs {\n${declared.map(({ entry }) => entry).join("\n")}\n}\n`,
    "export type JobName = keyof Jobs;\n",
  ].join("\n");
  const path = "client/src/generated/jobs.ts";
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  return z.toJSONSchema(schema, { io, target: "draft-2020-12" }) as JsonSchema;
}

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
