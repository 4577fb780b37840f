import { readFileSync } from "node:fs";
import { buildSchema, getNamedType, isLeafType, isObjectType } from "graphql";

const type = buildSchema(readFileSync("test/schema.graphql", "utf8")).getType("Photo");
const fields = isObjectType(type) ? Object.values(type.getFields()) : [];

const scalars = fields.filter(
  (field) => isLeafType(getNamedType(field.type)) && field.args.length === 0,
);

/**
 * Selection of all values of a Photo that take no arguments; the response of an upload has the same
 * fields.
 */
export const PHOTO_FIELDS = [
  ...scalars.map(({ name }) => name),
  "location { latitude longitude altitude }",
].join(" ");
