import { createServer } from "node:net";
import { EmbeddedError } from "./embedded-error.js";

interface Place {
  host: string;
  port: number;
  /** Chooses another port. */
  variable: string;
}

/**
 * The port, which nobody has now, or a free one for 0; throws EmbeddedError, with the variable that
 * chooses another, when it is taken.
 */
export function claimPort(place: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (cause: NodeJS.ErrnoException) => reject(refusal(cause, place)));
    server.listen({ host: place.host, port: place.port, exclusive: true }, () => {
      const address = server.address();
      const { port } = typeof address === "object" && address !== null ? address : place;
      server.close(() => resolve(port));
    });
  });
}

/** For the `catch` of what listens there: throws EmbeddedError where the system refuses that. */
export function explainListening(place: Place): (cause: NodeJS.ErrnoException) => never {
  return (cause) => {
    throw cause.syscall === "listen" ? refusal(cause, place) : cause;
  };
}

function refusal(cause: NodeJS.ErrnoException, { host, port, variable }: Place): EmbeddedError {
  if (cause.code === "EADDRINUSE")
    return new EmbeddedError(
      `Port ${port} is taken by another program: stop it, or choose another port with ` +
        `${variable}=${port + 10}.`,
      { cause },
    );
  if (cause.code === "EACCES")
    return new EmbeddedError(
      `You may not listen on port ${port}: choose one above 1023 with ${variable}.`,
      { cause },
    );
  return new EmbeddedError(
    `Cannot listen on ${host}:${port} (${cause.code ?? cause.message}): set HOST to an ` +
      "address of this machine.",
    { cause },
  );
}
