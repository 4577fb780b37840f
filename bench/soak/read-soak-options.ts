import { readCommandLine } from "../../src/command-line.js";

export function readSoakOptions(): { minutes: number } {
  return readCommandLine(
    {
      name: "npm run soak",
      about: "Put a steady mixed load on the service, and check that memory, timers, listeners, handles and connections return to what they were.",
      options: { minutes: { type: "string", value: "<number>", default: "30", about: "Length of the load, from 1." } },
      examples: ["--minutes 10"],
    },
    (values) => {
      const minutes = Number(values.minutes);
      if (!(minutes >= 1 && minutes <= 24 * 60)) throw new Error("--minutes must be a number from 1 to 1440");
      return { minutes };
    },
  );
}
