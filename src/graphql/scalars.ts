import { GraphQLError, GraphQLScalarType, Kind } from "graphql";
import { GraphQLDateTime, GraphQLJSON, GraphQLJSONObject, GraphQLLocalDate } from "graphql-scalars";

/**
 * The scalar of graphql-scalars, but a string is serialized unchanged: rows and events hold
 * instants as RFC 3339 text.
 */
export const DateTime = new GraphQLScalarType({
  ...GraphQLDateTime.toConfig(),
  description: "An instant, RFC 3339 in UTC with milliseconds.",
  specifiedByURL: "https://scalars.graphql.org/andimarek/date-time.html",
  serialize: (value) => (typeof value === "string" ? value : GraphQLDateTime.serialize(value)),
});

export const JSONValue = new GraphQLScalarType({
  ...GraphQLJSON.toConfig(),
  description: "Any JSON value.",
});
export const JSONObject = new GraphQLScalarType({
  ...GraphQLJSONObject.toConfig(),
  description: "A JSON object.",
});

const LOCAL_DATE_TIME = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?$/;

/** The library's scalar of this name also takes a zone, and days that their month does not have. */
function parseLocalDateTime(value: unknown): string {
  const text = typeof value === "string" && LOCAL_DATE_TIME.test(value) ? value : "";
  const time = Date.parse(`${text}Z`);
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text.slice(0, 16)))
    throw new GraphQLError(
      "LocalDateTime must be a text such as 2024-05-06T07:08:09, without a time zone.",
    );
  return text;
}

export const LocalDateTime = new GraphQLScalarType<string, string>({
  name: "LocalDateTime",
  description: "A wall-clock time without a zone, as a camera writes it: 2024-05-06T07:08:09.",
  // Rows have a blank between day and time.
  serialize: (value) => String(value).replace(" ", "T"),
  parseValue: parseLocalDateTime,
  parseLiteral: (node) => parseLocalDateTime(node.kind === Kind.STRING ? node.value : null),
});

export const LocalDate = new GraphQLScalarType({
  ...GraphQLLocalDate.toConfig(),
  description: "A day without a zone: 2024-05-06.",
});
