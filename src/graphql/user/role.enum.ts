import { registerEnumType } from "type-graphql";

export const Role = { USER: "USER", ADMIN: "ADMIN" } as const;

registerEnumType(Role, {
  name: "Role",
  description: "What a person may do.",
  valuesConfig: {
    USER: { description: "Everything with what is one's own." },
    ADMIN: {
      description: "Also sees everybody's, and cancels, retries and deletes QueuedJobs of others.",
    },
  },
});
