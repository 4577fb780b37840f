import { after, before } from "node:test";
import {
  closeWindow,
  startBrowser,
  type PersonAtPage,
  type TestBrowser,
} from "../../support/clients/browser.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

export const PATIENT = { timeout: 60_000 };

export interface PersonWithClient extends PersonAtPage {
  client: TestClient;
  /** Closes the window, and fails the test if the page logged an error. */
  close(allowed?: { but: RegExp }): Promise<void>;
}

/** A service and a browser for the tests of the suite that calls this. */
export function usePage() {
  let service: TestService;
  let browser: TestBrowser;
  before(async () => {
    [service, browser] = await Promise.all([startTestService(), startBrowser()]);
  });
  after(() => Promise.all([browser?.close(), service?.close()]));
  return {
    get service() {
      return service;
    },
    get browser() {
      return browser;
    },
    /** Signs a new user in. */
    async newcomer(options: Parameters<TestBrowser["signIn"]>[2] = {}): Promise<PersonWithClient> {
      const client = await service.person();
      const person = await browser.signIn(service.url, client.token, options);
      return { client, ...person, close: (allowed) => closeWindow(person, allowed) };
    },
  };
}
