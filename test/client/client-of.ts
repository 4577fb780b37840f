import type { TestContext } from "node:test";
import { WebSocket } from "ws";
import { createPhotoService, type PhotoService } from "../../client/src/index.js";
import type { PhotoServiceOptions } from "../../client/src/connect.js";
import type { TestClient } from "../support/clients/test-client.js";
import type { TestService } from "../support/service/test-service.js";
import { createTcpProxy, type TcpProxy } from "../support/stores/tcp-proxy.js";

export interface TestedClient {
  client: PhotoService;
  /** Kills all sockets without a close frame. */
  killSockets(): void;
  /** Number of sockets that were opened. */
  sockets(): number;
}

/** A person's client behind a proxy; both are closed at the end of the test. */
export async function proxiedClientOf(
  t: TestContext,
  service: Pick<TestService, "url" | "person">,
): Promise<TestedClient & { proxy: TcpProxy; person: TestClient }> {
  const proxy = await createTcpProxy(service.url);
  const person = await service.person();
  const tested = clientOf({ url: proxy.url, token: person.token });
  t.after(async () => {
    tested.client.close();
    await proxy.close();
  });
  return { ...tested, proxy, person };
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
