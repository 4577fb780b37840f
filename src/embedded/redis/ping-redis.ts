import { connect } from "node:net";

/**
 * True when the Redis on this port of 127.0.0.1 takes the password and answers; false when it
 * loads, refuses, or is not there.
 */
export function pingRedis(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: 1_000 });
    let answer = "";
    const end = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.once("connect", () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on("data", (bytes) => {
      answer += bytes.toString();
      if (answer === "+OK\r\n+PONG\r\n") end(true);
      else if (/^-|\n-/.test(answer)) end(false);
    });
    for (const event of ["error", "timeout", "close"]) socket.once(event, () => end(false));
  });
}
