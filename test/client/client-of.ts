import { WebSocket } from "ws";
import { createPhotoService, type PhotoService } from "../../client/src/index.js";
import type { PhotoServiceOptions } from "../../client/src/photo-service.js";

export interface TestedClient {
  client: PhotoService;
  /** Kills all sockets without a close frame. */
  killSockets(): void;
  /** Number of sockets that were opened. */
  sockets(): number;
}

/** A client whose WebSockets can be killed; Node 20 has no WebSocket class. */
export function clientOf(options: PhotoServiceOptions): TestedClient {
  const sockets: WebSocket[] = [];
  class KillableSocket extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      this.on("error", () => {});
      sockets.push(this);
    }
  }
  return {
    client: createPhotoService({ webSocket: KillableSocket, ...options }),
    killSockets: () => sockets.forEach((socket) => socket.terminate()),
    sockets: () => sockets.length,
  };
}
