/** How long whoever asks may take, and be made to wait. */
export interface HttpTimeouts {
  /** Until the headers of a request must be here. */
  headersMs: number;
  /** Until the body of a GraphQL request must be here; of uploads `UploadPatience` tells. */
  bodyMs: number;
  /** Until an operation is answered; its statements end then, too. */
  operationMs: number;
  /** How often the connections are looked at. */
  lookMs: number;
}

export const HTTP_TIMEOUTS: HttpTimeouts = {
  headersMs: 10_000,
  bodyMs: 10_000,
  operationMs: 10_000,
  lookMs: 2000,
};
