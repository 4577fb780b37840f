import { createServer } from "node:net";
import { EmbeddedError } from "./embedded-error.js";

/** The port, which nobody has now, or a free one for 0; throws EmbeddedError, with the variable that chooses another, when it is taken. */
export function claimPort({ host, port, variable }: { host: string; port: number; variable: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (cause: NodeJS.ErrnoException) => reject(refusal(cause, { host, port, variable })));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}

function refusal(cause: NodeJS.ErrnoException, { host, port, variable }: { host: string; port: number; variable: string }): EmbeddedError {
  if (cause.code === "EADDRINUSE") return new EmbeddedError(`Port ${port} is taken by another program: stop it, or choose another port with ${variable}=${port + 10}.`, { cause });
  if (cause.code === "EACCES") return new EmbeddedError(`You may not listen on port ${port}: choose one above 1023 with ${variable}.`, { cause });
  return new EmbeddedError(`Cannot listen on ${host}:${port} (${cause.code ?? cause.message}): set HOST to an address of this machine.`, { cause });
}
