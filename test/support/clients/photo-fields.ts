import { readFileSync } from "node:fs";
import { buildSchema, getNamedType, isLeafType, isObjectType } from "graphql";

const type = buildSchema(readFileSync("test/schema.graphql", "utf8")).getType("Photo");
const fields = isObjectType(type) ? Object.values(type.getFields()) : [];

/** All that a Photo says of itself, to be asked for: what an upload answers, too. */
export const PHOTO_FIELDS = fields
  .filter((field) => isLeafType(getNamedType(field.type)))
  .map(({ name }) => name)
  .join(" ");
