/** Of Fastify, in whose routes nothing is described by a JSON Schema: what would compile such schemas is never loaded, and is a fifth of it. */
export const NO_SCHEMAS = { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } };

function refuse(): never {
  throw new Error("A route has a JSON Schema: nothing is there to compile it (no-schemas.ts)");
}
