import { loadOrCreateDevelopmentKey, signDevelopmentToken } from "../auth/development-key.js";
import { parseDuration } from "../auth/parse-duration.js";
import { readCommandLine } from "../runtime/command-line.js";
import { ConfigError, parseConfig, readEnvironment } from "../runtime/config.js";
import { runCommand } from "../runtime/lifecycle.js";

const { email, admin, expiresInSeconds } = readCommandLine(
  {
    name: "npm run token",
    about:
      "Print a development token, which the service of this folder accepts outside production.",
    options: {
      email: {
        type: "string",
        value: "<address>",
        required: true,
        about: "E-mail address of the user.",
      },
      admin: { type: "boolean", about: "Make the user an admin." },
      expires: {
        type: "string",
        value: "<duration>",
        default: "12h",
        about: "Lifetime of the token: 90s, 30m, 1h, 2d.",
      },
    },
    examples: ["--email you@example.com", "--email you@example.com --admin --expires 1h"],
  },
  (values) => {
    if (!values.email.includes("@")) throw new Error("--email is not an e-mail address");
    return {
      email: values.email,
      admin: values.admin,
      expiresInSeconds: parseDuration(values.expires),
    };
  },
);

await runCommand(async () => {
  const config = parseConfig(readEnvironment(), []);
  if (config.production)
    throw new ConfigError([
      "NODE_ENV is production, which does not accept development tokens: unset it, or use " +
        "a token of your identity provider",
    ]);
  const key = await loadOrCreateDevelopmentKey(config.dataFolder);
  process.stdout.write(`${await signDevelopmentToken(key, { email, admin, expiresInSeconds })}\n`);
});
